"""Batches: documents that were sent in one request, and how far their jobs are."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from models import Batch, Job, JobStatus
from recto.database.connections import NowMicroseconds, utc
from recto.errors import BatchNotFound
from recto.views.jobs import JobView, jobs_of_batch


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch with the jobs that are left of it, in the order of its documents."""

    uuid: str
    created: datetime
    jobs: tuple[JobView, ...]

    @property
    def has_ended(self) -> bool:
        """Whether no job of it waits or is read."""
        return all(job.status.is_final for job in self.jobs)

    @property
    def ended(self) -> datetime | None:
        """When the last job ended; None where one has not, or there is none."""
        return max((job.ended for job in self.jobs if job.ended), default=None) if self.has_ended else None

    @property
    def counts(self) -> dict[JobStatus, int]:
        """How many jobs have each status."""
        counted = Counter(job.status for job in self.jobs)
        return {status: counted[status] for status in JobStatus}

    @property
    def page_count(self) -> int | None:
        """Pages to be read in all jobs; None where one was not opened yet. A job that failed before counts as none."""
        counts = [
            0 if job.status is JobStatus.FAILURE and job.page_count is None else job.page_count for job in self.jobs
        ]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None


def record_batch(session: Session, user_id: int, uuid: str) -> None:
    """Write the batch down, in the transaction of its jobs."""
    session.execute(insert(Batch).values(uuid=uuid, user_id=user_id, created_us=NowMicroseconds()))


def get_batch(session: Session, user_id: int, uuid: str) -> BatchView:
    """One of the user's batches; BatchNotFound where it is not there or somebody else's."""
    batch = session.scalar(select(Batch).where(Batch.uuid == uuid, Batch.user_id == user_id))
    if batch is None:
        raise BatchNotFound("There is no such batch among yours. It may have been deleted.")
    return BatchView(batch.uuid, utc(batch.created_us), tuple(jobs_of_batch(session, uuid)))


def has_ended(session: Session, uuid: str) -> bool:
    """Whether no job of a batch waits or is read, for a fraction of what the whole batch costs."""
    unfinished = [status for status in JobStatus if not status.is_final]
    mine = select(Job.uuid).where(Job.batch_uuid == uuid, Job.batch_uuid.is_not(None), Job.status.in_(unfinished))
    return session.scalar(mine.limit(1)) is None


def forget_batch(session: Session, uuid: str) -> None:
    """Remove its row. Its jobs are deleted before, in the same transaction."""
    session.execute(delete(Batch).where(Batch.uuid == uuid))
