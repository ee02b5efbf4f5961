"""That somebody writes to a SQLite database: the kernel tells of every write to its write-ahead log (inotify(7)), on Linux.

A write is told before its commit can be seen, which takes a flush to the disk more. Processes in other containers on the same volume
are told of as well; on a file system whose kernel does not see the writer (none that SQLite's WAL works on) nothing would be told.
"""

import os
import select
import time
from pathlib import Path
from typing import Final

from inotify_simple import INotify, flags

_MS: Final = 1000
_LOG_SUFFIX: Final = "-wal"
_COMMIT_IS_WRITTEN_S: Final = 0.001
"""A commit is several writes and then a flush to the disk: word of them is taken together, instead of waking up for each."""


class LogWrites:
    """For the thread, or the greenlet, that makes it; `wake` may come from any. OSError where the kernel has no inotify left."""

    def __init__(self, database: Path) -> None:
        self._log_name = database.name + _LOG_SUFFIX
        self._inotify = INotify()
        # The folder: SQLite removes the log when nobody has the database open, and makes it anew.
        self._inotify.add_watch(database.parent, flags.MODIFY | flags.CREATE)
        self._woken = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll = select.poll()  # asked for here: under gevent it is gevent's
        for told in (self._inotify.fileno(), self._woken):
            self._poll.register(told, select.POLLIN)

    def wait(self, longest_s: float) -> bool:
        """Whether the log was written to, or `wake` called: waits for it for that long at most, and a moment more for the rest of a commit."""
        until_s = time.monotonic() + longest_s
        while (left_s := until_s - time.monotonic()) > 0:
            self._poll.poll(left_s * _MS)
            if self.take():
                self.pause(_COMMIT_IS_WRITTEN_S)
                return True
        return self.take()

    def pause(self, pause_s: float) -> bool:
        """Whether the log was written to, or `wake` called, after that time, which nothing ends: for a wait of milliseconds it costs less."""
        time.sleep(pause_s)
        return self.take()

    def take(self) -> bool:
        """Whether the log was written to, or `wake` called, since this was asked last. Waits for nothing."""
        try:
            os.eventfd_read(self._woken)
        except BlockingIOError:
            woken = False
        else:
            woken = True
        # The queue of events is finite: where it has run over, what was lost may have been of the log.
        told = [event for event in self._inotify.read(timeout=0) if self._is_of_log(event.name, event.mask)]
        return woken or bool(told)

    def wake(self) -> None:
        """End what waits."""
        os.eventfd_write(self._woken, 1)

    def close(self) -> None:
        """Give the kernel's resources back."""
        self._inotify.close()
        os.close(self._woken)

    def _is_of_log(self, name: str, mask: int) -> bool:
        return name == self._log_name or bool(mask & flags.Q_OVERFLOW)
