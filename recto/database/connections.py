"""Connections, transactions and the database's own clock: what every caller of the database shares.

SQLite runs in WAL mode with synchronous=FULL, so that readers go on while one writer commits, and a commit is on disk. What is
deleted is overwritten with zeros (secure_delete): it was somebody's document. Writers begin as writers: a transaction that reads
first and writes later fails at once when another wrote in between, whatever the busy timeout.

On PostgreSQL a reader has one snapshot, as on SQLite. Writers go side by side, and each of their statements sees what the others have
committed: what depends on a row locks it first, and what depends on there being none takes its turn (recto/database/turns.py). Rows are locked before
the change counter (recto/records/change_numbers.py), which everybody who writes to a job takes last: two writers never wait for each other.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    ExceptionContext,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from recto.database.errors import database_busy, first_line, is_busy, outcome_unknown, service_error
from recto.database.turns import Turn, take_turn
from recto.errors import SettingsError, StorageUnavailable

if TYPE_CHECKING:
    # Loaded where the schema is looked at: a tenth of a second, for which who makes a format would have to wait.
    from alembic.config import Config
    from alembic.script import ScriptDirectory

MIGRATIONS_FOLDER: Final = Path(__file__).resolve().parents[2] / "migrations"
_BEGIN_OPTION: Final = "recto_begin"
_POOL_SIZE: Final = 5
_MOST_BEYOND_POOL: Final = 10
_SNAPSHOT: Final[Mapping[str, Any]] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


class Begin(StrEnum):
    """How a transaction begins. SQLite: https://www.sqlite.org/lang_transaction.html. PostgreSQL: only READ differs from the others."""

    READ = "DEFERRED"
    WRITE = "IMMEDIATE"
    CLAIM = "EXCLUSIVE"


class NowMicroseconds(FunctionElement[int]):
    """The database's clock as SQL: microseconds since 1970 in UTC, a BIGINT. SQLite's has a resolution of 1 ms.

    PostgreSQL's is the time at which the statement arrived: it is the same for all rows, so that indices can be searched by it.
    """

    type = BigInteger()
    inherit_cache = True


Clock: TypeAlias = Callable[[], ColumnElement[int]]
"""Yields the SQL expression of the time now, in microseconds since 1970: of when a statement runs, since some are built once and run often."""


@compiles(NowMicroseconds, "sqlite")
def _now_sqlite(_element: NowMicroseconds, _compiler: SQLCompiler, **_options: Any) -> str:
    return "(CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) * 1000)"


@compiles(NowMicroseconds, "postgresql")
def _now_postgresql(_element: NowMicroseconds, _compiler: SQLCompiler, **_options: Any) -> str:
    return "CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000000 AS BIGINT)"


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
    # An error's message would quote what a statement was given, hashes and documents' passwords among it, and messages are logged.
    options: dict[str, Any] = {"hide_parameters": True}
    if _backend(url) == "sqlite":
        # A session may be used by one thread after another (gevent's pool), never by two at once.
        return options | {"connect_args": {"timeout": busy_timeout_s, "check_same_thread": False}}
    return options | {
        "isolation_level": "READ COMMITTED",
        "pool_pre_ping": True,  # after the server was started anew, nobody meets a connection to the old one
        "pool_size": _POOL_SIZE,
        "max_overflow": _MOST_BEYOND_POOL,
        "pool_timeout": busy_timeout_s,
        "pool_use_lifo": True,
        "connect_args": _postgresql_arguments(busy_timeout_s),
    }


def _backend(url: str) -> str:
    """ "sqlite" or "postgresql"; SettingsError for anything else."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise SettingsError(
            "database.url is no database URL. Write it like sqlite:////srv/recto/recto.db, or leave it empty."
        ) from error
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg"):
        raise SettingsError(
            f"database.url begins with {parsed.drivername}://, which Recto does not know. It knows sqlite:////srv/recto/recto.db and "
            "postgresql+psycopg://recto@db.example.org/recto."
        )
    return parsed.get_backend_name()


def _postgresql_arguments(busy_timeout_s: float) -> dict[str, Any]:
    """Of libpq: https://www.postgresql.org/docs/current/libpq-connect.html. A server that is gone is noticed within half a minute."""
    busy_ms = max(1, round(busy_timeout_s * 1000))
    return {
        "application_name": "recto",
        "client_encoding": "utf8",
        "connect_timeout": max(2, round(busy_timeout_s)),
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 25_000,
        # A process that was stopped in the middle of a transaction holds up all others no longer than a lock may.
        "options": f"-c lock_timeout={busy_ms} -c idle_in_transaction_session_timeout={max(5000, busy_ms)}",
    }


def prepare_engine(engine: Engine) -> None:
    """Make every connection of the engine behave as this module says. Call once, before the first connection."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite_connection)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", _prepare_postgresql_connection)
        event.listen(engine, "handle_error", _leave_out_details)


def _prepare_sqlite_connection(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; _begin_sqlite does
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _prepare_postgresql_connection(connection: Any, _record: Any) -> None:
    from psycopg.types.string import StrDumper  # here, so that nobody loads it for SQLite

    class TextWithoutNul(StrDumper):
        """PostgreSQL's text has every character but this one, which stands in names that somebody made up to do harm."""

        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "\ufffd"))

    connection.adapters.register_dumper(str, TextWithoutNul)


def _leave_out_details(context: ExceptionContext) -> None:
    """Of what PostgreSQL says, the first line names what is wrong. Those after it quote the row, with all that is secret in it."""
    original, wrapped = context.original_exception, context.sqlalchemy_exception
    whole = str(original)
    said = first_line(original)
    original.args = (said,)
    if wrapped is not None:
        wrapped.args = tuple(part.replace(whole, said) for part in wrapped.args)


def _begin_sqlite(connection: Connection) -> None:
    begin = connection.get_execution_options().get(_BEGIN_OPTION, Begin.READ)
    connection.exec_driver_sql(f"BEGIN {begin}")


@contextmanager
def transaction(session: Session, begin: Begin) -> Iterator[Session]:
    """One transaction, begun as `begin` says, committed at the end, undone where the body raises. The session is closed after it.

    A database that stays locked for longer than its busy timeout is DatabaseBusy, one that its disk has no room for StorageFull, one
    that cannot be reached, read or written StorageUnavailable. Where that happens during the commit, it is OutcomeUnknown.
    """
    is_committing = False
    try:
        session.connection(execution_options=_begin_options(session, begin))
        yield session
        is_committing = True
        session.commit()
    except DBAPIError as error:
        session.rollback()
        known = service_error(error)
        if known is None:
            raise
        raise (outcome_unknown(error) if is_committing and isinstance(known, StorageUnavailable) else known) from error
    except PoolTimeoutError as error:
        raise database_busy() from error
    finally:
        session.close()


def _begin_options(session: Session, begin: Begin) -> Mapping[str, Any]:
    if session.get_bind().dialect.name == "sqlite":
        return {_BEGIN_OPTION: begin}
    return _SNAPSHOT if begin is Begin.READ else {}


def size_bytes(session: Session) -> int:
    """Room that the database takes, by its own account; SQLite's file, without what waits in its WAL."""
    if session.get_bind().dialect.name == "sqlite":
        size = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    else:
        size = "SELECT pg_database_size(current_database())"
    return int(session.execute(text(size)).scalar_one())


def upgrade_schema(engine: Engine) -> None:
    """Bring the schema to the newest version, in one transaction; who comes second finds nothing to do.

    StorageUnavailable where the database cannot be opened, DatabaseBusy where it stays locked, SettingsError where it is no place for text, or has
    the schema of a newer Recto.
    """
    from alembic import command
    from alembic.runtime.migration import MigrationContext

    _create_private_file(engine)
    try:
        with engine.connect().execution_options(**{_BEGIN_OPTION: Begin.CLAIM}) as connection, connection.begin():
            _check_encoding(connection)
            take_turn(connection, Turn.UPGRADE)
            version = MigrationContext.configure(connection).get_current_revision()
            if version is None or version != newest_schema():
                _check_version(version)
                config = _migration_settings()
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
    except DBAPIError as error:
        if is_busy(error):
            raise database_busy() from error
        if not isinstance(error, OperationalError):
            raise
        raise StorageUnavailable(
            f"The database {engine.url!s} cannot be opened: {error.orig}. Check database.url and the rights of its folder."
        ) from error


def _check_encoding(connection: Connection) -> None:
    if connection.dialect.name == "postgresql" and connection.scalar(text("SHOW server_encoding")) != "UTF8":
        raise SettingsError(
            "The PostgreSQL database of database.url does not hold Unicode. Make another one: "
            "CREATE DATABASE recto TEMPLATE template0 ENCODING 'UTF8'."
        )


def _check_version(version: str | None) -> None:
    if version is not None and not is_known_schema(version):
        raise SettingsError(
            f"The database has the schema {version} of a newer Recto, and there is no way back. Start that version, or restore the backup "
            "that was taken before the upgrade into an empty place (docs/how-to/backup.md)."
        )


@cache
def newest_schema() -> str:
    """The version of the schema that this Recto brings a database to."""
    return str(_migrations().get_current_head())


def is_known_schema(version: str) -> bool:
    """Whether this Recto can upgrade that schema, or has it: not so for one of a newer Recto."""
    return any(script.revision == version for script in _migrations().walk_revisions())


@cache
def _migrations() -> "ScriptDirectory":
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_migration_settings())


def _migration_settings() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_FOLDER))
    return config


def schema_of(session: Session) -> str:
    """The version of the schema that the database has."""
    return str(session.execute(text("SELECT version_num FROM alembic_version")).scalar_one())


def _create_private_file(engine: Engine) -> None:
    """Create a SQLite database readable by its owner alone: it holds password hashes. Its WAL takes over the mode."""
    if engine.dialect.name == "sqlite" and engine.url.database:
        with suppress(OSError):  # SQLite opens it next and says what is wrong
            Path(engine.url.database).touch(mode=0o600)
