"""The events of jobs: what happened, in order, each with a number by which a client that was cut off goes on.

recto/jobs.py notes an event in the transaction of the write that it tells of; clients read them with `events_after`. The numbers
are those of ChangeCounter: they become visible in their order, so that who has read up to one has missed none before it. A while after a
job has ended, its end alone is left.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from heapq import merge
from typing import Any, Final, Literal, TypeAlias, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CursorResult,
    Insert,
    Integer,
    Row,
    Select,
    String,
    Table,
    Update,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Session

from models import PASSING, Job, JobDeletion, JobEvent, JobPage, JobStatus, JobStatusTransition
from recto.database.connections import NowMicroseconds, utc
from recto.records.change_numbers import next_change, take_change
from recto.views.jobs import Reason, job_not_found, reason_of

NotedKind: TypeAlias = Literal["status", "end", "opened", "page"]


class EventKind(StrEnum):
    """What an event tells, as clients see it."""

    STATUS = "status"
    """The job has another status, which is not its last."""
    PROGRESS = "progress"
    """The document was opened: its pages are counted."""
    PAGE = "page"
    """A page was read, or given up."""
    END = "end"
    """The job has its last status."""
    DELETED = "deleted"
    """The job is gone."""


@dataclass(frozen=True, slots=True)
class StatusNews:
    """The status that a job took. `reason` says why it was requeued or failed."""

    status: JobStatus
    attempt: int
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class PageNews:
    """A page that has ended. `attempt_token` names the attempt whose folder holds its checkpoint; `error` why there is none."""

    number: int
    attempt_token: str
    error: Reason | None


@dataclass(frozen=True, slots=True)
class Progress:
    """A job's pages just after an event. `page_count` is None before the document was opened."""

    pages_done: int
    page_count: int | None
    pages_failed: int


@dataclass(frozen=True, slots=True)
class Event:
    """One event of one job. `id` orders the events of all jobs. `progress` is None of a job that was deleted."""

    id: int
    kind: EventKind
    job_uuid: str
    timestamp: datetime
    progress: Progress | None = None
    news: StatusNews | PageNews | None = None

    @property
    def is_last(self) -> bool:
        """Whether its job has no event after it but its deletion."""
        return self.kind in (EventKind.END, EventKind.DELETED)


_ROWS: Final = cast(Table, Job.__table__)
_EVENT_ROWS: Final = cast(Table, JobEvent.__table__)
_OF_JOB: Final = "of_job"
"""The parameter of JOB_ROW: a job's uuid."""
JOB_ROW: Final = update(_ROWS).where(_ROWS.c.uuid == bindparam(_OF_JOB))
"""For `write_and_tell`. Who adds expressions does it once: to build a statement takes five times as long as to run it."""


def _noting(timestamp: ColumnElement[int]) -> Insert:
    """What a job's row says, copied: its `change` is that of the write which the event tells of."""
    kind, number = bindparam("kind", type_=String), bindparam("page_number", type_=Integer)
    told = _told(Job.change, kind, timestamp, number)
    row = select(*told.values()).where(Job.uuid == bindparam("uuid"))
    return insert(_EVENT_ROWS).from_select(list(told), row)


def _told(
    change: Any, kind: ColumnElement[str], timestamp: ColumnElement[int], page_number: Any, job: Any = Job
) -> dict[str, Any]:
    """The columns of an event of a job's row, with what they get."""
    return {
        "change": change,
        "job_uuid": job.uuid,
        "user_id": job.user_id,
        "kind": kind,
        "timestamp": timestamp,
        "page_number": page_number,
        "page_count": job.page_count,
        "pages_done": job.pages_done,
        "pages_failed": job.pages_failed,
    }


# Built once: to build one takes longer than to run it.
_NOTE_AT_KNOWN_TIME: Final = _noting(bindparam("timestamp_us", type_=BigInteger))
_NOTE_NOW: Final = _noting(NowMicroseconds())


def note_event(
    session: Session,
    uuid: str,
    kind: NotedKind,
    timestamp: int | ColumnElement[int],
    page_number: int | None = None,
) -> None:
    """Note that the latest write to the job's row was this. `timestamp` is in microseconds, or the clock that says them."""
    values: dict[str, Any] = {"uuid": uuid, "kind": kind, "page_number": page_number}
    if isinstance(timestamp, int):
        session.execute(_NOTE_AT_KNOWN_TIME, values | {"timestamp_us": timestamp})
    else:
        session.execute(_NOTE_NOW if isinstance(timestamp, NowMicroseconds) else _noting(timestamp), values)


def write_and_tell(
    session: Session,
    written: Update,
    values: Mapping[str, Any],
    uuid: str,
    kind: NotedKind,
    timestamp: int | ColumnElement[int],
    page_number: int | None = None,
) -> None:
    """Write to a job's row, which exists and is locked, under the next change, and note the event that this is.

    `written` is JOB_ROW, or that with expressions which it computes; `values` are those of other columns, and of the parameters of `written`.
    The last that a transaction does: it holds up all others from here on. So PostgreSQL gets it as one statement.
    """
    of_job = {**values, _OF_JOB: uuid}
    if session.get_bind().dialect.name == "postgresql":
        columns = {name: of_job.pop(name) for name in values if name in _ROWS.c}
        change = select(take_change().c.value).scalar_subquery()
        moved = written.values(columns | {"change": change}).returning(_ROWS).cte("moved")
        at = literal(timestamp, BigInteger) if isinstance(timestamp, int) else timestamp
        told = _told(moved.c.change, literal(kind), at, literal(page_number, Integer), moved.c)
        session.execute(insert(_EVENT_ROWS).from_select(list(told), select(*told.values())), of_job)
    else:
        session.execute(written, of_job | {"change": next_change(session)})
        note_event(session, uuid, kind, timestamp, page_number)


def note_pages(session: Session, uuid: str, timestamp_us: int, before: int) -> None:
    """Note that all pages of the job ended, by their numbers, under the changes that follow `before`."""
    changes = literal(before, BigInteger) + func.row_number().over(order_by=JobPage.number)
    told = _told(changes, literal("page"), literal(timestamp_us, BigInteger), JobPage.number)
    pages = select(*told.values()).join_from(Job, JobPage, JobPage.job_uuid == Job.uuid).where(Job.uuid == uuid)
    session.execute(insert(_EVENT_ROWS).from_select(list(told), pages))


def forget_events(session: Session, ended_before_us: ColumnElement[int], limit: int) -> int:
    """Remove at most `limit` events of jobs that ended before that time; the ends stay. Gives how many were removed."""
    old = (
        select(JobEvent.change)
        .join(Job, Job.uuid == JobEvent.job_uuid)
        .where(PASSING, JobEvent.timestamp_us < ended_before_us, Job.ended_us < ended_before_us)
        .limit(limit)
        .with_for_update(of=JobEvent, skip_locked=True)
    )
    gone = session.execute(delete(JobEvent).where(JobEvent.change.in_(old)))
    return cast(CursorResult[Any], gone).rowcount


# Built once, as those of recto/views/jobs.py.
_EVENTS: Final = cast(
    Select[Any],
    select(
        JobEvent.change,
        JobEvent.job_uuid,
        JobEvent.timestamp_us,
        JobEvent.page_number,
        JobEvent.page_count,
        JobEvent.pages_done,
        JobEvent.pages_failed,
        JobPage.attempt_token,
        JobPage.error_code,
        JobPage.error_detail,
        JobStatusTransition.status,
        JobStatusTransition.attempt,
        JobStatusTransition.reason_code,
        JobStatusTransition.reason_detail,
    )
    .outerjoin(JobPage, (JobPage.job_uuid == JobEvent.job_uuid) & (JobPage.number == JobEvent.page_number))
    .outerjoin(
        JobStatusTransition,
        (JobStatusTransition.job_uuid == JobEvent.job_uuid)
        & (JobStatusTransition.timestamp_us == JobEvent.timestamp_us)
        & JobEvent.kind.in_(("status", "end")),
    )
    .where(JobEvent.change > bindparam("after"))
    .order_by(JobEvent.change)
    .limit(bindparam("most")),
)
_DELETIONS: Final = cast(
    Select[Any],
    select(JobDeletion.change, JobDeletion.uuid, JobDeletion.timestamp_us)
    .where(JobDeletion.user_id == bindparam("user_id"), JobDeletion.change > bindparam("after"))
    .order_by(JobDeletion.change)
    .limit(bindparam("most")),
)
# The sum keeps SQLite from the index of all that the user's jobs ever told.
_EVENTS_OF_JOB: Final = _EVENTS.where(
    JobEvent.job_uuid == bindparam("uuid"), JobEvent.user_id + 0 == bindparam("user_id")
)
_EVENTS_OF_USER: Final = _EVENTS.where(JobEvent.user_id == bindparam("user_id"))
_DELETION_OF_JOB: Final = _DELETIONS.where(JobDeletion.uuid == bindparam("uuid"))


def events_after(session: Session, user_id: int, uuid: str | None, after: int, limit: int) -> tuple[Event, ...]:
    """The first `limit` events after that id: of one of the user's jobs, or of all where `uuid` is None. Fewer: there are no more yet.

    Of a job that was deleted, the deletion alone is left.
    """
    values: dict[str, Any] = {"user_id": user_id, "after": after, "most": limit}
    if uuid is None:
        rows, gone = session.execute(_EVENTS_OF_USER, values), session.execute(_DELETIONS, values)
    else:
        values["uuid"] = uuid
        rows, gone = session.execute(_EVENTS_OF_JOB, values), session.execute(_DELETION_OF_JOB, values)
    events, deletions = [_event(row) for row in rows], [_deletion(row) for row in gone]
    # The first of both together: what one of them was cut off at lies behind.
    return tuple(merge(events, deletions, key=lambda event: event.id))[:limit]


def is_over(session: Session, user_id: int, uuid: str, after: int | None) -> bool:
    """Whether the job has no event after that id and will have none. JobNotFound where it is not among the user's.

    A job that was deleted is told of to who followed it, and to nobody else.
    """
    status = session.scalar(select(Job.status).where(Job.uuid == uuid, Job.user_id == user_id))
    if status is not None:
        return JobStatus(status).is_final and not events_after(session, user_id, uuid, after or 0, 1)
    gone = session.scalar(select(JobDeletion.change).where(JobDeletion.uuid == uuid, JobDeletion.user_id == user_id))
    if gone is None or after is None:
        raise job_not_found()
    return gone <= after


def _event(row: Row[Any]) -> Event:
    progress = Progress(row.pages_done, row.page_count, row.pages_failed)
    event = Event(row.change, EventKind.PROGRESS, row.job_uuid, utc(row.timestamp_us), progress)
    if row.page_number is not None:
        page = PageNews(row.page_number, row.attempt_token, reason_of(row.error_code, row.error_detail))
        return replace(event, kind=EventKind.PAGE, news=page)
    if row.status is not None:
        status = JobStatus(row.status)
        news = StatusNews(status, row.attempt, reason_of(row.reason_code, row.reason_detail))
        return replace(event, kind=EventKind.END if status.is_final else EventKind.STATUS, news=news)
    return event


def _deletion(row: Row[Any]) -> Event:
    return Event(row.change, EventKind.DELETED, row.uuid, utc(row.timestamp_us))
