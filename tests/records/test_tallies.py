from datetime import timedelta

import pytest
from sqlalchemy import Engine

from recto.database.connections import utc
from recto.errors import DocumentDamaged
from recto.records.tallies import HOUR_US, KEPT_HOURS, Tally, count_end, list_tallies
from tests.conftest import START_US, JobTable, SetClock, new_submission
from tests.query_costs import plans_of

pytestmark = pytest.mark.each_database(long=True)

HOUR_S = 3600


def tallies(table: JobTable, hours: int = 24) -> list[tuple[str, int, int]]:
    return [(one.outcome, one.jobs, one.pages) for one in table.read(list_tallies, hours, table.clock)]


def test_ends_are_counted_by_how_they_ended(table: JobTable, ann: int) -> None:
    for _ in range(4):
        table.submit(ann)
    first = table.claim()
    for number in (1, 2):
        table.do(table.jobs.adopt_page, first.lease, number, None if number == 1 else DocumentDamaged("Torn."))
    table.do(table.jobs.finish, first.lease)
    table.do(table.jobs.finish, table.claim().lease)
    table.do(table.jobs.fail, table.claim().lease, DocumentDamaged("Torn."))
    table.do(table.jobs.cancel, ann, table.claim().lease.job_uuid)
    assert tallies(table) == [("cancelled", 1, 0), ("document_damaged", 1, 0), ("finished", 2, 1)]


def test_answer_from_an_earlier_job_counts_as_answered(table: JobTable, ann: int) -> None:
    source = table.submit(ann)
    lease = table.claim().lease
    table.do(table.jobs.adopt_page, lease, 1)
    table.do(table.jobs.finish, lease, "1")
    submitted = table.job(source)
    table.do(table.jobs.submit_answered, new_submission(ann), submitted.uuid, "token")
    assert [(outcome, jobs) for outcome, jobs, _ in tallies(table)] == [("answered", 1), ("finished", 1)]


def test_deleting_a_job_leaves_the_past_as_it_was(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    table.do(table.jobs.finish, table.claim().lease)
    table.do(table.jobs.delete, ann, uuid)
    assert tallies(table) == [("finished", 1, 0)]


def test_requeue_is_no_end(table: JobTable, ann: int) -> None:
    table.submit(ann)
    table.do(table.jobs.hand_back, table.claim().lease)
    assert tallies(table) == []


def test_hours_are_told_apart_and_those_asked_for_come_in_order(table: JobTable, clock: SetClock, ann: int) -> None:
    for _ in range(3):
        table.submit(ann)
        table.do(table.jobs.finish, table.claim().lease)
        clock.move(HOUR_S)
    found = table.read(list_tallies, 3, clock)
    assert [tally.jobs for tally in found] == [1, 1]
    assert found[1].hour - found[0].hour == timedelta(hours=1)
    assert all(tally.hour.minute == tally.hour.second == 0 for tally in found)


def test_what_is_older_than_a_year_is_forgotten(table: JobTable, clock: SetClock) -> None:
    old_us = START_US - (KEPT_HOURS + 1) * HOUR_US
    for ended_us in (old_us, START_US):
        table.do(count_end, ended_us, "finished", 1)
    assert tallies(table, 2 * KEPT_HOURS) == [("finished", 1, 1)]


@pytest.mark.parametrize(
    ("outcome", "is_failure"), [("finished", False), ("answered", False), ("cancelled", False), ("job_timeout", True)]
)
def test_failure_is_what_recto_could_not_do(clock: SetClock, outcome: str, is_failure: bool) -> None:
    assert Tally(utc(clock.now_us), outcome, 1, 1).is_failure is is_failure


@pytest.mark.sqlite_alone
def test_look_back_reads_its_hours_alone(table: JobTable, engine: Engine) -> None:
    plans = plans_of(engine, lambda: table.read(list_tallies, 24, table.clock))
    assert any(
        "SEARCH job_tally USING INDEX sqlite_autoindex_job_tally_1 (hour_us>?)" in str(plan) for plan in plans.values()
    )
