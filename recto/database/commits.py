"""Whether something was committed to the database, by whatever process on whatever host: what wakes those who wait for it.

SQLite counts its commits in shared memory, so looking is cheap; when it is worth while the kernel tells (log_writes.py), and where it
does not, it is done often. PostgreSQL tells by NOTIFY (migrations/, the triggers that call recto_tell) a thread that listens; under gevent
it is a greenlet.
"""

import math
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import Engine, PoolProxiedConnection
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError

from recto.logs import get_logger

if sys.platform == "linux":
    from recto.database.log_writes import LogWrites

_log = get_logger(__name__)
CHANNEL: Final = "recto"
SLOW_POLL_S: Final = 5.0
"""So often it is asked all the same: of a connection that is dead, nothing is heard, not even that."""
_LOOKS_FOR_S: Final = 1.0
"""For so long after a write the commit may be on its way to the disk."""
_MOST_UNTOLD: Final = 2
"""So many commits running may have shown without a write that was told of; with another, only looking tells."""
_FIRST_LOOK_S: Final = 0.002
_LATER: Final = 0.5
_SOON_S: Final = 0.02
"""Word of another write can wait for that long."""
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 5.0


class Commits(Protocol):
    """A number that is another one after each commit of others."""

    def start(self) -> None:
        """Begin to listen where that takes a thread: call it in one that goes on for as long as this is used, before the first `read`."""

    def read(self) -> int:
        """Another number than before where something may have been committed in between. Costs microseconds and waits for nothing."""

    def wait(self, seen: int | None, longest_s: float, glance_s: float) -> None:
        """Until `read` may give another number than `seen`, for `longest_s` at most; where only looking tells, for `glance_s` at most."""

    def wake(self) -> None:
        """End what waits, from another thread."""

    def close(self) -> None:
        """Give connections back. The next `read` takes new ones, and gives another number than the last one did."""


def watch_commits(engine: Engine) -> Commits:
    """For this kind of database. Nothing is opened yet."""
    return DataVersion(engine) if engine.dialect.name == "sqlite" else Notifications(engine)


class DataVersion:
    """SQLite's own count: https://www.sqlite.org/pragma.html#pragma_data_version. On a connection on which nothing is ever written.

    Used by one thread, but for `wake`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: PoolProxiedConnection | None = None
        self._cursor: DBAPICursor | None = None
        self._lock = threading.Lock()  # held while `_writes` is changed, and by `wake`, which comes from another thread
        self._writes: LogWrites | None = None
        self._is_told = sys.platform == "linux"
        self._told_s = -math.inf  # of a write whose commit may be on its way to the disk
        self._is_told_since_read = False
        self._count = 0
        self._untold = 0

    def start(self) -> None:
        """See Commits."""

    def read(self) -> int:
        """See Commits. Does not count what is committed on its own connection."""
        if self._cursor is None:
            self._connection = self._engine.raw_connection()
            self._cursor = self._connection.cursor()
        self._cursor.execute("PRAGMA data_version")
        row = self._cursor.fetchone()
        count = int(row[0]) if row else 0
        # Writers take turns: the next one's write comes after the commit that shows now. So it would have been told of since the last read.
        if count != self._count and not self._is_told_since_read:
            self._told_s = -math.inf
        self._count, self._is_told_since_read = count, False
        return count

    def wait(self, seen: int | None, longest_s: float, glance_s: float) -> None:
        """See Commits."""
        is_first = self._writes is None
        writes = self._log_writes()
        if writes is None:
            time.sleep(min(longest_s, glance_s))
            return
        if is_first:
            self._note_write()
            return  # of what was committed before this, nothing was told
        since_s = time.monotonic() - self._told_s
        is_expected = since_s < _LOOKS_FOR_S
        # The commit that a write was for shows when the disk has it: soon, or later. So each look comes later than the last one.
        pause_s = max(_FIRST_LOOK_S, since_s * _LATER) if is_expected else longest_s
        is_soon = pause_s < min(_SOON_S, longest_s)
        if writes.pause(pause_s) if is_soon else writes.wait(min(pause_s, longest_s)):
            self._note_write()
            self._untold = 0
        elif not is_expected and seen is not None and self._has_passed(seen):
            if writes.take():
                self._note_write()
                return
            self._untold += 1  # a slow disk's commit, or the kernel does not tell
            if self._untold > _MOST_UNTOLD:
                _log.info("commits_not_told", database=self._engine.url.database)
                self._is_told = False
                self._close_writes()

    def wake(self) -> None:
        """See Commits."""
        with self._lock:
            if self._writes is not None:
                self._writes.wake()

    def close(self) -> None:
        """See Commits. Each connection counts for itself."""
        if self._connection is not None:
            self._connection.close()
            self._connection = self._cursor = None
        self._close_writes()

    def _note_write(self) -> None:
        """A commit may be on its way to the disk."""
        self._told_s, self._is_told_since_read = time.monotonic(), True

    def _has_passed(self, seen: int) -> bool:
        try:
            return self.read() != seen
        except (DBAPIError, sqlite3.Error):
            return False  # whoever reads next, outside the wait, hears what is wrong

    def _log_writes(self) -> "LogWrites | None":
        """None where only looking tells: on other systems than Linux, or where the kernel will not tell or has not told."""
        if self._writes is None and self._is_told:
            database = self._engine.url.database or ""
            try:
                with self._lock:
                    self._writes = LogWrites(Path(database))
            except OSError as error:
                _log.info("commits_not_told", database=database, reason=str(error))
                self._is_told = False
        return self._writes

    def _close_writes(self) -> None:
        with self._lock:
            if self._writes is not None:
                self._writes.close()
                self._writes = None


class Notifications:
    """PostgreSQL's NOTIFY: https://www.postgresql.org/docs/current/sql-notify.html. Reconnects by itself; meanwhile the number counts on."""

    def __init__(self, engine: Engine, slow_poll_s: float = SLOW_POLL_S) -> None:
        self._engine = engine
        self._slow_poll_s = slow_poll_s
        self._count = 0
        self._told = threading.Condition()
        self._listener: _Listener | None = None

    def start(self) -> None:
        """See Commits."""
        if self._listener is None:
            self._count += 1
            self._listener = _Listener(self._engine, self._slow_poll_s, self.wake)

    def read(self) -> int:
        """See Commits."""
        self.start()
        return self._count

    def wait(self, seen: int | None, longest_s: float, glance_s: float) -> None:
        """See Commits."""
        del glance_s  # the server tells
        with self._told:
            self._told.wait_for(lambda: self._count != seen, longest_s)

    def wake(self) -> None:
        """See Commits. Counts, as if something had been committed."""
        with self._told:
            self._count += 1
            self._told.notify_all()

    def close(self) -> None:
        """See Commits."""
        if self._listener is not None:
            self._listener.stop()
            self._listener = None


class _Listener:
    """Calls `tell` whenever something was committed, and whenever that cannot be known, until it is stopped."""

    def __init__(self, engine: Engine, slow_poll_s: float, tell: Callable[[], None]) -> None:
        self._engine = engine
        self._slow_poll_s = slow_poll_s
        self._tell = tell
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._connection: Any = None
        self._thread = threading.Thread(target=self._run, name="notifications", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, which waits for the server."""
        with self._lock:
            self._stopping.set()
            if self._connection is not None:
                _hang_up(self._connection)
        self._thread.join()

    def _run(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._stopping.is_set():
            began_s = time.monotonic()
            try:
                self._listen()
            except Exception as error:  # noqa: BLE001 - whatever it was: without this thread, everybody here waits until the time is up
                if self._stopping.is_set():
                    return
                reason = next(iter(str(error).splitlines()), type(error).__name__)
                _log.warning("listening_interrupted", reason=reason)
            if time.monotonic() - began_s > _LONGEST_PAUSE_S:
                pause_s = _FIRST_PAUSE_S
            self._stopping.wait(pause_s)
            self._tell()  # so that who waits looks for itself, and hears of a database that is out of reach
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _listen(self) -> None:
        """As long as the connection holds. What was committed before it listened is told at once."""
        connection = self._connect()
        try:
            connection.execute(f"LISTEN {CHANNEL}")
            self._tell()
            known = _latest(connection)
            while not self._stopping.is_set():
                heard = list(connection.notifies(timeout=self._slow_poll_s, stop_after=1))
                # Silence may be that of a server that is gone: asking for the number finds out.
                if heard or known != (known := _latest(connection)):
                    self._tell()
        finally:
            with self._lock:
                self._connection = None
            connection.close()

    def _connect(self) -> Any:
        """A connection of its own: one of the pool would be missed there."""
        pooled = self._engine.raw_connection()
        pooled.detach()
        connection: Any = pooled.dbapi_connection
        connection.rollback()
        connection.autocommit = True
        with self._lock:
            self._connection = connection
            if self._stopping.is_set():
                _hang_up(connection)
        return connection


def _latest(connection: Any) -> int:
    row = connection.execute("SELECT value FROM change_counter").fetchone()
    return int(row[0]) if row else 0


def _hang_up(connection: Any) -> None:
    """End what waits for the server in another thread: its socket is at its end then."""
    if not connection.closed:
        with socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as copy:
            copy.shutdown(socket.SHUT_RDWR)
