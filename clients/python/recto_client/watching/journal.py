"""The journal: which documents were taken, under which name their results go, and how far each is. SQLite, held by one program at a time.

A document is a path with a content. It is written down before it is sent, and what is sent carries a key that is made from what is written
down: a program that was killed in between sends the same once more, and is answered with the job that is there already.
"""

import enum
import hashlib
import json
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from recto_client.watching.inbox import Seen

_BUSY_S: Final = 1.0
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS journal (id TEXT NOT NULL, format INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS documents (
    number INTEGER PRIMARY KEY,
    path BLOB NOT NULL,             -- names need not be valid text
    sha256 TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    output BLOB NOT NULL,
    output_key BLOB NOT NULL UNIQUE, -- the same for names that some file system or some suffix makes one
    options TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    state TEXT NOT NULL,
    job_uuid TEXT,
    UNIQUE (path, sha256)
);
CREATE INDEX IF NOT EXISTS documents_state ON documents (state);
"""

_SELECT: Final = "SELECT number, path, size_bytes, modified_ns, sha256, output, options, attempt, state, job_uuid FROM documents WHERE {}"
_UPDATE: Final = "UPDATE documents SET {} WHERE number = ?"
"""Their gaps are filled by this module alone."""


class State(enum.StrEnum):
    """How far a document is."""

    TAKEN = "TAKEN"
    SUBMITTED = "SUBMITTED"
    READ = "READ"
    MOVED = "MOVED"
    FAILED = "FAILED"


UNFINISHED: Final = (State.TAKEN, State.SUBMITTED)


class JournalInUse(Exception):
    """Another program holds it, or it cannot be used where it is."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A document of the journal. `path` is relative to the inbox, `output` to the outbox and without a suffix; `options` are what it is sent with."""

    number: int
    seen: Seen
    sha256: str
    output: str
    options: dict[str, str]
    attempt: int
    state: State
    job_uuid: str | None


class Journal:
    """Threads may share it. JournalInUse where another program has it."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(file, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            self._connection.execute("PRAGMA locking_mode=EXCLUSIVE").close()
            self._connection.execute("PRAGMA synchronous=FULL").close()
            self._connection.execute("BEGIN EXCLUSIVE").close()  # kept until the connection is closed
            self._connection.execute("COMMIT").close()
            self._connection.executescript(_SCHEMA).close()
            self._id = self._own_id()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise JournalInUse(
                f"The journal {file} cannot be used ({error}). Is another `recto watch` running on this folder? End it; "
                "where the folder is on a network share that has no locks, put the journal elsewhere: --journal FILE."
            ) from error

    def key_of(self, entry: Entry) -> str:
        """The Idempotency-Key that the document is sent with: always the same for the same attempt, and no other's."""
        parts = [self._id, os.fsencode(entry.seen.path).hex(), entry.sha256, entry.options, entry.attempt]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def entry(self, number: int) -> Entry | None:
        """None where it was forgotten."""
        return next(self._select("number = ?", number), None)

    def unfinished(self) -> list[Entry]:
        """What was taken and has not come to its end, oldest first."""
        return list(self._select("state IN (?, ?)", *UNFINISHED))

    def known(self, seen: Seen) -> Entry | None:
        """The document that this file is, by all that can be had without reading it."""
        place = (os.fsencode(seen.path), seen.size_bytes, seen.modified_ns)
        return next(self._select("path = ? AND size_bytes = ? AND modified_ns = ? ORDER BY number DESC", *place), None)

    def same(self, path: str, sha256: str) -> Entry | None:
        """The document with this content at this place."""
        return next(self._select("path = ? AND sha256 = ?", os.fsencode(path), sha256), None)

    def failed_at(self, path: str) -> Entry | None:
        """The latest document at this place, if it failed."""
        latest = next(self._select("path = ? ORDER BY number DESC", os.fsencode(path)), None)
        return latest if latest and latest.state is State.FAILED else None

    def has_output(self, output_key: str) -> bool:
        """Whether a document has that name for its results."""
        with self._held() as connection:
            found = connection.execute(
                "SELECT 1 FROM documents WHERE output_key = ?", (os.fsencode(output_key),)
            ).fetchone()
        return found is not None

    def take(self, seen: Seen, sha256: str, output: tuple[str, str], options: dict[str, str]) -> Entry:
        """Write down a new document. `output` is the name of its results, and the key of that."""
        name, key = output
        values = (*_row(seen, sha256), os.fsencode(name), os.fsencode(key), json.dumps(options), State.TAKEN)
        statement = (
            "INSERT INTO documents (path, size_bytes, modified_ns, sha256, output, output_key, options, attempt, state) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)"
        )
        with self._held() as connection:
            number = connection.execute(statement, values).lastrowid
        return next(self._select("number = ?", number))

    def take_again(self, entry: Entry, seen: Seen, sha256: str, options: dict[str, str]) -> Entry:
        """Write down that a document is to be read once more, or another one in its place."""
        values = (*_row(seen, sha256), json.dumps(options), State.TAKEN, entry.number)
        self._write(
            "path = ?, size_bytes = ?, modified_ns = ?, sha256 = ?, options = ?, state = ?, job_uuid = NULL, attempt = attempt + 1",
            *values,
        )
        return next(self._select("number = ?", entry.number))

    def touched(self, entry: Entry, seen: Seen) -> None:
        """The file is the same and looks otherwise."""
        self._write("size_bytes = ?, modified_ns = ?", seen.size_bytes, seen.modified_ns, entry.number)

    def submitted(self, number: int, job_uuid: str) -> None:
        """The document has a job."""
        self._write("state = ?, job_uuid = ?", State.SUBMITTED, job_uuid, number)

    def ended(self, number: int, state: State) -> None:
        """The document has come to its end, or was put away after it."""
        self._write("state = ?", state, number)

    def forget(self, number: int) -> None:
        """As if it had never been seen."""
        with self._held() as connection:
            connection.execute("DELETE FROM documents WHERE number = ?", (number,)).close()

    def close(self) -> None:
        """Let another program have it."""
        with self._lock:
            self._connection.close()

    def _own_id(self) -> str:
        """Random, made once: keys of other journals are others."""
        made = "INSERT INTO journal SELECT ?, 1 WHERE NOT EXISTS (SELECT 1 FROM journal)"
        self._connection.execute(made, (secrets.token_hex(16),)).close()
        (found,) = self._connection.execute("SELECT id FROM journal").fetchone()
        return str(found)

    def _select(self, condition: str, *values: Any) -> Iterator[Entry]:
        statement = _SELECT.format(condition)
        with self._held() as connection:
            return map(_entry, connection.execute(statement, values).fetchall())

    def _write(self, change: str, *values: Any) -> None:
        statement = _UPDATE.format(change)
        with self._held() as connection:
            connection.execute(statement, values).close()

    @contextmanager
    def _held(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            yield self._connection


def _row(seen: Seen, sha256: str) -> tuple[Any, ...]:
    return os.fsencode(seen.path), seen.size_bytes, seen.modified_ns, sha256


def _entry(row: tuple[Any, ...]) -> Entry:
    number, path, size_bytes, modified_ns, sha256, output, options, attempt, state, job_uuid = row
    seen = Seen(os.fsdecode(path), size_bytes, modified_ns)
    return Entry(number, seen, sha256, os.fsdecode(output), json.loads(options), attempt, State(state), job_uuid)
