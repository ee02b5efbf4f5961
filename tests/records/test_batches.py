from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import text

from models import JobStatus
from recto.errors import BatchNotFound, DocumentDamaged
from recto.records.batches import forget_batch, get_batch, has_ended, record_batch
from tests.conftest import JobTable, new_submission

pytestmark = pytest.mark.each_database(long=True)


def batch_of(table: JobTable, user_id: int, count: int) -> tuple[str, list[str]]:
    """A batch and the jobs in it."""
    uuid = str(uuid4())
    submissions = [replace(new_submission(user_id), batch_uuid=uuid) for _ in range(count)]
    for submission in submissions:
        table.do(table.jobs.submit, submission)
    table.do(record_batch, user_id, uuid)
    return uuid, [submission.uuid for submission in submissions]


def test_batch_has_its_jobs_in_the_order_of_their_recording(table: JobTable, ann: int) -> None:
    uuid, jobs = batch_of(table, ann, 20)
    table.submit(ann)
    assert [job.uuid for job in table.read(get_batch, ann, uuid).jobs] == jobs


def test_batch_of_somebody_else_is_as_one_that_never_was(table: JobTable, ann: int, bob: int) -> None:
    uuid, _ = batch_of(table, ann, 1)
    for user_id, asked in ((bob, uuid), (ann, str(uuid4()))):
        with pytest.raises(BatchNotFound):
            table.read(get_batch, user_id, asked)


def test_batch_counts_its_jobs_and_pages_until_the_last_has_ended(table: JobTable, ann: int) -> None:
    uuid, _ = batch_of(table, ann, 3)
    first, second, third = (table.claim() for _ in range(3))
    table.do(table.jobs.set_page_count, first.lease, 2)
    table.do(table.jobs.adopt_page, first.lease, 1)
    table.do(table.jobs.finish, first.lease)
    table.do(table.jobs.set_page_count, second.lease, 3)
    batch = table.read(get_batch, ann, uuid)
    assert (batch.page_count, batch.ended, table.read(has_ended, uuid)) == (None, None, False)
    table.do(table.jobs.fail, third.lease, DocumentDamaged("It is damaged."))
    batch = table.read(get_batch, ann, uuid)
    assert (batch.page_count, batch.has_ended) == (5, False)
    table.clock.move(1)
    table.do(table.jobs.finish, second.lease)
    batch = table.read(get_batch, ann, uuid)
    assert batch.counts == {
        JobStatus.QUEUED: 0,
        JobStatus.IN_PROGRESS: 0,
        JobStatus.FINISHED: 2,
        JobStatus.FAILURE: 1,
    }
    assert batch.ended == max(job.ended for job in batch.jobs if job.ended)
    assert table.read(has_ended, uuid)


def test_batch_without_jobs_has_ended_at_no_time(table: JobTable, ann: int) -> None:
    uuid, jobs = batch_of(table, ann, 1)
    table.do(table.jobs.delete, ann, jobs[0])
    batch = table.read(get_batch, ann, uuid)
    assert (batch.jobs, batch.has_ended, batch.ended, batch.page_count) == ((), True, None, 0)
    table.do(forget_batch, uuid)
    with pytest.raises(BatchNotFound):
        table.read(get_batch, ann, uuid)


@pytest.mark.sqlite_alone
@pytest.mark.parametrize(
    "query",
    [
        "SELECT uuid FROM job WHERE batch_uuid = 'x' AND batch_uuid IS NOT NULL",
        "SELECT uuid FROM job WHERE batch_uuid = 'x' AND batch_uuid IS NOT NULL AND status IN ('QUEUED', 'IN_PROGRESS')",
    ],
)
def test_jobs_of_a_batch_are_found_by_their_index(table: JobTable, query: str) -> None:
    with table.engine.connect() as connection:
        (step,) = connection.execute(text(f"EXPLAIN QUERY PLAN {query}")).all()
    assert "USING INDEX job_of_batch" in step.detail
