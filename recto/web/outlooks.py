"""What is said of unfinished jobs beyond their rows: their place in the queue, and about how long they take. Asked for once for all who want it."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from recto.job_views import JobView
from recto.outlook import Outlook, Pace, find_before, outlook, recent_pace
from recto.web.database import read

_T = TypeVar("_T")
_PACE_S: Final = 5.0
_OUTLOOK_S: Final = 1.0
_REMEMBERED: Final = 1000
NOTHING: Final = Outlook()


@dataclass(slots=True)
class _Remembered(Generic[_T]):
    """The latest value, for those who come while it is fresh; who comes while it is made waits for it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    at_s: float = -math.inf
    values: list[_T] = field(default_factory=list)

    def get(self, fresh_s: float, make: Callable[[], _T]) -> _T:
        with self.lock:
            if not self.values or time.monotonic() - self.at_s > fresh_s:
                self.values = [make()]
                self.at_s = time.monotonic()
            return self.values[0]


class Outlooks:
    """Those of the jobs of one Backend, a second old at most; a thousand clients that wait for one job ask one question."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pace: _Remembered[Pace] = _Remembered()
        self._of: dict[tuple[str, int], _Remembered[Outlook]] = {}

    def of(self, job: JobView) -> Outlook:
        """Nothing is said of a job that has ended."""
        if job.status.is_final:
            return NOTHING
        with self._lock:
            if len(self._of) > _REMEMBERED:
                oldest_s = time.monotonic() - _OUTLOOK_S
                self._of = {key: one for key, one in self._of.items() if one.at_s > oldest_s}
            remembered = self._of.setdefault((job.uuid, job.change), _Remembered())
        return remembered.get(_OUTLOOK_S, lambda: self._make(job))

    def _make(self, job: JobView) -> Outlook:
        pace = self._pace.get(_PACE_S, lambda: read(recent_pace))
        return outlook(job, read(find_before, job), pace)
