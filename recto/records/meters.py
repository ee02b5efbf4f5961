"""Numbers for the metrics, each counted on in the transaction of what it counts: exact, and read without a look at the jobs.

recto/jobs.py counts jobs and pages, a Worker's heartbeat the times of its stages, the sweeper the bytes that it saw. On PostgreSQL, who has
taken a number of a change holds its row before any of these: so two transactions never wait for each other.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from models import JobStatus, Meter
from recto.database.connections import NowMicroseconds


class Metered(StrEnum):
    """What is counted, and what its label says."""

    JOBS_FINISHED = "jobs_finished"
    JOBS_FAILED = "jobs_failed"
    """By the reason's code."""
    JOBS_REQUEUED = "jobs_requeued"
    """By the reason's code; HANDED_BACK where a Worker stopped."""
    JOBS_DELETED = "jobs_deleted"
    """By the status that they had."""
    LEASES_LOST = "leases_lost"
    """Attempts that were taken away from a Worker that died, or was not heard from."""
    PAGES_READ = "pages_read"
    PAGES_FAILED = "pages_failed"
    """By the error's code."""
    STAGE_TIMES = "stage_times"
    """By stage and bucket, see stage_label."""
    STAGE_US = "stage_us"
    """Microseconds, by stage."""
    STORED_BYTES = "stored_bytes"
    """As the last sweep saw them: documents, and what was made of them."""
    USER_BYTES = "user_bytes"
    """All that the jobs of a user have, by the user's id, as the last sweep saw it."""
    SWEPT_US = "swept_us"
    """When that was."""
    BACKED_UP_US = "backed_up_us"
    """When the last backup was complete."""


HANDED_BACK: Final = "handed_back"

# Neither database needs another syntax for it, and it is run once or twice for each page.
_ADD: Final = text(
    "INSERT INTO meter (name, label, value) VALUES (:name, :label, :value) "
    "ON CONFLICT (name, label) DO UPDATE SET value = meter.value + excluded.value"
)
_PUT: Final = text(
    "INSERT INTO meter (name, label, value) VALUES (:name, :label, :value) "
    "ON CONFLICT (name, label) DO UPDATE SET value = excluded.value"
)


def add(session: Session, count: Metered, label: str = "", value: int = 1) -> None:
    """Count on."""
    session.execute(_ADD, {"name": count.value, "label": label, "value": value})


def count_transition(session: Session, status: JobStatus, reason: str | None) -> None:
    """Count that a job took this status, for the reason of that code."""
    match status:
        case JobStatus.FINISHED:
            add(session, Metered.JOBS_FINISHED)
        case JobStatus.FAILURE:
            add(session, Metered.JOBS_FAILED, reason or "")
        case JobStatus.QUEUED:
            add(session, Metered.JOBS_REQUEUED, reason or HANDED_BACK)


def put(session: Session, count: Metered, label: str, value: int) -> None:
    """Write down a number that was measured."""
    session.execute(_PUT, {"name": count.value, "label": label, "value": value})


def replace(session: Session, count: Metered, values: Mapping[str, int]) -> None:
    """Write down numbers that were measured together: labels that are not among them are gone."""
    session.execute(delete(Meter).where(Meter.name == count.value))
    for label, value in sorted(values.items()):
        put(session, count, label, value)


def put_time(session: Session, count: Metered) -> None:
    """Write down that it was now."""
    put(session, count, "", session.scalars(select(NowMicroseconds())).one())


def read_all(session: Session) -> dict[Metered, dict[str, int]]:
    """Every number by its label: some hundred rows, however many jobs there were."""
    counts: dict[Metered, dict[str, int]] = {count: {} for count in Metered}
    for name, label, value in session.execute(select(Meter.name, Meter.label, Meter.value)):
        counts[Metered(name)][label] = value
    return counts


def add_stage_times(session: Session, times: Mapping[str, int], total_us: Mapping[str, int]) -> None:
    """Count on the times of stages: `times` by stage_label, `total_us` by stage. In one order, whoever does it."""
    for label, value in sorted(times.items()):
        add(session, Metered.STAGE_TIMES, label, value)
    for stage, value in sorted(total_us.items()):
        add(session, Metered.STAGE_US, stage, value)
