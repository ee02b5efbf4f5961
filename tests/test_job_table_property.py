"""Any interleaving of the operations, under a clock that moves as it likes, keeps the job table's promises."""

import os
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session

from models import (
    MAY_FOLLOW,
    ChangeCounter,
    Job,
    JobDeletion,
    JobEvent,
    JobPage,
    JobStatus,
    JobStatusTransition,
    JobTally,
    User,
)
from recto.database.connections import connect, upgrade_schema
from recto.errors import JobNotFound, LeaseLost, PageDamaged, QueueFull, StorageFull, UserQueueFull
from recto.expired_leases import ExpiryWatch
from recto.jobs import DEDUPLICATION, Lease, QueuePolicy
from tests.conftest import JobTable, SetClock, new_submission, sqlite_url
from tests.postgresql import Server

POLICY = QueuePolicy(
    lease_s=20.0, renew_s=5.0, max_attempts=2, retry_delay_s=5.0, max_unfinished_per_user=4, max_unfinished=6
)
USERS = 2
ERROR = PageDamaged("Damaged.")
FULL = StorageFull("Full.")
picks = st.integers(0, 1_000_000)


class JobTableMachine(RuleBasedStateMachine):
    """Remembers only what it was told: leases, uuids, deletions. Everything else is read back from the tables."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.engine = self.open_database()
        self.table = JobTable(self.engine, SetClock(), POLICY)
        self.watch = ExpiryWatch(POLICY, self.table.clock)
        self.monotonic_s = 0.0
        self.uuids: list[str] = []
        self.leases: list[Lease] = []
        self.deleted: set[str] = set()
        self.last_change = 0

    def open_database(self) -> Engine:
        """An empty database at the newest schema, for this example alone."""
        folder = tempfile.TemporaryDirectory(prefix="recto-test-", ignore_cleanup_errors=True)
        engine = connect(sqlite_url(Path(self.stack.enter_context(folder), "recto.db")), busy_timeout_s=10.0)
        event.listen(engine, "connect", _be_quick)
        upgrade_schema(engine)
        return engine

    @initialize()
    def add_users(self) -> None:
        self.users = [self.table.add_user(f"user{number}") for number in range(USERS)]

    def teardown(self) -> None:
        self.engine.dispose()
        self.stack.close()

    @rule(user=st.integers(0, USERS - 1))
    def submit(self, user: int) -> None:
        unfinished = self.count(Job, Job.status.in_([JobStatus.QUEUED, JobStatus.IN_PROGRESS]))
        try:
            self.uuids.append(self.table.submit(self.users[user]))
        except (QueueFull, UserQueueFull):
            assert unfinished >= POLICY.max_unfinished_per_user
        else:
            assert unfinished < POLICY.max_unfinished

    @rule(worker=st.sampled_from(["one", "two"]))
    def claim(self, worker: str) -> None:
        claimable = self.table.read(self.table.jobs.has_claimable)
        claim = self.table.try_claim(worker)
        assert (claim is not None) == claimable
        if claim:
            self.leases.append(claim.lease)
            with self.table.sessions() as session:
                finished = session.scalars(select(JobPage.number).where(JobPage.job_uuid == claim.lease.job_uuid))
                assert claim.finished_pages == set(finished)

    @rule(pick=picks, failed=st.booleans(), number=st.integers(1, 3))
    def adopt_page(self, pick: int, failed: bool, number: int) -> None:
        lease = self.pick(self.leases, pick)
        if lease and not self.count(JobPage, JobPage.job_uuid == lease.job_uuid, JobPage.number == number):
            self.write(lease, self.table.jobs.adopt_page, number, ERROR if failed else None)

    @rule(pick=picks, page_count=st.integers(1, 9))
    def set_page_count(self, pick: int, page_count: int) -> None:
        lease = self.pick(self.leases, pick)
        if lease:
            self.write(lease, self.table.jobs.set_page_count, page_count)

    @rule(pick=picks)
    def finish(self, pick: int) -> None:
        self.end(pick, self.table.jobs.finish)

    @rule(pick=picks)
    def finish_for_reuse(self, pick: int) -> None:
        self.end(pick, self.table.jobs.finish, "1")

    @rule(pick=picks, user=st.integers(0, USERS - 1))
    def submit_answered(self, pick: int, user: int) -> None:
        """From a result that may answer, of the same user, however full the queue is."""
        source: str | None = self.pick(self.uuids, pick)
        if source is None:
            return
        row, submission, token = self.table.row(source), new_submission(self.users[user]), uuid4().hex
        may_answer = row is not None and row.user_id == submission.user_id and row.result_version is not None
        try:
            self.table.do(self.table.jobs.submit_answered, submission, source, token)
        except JobNotFound:
            assert not may_answer
            return
        assert may_answer
        self.uuids.append(submission.uuid)
        self.leases.append(Lease(submission.uuid, token, DEDUPLICATION))
        answer = self.table.job(submission.uuid)
        assert (answer.status, answer.deduplicated_from) == (JobStatus.FINISHED, source)

    @rule(pick=picks)
    def fail(self, pick: int) -> None:
        self.end(pick, self.table.jobs.fail, ERROR)

    @rule(pick=picks)
    def retry_later(self, pick: int) -> None:
        self.end(pick, self.table.jobs.retry_later, FULL)

    @rule(pick=picks)
    def hand_back(self, pick: int) -> None:
        self.end(pick, self.table.jobs.hand_back)

    @rule(worker=st.sampled_from(["one", "two"]))
    def heartbeat(self, worker: str) -> None:
        leases = [lease for lease in self.leases if lease.worker == worker]
        held = {lease for lease in leases if self.holds(lease)}
        lost = self.table.do(self.table.jobs.heartbeat, leases)
        assert lost == set(leases) - held
        assert self.table.read(self.table.jobs.still_held, leases) == held

    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        self.by_owner(pick, self.table.jobs.cancel)

    @rule(pick=picks)
    def delete(self, pick: int) -> None:
        uuid = self.by_owner(pick, self.table.jobs.delete)
        if uuid:
            self.deleted.add(uuid)

    @rule(pick=picks)
    def files_removed(self, pick: int) -> None:
        """Says so of a deleted job, and nothing of one that is there."""
        uuid = self.pick(self.uuids, pick)
        if uuid:
            self.table.do(self.table.jobs.files_removed, uuid)
            with self.table.sessions() as session:
                deletion = session.get(JobDeletion, uuid)
            assert (deletion is not None and deletion.files_removed) == (uuid in self.deleted)

    @rule()
    def requeue_expired(self) -> None:
        for lease in self.table.do(
            self.table.jobs.requeue_expired, self.table.read(self.watch.expired, self.monotonic_s)
        ):
            assert not self.holds(lease)

    @rule(seconds=st.floats(0, 100, allow_nan=False))
    def let_time_pass(self, seconds: float) -> None:
        self.monotonic_s += seconds
        self.table.clock.move(seconds)

    @rule(seconds=st.sampled_from([-3600.0, -60.0, -0.001, 0.001, 60.0, 3600.0]))
    def jump(self, seconds: float) -> None:
        self.table.clock.move(seconds)

    @invariant()
    def what_users_keep_is_what_their_jobs_hold(self) -> None:
        jobs = select(func.count(), func.coalesce(func.sum(Job.size_bytes), 0))
        with self.table.sessions() as session:
            for user in session.scalars(select(User)):
                held = session.execute(jobs.where(Job.user_id == user.id)).one()
                assert (user.stored_documents, user.stored_bytes) == tuple(held)

    @invariant()
    def every_end_was_counted_once(self) -> None:
        with self.table.sessions() as session:
            counted = session.scalar(select(func.coalesce(func.sum(JobTally.jobs), 0)))
            there = session.scalar(select(func.count()).where(Job.ended_us.is_not(None)))
            assert there is not None
            assert counted is not None
            assert there <= counted <= there + len(self.deleted)

    @invariant()
    def log_replays_to_the_row(self) -> None:
        with self.table.sessions() as session:
            jobs = session.scalars(select(Job)).all()
            for job in jobs:
                entries = select(JobStatusTransition).where(JobStatusTransition.job_uuid == job.uuid)
                log = session.scalars(entries.order_by(JobStatusTransition.timestamp_us, JobStatusTransition.id)).all()
                check_log(log)
                check_row(job, log)
                self.check_pages(session, job)
                check_events(session, job, log)
            assert {job.uuid for job in jobs} == set(self.uuids) - self.deleted
            logged = set(session.scalars(select(JobStatusTransition.job_uuid)))
            assert logged == {job.uuid for job in jobs}
            assert set(session.scalars(select(JobDeletion.uuid))) == self.deleted

    @invariant()
    def events_are_those_of_jobs_that_are_there(self) -> None:
        with self.table.sessions() as session:
            told = session.execute(select(JobEvent.change, JobEvent.job_uuid)).all()
            gone = set(session.scalars(select(JobDeletion.change)))
        assert {uuid for _, uuid in told} == set(self.uuids) - self.deleted
        assert not gone & {change for change, _ in told}

    @invariant()
    def changes_are_unique_and_never_go_back(self) -> None:
        with self.table.sessions() as session:
            changes = [*session.scalars(select(Job.change)), *session.scalars(select(JobDeletion.change))]
            reached = session.scalars(select(ChangeCounter.value)).one()
        assert len(set(changes)) == len(changes)
        assert max(changes, default=0) <= reached
        assert reached >= self.last_change
        self.last_change = reached

    @invariant()
    def each_lease_is_held_by_one_job_at_most(self) -> None:
        with self.table.sessions() as session:
            tokens = list(session.scalars(select(Job.lease_token).where(Job.lease_token.is_not(None))))
        assert len(set(tokens)) == len(tokens)
        assert set(tokens) <= {lease.token for lease in self.leases}

    def check_pages(self, session: Session, job: Job) -> None:
        pages = session.scalars(select(JobPage).where(JobPage.job_uuid == job.uuid)).all()
        assert job.pages_done == len(pages)
        assert job.pages_failed == sum(page.error_code is not None for page in pages)
        known = {lease.token for lease in self.leases if lease.job_uuid == job.uuid}
        assert {page.attempt_token for page in pages} <= known

    def end(self, pick: int, operation: Callable[..., None], *args: Any) -> None:
        lease = self.pick(self.leases, pick)
        if lease:
            self.write(lease, operation, *args)

    def write(self, lease: Lease, operation: Callable[..., None], *args: Any) -> None:
        """LeaseLost where the lease does not hold, and only there."""
        held = self.holds(lease)
        try:
            self.table.do(operation, lease, *args)
        except LeaseLost:
            assert not held
        else:
            assert held

    def by_owner(self, pick: int, operation: Callable[[Session, int, str], None]) -> str | None:
        uuid: str | None = self.pick(self.uuids, pick)
        if uuid is None:
            return None
        row = self.table.row(uuid)
        try:
            self.table.do(operation, row.user_id if row else self.users[0], uuid)
        except JobNotFound:
            assert uuid in self.deleted
            return None
        assert uuid not in self.deleted
        return uuid

    def holds(self, lease: Lease) -> bool:
        row = self.table.row(lease.job_uuid)
        return row is not None and row.lease_token == lease.token

    def count(self, table: type[Job | JobPage], *where: Any) -> int:
        with self.table.sessions() as session:
            return session.scalar(select(func.count()).select_from(table).where(*where)) or 0

    @staticmethod
    def pick(values: list[Any], number: int) -> Any:
        """A recent one more often than not: old leases are lost ones."""
        return values[-1 - number % min(len(values), 4)] if values else None


def check_events(session: Session, job: Job, log: Sequence[JobStatusTransition]) -> None:
    """Told in order: each status, each page once; the last one is of the row's latest write, and counts what the row counts."""
    told = session.scalars(select(JobEvent).where(JobEvent.job_uuid == job.uuid).order_by(JobEvent.change)).all()
    assert [event.timestamp_us for event in told if event.kind in ("status", "end")] == [
        entry.timestamp_us for entry in log
    ]
    pages = session.scalars(select(JobPage.number).where(JobPage.job_uuid == job.uuid))
    assert sorted(event.page_number or 0 for event in told if event.kind == "page") == sorted(pages)
    last = told[-1]
    assert (last.change, last.user_id) == (job.change, job.user_id)
    assert (last.page_count, last.pages_done, last.pages_failed) == (job.page_count, job.pages_done, job.pages_failed)


def check_log(log: Any) -> None:
    """Statuses follow MAY_FOLLOW, times strictly increase, and each attempt is counted."""
    previous: JobStatus | None = None
    time_us = 0
    for entry in log:
        status = JobStatus(entry.status)
        assert status in MAY_FOLLOW[previous]
        assert entry.timestamp_us > time_us
        assert (status is JobStatus.IN_PROGRESS) <= (entry.worker is not None)
        previous, time_us = status, entry.timestamp_us
    assert [entry.status for entry in log].count(JobStatus.FINISHED) <= 1


def check_row(job: Job, log: Any) -> None:
    """The row is what the log ends with."""
    last = log[-1]
    assert (job.status, job.attempt, job.created_us) == (last.status, last.attempt, log[0].timestamp_us)
    assert 0 <= job.attempt <= POLICY.max_attempts
    is_final = JobStatus(job.status).is_final
    assert job.ended_us == (last.timestamp_us if is_final else None)
    if is_final:
        assert (job.reason_code, job.reason_detail) == (last.reason_code, last.reason_detail)
    else:
        assert (job.reason_code, job.reason_detail) == (None, None)
    assert (job.status == JobStatus.FAILURE) == (job.reason_code is not None)
    assert (job.status == JobStatus.FINISHED) == (job.result_token is not None)
    assert (job.result_version is not None) <= (job.status == JobStatus.FINISHED and not job.pages_failed)
    running = job.status == JobStatus.IN_PROGRESS
    assert running == (job.lease_token is not None) == (job.lease_expires_us is not None)
    assert job.lease_worker == (last.worker if running else None)


def _be_quick(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF").close()


@pytest.mark.services
def test_job_table_on_postgresql_keeps_its_promises(postgresql: Server) -> None:
    class OnPostgresql(JobTableMachine):
        def open_database(self) -> Engine:
            return connect(self.stack.enter_context(postgresql.database()), busy_timeout_s=10.0)

    run_state_machine_as_test(OnPostgresql, settings=settings(TestJobTable.settings, max_examples=10))


# A file for each example: few long walks show more than many short ones.
TestJobTable = JobTableMachine.TestCase
TestJobTable.settings = settings(
    max_examples=int(os.environ.get("JOB_TABLE_EXAMPLES", "20")),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
