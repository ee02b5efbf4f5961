"""The list of jobs oldest first, and by name."""

from dataclasses import replace

import pytest

from models import JobStatus
from recto.records.job_details import change_details
from recto.views.job_orders import Order, list_in_order
from recto.views.jobs import EVERY_JOB, JobFilter
from tests.conftest import SECOND_US, START_US, JobTable, new_submission

pytestmark = pytest.mark.each_database


def submit(table: JobTable, user_id: int, name: str) -> str:
    submission = replace(new_submission(user_id), file_name=name)
    table.do(table.jobs.submit, submission)
    table.clock.move(1)
    return submission.uuid


def names(table: JobTable, user_id: int, order: Order, after: str | None = None, wanted: JobFilter = EVERY_JOB) -> str:
    return " ".join(job.file_name for job in table.read(list_in_order, user_id, 9, order, after, wanted))


@pytest.fixture
def uuids(table: JobTable, ann: int, bob: int) -> dict[str, str]:
    submit(table, bob, "another")
    return {name: submit(table, ann, name) for name in ("c", "B", "a", "b")}


def test_jobs_come_oldest_first_or_by_name(table: JobTable, ann: int, uuids: dict[str, str]) -> None:
    assert names(table, ann, Order.OLDEST) == "c B a b"
    assert names(table, ann, Order.OLDEST, after=uuids["B"]) == "a b"
    by_name = names(table, ann, Order.NAME)
    assert by_name in ("a B b c", "a b B c")  # the same name but for its case: by uuid
    assert names(table, ann, Order.NAME, after=uuids[by_name[2]]) == by_name[4:]


def test_jobs_begin_anew_after_one_that_is_gone(table: JobTable, ann: int, bob: int, uuids: dict[str, str]) -> None:
    table.do(table.jobs.delete, ann, uuids["c"])
    assert names(table, ann, Order.OLDEST, after=uuids["c"]) == "B a b"
    assert names(table, bob, Order.OLDEST, after=uuids["a"]) == "another"


def test_jobs_are_filtered_in_every_order(table: JobTable, ann: int, uuids: dict[str, str]) -> None:
    table.do(table.jobs.cancel, ann, uuids["a"])
    table.do(table.jobs.cancel, ann, uuids["c"])
    failed = JobFilter(frozenset({JobStatus.FAILURE}))
    assert (names(table, ann, Order.OLDEST, wanted=failed), names(table, ann, Order.NAME, wanted=failed)) == (
        "c a",
        "a c",
    )
    table.do(change_details, ann, uuids["a"], tags=("invoice", "paid"))
    table.do(change_details, ann, uuids["B"], tags=("invoice",))
    assert names(table, ann, Order.OLDEST, wanted=JobFilter(tags=("invoice",))) == "B a"
    assert names(table, ann, Order.NAME, wanted=JobFilter(tags=("invoice", "paid"))) == "a"
    between = JobFilter(frozenset(), START_US + SECOND_US, START_US + 4 * SECOND_US)
    assert names(table, ann, Order.OLDEST, wanted=between) == "B a"
