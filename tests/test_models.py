import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from models import MAY_FOLLOW, Base, JobStatus
from recto.database.after_create import TRANSITION_TRIGGERS
from tests.conftest import JobTable

pytestmark = pytest.mark.each_database


def test_job_status_that_nothing_follows_is_final() -> None:
    assert {status for status in JobStatus if status.is_final} == {JobStatus.FINISHED, JobStatus.FAILURE}


def test_may_follow_speaks_of_every_status_and_lets_each_be_reached() -> None:
    assert set(MAY_FOLLOW) == {None, *JobStatus}
    assert frozenset[JobStatus]().union(*MAY_FOLLOW.values()) == set(JobStatus)


def test_every_time_is_named_in_microseconds() -> None:
    for mapper in Base.registry.mappers:
        for name in mapper.columns.keys():  # noqa: SIM118 - columns are no dict
            assert not name.endswith("_at"), f"{mapper.class_.__name__}.{name}"


@pytest.mark.parametrize("statement", ["status = 'LOST'", "status = 'FINISHED'", "lease_token = NULL"])
def test_job_in_progress_without_its_lease_is_refused_by_the_database(
    table: JobTable, ann: int, statement: str
) -> None:
    uuid = table.submit(ann)
    table.claim()
    with table.sessions() as session, pytest.raises(IntegrityError, match="job_"):
        session.execute(text(f"UPDATE job SET {statement} WHERE uuid = :uuid"), {"uuid": uuid})  # noqa: S608


def test_transition_with_an_unknown_status_is_refused_by_the_database(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    insert = "INSERT INTO job_status_transition (job_uuid, status, timestamp, attempt) VALUES (:uuid, 'LOST', 1, 0)"
    with table.sessions() as session, pytest.raises(IntegrityError, match="transition_status_known"):
        session.execute(text(insert), {"uuid": uuid})


def test_two_transitions_of_a_job_at_one_time_are_refused_by_the_database(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    twice = (
        "INSERT INTO job_status_transition (job_uuid, status, timestamp, attempt) "
        "SELECT job_uuid, status, timestamp, attempt FROM job_status_transition WHERE job_uuid = :uuid"
    )
    with table.sessions() as session, pytest.raises(IntegrityError, match=r"UNIQUE|unique constraint"):
        session.execute(text(twice), {"uuid": uuid})


def test_log_is_guarded_against_update_and_delete() -> None:
    assert [trigger.split(" BEFORE ")[1].split()[0] for trigger in TRANSITION_TRIGGERS] == ["UPDATE", "DELETE"]
