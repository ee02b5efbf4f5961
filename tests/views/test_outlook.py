"""A job's place in the queue, and about how long it takes: the arithmetic, the queries, and a simulated queue."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.queue_estimates import Simulation, documents, summed_up
from models import JobStatus
from recto import workers
from recto.ocr.options import Options
from recto.views.jobs import JobView, get_job
from recto.views.outlook import (
    Before,
    Outlook,
    Pace,
    Stretch,
    TimeLeft,
    find_before,
    outlook,
    page_seconds,
    recent_pace,
    time_left,
)
from tests.conftest import JobTable
from tests.query_costs import add_a_thousand_ended_jobs, instructions_of, plans_of

pytestmark = pytest.mark.each_database(long=True)

PACE = Pace(page_s=2.0, mean_pages=5.0, typical_pages=2.0, processes=2, processes_for_one=2)
NOW = datetime(2026, 11, 25, tzinfo=UTC)


def job(
    status: JobStatus = JobStatus.QUEUED,
    page_count: int | None = None,
    pages_done: int = 0,
    media_type: str = "application/pdf",
) -> JobView:
    return JobView(
        uuid="0",
        user_id=1,
        status=status,
        created=NOW,
        ended=None,
        change=1,
        file_name="scan.pdf",
        media_type=media_type,
        size_bytes=1,
        options=Options(),
        page_count=page_count,
        pages_done=pages_done,
        pages_failed=0,
        attempt=0,
        reason=None,
        result_token=None,
        content_sha256=None,
        deduplicated_from=None,
        retry_of=None,
        batch_uuid=None,
        revision=0,
        result_created=NOW,
    )


@pytest.mark.parametrize(
    ("before", "position"),
    [
        (Before(0, 0, ()), 1),
        (Before(3, 0, ()), 4),
        (Before(0, 0, ((100, 0),)), 2),
        (Before(3, 0, ((100, 0),)), 8),
        (Before(3, 0, ((1, 0), (2, 0))), 7),
        (Before(0, 50, ((100, 0),)), 12),
        (Before(0, 0, ((100, 50),)), 1),
    ],
    ids=[
        "nobody else",
        "own jobs",
        "one turn of a heap",
        "as many turns as own jobs",
        "others with few jobs",
        "own pages in progress let others go first",
        "who has pages in progress comes later",
    ],
)
def test_position_follows_from_turns_between_users(before: Before, position: int) -> None:
    assert outlook(job(), before, PACE).position == position


def test_position_is_that_of_waiting_jobs_alone() -> None:
    assert outlook(job(JobStatus.IN_PROGRESS, 3), Before(0, 0, ()), PACE).position is None


@pytest.mark.parametrize(
    ("asked", "before", "expected_s"),
    [
        (job(), Before(0, 0, ()), 2),
        (job(media_type="image/png"), Before(0, 0, ()), 2),
        (job(JobStatus.IN_PROGRESS, 20, 10), Before(0, 0, ()), 10),
        (job(JobStatus.IN_PROGRESS, 20, 10), Before(0, 0, ((9, 0),)), 20),
        (job(JobStatus.IN_PROGRESS, 20, 10), Before(0, 0, ((0, 4),)), 14),
        (job(), Before(4, 0, ()), 22),
        (job(), Before(4, 6, ((2, 0),)), 38),
        (job(JobStatus.IN_PROGRESS, 20, 20), Before(0, 0, ()), 0),
    ],
)
def test_time_left_counts_own_pages_and_as_many_of_each_other_user(
    asked: JobView, before: Before, expected_s: float
) -> None:
    assert outlook(asked, before, PACE).time_left == time_left(expected_s)


def test_job_is_read_by_the_processes_of_one_worker() -> None:
    many = Pace(page_s=2.0, mean_pages=5.0, typical_pages=2.0, processes=20, processes_for_one=2)
    assert outlook(job(JobStatus.IN_PROGRESS, 20), Before(0, 0, ()), many).time_left == time_left(20)


@pytest.mark.parametrize(
    "pace", [Pace(None, 1.0, 1.0, 2, 2), Pace(2.0, 1.0, 1.0, 0, 0)], ids=["nothing read", "no Worker"]
)
def test_nothing_is_said_of_the_time_where_nothing_is_known(pace: Pace) -> None:
    assert outlook(job(), Before(2, 0, ()), pace) == Outlook(position=3, time_left=None)


@pytest.mark.parametrize(
    ("seconds", "least_s", "most_s"),
    [(0, 0, 5), (4, 0, 10), (20, 5, 50), (60, 20, 150), (600, 240, 1500), (7200, 2700, 18000), (86400, 34200, 216000)],
)
def test_range_is_rounded_outwards(seconds: float, least_s: int, most_s: int) -> None:
    assert time_left(seconds) == TimeLeft(least_s, most_s)


@given(st.floats(0, 1e7))
def test_range_holds_the_estimate(seconds: float) -> None:
    left = time_left(seconds)
    assert 0 <= left.least_s <= seconds <= left.most_s
    assert left.most_s > 0


@pytest.mark.parametrize(
    ("stretches", "expected_s"),
    [
        ([Stretch(0, 20, 10, 10)], 4.0),
        ([Stretch(0, 20, 10, 10), Stretch(0, 20, 10, 10)], 2.0),
        ([Stretch(0, 2, 1, 1), Stretch(10, 12, 1, 1), Stretch(20, 22, 1, 1)], 2.0),
        ([Stretch(0, 2, 1, 1), Stretch(0, 2, 1, 1), Stretch(1, 3, 1, 1), Stretch(1, 3, 1, 1)], 1.5),
        ([Stretch(0, 20, 2, 10)], None),
        ([], None),
        ([Stretch(5, 5, 9, 9)], None),
    ],
    ids=["alone", "side by side", "with gaps", "overlapping", "too few pages", "nothing", "no time"],
)
def test_seconds_of_a_page_are_those_of_one_process(stretches: list[Stretch], expected_s: float | None) -> None:
    assert page_seconds(stretches, processes=2, processes_for_one=2) == expected_s


def test_seconds_of_a_page_leave_out_what_lies_before_the_window() -> None:
    """Others may have been read then, of which nothing is known any more."""
    slow_then_quick = [Stretch(0, 100, 50, 50), Stretch(90, 100, 5, 5)]
    assert page_seconds(slow_then_quick, 2, 2, since_s=90) == pytest.approx(2 * 10 / (5 + 5))


@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(0.1, 100), st.integers(1, 50)), min_size=1, max_size=20))
def test_seconds_of_a_page_are_never_more_than_all_that_passed(spans: list[tuple[float, float, int]]) -> None:
    stretches = [Stretch(begin_s, begin_s + length_s, pages, pages) for begin_s, length_s, pages in spans]
    page_s, pages = page_seconds(stretches, 4, 2), sum(pages for *_, pages in spans)
    whole_s = max(one.end_s for one in stretches) - min(one.begin_s for one in stretches)
    assert page_s is None or 0 < page_s <= 4 * whole_s / pages * (1 + 1e-9)


def view(table: JobTable, user: int, uuid: str) -> JobView:
    return table.read(get_job, user, uuid)


def test_before_counts_own_earlier_jobs_and_the_work_of_others(table: JobTable, ann: int, bob: int) -> None:
    table.submit(bob)
    claim = table.claim()
    table.do(table.jobs.set_page_count, claim.lease, 7)
    table.do(table.jobs.adopt_page, claim.lease, 1)
    first, second = table.submit(ann), None
    for _ in range(3):
        table.clock.move(1)
        table.submit(bob)
    table.clock.move(1)
    second = table.submit(ann)
    assert table.read(find_before, view(table, ann, first)) == Before(0, 0, ((1, 6),))
    assert table.read(find_before, view(table, ann, second)) == Before(1, 0, ((2, 6),))
    assert table.read(find_before, view(table, bob, claim.lease.job_uuid)) == Before(0, 0, ((2, 0),))


def test_before_of_a_running_job_counts_only_what_was_begun_earlier(table: JobTable, ann: int) -> None:
    claims = []
    for pages in (5, 9):
        table.clock.move(1)
        table.submit(ann)
        claims.append(table.claim())
        table.do(table.jobs.set_page_count, claims[-1].lease, pages)
    assert table.read(find_before, view(table, ann, claims[0].lease.job_uuid)) == Before(0, 0, ())
    assert table.read(find_before, view(table, ann, claims[1].lease.job_uuid)) == Before(0, 5, ())


def read_one(table: JobTable, user: int, pages: int, page_s: float) -> None:
    table.submit(user)
    claim = table.claim()
    table.do(table.jobs.set_page_count, claim.lease, pages)
    for number in range(1, pages + 1):
        table.clock.move(page_s)
        table.do(table.jobs.adopt_page, claim.lease, number)
    table.do(table.jobs.finish, claim.lease)


def report(table: JobTable, name: str, processes: int) -> None:
    table.do(workers.report, name, "1", "engine", ("eng",), processes)


def test_pace_is_measured_on_what_was_read(table: JobTable, ann: int) -> None:
    report(table, "one", 1)
    for pages in (1, 2, 9):
        read_one(table, ann, pages, 3.0)
    pace = table.read(recent_pace, table.clock())
    assert pace.page_s == pytest.approx(3.0, rel=1e-5)
    assert replace(pace, page_s=None) == Pace(None, 4.0, 2.0, 1, 1)


def test_pace_counts_a_document_that_is_still_read(table: JobTable, ann: int) -> None:
    report(table, "one", 2)
    report(table, "two", 4)
    table.submit(ann)
    claim = table.claim()
    table.do(table.jobs.set_page_count, claim.lease, 10)
    for number in range(1, 6):
        table.clock.move(1)
        table.do(table.jobs.adopt_page, claim.lease, number)
    pace = table.read(recent_pace, table.clock())
    assert pace.page_s == pytest.approx(4.0, rel=1e-5)
    assert replace(pace, page_s=None) == Pace(None, 10.0, 10.0, 6, 4)


def test_pace_of_a_new_service_is_not_known(table: JobTable, ann: int) -> None:
    report(table, "one", 2)
    table.submit(ann)
    assert table.read(recent_pace, table.clock()) == Pace(None, 1.0, 1.0, 2, 2)


def test_pace_leaves_out_jobs_that_were_tried_again(table: JobTable, ann: int) -> None:
    report(table, "one", 1)
    table.submit(ann)
    table.do(table.jobs.hand_back, table.claim().lease)
    claim = table.claim()
    table.do(table.jobs.set_page_count, claim.lease, 100)
    table.clock.move(1)
    table.do(table.jobs.finish, claim.lease)
    assert table.read(recent_pace, table.clock()).page_s is None


@pytest.mark.sqlite_alone
def test_query_plans_read_the_partial_indices(table: JobTable, ann: int, bob: int) -> None:
    table.submit(bob)
    asked = view(table, ann, table.submit(ann))
    table.claim()
    steps = {step for plan in plans_of(table.engine, lambda: table.read(find_before, asked)).values() for step in plan}
    jobs = {step for step in steps if step.split()[1:2] == ["job"]}
    assert jobs == {
        "SEARCH job USING INDEX job_queued (user_id=? AND (created_us,uuid)<(?,?))",
        "SEARCH job USING INDEX job_queued (user_id=? AND created_us>?)",
        "SEARCH job USING INDEX job_in_progress (user_id=? AND lease_expires_us>?)",
    }
    pace = [step for plan in plans_of(table.engine, lambda: table.read(recent_pace)).values() for step in plan]
    assert [step for step in pace if step.startswith("SCAN job") and "INDEX job_" not in step] == []


@pytest.mark.sqlite_alone
def test_questions_cost_the_same_with_a_thousand_ended_jobs_behind_them(table: JobTable, ann: int) -> None:
    asked = view(table, ann, table.submit(ann))

    before = instructions_of(table.engine, lambda session: find_before(session, asked))
    add_a_thousand_ended_jobs(table, ann)
    assert instructions_of(table.engine, lambda session: find_before(session, asked)) == before


def test_estimates_of_a_simulated_queue_come_near_to_what_happens(tmp_path: Path) -> None:
    """benchmarks/queue_estimates.py has the numbers for more jobs and Workers."""
    asked = Simulation(tmp_path / "queue.db", documents(60, seed=1, every_s=20.0), worker_count=1, processes=2).run()
    summary = summed_up(asked)
    assert summary.questions > 50
    assert summary.within > 0.75
    assert summary.median_error < 0.8
    assert summary.places_kept > 0.9
