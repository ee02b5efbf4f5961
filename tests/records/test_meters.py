"""What is counted, against what happened."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from recto.errors import LeaseLost, PageDamaged, StorageFull
from recto.records import meters
from recto.records.meters import Metered
from tests.conftest import JobTable

DAMAGED = PageDamaged("It is damaged.")


def counted(table: JobTable) -> dict[Metered, dict[str, int]]:
    """What there is a number of."""
    return {count: labels for count, labels in table.read(meters.read_all).items() if labels}


def test_each_end_of_a_job_is_counted_by_its_reason(table: JobTable, ann: int) -> None:
    for _ in range(3):
        table.submit(ann)
    table.do(table.jobs.finish, table.claim().lease)
    table.do(table.jobs.fail, table.claim().lease, DAMAGED)
    claim = table.claim()
    table.do(table.jobs.cancel, ann, claim.lease.job_uuid)
    with pytest.raises(LeaseLost):
        table.do(table.jobs.finish, claim.lease)
    assert counted(table) == {
        Metered.JOBS_FINISHED: {"": 1},
        Metered.JOBS_FAILED: {"page_damaged": 1, "cancelled": 1},
    }


def test_pages_are_counted_as_they_end(table: JobTable, ann: int) -> None:
    table.submit(ann)
    lease = table.claim().lease
    table.do(table.jobs.adopt_page, lease, 1)
    table.do(table.jobs.adopt_page, lease, 2, DAMAGED)
    table.do(table.jobs.adopt_page, lease, 3)
    assert counted(table) == {Metered.PAGES_READ: {"": 2}, Metered.PAGES_FAILED: {"page_damaged": 1}}


def test_steps_back_into_the_queue_are_counted_by_what_caused_them(table: JobTable, ann: int) -> None:
    table.submit(ann)
    table.do(table.jobs.hand_back, table.claim().lease)
    table.do(table.jobs.retry_later, table.claim().lease, StorageFull("It is full."))
    table.clock.move(60)
    table.do(table.jobs.requeue_of_dead, [table.claim("gone").lease.worker])
    assert counted(table) == {
        Metered.JOBS_REQUEUED: {meters.HANDED_BACK: 1, "storage_full": 1, "worker_lost": 1},
        Metered.LEASES_LOST: {"": 1},
    }


def test_last_attempt_of_a_lost_worker_is_a_lost_lease_and_a_failure(table: JobTable, ann: int) -> None:
    table.submit(ann)
    for _ in range(3):
        table.do(table.jobs.requeue_of_dead, [table.claim("gone").lease.worker])
        table.clock.move(timedelta(hours=1).total_seconds())
    assert counted(table)[Metered.LEASES_LOST] == {"": 3}
    assert counted(table)[Metered.JOBS_FAILED] == {"attempts_exhausted": 1}


def test_deletion_is_counted_by_the_status_that_the_job_had(table: JobTable, ann: int) -> None:
    queued, finished = table.submit(ann), table.submit(ann)
    table.do(table.jobs.delete, ann, queued)
    table.do(table.jobs.finish, table.claim().lease)
    table.do(table.jobs.delete, ann, finished)
    assert counted(table)[Metered.JOBS_DELETED] == {"QUEUED": 1, "FINISHED": 1}


def test_what_was_undone_is_not_counted(table: JobTable, ann: int) -> None:
    table.submit(ann)
    lease = table.claim().lease

    def half_done(session: Session) -> None:
        table.jobs.finish(session, lease)
        raise RuntimeError("the commit never comes")

    with pytest.raises(RuntimeError):
        table.do(half_done)
    assert counted(table) == {}
