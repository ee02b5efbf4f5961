"""Answers that many ask for at the same time: found once, and kept for a while. One page may be news to a thousand clients."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

_T = TypeVar("_T")


@dataclass(slots=True)
class _Answer(Generic[_T]):
    lock: threading.Lock = field(default_factory=threading.Lock)
    found: list[_T] = field(default_factory=list)
    weight: int = 0


class SharedAnswers(Generic[_T]):
    """Keeps the answers asked for last. Together they weigh `most` at most, each as `weigh` says."""

    def __init__(self, most: int, weigh: Callable[[_T], int]) -> None:
        self._most = most
        self._weigh = weigh
        self._weight = 0
        self._lock = threading.Lock()
        self._of: OrderedDict[Hashable, _Answer[_T]] = OrderedDict()

    def get(self, key: Hashable, find: Callable[[], _T]) -> _T:
        """What `find` gives, or gave to who asked for the same key before. What it raises is not kept."""
        with self._lock:
            answer = self._of.setdefault(key, _Answer())
            self._of.move_to_end(key)
        with answer.lock:
            if not answer.found:
                try:
                    answer.found.append(find())
                except BaseException:
                    self._forget(key, answer)
                    raise
                self._keep(key, answer)
            return answer.found[0]

    def _keep(self, key: Hashable, answer: _Answer[_T]) -> None:
        with self._lock:
            if self._of.get(key) is not answer:
                return  # pushed out while it was being found
            answer.weight = self._weigh(answer.found[0])
            self._weight += answer.weight
            while self._weight > self._most:
                _, oldest = self._of.popitem(last=False)
                self._weight -= oldest.weight

    def _forget(self, key: Hashable, answer: _Answer[_T]) -> None:
        with self._lock:
            if self._of.get(key) is answer:
                del self._of[key]
