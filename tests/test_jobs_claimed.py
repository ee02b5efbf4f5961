"""Which job a Worker gets when it claims one: the oldest, fairly between users, and nobody else has it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from models import JobStatus
from recto.database.connections import connect
from recto.jobs import Lease
from tests.conftest import SECOND_US, START_US, JobTable

pytestmark = pytest.mark.each_database


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
