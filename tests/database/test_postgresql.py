"""What is PostgreSQL's own: its schema and triggers, its errors, a server that goes away, indices, and gevent."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, event, insert, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from benchmarks.queue_size import fill
from models import Base, Job, User
from recto import accounts
from recto.database.connections import connect, upgrade_schema
from recto.errors import DatabaseBusy, OutcomeUnknown, SettingsError, StorageUnavailable
from tests.conftest import JobTable, SetClock, new_submission, writing_elsewhere
from tests.job_queries import ACTIONS
from tests.postgresql import Server, program, running_server

pytestmark = pytest.mark.services
ROOT = Path(__file__).resolve().parents[2]
PAST = 20_000
MOST_BLOCKS = 150
"""Of 8 kB, for a statement. The table of so many jobs has ten times as many, and grows."""
CATALOGUE = (
    """
SELECT table_name || '.' || column_name,
       data_type || coalesce(character_maximum_length::text, '') || is_nullable || coalesce(column_default, '')
FROM information_schema.columns WHERE table_schema = 'public'""",
    "SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
)


@pytest.fixture
def table(postgresql_table: JobTable) -> JobTable:
    return postgresql_table


@pytest.fixture
def empty_url(postgresql: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database without a table."""
    yield postgresql.make("recto_empty")
    postgresql.execute("DROP DATABASE recto_empty WITH (FORCE)")


def schema(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        rows = [row for query in CATALOGUE for row in connection.execute(text(query))]
    return {name: definition for name, definition in rows if "alembic" not in name}


def test_migrated_schema_is_the_described_one(table: JobTable, empty_url: str) -> None:
    described = connect(empty_url, busy_timeout_s=10.0)
    Base.metadata.create_all(described)
    expected = schema(described)
    described.dispose()
    assert len(expected) > 150
    assert schema(table.engine) == expected
    with table.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        changes = compare_metadata(context, Base.metadata)
    # What is searched by is PostgreSQL's own, and no column of the model.
    assert [change[0] for change in changes] == ["remove_index", "remove_column"]
    assert "words" in str(changes)


def test_upgrades_at_once_make_one_schema(empty_url: str) -> None:
    errors: list[BaseException] = []

    def upgrade() -> None:
        engine = connect(empty_url, busy_timeout_s=30.0)
        try:
            upgrade_schema(engine)
        except BaseException as error:  # noqa: BLE001 - told to the test
            errors.append(error)
        engine.dispose()

    threads = [threading.Thread(target=upgrade) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    engine = connect(empty_url, busy_timeout_s=10.0)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    engine.dispose()


def test_database_that_holds_no_unicode_is_a_settings_error(postgresql: Server) -> None:
    engine = connect(postgresql.make("recto_latin", encoding="LATIN1"), busy_timeout_s=10.0)
    with pytest.raises(SettingsError, match="ENCODING 'UTF8'"):
        upgrade_schema(engine)
    engine.dispose()
    postgresql.execute("DROP DATABASE recto_latin")


def test_database_that_is_not_there_is_storage_unavailable(postgresql: Server) -> None:
    engine = connect(postgresql.url("nowhere"), busy_timeout_s=10.0)
    with pytest.raises(StorageUnavailable, match=r'cannot be opened: .*database "nowhere" does not exist'):
        upgrade_schema(engine)
    engine.dispose()


@pytest.mark.parametrize(
    "statement", ["UPDATE job_status_transition SET attempt = 7", "DELETE FROM job_status_transition"]
)
def test_log_is_only_added_to_while_its_job_lives(table: JobTable, statement: str) -> None:
    user = table.add_user("ann")
    uuid = table.submit(user)
    with table.engine.connect() as connection, pytest.raises(IntegrityError, match="append-only"):
        connection.execute(text(statement))
    table.do(table.jobs.delete, user, uuid)
    assert table.log(uuid) == []


def test_reader_writes_nothing(table: JobTable) -> None:
    with pytest.raises(StorageUnavailable, match="read-only transaction"):
        table.read(lambda session: session.execute(text("UPDATE change_counter SET value = 9")))


def test_reader_sees_one_moment(table: JobTable) -> None:
    user = table.add_user("ann")

    def count_twice(session: Session) -> tuple[int, int]:
        counted = text("SELECT count(*) FROM job")
        before = session.scalars(counted).one()
        table.submit(user)
        return before, session.scalars(counted).one()

    assert table.read(count_twice) == (0, 0)


def test_writer_that_meets_a_lock_for_too_long_is_database_busy(table: JobTable) -> None:
    user = table.add_user("ann")
    impatient = connect(table.engine.url.render_as_string(), busy_timeout_s=0.05)
    with writing_elsewhere(table.engine), pytest.raises(DatabaseBusy, match="Nothing was changed"):
        JobTable(impatient, table.clock).submit(user)
    impatient.dispose()


def test_error_of_a_row_does_not_quote_it(table: JobTable) -> None:
    user = table.add_user("ann")
    row = {"name": None, "password_hash": "open sesame", "is_admin": False, "created_us": 1}
    with pytest.raises(IntegrityError) as caught:
        table.do(lambda session: session.execute(insert(User).values(row)))
    assert "null value" in str(caught.value)
    assert "sesame" not in str(caught.value)
    assert "sesame" not in str(caught.value.orig)
    assert user


def test_name_with_nul_is_nobody_s(table: JobTable) -> None:
    table.add_user("ann\N{REPLACEMENT CHARACTER}")
    assert table.read(accounts.check_password, "ann", "x") is None
    assert table.read(accounts.has_user, "nobody\0") is False


@pytest.fixture(scope="module")
def past(postgresql: Server) -> Iterator[JobTable]:
    """A table with many jobs that have ended."""
    with postgresql.database() as url:
        engine = connect(url, busy_timeout_s=10.0)
        fill(engine, PAST)
        yield JobTable(engine, SetClock(1_800_000_000_000_000))
        engine.dispose()


@pytest.mark.parametrize("name", sorted(set(ACTIONS) - {"changes", "changes of a user", "changes that are wanted"}))
def test_operation_reads_few_blocks_with_many_jobs_behind_it(past: JobTable, name: str) -> None:
    """Those that are left out are asked for all that ever changed."""
    past.submit(1)
    asked: list[tuple[str, Any]] = []
    listener = lambda *given: asked.append((given[2], given[3]))  # noqa: E731
    event.listen(past.engine, "before_cursor_execute", listener)
    ACTIONS[name](past, 1)
    event.remove(past.engine, "before_cursor_execute", listener)
    with past.engine.connect() as connection:
        for statement, parameters in asked:
            if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE")) and "advisory" not in statement:
                explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
                ((explained,),) = connection.exec_driver_sql(explain, parameters)
                plan = explained[0]["Plan"]
                assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < MOST_BLOCKS, (statement, plan)
            connection.rollback()
    past.do(lambda session: session.execute(text("DELETE FROM job WHERE status <> 'FINISHED'")))


def test_server_that_was_away_is_found_again() -> None:
    with running_server() as server, server.database() as url:
        engine = connect(url, busy_timeout_s=5.0)
        table = JobTable(engine, SetClock())
        user = table.add_user("ann")
        server.stop()
        with pytest.raises(StorageUnavailable, match="cannot be reached"):
            table.submit(user)
        with pytest.raises(StorageUnavailable, match="cannot be reached"):
            table.read(table.jobs.has_claimable)
        server.start()
        uuid = table.submit(user)
        assert table.claim().lease.job_uuid == uuid
        engine.dispose()


def test_dump_brings_everything_back(table: JobTable, empty_url: str, tmp_path: Path) -> None:
    """As docs/scaling.md says it."""
    user = table.add_user("ann")
    uuid = table.submit(user)
    dump, url = tmp_path / "recto.dump", table.engine.url.set(drivername="postgresql").render_as_string()
    subprocess.run([program("pg_dump"), "--format=custom", f"--file={dump}", url], check=True)
    plain = empty_url.replace("+psycopg", "")
    subprocess.run([program("pg_restore"), "--no-owner", f"--dbname={plain}", dump], check=True)
    engine = connect(empty_url, busy_timeout_s=10.0)
    upgrade_schema(engine)
    restored = JobTable(engine, table.clock)
    assert restored.claim().lease.job_uuid == uuid
    assert restored.submit(user) != uuid
    engine.dispose()


def test_commit_whose_answer_is_lost_has_an_unknown_outcome(table: JobTable, postgresql: Server) -> None:
    """Cut off from the server just before, which a client cannot tell from just after."""
    submission = new_submission(table.add_user("ann"))

    def submit_and_be_cut_off(session: Session) -> None:
        table.jobs.submit(session, submission)
        own = session.scalars(text("SELECT pg_backend_pid()")).one()
        postgresql.execute(f"SELECT pg_terminate_backend({own})")

    with pytest.raises(OutcomeUnknown, match="may have been done"):
        table.do(submit_and_be_cut_off)
    with table.sessions() as session:
        assert session.get(Job, submission.uuid) is None


GREENLETS = """
from gevent import monkey
monkey.patch_all()
import sys, time
import gevent
from sqlalchemy import text
from recto.database.connections import connect

engine = connect(sys.argv[1], 10.0)
ticks = []

def ask():
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_sleep(0.5)"))

def tick():
    while True:
        ticks.append(time.monotonic())
        gevent.sleep(0.01)

gevent.spawn(tick)
began_s = time.monotonic()
gevent.joinall([gevent.spawn(ask) for _ in range(8)], raise_error=True)
took_s = time.monotonic() - began_s
print(took_s, max(later - sooner for sooner, later in zip(ticks, ticks[1:])))
engine.dispose()
"""


def test_greenlet_that_waits_for_the_server_lets_others_go_on(table: JobTable) -> None:
    command = [sys.executable, "-c", GREENLETS, table.engine.url.render_as_string()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    took_s, longest_s = map(float, done.stdout.split())
    assert took_s < 8 * 0.5  # they wait side by side
    assert longest_s < 0.5  # and nobody waits for them
