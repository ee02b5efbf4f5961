"""Steps that change what lies on disk or in the database, counted one by one, and what may happen at each of them.

A step is an operation of the file system below one folder (create, write, flush, rename, make or remove a folder, remove a file) or a
statement or commit of a session. They are seen where Python hands them to the system (audit events, PEP 578) and where SQLAlchemy hands
them to the driver, so that a step that the product learns tomorrow is counted without being named here.
"""

import errno
import io
import os
import re
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO, Any, Final
from unittest import mock

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import OperationalError

from recto.file_storage import disk_errors

LASTS_STEPS: Final = 3
"""For so many steps in a row a fault that passes goes on: cleaning up meets it as well."""


class Crash(BaseException):
    """The process ends between two steps. Nothing may catch it, and after it nothing reaches the disk."""


class Fault(Enum):
    """What happens at a step."""

    CRASH = "crash"
    PAGE_CRASH = "page process killed"
    DISK_FULL = "disk full"
    READ_ONLY = "read-only"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `writes` where it changes something; `adds` where it needs room on the disk."""

    label: str
    is_statement: bool
    writes: bool
    adds: bool
    in_page_process: bool


class Steps:
    """Counts the steps of the operation inside `watched`, and lets `fault` happen instead of step number `at`, from 1.

    `at` may be one more than there are steps: the process then ends after the last, before anybody is told. `struck` counts what
    has failed.
    """

    def __init__(self, root: Path, fault: Fault | None = None, at: int = 0) -> None:
        self.taken: list[Step] = []
        self.struck = 0
        self.in_page_process = False
        self._root = str(root)
        self._fault = fault
        self._at = at
        self._is_dead = False

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Count, and let the fault happen, while the block runs."""
        with _installed(self):
            yield
            if self._fault is Fault.CRASH and not self.struck and self._at == len(self.taken) + 1:
                self.struck += 1
                raise Crash

    def revive(self) -> None:
        """The process that died is replaced by another one."""
        self._is_dead = False

    def file(self, label: str, *, adds: bool) -> None:
        """A file operation is about to happen."""
        self._take(Step(label, False, True, adds, self.in_page_process))

    def file_of(self, label: str, path: object, *, adds: bool) -> None:
        """The same for what has a path: what lies elsewhere, such as a log or a module, is left out."""
        named = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""
        if named.startswith(self._root) or not os.path.isabs(named):  # noqa: PTH117 - a name below an open folder
            self.file(f"{label} {_place(named.removeprefix(self._root))}".rstrip(), adds=adds)

    def statement(self, sql: str) -> None:
        """A statement is about to be executed."""
        words = re.match(r"\s*(BEGIN \w+|COMMIT|INSERT INTO \w+|UPDATE \w+|DELETE FROM \w+|\w+)", sql)
        label = words[1] if words else sql
        if label == "SELECT":
            table = re.search(r"FROM (\w+)", sql)
            label = f"SELECT {table[1]}" if table else "SELECT the time"
        writes = not label.startswith(("SELECT", "BEGIN DEFERRED"))
        self._take(Step(label, True, writes, writes and not label.startswith("BEGIN"), self.in_page_process))

    def swallows_writes(self) -> bool:
        """Whether the process is dead, so that what its buffers still hold is lost."""
        return self._is_dead

    def _take(self, step: Step) -> None:
        if self._is_dead:
            raise Crash
        self.taken.append(step)
        if self._fault is None or len(self.taken) < self._at:
            return
        if self._fault in (Fault.CRASH, Fault.PAGE_CRASH):
            self._die(step)
        elif self.struck < LASTS_STEPS:
            self._fail(step)

    def _die(self, step: Step) -> None:
        if self.struck or (self._fault is Fault.PAGE_CRASH and not step.in_page_process):
            return
        self.struck += 1
        self._is_dead = True
        raise Crash

    def _fail(self, step: Step) -> None:
        error = _error(step, self._fault)
        if error is not None:
            self.struck += 1
            raise error


def may_strike(fault: Fault, step: Step) -> bool:
    """Whether this fault can happen at this step at all."""
    if fault is Fault.PAGE_CRASH:
        return step.in_page_process
    return fault is Fault.CRASH or _error(step, fault) is not None


def _error(step: Step, fault: Fault | None) -> Exception | None:
    match fault:
        case Fault.DISK_FULL if step.adds:
            return _database_error(sqlite3.SQLITE_FULL) if step.is_statement else _os_error(errno.ENOSPC)
        case Fault.READ_ONLY if step.writes:
            return _database_error(sqlite3.SQLITE_READONLY) if step.is_statement else _os_error(errno.EROFS)
        case Fault.LOCKED if step.is_statement:
            return _database_error(sqlite3.SQLITE_BUSY)
    return None


def _os_error(code: int) -> OSError:
    return OSError(code, os.strerror(code))


def _database_error(code: int) -> OperationalError:
    messages = {
        sqlite3.SQLITE_BUSY: "database is locked",
        sqlite3.SQLITE_FULL: "database or disk is full",
        sqlite3.SQLITE_READONLY: "attempt to write a readonly database",
    }
    cause = sqlite3.OperationalError(messages[code])
    cause.sqlite_errorcode = code
    return OperationalError("", {}, cause)


def _place(path: str) -> str:
    """A path without what differs from run to run."""
    path = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<job>", path.strip("/"))
    path = re.sub(r"\b[0-9a-f]{32}\b", "<token>", path)
    path = re.sub(r"upload-\w+", "upload-…", path)
    return re.sub(r"(^|/)\.\w+\.part", r"\1.….part", path)


class _SteppedFile(io.FileIO):
    """A file whose every write to the system is a step. Stands between the system's file and the product's."""

    def write(self, data: Any) -> int:
        if _watching is not None:
            if _watching.swallows_writes():
                return len(data)
            _watching.file("write", adds=True)
        return super().write(data)


def _fdopen(descriptor: int, mode: str) -> IO[bytes]:
    raw = _SteppedFile(descriptor, mode.replace("b", ""))
    return io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)


_watching: Steps | None = None
_FILE_EVENTS: Final[dict[str, tuple[str, int, bool]]] = {
    "os.mkdir": ("make folder", 0, True),
    "os.rename": ("rename to", 1, True),
    "os.link": ("link to", 1, True),
    "os.remove": ("remove", 0, False),
    "os.rmdir": ("remove folder", 0, False),
}
"""Audit event: what the step is called, which of the event's arguments is the path, whether it needs room."""


def _audit(name: str, arguments: tuple[Any, ...]) -> None:
    if _watching is None:
        return
    if name in _FILE_EVENTS:
        label, position, adds = _FILE_EVENTS[name]
        _watching.file_of(label, arguments[position], adds=adds)
    elif name == "open" and isinstance(arguments[0], str) and arguments[2] & os.O_CREAT:
        _watching.file_of("create", arguments[0], adds=True)


sys.addaudithook(_audit)


def _stepped_fsync(descriptor: int) -> None:
    if _watching is not None:
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        _watching.file(f"flush {kind}", adds=True)  # and that is all: nobody pulls the plug here


def _before_execute(_connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
    if _watching is not None:
        _watching.statement(statement)


def _before_commit(_connection: Connection) -> None:
    if _watching is not None:
        _watching.statement("COMMIT")


@contextmanager
def _installed(steps: Steps) -> Iterator[None]:
    global _watching
    listeners: list[tuple[str, Callable[..., None]]] = [
        ("before_cursor_execute", _before_execute),
        ("commit", _before_commit),
    ]
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(os, "fsync", _stepped_fsync))
        stack.enter_context(mock.patch.object(os, "fdopen", _fdopen))
        disk_errors.TranslatedFile.__bases__ = (_SteppedFile,)
        stack.callback(setattr, disk_errors.TranslatedFile, "__bases__", (io.FileIO,))
        for name, listener in listeners:
            event.listen(Engine, name, listener)
            stack.callback(event.remove, Engine, name, listener)
        _watching = steps
        try:
            yield
        finally:
            _watching = None
