"""How a waiter learns that something changed, at a cost that does not grow with the waiters.

One thread per process learns whether the database changed at all (recto/database/commits.py: it is told by the kernel or by PostgreSQL, or looks), reads
the changed jobs once, and hands them to whoever waits for them. Nobody waits: nobody looks. Under gevent the thread is a
greenlet, which looks by itself, and `call` runs the reading in the hub's thread pool.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from recto.database.commits import watch_commits
from recto.database.connections import Begin, transaction
from recto.logs import get_logger
from recto.views.jobs import Changes, JobView, change_some_jobs_ago, changes_wanted, latest_change

_log = get_logger(__name__)
_T = TypeVar("_T")
Call: TypeAlias = Callable[[Callable[[], _T]], _T]


@dataclass(frozen=True, slots=True)
class Deleted:
    """What a waiter gets instead of a job that was deleted."""


News: TypeAlias = JobView | Deleted


class Subscription:
    """One waiter. Holds the latest news of its job until `wait` takes it."""

    def __init__(self) -> None:
        self._changed = threading.Event()
        self._news: News | None = None

    def wait(self, timeout_s: float) -> News | None:
        """The next news, or None when the time is up or the process stops."""
        if not self._changed.wait(timeout_s):
            return None
        self._changed.clear()
        news, self._news = self._news, None
        return news

    def put(self, news: News | None) -> None:
        """Wake the waiter."""
        self._news = news
        self._changed.set()


class ChangeFeed:
    """Watches the database for the waiters of this process. `start` before the first subscription, `stop` wakes everybody."""

    def __init__(self, engine: Engine, interval_s: float, call: Call[Any]) -> None:
        self._interval_s = interval_s
        self._call = call
        self._of_job: defaultdict[str, set[Subscription]] = defaultdict(set)
        self._of_user: defaultdict[int, set[Subscription]] = defaultdict(set)
        self._of_all: defaultdict[None, set[Subscription]] = defaultdict(set)
        self._lock = threading.Lock()
        self._needed = threading.Event()
        self._cursor = _Cursor(engine)
        self._thread: threading.Thread | None = None
        self._expected_until_s = 0.0
        self.is_stopping = False
        self.looks = 0
        """How often something was found to be committed: as long as it stays the same, so does all that the database says."""
        self.reached = 0
        """The number of the latest change that was handed to the waiters."""

    @property
    def waiter_count(self) -> int:
        """How many subscriptions are open."""
        return sum(len(group) for groups in (self._of_job, self._of_user, self._of_all) for group in groups.values())

    @contextmanager
    def job(self, uuid: str) -> Iterator[Subscription]:
        """News of one job. Subscribe first and read the job then, so that nothing falls between."""
        with self._subscribed(self._of_job, uuid, Subscription()) as subscription:
            yield subscription

    @contextmanager
    def user(self, user_id: int) -> Iterator[Subscription]:
        """News of any job of a user."""
        with self._subscribed(self._of_user, user_id, Subscription()) as subscription:
            yield subscription

    @contextmanager
    def everything(self, subscription: Subscription) -> Iterator[None]:
        """Have a subscription that others wake as well woken by news of any job."""
        with self._subscribed(self._of_all, None, subscription):
            yield

    def stop(self) -> None:
        """Wake every waiter with nothing, so that requests can end, and end the watcher."""
        self.is_stopping = True
        self._needed.set()
        self._cursor.commits.wake()
        for group in (*self._of_job.values(), *self._of_user.values(), *self._of_all.values()):
            for subscription in tuple(group):
                subscription.put(None)
        if self._thread is not None:
            self._thread.join()

    @contextmanager
    def _subscribed(
        self, groups: defaultdict[Any, set[Subscription]], key: Any, subscription: Subscription
    ) -> Iterator[Subscription]:
        with self._lock:
            groups[key].add(subscription)
            self._expected_until_s = time.monotonic() + _EXPECTED_S
            if self._thread is None:
                # In a context of its own: it outlives the request that comes first, whose id its lines in the log would have.
                self._thread = threading.Thread(
                    target=Context().run, args=(self._watch,), name="change-feed", daemon=True
                )
                self._thread.start()
        self._needed.set()
        try:
            yield subscription
        finally:
            with self._lock:
                groups[key].discard(subscription)
                if not groups[key]:
                    del groups[key]

    def _watch(self) -> None:
        while not self.is_stopping:
            try:
                with self._cursor:
                    self._follow(self._cursor)
            except Exception:  # noqa: BLE001 - it is logged with all that is known
                # Whatever it was, the watcher goes on: without it, every waiter of this process waits until its time is up.
                _log.exception("change_feed_failed")
                threading.Event().wait(_PAUSE_AFTER_FAULT_S)

    def _follow(self, cursor: "_Cursor") -> None:
        while not self.is_stopping:
            self._needed.clear()  # before the look: who comes after it sets the event again
            if not self.waiter_count:
                self._needed.wait()
                cursor.skip_to_now()
            if cursor.may_find_something():
                changes = self._call(partial(cursor.poll, self._is_wanted))
                if changes is not None:
                    self.looks += 1
                    self.reached = changes.change  # before anybody is woken by it
                    self._deliver(changes)
            is_likely = time.monotonic() < self._expected_until_s
            if not self.is_stopping:  # asked after the look: `stop` wakes who waits only then
                cursor.wait(self._interval_s / (_SOONER if is_likely else 1))

    def _deliver(self, changes: Changes) -> None:
        for view in changes.jobs:
            self._put(view.uuid, view.user_id, view)
        for gone in changes.deleted:
            self._put(gone.uuid, gone.user_id, Deleted())

    def _is_wanted(self, uuid: str, user_id: int) -> bool:
        return uuid in self._of_job or user_id in self._of_user or bool(self._of_all)

    def _put(self, uuid: str, user_id: int, news: News) -> None:
        of_all = self._of_all.get(None, ())
        for subscription in (*self._of_job.get(uuid, ()), *self._of_user.get(user_id, ()), *of_all):
            subscription.put(news)


class _Cursor:
    """A place in the sequence of changes, on a connection of its own that never writes. Keeps the place from one `with` to the next."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._change: int | None = None
        self.commits = watch_commits(engine)
        self._seen: int | None = None

    def __enter__(self) -> "_Cursor":
        self._seen = None  # each connection counts for itself
        self.commits.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.commits.close()

    def may_find_something(self) -> bool:
        """Whether a poll is worth while. Takes microseconds and waits for nothing, no writer either: it needs no thread of its own."""
        return self._seen is None or self.commits.read() != self._seen

    def wait(self, glance_s: float) -> None:
        """Until there may be something to find, or, where nobody tells, to look again after that time."""
        self.commits.wait(self._seen, _LONGEST_WAIT_S, glance_s)

    def poll(self, is_wanted: Callable[[str, int], bool]) -> Changes | None:
        """Changes since the last poll of the jobs that are wanted; None where nothing at all was written.

        The first poll looks back, so that nobody misses what happened between a subscription and the poll that it starts.
        """
        count = self.commits.read()
        if count == self._seen:
            return None
        with transaction(Session(self._engine), Begin.READ) as session:
            if self._change is None:
                look_back = max(0, latest_change(session) - _LOOK_BACK)
                self._change = min(look_back, change_some_jobs_ago(session, _LOOK_BACK_JOBS))
            changes = changes_wanted(session, self._change, is_wanted)
        self._change = changes.change
        if changes.is_complete:
            self._seen = count
        return changes

    def skip_to_now(self) -> None:
        """Leave out what happened while nobody waited."""
        self._change = self._seen = None


_PAUSE_AFTER_FAULT_S = 1.0
_LONGEST_WAIT_S = 1.0
"""So often is looked all the same, whoever tells."""
_EXPECTED_S = 0.3
"""For so long after somebody began to wait, news are likely: a small page takes less."""
_SOONER = 5
"""How much more often is looked meanwhile. Each look costs a fifth of a millisecond of processor time, nearly all of it for the waking up."""
_LOOK_BACK = 1000
"""How many changes the first poll looks back: more than can fall between a subscription and the poll that it starts."""
_LOOK_BACK_JOBS = 20
"""And how many jobs at least: one that is answered from an earlier one takes a number for each of its pages at once."""
