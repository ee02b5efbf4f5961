"""Answers that hold for a moment: asked for once by all who come with the same question meanwhile. What is kept for longer: shared_answers.py."""

import math
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

_T = TypeVar("_T")


@dataclass(slots=True)
class _Answer(Generic[_T]):
    lock: threading.Lock = field(default_factory=threading.Lock)
    at_s: float = -math.inf
    found: list[_T] = field(default_factory=list)


class FreshAnswers(Generic[_T]):
    """Answers of `fresh_s` seconds at most; beyond `remembered` questions, those of older ones are forgotten."""

    def __init__(self, fresh_s: float, remembered: int) -> None:
        self._fresh_s = fresh_s
        self._remembered = remembered
        self._lock = threading.Lock()
        self._of: dict[Hashable, _Answer[_T]] = {}

    def get(self, question: Hashable, find: Callable[[], _T]) -> _T:
        """What `find` says, or said a moment ago; who comes while it is asked waits for it. What it raises is not kept."""
        with self._lock:
            if len(self._of) > self._remembered:
                oldest_s = time.monotonic() - self._fresh_s
                self._of = {known: answer for known, answer in self._of.items() if answer.at_s > oldest_s}
            answer = self._of.setdefault(question, _Answer())
        with answer.lock:
            if not answer.found or time.monotonic() - answer.at_s > self._fresh_s:
                answer.found = [find()]
                answer.at_s = time.monotonic()
            return answer.found[0]
