"""Transactions that begin as they say, on connections that are set up as they should be."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_mock_engine, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from recto.database.connections import (
    Begin,
    NowMicroseconds,
    connect,
    engine_options,
    transaction,
    upgrade_schema,
    utc,
)
from recto.errors import DatabaseBusy, SettingsError, StorageFull, StorageUnavailable
from tests.conftest import sqlite_url


@pytest.fixture
def impatient(database_file: Path) -> Iterator[Engine]:
    """An engine that waits for no lock."""
    engine = connect(sqlite_url(database_file), busy_timeout_s=0.0)
    yield engine
    engine.dispose()


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another connection writes."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.close()


def run(engine: Engine, begin: Begin, body: Callable[[Session], object]) -> None:
    with transaction(sessionmaker(engine)(), begin) as session:
        body(session)


def count_users(engine: Engine) -> int:
    with transaction(sessionmaker(engine)(), Begin.READ) as session:
        return session.scalars(text('SELECT count(*) FROM "user"')).one()  # type: ignore[no-any-return]


def add_user(engine: Engine, begin: Begin, name: str = "ann") -> None:
    with transaction(sessionmaker(engine)(), begin) as session:
        session.execute(
            text('INSERT INTO "user" (name, password_hash, is_admin, created_us) VALUES (:name, "", 0, 0)'),
            {"name": name},
        )


def test_connection_is_durable_checks_keys_and_lets_readers_go_on(impatient: Engine) -> None:
    with impatient.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_transaction_commits_at_the_end(engine: Engine) -> None:
    add_user(engine, Begin.WRITE)
    assert count_users(engine) == 1


def test_transaction_whose_body_raises_is_undone(engine: Engine) -> None:
    def write_and_raise(session: Session) -> None:
        session.execute(text("UPDATE change_counter SET value = 9"))
        raise KeyError

    with pytest.raises(KeyError):
        run(engine, Begin.WRITE, write_and_raise)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT value FROM change_counter")) == 0


@pytest.mark.parametrize("begin", Begin)
def test_transaction_begins_as_it_says(engine: Engine, begin: Begin) -> None:
    statements: list[str] = []
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_trace_callback(statements.append)
    with transaction(sessionmaker(engine)(), begin) as session:
        session.execute(text("SELECT 1"))
    driver.set_trace_callback(None)
    assert statements == [f"BEGIN {begin}", "SELECT 1", "COMMIT"]


@pytest.mark.parametrize("begin", [Begin.WRITE, Begin.CLAIM])
def test_writer_that_meets_a_lock_is_database_busy_at_its_begin(
    impatient: Engine, database_file: Path, begin: Begin
) -> None:
    with locked(database_file), pytest.raises(DatabaseBusy, match="Nothing was changed"):
        add_user(impatient, begin)
    add_user(impatient, begin)
    assert count_users(impatient) == 1


def test_reader_goes_on_while_another_writes(impatient: Engine, database_file: Path) -> None:
    with locked(database_file):
        assert count_users(impatient) == 0


def test_reader_that_turns_writer_too_late_is_database_busy(impatient: Engine, engine: Engine) -> None:
    """Why writers begin as writers: no busy timeout helps here."""

    def read_then_write(session: Session) -> None:
        session.execute(text('SELECT * FROM "user"')).all()
        add_user(engine, Begin.WRITE)
        session.execute(text("UPDATE change_counter SET value = 9"))

    with pytest.raises(DatabaseBusy):
        run(impatient, Begin.READ, read_then_write)


def test_error_that_is_no_lock_passes_through(engine: Engine) -> None:
    with pytest.raises(OperationalError, match="no such table"):
        run(engine, Begin.READ, lambda session: session.execute(text("SELECT * FROM nowhere")))


def test_database_that_cannot_be_written_is_storage_unavailable(engine: Engine) -> None:
    def write(session: Session) -> None:
        session.execute(text("PRAGMA query_only=ON"))
        session.execute(text("UPDATE change_counter SET value = 1"))

    with pytest.raises(StorageUnavailable, match="readonly"):
        run(engine, Begin.WRITE, write)


def test_database_that_has_no_room_is_storage_full(engine: Engine) -> None:
    def fill(session: Session) -> None:
        session.execute(text("PRAGMA max_page_count = 1"))  # SQLite raises it to what the file has
        for number in range(1000):
            session.execute(text("INSERT INTO alembic_version VALUES (:text)"), {"text": f"{number:0>1000}"})

    with pytest.raises(StorageFull, match="disk"):
        run(engine, Begin.WRITE, fill)


def test_session_is_closed_after_the_transaction(engine: Engine) -> None:
    session = sessionmaker(engine)()
    with transaction(session, Begin.READ):
        session.execute(text("SELECT 1"))
    assert not session.in_transaction()


def test_utc_is_exact_to_the_microsecond() -> None:
    assert utc(1_800_000_000_123_456) == datetime(2027, 1, 15, 8, 0, 0, 123456, UTC)


def test_other_databases_get_no_options_of_sqlite() -> None:
    options = engine_options("postgresql+psycopg://host/recto", 3.0)
    assert (options["isolation_level"], options["pool_timeout"]) == ("READ COMMITTED", 3.0)
    assert "lock_timeout=3000" in options["connect_args"]["options"]
    assert engine_options("sqlite:///x.db", 3.0)["connect_args"]["timeout"] == 3.0


def test_error_of_a_statement_does_not_quote_what_it_was_given(engine: Engine) -> None:
    with Session(engine) as session, pytest.raises(OperationalError) as caught:
        session.execute(text("INSERT INTO nowhere VALUES (:password)"), {"password": "open sesame"})
    assert "nowhere" in str(caught.value)
    assert "sesame" not in str(caught.value)


def test_clock_speaks_postgresql_too() -> None:
    sql = str(select(NowMicroseconds()).compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    assert "statement_timestamp()" in sql


def test_schema_can_be_written_down_for_postgresql() -> None:
    from models import Base

    statements: list[str] = []
    mock = create_mock_engine("postgresql+psycopg://", lambda sql, *_, **__: statements.append(str(sql)))
    assert mock.dialect.name == "postgresql"
    Base.metadata.create_all(mock, checkfirst=False)
    assert not any("RAISE(" in statement for statement in statements)
    assert any("FUNCTION recto_tell()" in statement for statement in statements)


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("foo", r"is no database URL"),
        ("mysql://host/recto", r"begins with mysql://"),
        ("postgres://host/recto", r"postgresql\+psycopg://"),
        ("postgresql+psycopg2://host/recto", r"postgresql\+psycopg://"),
    ],
)
def test_url_that_recto_does_not_know_is_a_settings_error(url: str, what: str) -> None:
    with pytest.raises(SettingsError, match=rf"database\.url .*{what}"):
        engine_options(url, 1.0)


def test_database_that_cannot_be_opened_is_storage_unavailable(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'missing' / 'recto.db'}", 1.0)
    with pytest.raises(
        StorageUnavailable, match=r"cannot be opened: unable to open database file\. Check database\.url"
    ):
        upgrade_schema(engine)
    engine.dispose()
