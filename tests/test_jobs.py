"""Each operation of the job table with each way it can end, on a real database."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import Base, Job, JobDeletion, JobPage, JobStatus, JobStatusTransition
from recto.database.connections import NowMicroseconds, connect
from recto.errors import (
    DocumentMissing,
    JobNotFound,
    LeaseLost,
    PageDamaged,
    QueueFull,
    StorageFull,
    UserQueueFull,
)
from recto.expired_leases import ExpiryWatch
from recto.jobs import Claim, Jobs, Lease
from recto.records.file_references import FileReferences
from recto.views.jobs import JobFilter, changes_after, changes_wanted, get_job, list_jobs
from tests.conftest import POLICY, SECOND_US, START_US, JobTable, SetClock, new_submission
from tests.query_costs import add_a_thousand_ended_jobs, instructions_of, plans_of

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


def test_claim_takes_the_job_under_a_lease(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann, {"languages": "fra"})
    claim = table.claim("worker-1")
    job = table.job(uuid)
    assert claim.lease == Lease(uuid, job.lease_token or "", "worker-1")
    assert (claim.user_id, claim.attempt, claim.options) == (ann, 1, {"languages": "fra"})
    assert claim.finished_pages == frozenset()
    assert round(claim.created.timestamp() * SECOND_US) == START_US
    assert (job.status, job.attempt, job.lease_worker) == (JobStatus.IN_PROGRESS, 1, "worker-1")
    assert job.lease_expires_us == START_US + 20 * SECOND_US
    assert [(entry.attempt, entry.worker) for entry in table.log(uuid)] == [(0, None), (1, "worker-1")]


def test_claim_of_an_empty_queue_is_none(table: JobTable, ann: int) -> None:
    assert table.try_claim() is None
    assert not table.read(table.jobs.has_claimable)


def test_claim_where_all_jobs_run_or_ended_is_none(table: JobTable, ann: int) -> None:
    table.submit(ann)
    table.submit(ann)
    table.do(table.jobs.finish, table.claim().lease)
    table.claim()
    assert table.try_claim() is None


def test_claim_takes_the_oldest_first_within_a_user(table: JobTable, ann: int) -> None:
    uuids = []
    for _ in range(4):
        uuids.append(table.submit(ann))
        table.clock.move(1)
    assert [table.claim().lease.job_uuid for _ in uuids] == uuids


def test_claim_takes_turns_between_users(table: JobTable, ann: int, bob: int) -> None:
    for _ in range(3):
        table.submit(ann)
    table.clock.move(1)
    for _ in range(2):
        table.submit(bob)
    assert [table.claim().user_id for _ in range(5)] == [ann, bob, ann, bob, ann]


def test_claim_prefers_the_user_with_fewer_pages_in_progress(table: JobTable, ann: int, bob: int) -> None:
    for user in (ann, bob, ann, bob):
        table.submit(user)
        table.clock.move(1)
    of_ann, of_bob = table.claim(), table.claim()
    table.do(table.jobs.set_page_count, of_ann.lease, 300)
    table.do(table.jobs.set_page_count, of_bob.lease, 2)
    assert table.claim().user_id == bob


def test_claim_counts_pages_done_as_no_longer_in_progress(table: JobTable, ann: int, bob: int) -> None:
    for user in (ann, bob, ann, bob):
        table.submit(user)
        table.clock.move(1)
    of_ann, of_bob = table.claim(), table.claim()
    table.do(table.jobs.set_page_count, of_ann.lease, 3)
    table.do(table.jobs.set_page_count, of_bob.lease, 2)
    for number in (1, 2):
        table.do(table.jobs.adopt_page, of_ann.lease, number)
    assert table.claim().user_id == ann


def test_claim_leaves_out_the_users_that_it_is_told(table: JobTable, ann: int, bob: int) -> None:
    table.submit(ann)
    table.clock.move(1)
    table.submit(bob)
    first = table.try_claim(except_users=[ann])
    assert first is not None
    assert first.user_id == bob
    assert table.try_claim(except_users=[ann]) is None
    assert not table.read(table.jobs.has_claimable, [ann])
    assert table.read(table.jobs.has_claimable, [bob])


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


class Expiry:
    """An ExpiryWatch with a monotonic clock that tests move."""

    def __init__(self, table: JobTable) -> None:
        self.table = table
        self.watch = ExpiryWatch(POLICY, table.clock)
        self.monotonic_s = 1000.0

    def after(self, seconds: float) -> list[Lease]:
        """Let both clocks run, and look."""
        self.monotonic_s += seconds
        self.table.clock.move(seconds)
        return self.look()

    def look(self) -> list[Lease]:
        return self.table.read(self.watch.expired, self.monotonic_s)


@pytest.fixture
def expiry(table: JobTable) -> Expiry:
    return Expiry(table)


@pytest.fixture
def claim(table: JobTable, ann: int) -> Claim:
    table.submit(ann)
    return table.claim()


def test_expiry_watch_gives_up_a_silent_worker_after_lease_and_renewal(expiry: Expiry, claim: Claim) -> None:
    assert expiry.after(POLICY.lease_s) == []
    assert expiry.after(0.25) == []
    assert expiry.after(POLICY.renew_s - 0.25) == []
    assert expiry.after(0.25) == [claim.lease]


def test_expiry_watch_leaves_a_renewed_lease_alone(table: JobTable, expiry: Expiry, claim: Claim) -> None:
    for _ in range(20):
        assert expiry.after(POLICY.renew_s) == []
        table.do(table.jobs.heartbeat, [claim.lease])


@pytest.mark.parametrize("jump_s", [3600, 86400 * 365, -3600, -86400 * 365])
def test_expiry_watch_expires_nothing_when_the_clock_jumps_and_the_worker_renews(
    table: JobTable, expiry: Expiry, claim: Claim, jump_s: float
) -> None:
    expiry.after(1)
    table.clock.move(jump_s)
    for _ in range(10):
        assert expiry.look() == []
        assert expiry.after(POLICY.renew_s - 0.01) == []
        table.do(table.jobs.heartbeat, [claim.lease])


@pytest.mark.parametrize("jump_s", [3600, -3600])
def test_expiry_watch_gives_up_a_worker_that_died_before_the_jump(
    table: JobTable, expiry: Expiry, claim: Claim, jump_s: float
) -> None:
    expiry.after(1)
    table.clock.move(jump_s)
    assert expiry.look() == []
    assert expiry.after(POLICY.renew_s) == [claim.lease]


def test_expiry_watch_that_starts_late_waits_one_period_too(table: JobTable, claim: Claim) -> None:
    table.clock.move(3600)
    late = Expiry(table)
    assert late.look() == []
    assert late.after(POLICY.renew_s) == [claim.lease]


def test_claims_of_many_workers_at_once_give_each_job_to_one(table: JobTable, ann: int, bob: int) -> None:
    submitted = {table.submit(user) for user in (ann, bob) for _ in range(20)}
    start = threading.Barrier(6)

    def claim_all(name: str) -> list[str]:
        own = JobTable(connect(str(table.engine.url), busy_timeout_s=30.0), table.clock)
        start.wait()
        claimed = []
        while claim := own.try_claim(name):
            claimed.append(claim.lease.job_uuid)
        own.engine.dispose()
        return claimed

    with ThreadPoolExecutor(6) as pool:
        claimed = [uuid for uuids in pool.map(claim_all, map(str, range(6))) for uuid in uuids]
    assert len(claimed) == len(submitted)
    assert set(claimed) == submitted
    assert all(table.statuses(uuid) == ["QUEUED", "IN_PROGRESS"] for uuid in submitted)


REFERENCES = FileReferences()
ENDED = {JobStatus.FINISHED, JobStatus.FAILURE}


def wanted(statuses: set[JobStatus]) -> JobFilter:
    return JobFilter(frozenset(statuses), 5, START_US + 5)


ACTIONS: dict[str, Callable[[JobTable, int], object]] = {
    "submit": lambda table, user: table.do(table.jobs.submit, new_submission(user)),
    "claim": lambda table, user: table.claim(),
    "has_claimable": lambda table, user: table.read(table.jobs.has_claimable),
    "list": lambda table, user: table.read(list_jobs, user, 50, (START_US, "f")),
    "job page": lambda table, user: table.read(get_job, user, table.submit(user)),
    "changes": lambda table, user: table.read(changes_after, 0),
    "changes of a user": lambda table, user: table.read(changes_after, 0, user),
    "changes that are wanted": lambda table, user: table.read(changes_wanted, 0, lambda *_: True),
    "still_held": lambda table, user: table.read(table.jobs.still_held, [table.claim().lease]),
    "requeue_expired": lambda table, user: expire(table, table.claim().lease),
    "requeue_of_dead": lambda table, user: table.do(table.jobs.requeue_of_dead, [table.claim().lease.worker]),
    "sweep: references": lambda table, user: table.read(REFERENCES.of_jobs, [table.submit(user)]),
    "sweep: next jobs": lambda table, user: table.read(REFERENCES.jobs_after, ""),
    "sweep: has_job": lambda table, user: table.read(REFERENCES.has_job, table.submit(user)),
    "sweep: deletions": lambda table, user: table.read(REFERENCES.deletions_with_files),
    "list of the ended": lambda table, user: table.read(list_jobs, user, 50, (START_US, "f"), wanted(ENDED)),
    "list of the others": lambda table, user: table.read(
        list_jobs, user, 50, (START_US, "f"), wanted(set(JobStatus) - ENDED)
    ),
    "list by tags": lambda table, user: table.read(
        list_jobs, user, 50, (START_US, "f"), JobFilter(frozenset(ENDED), 5, tags=("a", "b"))
    ),
    "list by time": lambda table, user: table.read(list_jobs, user, 50, None, JobFilter(frozenset(), 5, START_US)),
    "expired": lambda table, user: table.read(ExpiryWatch(POLICY, table.clock).expired, 0.0),
    "cancel": lambda table, user: table.do(table.jobs.cancel, user, table.claim().lease.job_uuid),
    "heartbeat": lambda table, user: table.do(table.jobs.heartbeat, [table.claim().lease]),
    "finish": lambda table, user: table.do(table.jobs.finish, table.claim().lease),
    "delete": lambda table, user: table.do(table.jobs.delete, user, table.claim().lease.job_uuid),
}


@pytest.mark.sqlite_alone
@pytest.mark.parametrize("name", ACTIONS)
def test_query_plan_of_an_operation_scans_no_whole_table(table: JobTable, ann: int, name: str) -> None:
    table.submit(ann)
    plans = plans_of(table.engine, lambda: ACTIONS[name](table, ann))
    steps = [step for plan in plans.values() for step in plan]
    assert any(step.startswith(("SEARCH job", "SCAN job USING", "SCAN job_deletion USING")) for step in steps)
    whole = [step for step in steps if step.startswith("SCAN") and "job" in step and "INDEX job_" not in step]
    assert whole == []


@pytest.mark.sqlite_alone
def test_look_for_work_asks_one_question_by_the_index_where_nothing_is_queued(table: JobTable, ann: int) -> None:
    table.submit(ann)
    table.claim()
    plans = plans_of(table.engine, lambda: table.read(table.jobs.has_claimable))
    (steps,) = plans.values()
    (step,) = steps
    assert step.startswith("SCAN job USING")
    assert "INDEX job_queued" in step


@pytest.mark.sqlite_alone
@pytest.mark.parametrize("name", ["claim", "has_claimable", "submit"])
def test_query_plan_of_a_claim_or_an_upload_reads_the_partial_indices(table: JobTable, ann: int, name: str) -> None:
    table.submit(ann)
    plans = plans_of(table.engine, lambda: ACTIONS[name](table, ann))
    steps = "\n".join(step for plan in plans.values() for step in plan)
    assert "INDEX job_queued (user_id=?" in steps
    assert "INDEX job_in_progress (user_id=?" in steps


@pytest.mark.sqlite_alone
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("list", {"SEARCH job USING INDEX job_of_user (user_id=? AND (created_us,uuid)<(?,?))"}),
        (
            "list by tags",
            {
                "SEARCH job_tag USING COVERING INDEX job_tag_of_user (user_id=? AND tag=? AND created_us>? AND (created_us,job_uuid)<(?,?))",
                "SEARCH job USING INDEX sqlite_autoindex_job_1 (uuid=?)",
                "CORRELATED SCALAR SUBQUERY 1",
                "SEARCH job_tag_1 USING COVERING INDEX sqlite_autoindex_job_tag_1 (job_uuid=? AND tag=?)",
            },
        ),
        ("list by time", {"SEARCH job USING INDEX job_of_user (user_id=? AND created_us>? AND created_us<?)"}),
        (
            "list of the ended",
            {
                "SEARCH job USING INDEX job_finished (user_id=? AND created_us>? AND (created_us,uuid)<(?,?))",
                "SEARCH job USING INDEX job_failed (user_id=? AND created_us>? AND (created_us,uuid)<(?,?))",
            },
        ),
        (
            "list of the others",
            {
                "SEARCH job USING INDEX job_queued (user_id=? AND created_us>? AND (created_us,uuid)<(?,?))",
                "SEARCH job USING INDEX job_in_progress (user_id=? AND lease_expires_us>?)",  # as few as the work in hand
                "USE TEMP B-TREE FOR ORDER BY",
            },
        ),
    ],
)
def test_query_plan_of_a_list_seeks_its_place(table: JobTable, ann: int, name: str, expected: set[str]) -> None:
    table.submit(ann)
    plans = plans_of(table.engine, lambda: ACTIONS[name](table, ann))
    assert {step for plan in plans.values() for step in plan} == expected


@pytest.mark.sqlite_alone
def test_claim_counts_as_many_rows_with_a_thousand_ended_jobs_behind_it(table: JobTable, ann: int) -> None:
    """SQLite's own count of instructions stays the same, so the cost does not grow with the history."""
    table.submit(ann)

    before = instructions_of(table.engine, table.jobs.has_claimable)
    add_a_thousand_ended_jobs(table, ann)
    assert instructions_of(table.engine, table.jobs.has_claimable) == before


def test_clock_of_the_database_is_the_time_now(engine: Engine) -> None:
    with engine.connect() as connection:
        now = connection.scalar(select(NowMicroseconds()))
    assert now is not None
    assert abs(now / SECOND_US - time.time()) < 2
