"""Connections, transactions and the database's own clock: what every caller of the database shares.

SQLite runs in WAL mode with synchronous=FULL, so that readers go on while one writer commits, and a commit is on disk. What is
deleted is overwritten with zeros (secure_delete): it was somebody's document. Writers begin as writers: a transaction that reads
first and writes later fails at once when another wrote in between, whatever the busy timeout.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeAlias

from alembic import command
from alembic.config import Config
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    PoolProxiedConnection,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from recto.errors import DatabaseBusy, SettingsError, StorageFull, StorageUnavailable

MIGRATIONS_FOLDER: Final = Path(__file__).resolve().parent.parent / "migrations"
_BEGIN_OPTION: Final = "recto_begin"
# https://www.sqlite.org/rescode.html
_SQLITE_BUSY_CODES: Final = frozenset(
    {5, 6, 15}
)  # SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL: a race for the WAL's index
_SQLITE_FULL_CODE: Final = 13
_SQLITE_DISK_CODES: Final = frozenset({8, 10, 14})  # SQLITE_READONLY, SQLITE_IOERR, SQLITE_CANTOPEN


class Begin(StrEnum):
    """How a SQLite transaction begins: https://www.sqlite.org/lang_transaction.html."""

    READ = "DEFERRED"
    WRITE = "IMMEDIATE"
    CLAIM = "EXCLUSIVE"


class NowMicroseconds(FunctionElement[int]):
    """The database's clock as SQL: microseconds since 1970 in UTC, a BIGINT. SQLite's has a resolution of 1 ms."""

    type = BigInteger()
    inherit_cache = True


Clock: TypeAlias = Callable[[], ColumnElement[int]]
"""Yields the SQL expression of the time now, in microseconds since 1970."""


@compiles(NowMicroseconds, "sqlite")
def _now_sqlite(_element: NowMicroseconds, _compiler: SQLCompiler, **_options: Any) -> str:
    return "(CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) * 1000)"


@compiles(NowMicroseconds, "postgresql")
def _now_postgresql(_element: NowMicroseconds, _compiler: SQLCompiler, **_options: Any) -> str:
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"


def utc(timestamp_us: int) -> datetime:
    """Aware datetime of a time in the database."""
    return datetime.fromtimestamp(timestamp_us / 1_000_000, UTC)


def connect(url: str, busy_timeout_s: float) -> Engine:
    """Engine for a process without Flask: the Worker, the command line, tests."""
    engine = create_engine(url, **engine_options(url, busy_timeout_s))
    prepare_engine(engine)
    return engine


def engine_options(url: str, busy_timeout_s: float) -> dict[str, Any]:
    """Keyword arguments of create_engine for this kind of database. SettingsError where the URL is none."""
    try:
        backend = make_url(url).get_backend_name()
    except ArgumentError as error:
        raise SettingsError(
            "database.url is no database URL. Write it like sqlite:////srv/recto/recto.db, or leave it empty."
        ) from error
    # An error's message would quote what a statement was given, hashes and documents' passwords among it, and messages are logged.
    options: dict[str, Any] = {"hide_parameters": True}
    if backend != "sqlite":
        return options | {"pool_pre_ping": True}
    # A session may be used by one thread after another (gevent's pool), never by two at once.
    return options | {"connect_args": {"timeout": busy_timeout_s, "check_same_thread": False}}


def prepare_engine(engine: Engine) -> None:
    """Make every connection of the engine behave as this module says. Call once, before the first connection."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite_connection)
        event.listen(engine, "begin", _begin_sqlite)


def _prepare_sqlite_connection(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; _begin_sqlite does
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    begin = connection.get_execution_options().get(_BEGIN_OPTION, Begin.READ)
    connection.exec_driver_sql(f"BEGIN {begin}")


@contextmanager
def transaction(session: Session, begin: Begin) -> Iterator[Session]:
    """One transaction, begun as `begin` says, committed at the end, undone where the body raises. The session is closed after it.

    A database that stays locked for longer than its busy timeout is DatabaseBusy, one that its disk has no room for StorageFull, one
    that its disk does not let write or read StorageUnavailable.
    """
    try:
        session.connection(execution_options={_BEGIN_OPTION: begin})
        yield session
        session.commit()
    except OperationalError as error:
        session.rollback()
        if is_busy(error):
            raise DatabaseBusy(
                "The database is busy with other writers. Nothing was changed; try again in a moment."
            ) from error
        if _sqlite_code(error) == _SQLITE_FULL_CODE:
            raise StorageFull(
                "The disk of the database is full. Free some space on it; nothing that was accepted is lost."
            ) from error
        if _sqlite_code(error) in _SQLITE_DISK_CODES:
            raise StorageUnavailable(
                f"The database cannot be used: {error.orig}. Nothing was changed; an administrator has to look at its disk."
            ) from error
        raise
    finally:
        session.close()


class DataVersion:
    """Tells for some microseconds whether any other connection, of whatever process, has committed something. SQLite alone has it.

    https://www.sqlite.org/pragma.html#pragma_data_version. Keeps a connection of its own, on which nothing is ever written.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: PoolProxiedConnection | None = None
        self._cursor: DBAPICursor | None = None

    def read(self) -> int:
        """Another number than before where something was committed in between, or where the connection is a new one."""
        if self._cursor is None:
            self._connection = self._engine.raw_connection()
            self._cursor = self._connection.cursor()
        self._cursor.execute("PRAGMA data_version")
        row = self._cursor.fetchone()
        return int(row[0]) if row else 0

    def close(self) -> None:
        """Give the connection back. The next `read` takes another one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = self._cursor = None


def is_busy(error: OperationalError) -> bool:
    """Whether another connection's lock is all that was wrong."""
    return _sqlite_code(error) in _SQLITE_BUSY_CODES


def _sqlite_code(error: OperationalError) -> int | None:
    """SQLite's primary result code; None on another database."""
    code: int | None = getattr(error.orig, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def upgrade_schema(engine: Engine) -> None:
    """Bring the schema to the newest version, in one transaction; who comes second finds nothing to do.

    StorageUnavailable where the database cannot be opened, DatabaseBusy where it stays locked.
    """
    _create_private_file(engine)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_FOLDER))
    try:
        with engine.connect().execution_options(**{_BEGIN_OPTION: Begin.CLAIM}) as connection, connection.begin():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except OperationalError as error:
        if is_busy(error):
            raise DatabaseBusy("The database is busy with other writers. Try again in a moment.") from error
        raise StorageUnavailable(
            f"The database {engine.url!s} cannot be opened: {error.orig}. Check database.url and the rights of its folder."
        ) from error


def _create_private_file(engine: Engine) -> None:
    """Create a SQLite database readable by its owner alone: it holds password hashes. Its WAL takes over the mode."""
    if engine.dialect.name == "sqlite" and engine.url.database:
        with suppress(OSError):  # SQLite opens it next and says what is wrong
            Path(engine.url.database).touch(mode=0o600)
