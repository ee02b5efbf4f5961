"""Rows of one database in another, from SQLite to SQLite and to PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copy

import pytest
from sqlalchemy import Engine, func, insert, select, update
from sqlalchemy.orm import Session

from models import AuditEvent, ChangeCounter, Job, JobStatusTransition, User, Worker
from recto.database.connections import connect
from recto.errors import DocumentDamaged, SettingsError
from recto.moving.rows import MovedTable, copy_rows
from tests.conftest import JobTable, SetClock, sqlite_url
from tests.postgresql import Server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def target(request: pytest.FixtureRequest, migrated_file: Path, tmp_path: Path) -> Iterator[Engine]:
    """An empty database at the newest schema."""
    if request.param == "sqlite":
        engine = connect(sqlite_url(Path(copy(migrated_file, tmp_path / "new.db"))), busy_timeout_s=10.0)
        yield engine
        engine.dispose()
        return
    server: Server = request.getfixturevalue("postgresql")
    with server.database() as url:
        engine = connect(url, busy_timeout_s=10.0)
        yield engine
        engine.dispose()


@pytest.fixture
def source(table: JobTable, ann: int, bob: int, engine: Engine) -> Engine:
    """With jobs that wait, are being read and have failed, of two users."""
    for user_id in (ann, bob):
        for name in ("eins.pdf", "zwei\0.pdf"):
            uuid = table.submit(user_id, {"languages": "eng+deu", "password": "ä\0"})
            with Session(engine) as session, session.begin():
                session.execute(update(Job).where(Job.uuid == uuid).values(file_name=name))
    claim = table.claim()
    table.do(table.jobs.fail, claim.lease, DocumentDamaged("It is no PDF."))
    table.claim()
    return engine


def move(source: Engine, target: Engine) -> dict[str, MovedTable]:
    return {moved.name: moved for moved in copy_rows(source, target)}


def test_all_rows_go_over_and_are_equal_by_checksum(source: Engine, target: Engine) -> None:
    moved = move(source, target)
    assert {name for name, table in moved.items() if not table.is_equal} == set()
    assert (moved["user"].rows, moved["job"].rows) == (2, 4)
    assert moved["job_status_transition"].rows == 4 + 3
    assert moved["job"].written == 4


def test_a_second_time_nothing_is_written(source: Engine, target: Engine) -> None:
    first = move(source, target)
    second = move(source, target)
    assert [(table.written, table.removed) for table in second.values()] == [(0, 0)] * len(second)
    assert {name: table.checksum for name, table in second.items()} == {
        name: table.checksum for name, table in first.items()
    }


def test_what_changed_came_and_went_meanwhile_follows(
    source: Engine, target: Engine, table: JobTable, bob: int
) -> None:
    move(source, target)
    with Session(source) as session:
        gone = session.scalars(select(Job.uuid).where(Job.user_id == bob, Job.status == "QUEUED")).first()
    assert gone is not None
    table.do(table.jobs.delete, bob, gone)
    added = table.submit(bob)
    claim = table.claim()
    moved = move(source, target)
    assert all(one.is_equal for one in moved.values())
    assert moved["job"].removed == 1
    with Session(target) as session:
        assert session.get(Job, gone) is None
        assert session.get(Job, added) is not None
        assert session.get_one(Job, claim.lease.job_uuid).status == "IN_PROGRESS"
        log = session.scalars(
            select(JobStatusTransition.status).where(JobStatusTransition.job_uuid == claim.lease.job_uuid)
        )
        assert list(log) == ["QUEUED", "IN_PROGRESS"]


def test_new_place_goes_on_with_ids_and_change_numbers_that_none_has(
    source: Engine, target: Engine, clock: SetClock
) -> None:
    move(source, target)
    there = JobTable(target, clock)
    with Session(target) as session:
        highest = session.scalars(select(ChangeCounter.value)).one()
    carol = there.add_user("carol")
    uuid = there.submit(carol)
    assert there.job(uuid).change > highest
    assert there.try_claim() is not None
    with Session(target) as session:
        assert session.scalar(select(func.count()).select_from(User)) == 3


def test_finished_jobs_are_indexed_anew_there(source: Engine, target: Engine, table: JobTable) -> None:
    with Session(source) as session, session.begin():
        session.execute(update(Job).values(text_indexed=True))
    assert move(source, target)["job"].is_equal
    with Session(target) as session:
        assert set(session.scalars(select(Job.text_indexed))) == {False}


def test_database_of_another_recto_is_left_alone(source: Engine, target: Engine, clock: SetClock) -> None:
    JobTable(target, clock).add_user("zoe")
    with pytest.raises(SettingsError, match="users of its own, such as 'zoe'"):
        move(source, target)
    with Session(target) as session:
        assert list(session.scalars(select(User.name))) == ["zoe"]


def test_database_that_is_used_already_is_left_alone(source: Engine, target: Engine, clock: SetClock) -> None:
    move(source, target)
    there = JobTable(target, clock)
    with Session(target) as session:
        user_id = session.scalars(select(User.id)).first()
    assert user_id is not None
    uuid = there.submit(user_id)
    with pytest.raises(SettingsError, match="in use already"):
        move(source, target)
    assert there.job(uuid).status == "QUEUED"


def test_database_that_a_worker_reported_to_is_left_alone(source: Engine, target: Engine) -> None:
    with Session(target) as session, session.begin():
        session.add(
            Worker(
                name="w",
                version="1",
                engine="e",
                languages=[],
                result_version=None,
                processes=1,
                started_us=1,
                seen_us=1,
            )
        )
    with pytest.raises(SettingsError, match="in use already"):
        move(source, target)


def test_a_row_that_was_changed_over_there_is_written_again(source: Engine, target: Engine) -> None:
    move(source, target)
    with Session(target) as session, session.begin():
        session.execute(update(User).values(is_admin=True))
    users = move(source, target)["user"]
    assert (users.written, users.is_equal) == (2, True)


def test_log_that_was_changed_over_there_is_told_of(source: Engine, target: Engine) -> None:
    move(source, target)
    with Session(target) as session, session.begin():
        session.execute(insert(AuditEvent).values(timestamp=5, action="a", user_name="zoe", about="", address=""))
    with Session(source) as session, session.begin():
        session.execute(insert(AuditEvent).values(timestamp=5, action="a", user_name="ann", about="", address=""))
    assert not move(source, target)["audit_event"].is_equal
