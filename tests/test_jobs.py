"""Each operation of the job table with each way it can end, on a real database."""

import time
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import Base, Job, JobDeletion, JobPage, JobStatus, JobStatusTransition
from recto.database.connections import NowMicroseconds
from recto.errors import DocumentMissing, JobNotFound, LeaseLost, PageDamaged, QueueFull, StorageFull, UserQueueFull
from recto.jobs import Jobs, Lease
from tests.conftest import POLICY, SECOND_US, START_US, JobTable, SetClock

pytestmark = pytest.mark.each_database

FULL = StorageFull("The File Storage is full.")
DAMAGED = PageDamaged("Page 2 is damaged.")


def expire(table: JobTable, lease: Lease) -> list[Lease]:
    return table.do(table.jobs.requeue_expired, [lease])


def test_submit_records_a_queued_job_and_its_first_transition(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann, {"languages": "deu"})
    job, (entry,) = table.job(uuid), table.log(uuid)
    assert (job.status, job.user_id, job.attempt, job.options) == (JobStatus.QUEUED, ann, 0, {"languages": "deu"})
    assert (job.created_us, job.pages_done, job.page_count, job.lease_token) == (START_US, 0, None, None)
    assert (entry.status, entry.timestamp_us, entry.attempt, entry.worker) == (JobStatus.QUEUED, START_US, 0, None)


def test_submit_above_the_users_limit_is_user_queue_full(engine: Engine, clock: SetClock) -> None:
    table = JobTable(engine, clock, replace(POLICY, max_unfinished_per_user=2))
    ann, bob = table.add_user("ann"), table.add_user("bob")
    table.submit(ann)
    table.submit(ann)
    table.claim()
    with pytest.raises(UserQueueFull, match="2 unfinished jobs") as caught:
        table.submit(ann)
    assert caught.value.members == {"limit": 2}
    assert table.submit(bob)


def test_submit_above_everybodys_limit_is_queue_full(engine: Engine, clock: SetClock) -> None:
    table = JobTable(engine, clock, replace(POLICY, max_unfinished=2))
    ann, bob = table.add_user("ann"), table.add_user("bob")
    table.submit(ann)
    table.submit(bob)
    with pytest.raises(QueueFull):
        table.submit(bob)


def test_submit_after_jobs_ended_has_room_again(engine: Engine, clock: SetClock) -> None:
    table = JobTable(engine, clock, replace(POLICY, max_unfinished_per_user=1, max_unfinished=1))
    ann = table.add_user("ann")
    table.submit(ann)
    table.do(table.jobs.finish, table.claim().lease)
    assert table.submit(ann)


def test_refused_submission_leaves_nothing_behind(engine: Engine, clock: SetClock) -> None:
    table = JobTable(engine, clock, replace(POLICY, max_unfinished=0))
    ann = table.add_user("ann")
    with pytest.raises(QueueFull):
        table.submit(ann)
    with table.sessions() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == 0
        assert session.scalar(select(func.count()).select_from(JobStatusTransition)) == 0


def test_heartbeat_prolongs_what_is_held_and_names_what_is_lost(table: JobTable, ann: int) -> None:
    table.submit(ann)
    table.submit(ann)
    kept, lost = table.claim().lease, table.claim().lease
    table.do(table.jobs.cancel, ann, lost.job_uuid)
    table.clock.move(10)
    assert table.do(table.jobs.heartbeat, [kept, lost]) == {lost}
    assert table.job(kept.job_uuid).lease_expires_us == table.clock.now_us + 20 * SECOND_US
    assert table.job(lost.job_uuid).lease_expires_us is None


def test_still_held_leaves_out_leases_that_passed_on(table: JobTable, ann: int) -> None:
    table.submit(ann)
    table.submit(ann)
    kept, lost = table.claim().lease, table.claim().lease
    expire(table, lost)
    assert table.read(table.jobs.still_held, [kept, lost]) == {kept}


def test_adopt_page_counts_and_keeps_the_page(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    lease = table.claim().lease
    table.do(table.jobs.set_page_count, lease, 2)
    table.do(table.jobs.adopt_page, lease, 1)
    table.do(table.jobs.adopt_page, lease, 2, DAMAGED)
    job = table.job(uuid)
    assert (job.page_count, job.pages_done, job.pages_failed) == (2, 2, 1)
    with table.sessions() as session:
        pages = session.scalars(select(JobPage).order_by(JobPage.number)).all()
    assert [(page.number, page.attempt_token, page.error_code) for page in pages] == [
        (1, lease.token, None),
        (2, lease.token, "page_damaged"),
    ]


def test_adopt_page_twice_changes_nothing_the_second_time(table: JobTable, ann: int) -> None:
    """As after a commit that was done, but whose answer was lost."""
    uuid = table.submit(ann)
    lease = table.claim().lease
    table.do(table.jobs.adopt_page, lease, 1)
    before = table.job(uuid)
    table.do(table.jobs.adopt_page, lease, 1)
    after = table.job(uuid)
    assert (after.pages_done, after.change) == (1, before.change)


def test_next_attempt_knows_the_pages_that_were_adopted(table: JobTable, ann: int) -> None:
    table.submit(ann)
    first = table.claim().lease
    table.do(table.jobs.adopt_page, first, 1)
    table.do(table.jobs.adopt_page, first, 3, DAMAGED)
    expire(table, first)
    table.clock.move(60)
    assert table.claim().finished_pages == {1, 3}


def test_finish_names_the_attempt_and_ends_the_lease(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    lease = table.claim().lease
    table.clock.move(3)
    table.do(table.jobs.finish, lease)
    job = table.job(uuid)
    assert (job.status, job.result_token, job.lease_token) == (JobStatus.FINISHED, lease.token, None)
    assert (job.ended_us, job.reason_code) == (START_US + 3 * SECOND_US, None)
    assert table.statuses(uuid) == ["QUEUED", "IN_PROGRESS", "FINISHED"]


def test_fail_keeps_the_errors_code_and_sentence(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    table.do(table.jobs.fail, table.claim().lease, DAMAGED)
    job, last = table.job(uuid), table.log(uuid)[-1]
    assert (job.status, job.reason_code, job.reason_detail) == (JobStatus.FAILURE, "page_damaged", DAMAGED.detail)
    assert (last.status, last.reason_code, last.reason_detail) == (job.status, job.reason_code, job.reason_detail)
    assert last.timestamp_us == job.ended_us


def test_retry_later_waits_twice_as_long_with_each_attempt(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    for delay_s in (5, 10):
        table.do(table.jobs.retry_later, table.claim().lease, FULL)
        assert table.job(uuid).not_before_us == table.clock.now_us + delay_s * SECOND_US
        assert table.log(uuid)[-1].reason_code == "storage_full"
        table.clock.move(delay_s - 0.001)
        assert not table.read(table.jobs.has_claimable)
        assert table.try_claim() is None
        table.clock.move(0.001)
    assert table.claim().attempt == 3


def test_retry_later_passes_a_waiting_job_over_for_the_next(table: JobTable, ann: int) -> None:
    table.submit(ann)
    first = table.claim().lease
    table.do(table.jobs.retry_later, first, FULL)
    table.clock.move(1)
    second = table.submit(ann)
    assert table.claim().lease.job_uuid == second


def test_retry_later_after_the_last_attempt_is_a_failure_that_says_why(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    for _ in range(3):
        table.do(table.jobs.retry_later, table.claim().lease, FULL)
        table.clock.move(60)
    job = table.job(uuid)
    assert (job.status, job.attempt, job.reason_code) == (JobStatus.FAILURE, 3, "attempts_exhausted")
    assert "3 attempts" in (job.reason_detail or "")
    assert FULL.detail in (job.reason_detail or "")
    assert table.try_claim() is None


def test_hand_back_costs_no_attempt_and_no_pause(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    for _ in range(POLICY.max_attempts + 1):
        claim = table.claim()
        assert claim.attempt == 1
        table.do(table.jobs.hand_back, claim.lease)
    job = table.job(uuid)
    assert (job.status, job.attempt, job.lease_token, job.not_before_us) == (JobStatus.QUEUED, 0, None, 0)


def test_requeue_expired_names_the_lost_worker_and_costs_an_attempt(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    lease = table.claim("worker-7").lease
    assert expire(table, lease) == [lease]
    job, last = table.job(uuid), table.log(uuid)[-1]
    assert (job.status, job.attempt, job.reason_code) == (JobStatus.QUEUED, 1, None)
    assert (last.reason_code, "worker-7" in (last.reason_detail or "")) == ("worker_lost", True)
    assert job.not_before_us == table.clock.now_us + 5 * SECOND_US


def test_requeue_expired_after_the_last_attempt_gives_up(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    for _ in range(3):
        expire(table, table.claim().lease)
        table.clock.move(60)
    assert table.job(uuid).reason_code == "attempts_exhausted"
    assert table.statuses(uuid) == ["QUEUED", *["IN_PROGRESS", "QUEUED"] * 2, "IN_PROGRESS", "FAILURE"]


def test_requeue_expired_leaves_a_lease_alone_that_passed_on(table: JobTable, ann: int) -> None:
    table.submit(ann)
    old = table.claim().lease
    table.do(table.jobs.hand_back, old)
    new = table.claim().lease
    assert expire(table, old) == []
    assert table.read(table.jobs.still_held, [new]) == {new}


@pytest.mark.parametrize("is_claimed", [False, True])
def test_cancel_ends_an_unfinished_job_with_the_reason(table: JobTable, ann: int, is_claimed: bool) -> None:
    uuid = table.submit(ann)
    if is_claimed:
        table.claim()
    table.do(table.jobs.cancel, ann, uuid)
    job = table.job(uuid)
    assert (job.status, job.reason_code, job.lease_token) == (JobStatus.FAILURE, "cancelled", None)
    assert job.ended_us == table.log(uuid)[-1].timestamp_us


def test_cancel_of_an_ended_job_leaves_it_as_it_is(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    table.do(table.jobs.finish, table.claim().lease)
    before = table.statuses(uuid)
    table.do(table.jobs.cancel, ann, uuid)
    assert table.statuses(uuid) == before
    assert table.job(uuid).reason_code is None


@pytest.mark.parametrize("operation", [Jobs.cancel, Jobs.delete])
def test_cancel_and_delete_of_somebody_elses_job_find_no_job(
    table: JobTable, ann: int, bob: int, operation: Callable[[Jobs, Session, int, str], None]
) -> None:
    uuid = table.submit(ann)
    with pytest.raises(JobNotFound):
        table.do(lambda session: operation(table.jobs, session, bob, uuid))
    with pytest.raises(JobNotFound):
        table.do(lambda session: operation(table.jobs, session, ann, str(uuid4())))
    assert table.statuses(uuid) == ["QUEUED"]


def test_delete_removes_job_log_and_pages_and_notes_the_deletion(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    table.do(table.jobs.adopt_page, table.claim().lease, 1)
    table.do(table.jobs.delete, ann, uuid)
    assert table.row(uuid) is None
    assert table.log(uuid) == []
    with table.sessions() as session:
        assert session.scalar(select(func.count()).select_from(JobPage)) == 0
        deletion = session.get_one(JobDeletion, uuid)
    assert (deletion.user_id, deletion.timestamp_us, deletion.files_removed) == (ann, START_US, False)


def test_requeue_of_dead_counts_as_an_attempt_and_spares_the_living(table: JobTable, ann: int) -> None:
    for _ in range(2):
        table.submit(ann)
    lost, kept = table.claim("dead").lease, table.claim("living").lease
    assert table.do(table.jobs.requeue_of_dead, ["dead"]) == [lost]
    assert table.do(table.jobs.requeue_of_dead, ["dead"]) == []
    job = table.job(lost.job_uuid)
    assert (job.status, job.attempt, job.reason_code) == ("QUEUED", 1, None)
    assert job.not_before_us == START_US + round(POLICY.retry_delay_s * 1_000_000)
    assert table.log(lost.job_uuid)[-1].reason_code == "worker_lost"
    with pytest.raises(LeaseLost):
        table.do(table.jobs.finish, lost)
    table.do(table.jobs.finish, kept)


@pytest.mark.parametrize("is_claimed", [False, True])
def test_fail_unfinished_ends_a_job_once_whoever_holds_it(table: JobTable, ann: int, is_claimed: bool) -> None:
    uuid = table.submit(ann)
    held = [table.claim().lease] if is_claimed else []
    lost = DocumentMissing("The document is gone.")
    assert table.do(table.jobs.fail_unfinished, uuid, lost)
    assert not table.do(table.jobs.fail_unfinished, uuid, lost)
    assert table.statuses(uuid)[-1] == "FAILURE"
    assert table.job(uuid).reason_code == "document_missing"
    assert not table.read(table.jobs.still_held, held)
    assert not table.do(table.jobs.fail_unfinished, str(uuid4()), lost)


def test_files_removed_marks_the_deletion(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    table.do(table.jobs.delete, ann, uuid)
    table.do(table.jobs.files_removed, uuid)
    with table.sessions() as session:
        assert session.get_one(JobDeletion, uuid).files_removed


def _pass_on_by_expiry(table: JobTable, lease: Lease) -> None:
    expire(table, lease)
    table.clock.move(60)
    table.claim("two")


def _pass_on_by_cancel(table: JobTable, lease: Lease) -> None:
    table.do(table.jobs.cancel, table.job(lease.job_uuid).user_id, lease.job_uuid)


def _pass_on_by_delete(table: JobTable, lease: Lease) -> None:
    table.do(table.jobs.delete, table.job(lease.job_uuid).user_id, lease.job_uuid)


def _pass_on_by_the_end(table: JobTable, lease: Lease) -> None:
    table.do(table.jobs.finish, lease)


WRITES: dict[str, Callable[[Jobs, Session, Lease], None]] = {
    "set_page_count": lambda jobs, session, lease: jobs.set_page_count(session, lease, 3),
    "adopt_page": lambda jobs, session, lease: jobs.adopt_page(session, lease, 2),
    "adopt_failed_page": lambda jobs, session, lease: jobs.adopt_page(session, lease, 2, DAMAGED),
    "finish": lambda jobs, session, lease: jobs.finish(session, lease),
    "fail": lambda jobs, session, lease: jobs.fail(session, lease, DAMAGED),
    "retry_later": lambda jobs, session, lease: jobs.retry_later(session, lease, FULL),
    "hand_back": lambda jobs, session, lease: jobs.hand_back(session, lease),
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("pass_on", [_pass_on_by_expiry, _pass_on_by_cancel, _pass_on_by_delete, _pass_on_by_the_end])
def test_write_after_the_lease_passed_on_is_lease_lost_and_changes_nothing(
    table: JobTable, ann: int, write: str, pass_on: Callable[[JobTable, Lease], None]
) -> None:
    table.submit(ann)
    lease = table.claim().lease
    table.do(table.jobs.adopt_page, lease, 1)
    pass_on(table, lease)
    before = dump(table.engine)
    with pytest.raises(LeaseLost, match=lease.job_uuid):
        table.do(lambda session: WRITES[write](table.jobs, session, lease))
    assert dump(table.engine) == before


def dump(engine: Engine) -> dict[str, list[str]]:
    """Every row of every table."""
    with engine.connect() as connection:
        return {each.name: sorted(map(str, connection.execute(select(each)))) for each in Base.metadata.sorted_tables}


def test_timestamps_strictly_increase_where_the_clock_goes_back(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    for _ in range(3):
        table.clock.move(-3600)
        table.do(table.jobs.hand_back, table.claim().lease)
    table.do(table.jobs.finish, table.claim().lease)
    times = [entry.timestamp_us for entry in table.log(uuid)]
    assert times == list(range(START_US, START_US + len(times)))
    assert table.job(uuid).ended_us == times[-1]


def test_timestamps_follow_the_clock_again_once_it_has_caught_up(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    table.clock.move(-1)
    claim = table.claim()
    table.clock.move(5)
    table.do(table.jobs.finish, claim.lease)
    assert [entry.timestamp_us - START_US for entry in table.log(uuid)] == [0, 1, 4 * SECOND_US]


def test_changes_are_numbered_in_their_order_over_all_jobs(table: JobTable, ann: int, bob: int) -> None:
    first, second = table.submit(ann), table.submit(bob)
    lease = table.claim().lease
    table.do(table.jobs.set_page_count, lease, 1)
    assert lease.job_uuid == first
    assert (table.job(second).change, table.job(first).change) == (2, 4)


@pytest.mark.parametrize(
    "statement", ["UPDATE job_status_transition SET timestamp = 1", "DELETE FROM job_status_transition"]
)
def test_log_of_a_living_job_refuses_every_change(table: JobTable, ann: int, statement: str) -> None:
    uuid = table.submit(ann)
    with table.sessions() as session, pytest.raises(IntegrityError, match="append-only"):
        session.execute(text(statement))
    assert table.statuses(uuid) == ["QUEUED"]


def test_clock_of_the_database_is_the_time_now(engine: Engine) -> None:
    with engine.connect() as connection:
        now = connection.scalar(select(NowMicroseconds()))
    assert now is not None
    assert abs(now / SECOND_US - time.time()) < 2
