"""What the databases' errors mean for Recto: busy, full, out of reach; everything else is a bug.

SQLite: https://www.sqlite.org/rescode.html. PostgreSQL: https://www.postgresql.org/docs/current/errcodes-appendix.html.
"""

from typing import Final

from sqlalchemy.exc import DBAPIError, OperationalError

from recto.errors import DatabaseBusy, OutcomeUnknown, ServiceError, StorageFull, StorageUnavailable

_SQLITE_BUSY: Final = frozenset({5, 6, 15})  # SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL: a race for the WAL's index
_SQLITE_FULL: Final = 13
_SQLITE_DISK: Final = frozenset({8, 10, 14})  # SQLITE_READONLY, SQLITE_IOERR, SQLITE_CANTOPEN

_BUSY: Final = frozenset({"40001", "40P01", "55P03", "57014"})  # serialisation, deadlock, lock_timeout, cancelled
_FULL: Final = "53100"
_OUT_OF_REACH: Final = ("08", "53", "57P", "58", "25006", "25P03")
"""Connections, resources, shutting down or starting, its disk, a standby that has not taken over, a transaction that stood still."""


def service_error(error: DBAPIError) -> ServiceError | None:
    """What is wrong with the database, where it is neither the statement nor what it was given."""
    if is_busy(error):
        return database_busy()
    sqlite, postgresql = _sqlite_code(error), _sqlstate(error)
    if sqlite == _SQLITE_FULL or postgresql == _FULL:
        return StorageFull(
            "The disk of the database is full. Free some space on it; nothing that was accepted is lost."
        )
    if sqlite in _SQLITE_DISK:
        return StorageUnavailable(
            f"The database cannot be used: {error.orig}. Nothing was changed; an administrator has to look at its disk."
        )
    if _is_out_of_reach(error, postgresql):
        return StorageUnavailable(
            f"The database cannot be reached or written: {first_line(error.orig)}. Try again in a moment."
        )
    return None


def database_busy() -> DatabaseBusy:
    """Others were at it for too long."""
    return DatabaseBusy("The database is busy with other writers. Nothing was changed; try again in a moment.")


def outcome_unknown(error: DBAPIError) -> OutcomeUnknown:
    """It was lost during a commit."""
    return OutcomeUnknown(
        f"The database was lost while it recorded this: {first_line(error.orig)}. It may have been done: look before you try again."
    )


def is_busy(error: DBAPIError) -> bool:
    """Whether another connection's lock is all that was wrong."""
    return _sqlite_code(error) in _SQLITE_BUSY or _sqlstate(error) in _BUSY


def _is_out_of_reach(error: DBAPIError, sqlstate: str | None) -> bool:
    if sqlstate is not None:
        return sqlstate.startswith(_OUT_OF_REACH)
    # Said by libpq, not by a server: there was none, or it is gone.
    is_postgresql = type(error.orig).__module__.startswith("psycopg")
    return is_postgresql and (error.connection_invalidated or isinstance(error, OperationalError))


def _sqlite_code(error: DBAPIError) -> int | None:
    """SQLite's primary result code; None on another database."""
    code: int | None = getattr(error.orig, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _sqlstate(error: DBAPIError) -> str | None:
    """PostgreSQL's five characters; None on another database, and where no server has said any."""
    code: str | None = getattr(error.orig, "sqlstate", None)
    return code


def first_line(error: BaseException | None) -> str:
    """What a database says is wrong, without what it quotes."""
    return next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
