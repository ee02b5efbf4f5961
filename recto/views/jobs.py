"""Jobs as clients see them: read-only values that outlive the session they were read in."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import Row, Select, Table, bindparam, func, literal, select, tuple_
from sqlalchemy.orm import Session, aliased

from models import ChangeCounter, Job, JobDeletion, JobPage, JobStatus, JobStatusTransition, JobTag
from recto.database.connections import utc
from recto.errors import JobNotFound
from recto.ocr.options import Options
from recto.ocr.page import ResultWarning as ResultWarning  # the pages of the Backend have it from here
from recto.ocr.page import Step
from recto.ocr.step_words import Told as Told
from recto.ocr.step_words import told

MOST_CHANGES: Final = 500
"""Jobs in one answer to what changed."""
MOST_WANTED: Final = 2000
"""Changes that one look goes through for those who wait."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a job failed: an error's code and sentence."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class TransitionView:
    """One entry of a job's log."""

    status: JobStatus
    timestamp: datetime
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class JobView:
    """One job. `page_count` counts the pages to be read and is None until a Worker has opened the document, or, of an image, has read it.

    `pages_done` includes the `pages_failed`. `transitions` is empty in lists. `result_token` names the attempt whose files are
    the result; it is not for clients. `warnings` are those about the document as a whole. `deduplicated_from` is the job whose result this one
    was answered from, and `result_created` the time that the results name: when the job was made that was read. `retry_of` is the job whose
    document this one reads again, `batch_uuid` the batch that it was sent in. `revision` counts what people have corrected and undone; it is in
    the names of the results. `retention_s` is how long the job is kept after its end, None for ever; `expires` when it is deleted, once it has ended.
    """

    uuid: str
    user_id: int
    status: JobStatus
    created: datetime
    ended: datetime | None
    change: int
    file_name: str
    media_type: str
    size_bytes: int
    options: Options
    page_count: int | None
    pages_done: int
    pages_failed: int
    attempt: int
    reason: Reason | None
    result_token: str | None
    content_sha256: str | None
    deduplicated_from: str | None
    retry_of: str | None
    batch_uuid: str | None
    result_created: datetime
    revision: int
    tags: tuple[str, ...] = ()
    warnings: tuple[ResultWarning, ...] = ()
    transitions: tuple[TransitionView, ...] = ()
    retention_s: int | None = None
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class PageView:
    """A page that was read: what became of the text that it had, and the steps that it got, in words.

    `is_described` is False for pages that were read before such things were kept; `is_text_taken` where the engine saw no picture of
    the whole page.
    """

    number: int
    is_described: bool
    is_text_taken: bool
    steps: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class DeletedJob:
    """A job that is gone, for those who wait for it."""

    uuid: str
    user_id: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed after some number: jobs by ascending change, jobs that were deleted, the number reached, whether it is the last."""

    jobs: tuple[JobView, ...]
    deleted: tuple[DeletedJob, ...]
    change: int
    is_complete: bool


def job_not_found() -> JobNotFound:
    """The one answer for a job that is not there and for one of somebody else."""
    return JobNotFound(
        "There is no such job among yours. It may have been deleted; the list of your jobs shows those you have."
    )


# Built once, and on the table: what a client that polls runs each time, in a third of the time that the ORM's objects take.
_ROWS: Final = cast(Table, Job.__table__)
_JOB_OF_USER: Final = select(_ROWS).where(_ROWS.c.uuid == bindparam("uuid"), _ROWS.c.user_id == bindparam("user_id"))
_TRANSITIONS: Final = cast(Table, JobStatusTransition.__table__).c
_LOGS: Final = (
    select(
        _TRANSITIONS.job_uuid,
        _TRANSITIONS.status,
        _TRANSITIONS.timestamp,
        _TRANSITIONS.reason_code,
        _TRANSITIONS.reason_detail,
    )
    .where(_TRANSITIONS.job_uuid.in_(bindparam("uuids", expanding=True)))
    .order_by(_TRANSITIONS.timestamp, _TRANSITIONS.id)
)
_LATEST_CHANGE: Final = select(cast(Table, ChangeCounter.__table__).c.value)
_CHANGED: Final = (
    select(_ROWS.c.uuid, _ROWS.c.user_id, _ROWS.c.change)
    .where(_ROWS.c.change > bindparam("change"))
    .order_by(_ROWS.c.change)
    .limit(bindparam("most"))
)
_DELETIONS: Final = cast(Table, JobDeletion.__table__).c
_GONE: Final = (
    select(_DELETIONS.uuid, _DELETIONS.user_id, _DELETIONS.change)
    .where(_DELETIONS.change > bindparam("change"))
    .order_by(_DELETIONS.change)
    .limit(bindparam("most"))
)
_CHANGED_JOBS: Final = (
    select(_ROWS).where(_ROWS.c.uuid.in_(bindparam("uuids", expanding=True))).order_by(_ROWS.c.change)
)


def get_job(session: Session, user_id: int, uuid: str) -> JobView:
    """One of the user's jobs with its transitions; JobNotFound where it is not there or somebody else's."""
    job = session.execute(_JOB_OF_USER, {"uuid": uuid, "user_id": user_id}).one_or_none()
    if job is None:
        raise job_not_found()
    return with_transitions(session, [_view(job)])[0]


def new_job(row: Row[Any]) -> JobView:
    """A job whose row was written just now, QUEUED, and nothing else of it."""
    job = _view(row)
    return replace(job, transitions=(TransitionView(job.status, job.created, None),))


def find_job(session: Session, uuid: str) -> JobView | None:
    """A job whoever owns it, without its transitions: for signed links, which prove the right by themselves."""
    job = session.get(Job, uuid)
    return _view(job) if job else None


def own_jobs(session: Session, user_id: int, uuids: Collection[str]) -> list[JobView]:
    """Those of the jobs that are the user's, in the order of `uuids`, without their transitions."""
    mine = session.scalars(select(Job).where(Job.uuid.in_(uuids), Job.user_id == user_id))
    views = {job.uuid: _view(job) for job in mine}
    return [views[uuid] for uuid in uuids if uuid in views]


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs a list shows: of these statuses, of all where none is named; with all of these tags; created later and earlier than those
    microseconds."""

    statuses: frozenset[JobStatus] = frozenset()
    created_after_us: int | None = None
    created_before_us: int | None = None
    tags: tuple[str, ...] = ()


EVERY_JOB: Final = JobFilter()
_Other: Final = aliased(JobTag)


def list_jobs(
    session: Session,
    user_id: int,
    limit: int,
    before: tuple[int, str] | None = None,
    wanted: JobFilter = EVERY_JOB,
) -> list[JobView]:
    """The user's jobs, newest first. `before` is the (created in microseconds, uuid) of the last job of the page before.

    A walk along an index that ends after `limit` rows, one for each status: what lies behind costs nothing.
    """
    if wanted.tags:
        return [_view(job) for job in session.scalars(_listed_by_tags(user_id, limit, before, wanted))]
    statuses = wanted.statuses or {None}
    found = [job for status in statuses for job in session.scalars(_listed(user_id, limit, before, wanted, status))]
    newest = sorted(found, key=lambda job: (job.created_us, job.uuid), reverse=True)
    return [_view(job) for job in newest[:limit]]


def _listed(
    user_id: int, limit: int, before: tuple[int, str] | None, wanted: JobFilter, status: JobStatus | None
) -> Select[Job]:
    query = select(Job).where(Job.user_id == user_id)
    # As a sum, no index has it: jobs in progress are few, and an index by time would lead past all others to them.
    created_us = Job.created_us + 0 if status is JobStatus.IN_PROGRESS else Job.created_us
    if status:
        query = query.where(Job.status == literal(status.value, literal_execute=True))  # partial indices want it so
    if status is JobStatus.IN_PROGRESS:
        query = query.where(
            Job.lease_expires_us > 0
        )  # as every lease does: said so that SQLite takes the index of those in progress
    if wanted.created_after_us is not None:
        query = query.where(created_us > wanted.created_after_us)
    # One upper bound: given two, SQLite may seek the farther one.
    if before and (wanted.created_before_us is None or before[0] < wanted.created_before_us):
        query = query.where(tuple_(created_us, Job.uuid) < tuple_(*before))  # the place in the order, as one value
    elif wanted.created_before_us is not None:
        query = query.where(created_us < wanted.created_before_us)
    return query.order_by(created_us.desc(), Job.uuid.desc()).limit(limit)


def _listed_by_tags(user_id: int, limit: int, before: tuple[int, str] | None, wanted: JobFilter) -> Select[Job]:
    """Along the index of the first tag; what else is wanted is asked of each job that has it."""
    first, *others = wanted.tags
    query = select(Job).join(JobTag, JobTag.job_uuid == Job.uuid)
    query = query.where(JobTag.user_id == user_id, JobTag.tag == first)
    if wanted.statuses:
        query = query.where(Job.status.in_(wanted.statuses))
    for other in others:
        has_other = (
            select(literal(1)).select_from(_Other).where(_Other.job_uuid == JobTag.job_uuid, _Other.tag == other)
        )
        query = query.where(has_other.exists())
    if wanted.created_after_us is not None:
        query = query.where(JobTag.created_us > wanted.created_after_us)
    if before and (wanted.created_before_us is None or before[0] < wanted.created_before_us):
        query = query.where(tuple_(JobTag.created_us, JobTag.job_uuid) < tuple_(*before))
    elif wanted.created_before_us is not None:
        query = query.where(JobTag.created_us < wanted.created_before_us)
    return query.order_by(JobTag.created_us.desc(), JobTag.job_uuid.desc()).limit(limit)


def jobs_of_batch(session: Session, batch_uuid: str) -> list[JobView]:
    """Those there are, in the order in which they were recorded: many have the same time."""
    recorded = select(func.min(JobStatusTransition.id)).where(JobStatusTransition.job_uuid == Job.uuid)
    # Said twice, so that SQLite takes the partial index.
    mine = select(Job).where(Job.batch_uuid == batch_uuid, Job.batch_uuid.is_not(None))
    return [_view(job) for job in session.scalars(mine.order_by(recorded.scalar_subquery()))]


def latest_change(session: Session) -> int:
    """The number of the latest committed write to any job."""
    return cast(int, session.scalars(_LATEST_CHANGE).one())


def change_some_jobs_ago(session: Session, count: int) -> int:
    """The number after which that many jobs, and no more, have changed; 0 where there are no more."""
    latest = select(Job.change).order_by(Job.change.desc())
    return session.scalar(latest.offset(count).limit(1)) or 0


def changes_after(session: Session, change: int, user_id: int | None = None, limit: int = MOST_CHANGES) -> Changes:
    """Jobs that changed after `change`, of one user or of all: the first `limit` of them. Ask on from the number reached."""
    jobs: Select[Any] = select(Job).where(Job.change > change).order_by(Job.change).limit(limit)
    deleted: Select[Any] = (
        select(JobDeletion).where(JobDeletion.change > change).order_by(JobDeletion.change).limit(limit)
    )
    if user_id is not None:
        jobs, deleted = jobs.where(Job.user_id == user_id), deleted.where(JobDeletion.user_id == user_id)
    latest = latest_change(session)
    changed, gone = list(session.scalars(jobs)), list(session.scalars(deleted))
    reached = _reached(latest, limit, changed, gone)
    return Changes(
        jobs=tuple(_view(job) for job in changed if job.change <= reached),
        deleted=tuple(DeletedJob(job.uuid, job.user_id) for job in gone if job.change <= reached),
        change=reached,
        is_complete=reached == latest,
    )


def changes_wanted(
    session: Session, change: int, is_wanted: Callable[[str, int], bool], limit: int = MOST_WANTED
) -> Changes:
    """The same of the jobs that somebody wants to hear of, with their logs. `is_wanted` is asked with a job's uuid and its user's id.

    What nobody wants costs the reading of three columns.
    """
    latest, values = latest_change(session), {"change": change, "most": limit}
    if latest == change:  # no job: a heartbeat, or text that came into the index
        return Changes((), (), change, is_complete=True)
    changed, gone = session.execute(_CHANGED, values).all(), session.execute(_GONE, values).all()
    reached = _reached(latest, limit, changed, gone)
    wanted = [row.uuid for row in changed if row.change <= reached and is_wanted(row.uuid, row.user_id)]
    views = [_view(job) for job in session.execute(_CHANGED_JOBS, {"uuids": wanted})] if wanted else []
    return Changes(
        jobs=tuple(with_transitions(session, views)) if views else (),
        deleted=tuple(DeletedJob(row.uuid, row.user_id) for row in gone if row.change <= reached),
        change=reached,
        is_complete=reached == latest,
    )


def _reached(latest: int, limit: int, *found: Sequence[Any]) -> int:
    """Up to which change all are there: where one of the lists was cut off, the others are cut at the same place."""
    cut_off: list[int] = [rows[-1].change for rows in found if len(rows) == limit]
    return min(latest, *cut_off) if cut_off else latest


def with_transitions(session: Session, views: Collection[JobView]) -> list[JobView]:
    """The same jobs with their logs, in one query."""
    logs: dict[str, list[TransitionView]] = {}
    for entry in session.execute(_LOGS, {"uuids": [view.uuid for view in views]}):
        reason = reason_of(entry.reason_code, entry.reason_detail)
        logs.setdefault(entry.job_uuid, []).append(
            TransitionView(JobStatus(entry.status), utc(entry.timestamp), reason)
        )
    return [replace(view, transitions=tuple(logs.get(view.uuid, ()))) for view in views]


def page_failures(session: Session, uuid: str) -> list[ResultWarning]:
    """The pages of a job that could not be read, in order."""
    failed = select(JobPage).where(JobPage.job_uuid == uuid, JobPage.error_code.is_not(None)).order_by(JobPage.number)
    return [
        ResultWarning(page.number, page.error_code or "", page.error_detail or "") for page in session.scalars(failed)
    ]


def checkpoints(session: Session, uuid: str) -> list[tuple[int, str]]:
    """(page number, attempt token) of every page that was read, in order."""
    query = select(JobPage.number, JobPage.attempt_token).where(JobPage.job_uuid == uuid, JobPage.error_code.is_(None))
    return [(number, token) for number, token in session.execute(query.order_by(JobPage.number))]


def pages_read(session: Session, uuid: str) -> list[PageView]:
    """The pages that were read, in order, with what was done to each."""
    query = select(JobPage).where(JobPage.job_uuid == uuid, JobPage.error_code.is_(None)).order_by(JobPage.number)
    return [page_view(page.number, page.text_layer, page.preprocessing) for page in session.scalars(query)]


def page_view(number: int, text_layer: str | None, preprocessing: list[dict[str, Any]] | None) -> PageView:
    """From what JobPage has of it."""
    steps = tuple(told(Step(**step)) for step in preprocessing or ())
    return PageView(number, preprocessing is not None, text_layer == "used", steps)


def reason_of(code: str | None, detail: str | None) -> Reason | None:
    """From the two columns that hold it."""
    return Reason(code, detail or "") if code else None


def _view(job: Job | Row[Any]) -> JobView:
    return JobView(
        uuid=job.uuid,
        user_id=job.user_id,
        status=JobStatus(job.status),
        created=utc(job.created_us),
        ended=utc(job.ended_us) if job.ended_us is not None else None,
        change=job.change,
        file_name=job.file_name,
        media_type=job.media_type,
        size_bytes=job.size_bytes,
        options=Options.model_validate(job.options),
        page_count=job.page_count,
        pages_done=job.pages_done,
        pages_failed=job.pages_failed,
        attempt=job.attempt,
        reason=reason_of(job.reason_code, job.reason_detail),
        result_token=job.result_token,
        content_sha256=job.content_sha256,
        deduplicated_from=job.deduplicated_from,
        retry_of=job.retry_of,
        batch_uuid=job.batch_uuid,
        result_created=utc(job.created_us if job.result_created_us is None else job.result_created_us),
        tags=tuple(job.tags),
        revision=job.revision,
        warnings=tuple(ResultWarning(None, warning["code"], warning["detail"]) for warning in job.warnings),
        retention_s=job.retention_s,
        expires=utc(job.expires_us) if job.expires_us is not None else None,
    )
