"""That a deleted job is gone: every row of every table that could speak of it is looked for, and what is noted of its deletion."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Column, func, select
from sqlalchemy.orm import Session

from models import AuditEvent, Base, Job, JobDeletion
from recto.audit import Action
from recto.database.connections import utc

_NOTES: Final = frozenset({JobDeletion.__tablename__, AuditEvent.__tablename__})
"""What is left on purpose: that it was deleted, when and by whom. Nothing of its content."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """A deletion as it was noted. `by` is a user's name, or what did it by itself; None where the audit log has forgotten it already."""

    deleted: datetime
    files_removed: bool
    by: str | None


def find_deletion(session: Session, uuid: str) -> Deletion | None:
    """What is noted of the job's deletion; None where it was never deleted, or never there."""
    noted = session.get(JobDeletion, uuid)
    if noted is None:
        return None
    # The log is searched from the time of the deletion: it has no index by what it is about.
    said = select(AuditEvent.user_name).where(AuditEvent.about == uuid, AuditEvent.action == Action.JOB_DELETED.value)
    near = AuditEvent.timestamp_us.between(noted.timestamp_us - 60_000_000, noted.timestamp_us + 60_000_000)
    return Deletion(utc(noted.timestamp_us), noted.files_removed, session.scalar(said.where(near).limit(1)))


def rows_left(session: Session, uuid: str) -> dict[str, int]:
    """How many rows of which tables still speak of the job. Empty where it is gone."""
    counts = {
        column.table.name: session.execute(select(func.count()).where(column == uuid)).scalar_one()
        for column in _columns_of_jobs()
    }
    return {name: count for name, count in counts.items() if count}


def _columns_of_jobs() -> Iterator[Column[str]]:
    """Every column that names the job that its row belongs to."""
    yield Job.__table__.c.uuid  # type: ignore[misc]
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            belongs = any(key.target_fullname == "job.uuid" for key in column.foreign_keys) or column.name == "job_uuid"
            if belongs and table.name not in _NOTES:
                yield column
