"""How many jobs are before one in the queue, and about how long it still takes, by how fast this service has read lately.

Both follow from how work is shared: users take turns page by page, and within a user the oldest job comes first (recto/jobs.py,
recto/worker.py). Until a job's last of w own pages is read, each other user gets as many pages read as well, or as many as they have. How
many pages waiting documents have is not known: they count as the mean of those that were read lately.
"""

import math
import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from sqlalchemy import ColumnElement, Select, func, literal, select, tuple_
from sqlalchemy.orm import Session

from models import Job, JobStatus, JobStatusTransition, User
from recto.database.connections import NowMicroseconds
from recto.ocr.media_types import OF_MANY_PAGES
from recto.queue_order import IS_IN_PROGRESS, QUEUED, pages_left
from recto.views.jobs import JobView
from recto.workers import list_workers

_SECOND_US: Final = 1_000_000
_RECENT_JOBS: Final = 50
_LEAST_PAGES: Final = 3
"""So many pages have to have been read before anything is said of how long others take."""
_MOST_COUNTED: Final = 10_000
"""Of one user's waiting jobs. Who has more before them waits for hours."""
_ROUNDING: Final = ((60, 5), (600, 30), (7200, 300), (math.inf, 1800))
"""(below, step), in seconds."""
_UNSURE: Final = 2.5
"""By this factor either way; benchmarks/queue_estimates.py measures how many jobs end within it."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A job that was, or is, read: from when to when in seconds from now, the pages that ended in it, and those that it has in all."""

    begin_s: float
    end_s: float
    pages_done: int
    page_count: int


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast this service reads. `page_s`: seconds that one process takes for a page, with all that belongs to it; None where too
    little was read to tell. `mean_pages`, `typical_pages`: of a document, mean and median. `processes`: of all Workers that live, and of the
    largest, since one Worker reads a job.
    """

    page_s: float | None
    mean_pages: float
    typical_pages: float
    processes: int
    processes_for_one: int


@dataclass(frozen=True, slots=True)
class Before:
    """What a job waits for: jobs and pages of its own user, and of each other user who has work (waiting jobs, pages of running ones)."""

    jobs: int
    pages: int
    others: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """`position` counts from 1 and is None for a job that is being read; `time_left` is None where nothing is known of it."""

    position: int | None = None
    time_left: "TimeLeft | None" = None


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """Seconds that a job takes at least and at most, as far as can be told: documents and pages differ too much for one number."""

    least_s: int
    most_s: int


def recent_pace(session: Session, clock: ColumnElement[int] | None = None) -> Pace:
    """Measured on the jobs that changed last and on those that are being read. Jobs that were tried again, or read nothing, do not count."""
    now_us = session.scalars(select(NowMicroseconds() if clock is None else clock)).one()
    columns = select(Job.uuid, Job.status, Job.ended_us, Job.pages_done, Job.page_count, Job.deduplicated_from)
    recent = session.execute(columns.order_by(Job.change.desc()).limit(_RECENT_JOBS)).all()
    ended = [row for row in recent if row.status == JobStatus.FINISHED and row.deduplicated_from is None]
    rows = [*ended, *session.execute(columns.where(IS_IN_PROGRESS))]
    begun = _begun_us(session, [row.uuid for row in rows])
    stretches = [
        Stretch(
            (begun[row.uuid] - now_us) / _SECOND_US,
            ((row.ended_us or now_us) - now_us) / _SECOND_US,
            row.pages_done,
            row.page_count or 1,
        )
        for row in rows
        if row.uuid in begun
    ]
    living = [worker.processes for worker in list_workers(session) if worker.is_alive]
    is_cut = ended and len(recent) == _RECENT_JOBS
    since_s = min((row.ended_us - now_us) / _SECOND_US for row in ended) if is_cut else -math.inf
    lengths = [stretch.page_count for stretch in stretches] or [1]
    return Pace(
        page_seconds(stretches, sum(living, start=0) or 1, max(living, default=1), since_s),
        statistics.mean(lengths),
        statistics.median(lengths),
        sum(living),
        max(living, default=0),
    )


def _begun_us(session: Session, uuids: Collection[str]) -> dict[str, int]:
    """When the only attempt of each job began."""
    begun = (
        select(JobStatusTransition.job_uuid, func.min(JobStatusTransition.timestamp_us))
        .where(JobStatusTransition.job_uuid.in_(uuids), JobStatusTransition.status == JobStatus.IN_PROGRESS)
        .group_by(JobStatusTransition.job_uuid)
        .having(func.count() == 1)
    )
    return dict(session.execute(begun).all())


def page_seconds(
    stretches: Sequence[Stretch], processes: int, processes_for_one: int, since_s: float = -math.inf
) -> float | None:
    """Seconds of one process for a page; None where too few pages ended.

    At each moment so many processes are at work as there are, or as the jobs in hand have use for. What lies before `since_s` is left out:
    other jobs may have been read then.
    """
    pages = sum(stretch.pages_done * _share_after(stretch, since_s) for stretch in stretches)
    moments = sorted({max(since_s, moment) for stretch in stretches for moment in (stretch.begin_s, stretch.end_s)})
    busy_s = 0.0
    for begin_s, end_s in pairwise(moments):
        in_hand = [one.page_count for one in stretches if one.begin_s <= begin_s and one.end_s >= end_s]
        at_work = sum(min(count, processes_for_one) for count in in_hand)
        busy_s += min(processes, at_work) * (end_s - begin_s)
    return busy_s / pages if pages >= _LEAST_PAGES and busy_s > 0 else None


def _share_after(stretch: Stretch, since_s: float) -> float:
    length_s = stretch.end_s - stretch.begin_s
    return min(1.0, max(0.0, stretch.end_s - since_s) / length_s) if length_s > 0 else 0.0


def find_before(session: Session, job: JobView) -> Before:
    """What an unfinished job waits for. Reads only the partial indices of waiting and running jobs, and not more of them than can matter."""
    created_us = round(job.created.timestamp() * _SECOND_US)
    earlier = tuple_(Job.created_us, Job.uuid) < tuple_(created_us, job.uuid)
    mine = select(literal(1)).where(Job.status == QUEUED, Job.user_id == job.user_id, earlier).limit(_MOST_COUNTED)
    running = pages_left(job.user_id)
    if job.status is JobStatus.QUEUED:
        jobs = session.scalars(select(func.count()).select_from(mine.subquery())).one()
    else:
        jobs, running = 0, running.where(earlier)
    pages = session.scalars(running).one()
    most = min(_MOST_COUNTED, jobs + pages + (job.page_count or 1))
    others = session.execute(_work_of_others(job.user_id, most))
    return Before(jobs, pages, tuple((queued, left) for queued, left in others if queued or left))


def _work_of_others(user_id: int, most_jobs: int) -> Select[int, int]:
    """(waiting jobs, at most so many; pages that are left of running jobs) of every other user."""
    # That every job was created after 0 is said so that SQLite takes the partial index, and not one of all that the user ever sent.
    queued = (Job.status == QUEUED, Job.user_id == User.id, Job.created_us > 0)
    waiting = select(literal(1)).where(*queued).limit(most_jobs).correlate(User)
    counted = select(func.count()).select_from(waiting.subquery()).scalar_subquery()
    return select(counted, pages_left(User.id).scalar_subquery()).where(User.id != user_id)


def outlook(job: JobView, before: Before, pace: Pace) -> Outlook:
    """What can be said of an unfinished job."""
    position = _position(before, pace) if job.status is JobStatus.QUEUED else None
    if pace.page_s is None or not pace.processes:
        return Outlook(position)
    return Outlook(position, time_left(seconds_left(job, before, pace, pace.page_s)))


def _position(before: Before, pace: Pace) -> int:
    """Its place where users take turns: those who have had fewer pages come first, until they have had as many."""
    own_pages = before.pages + before.jobs * pace.mean_pages
    turns = [min(jobs, max(0, math.floor((own_pages - pages) / pace.mean_pages) + 1)) for jobs, pages in before.others]
    return 1 + before.jobs + sum(turns)


def seconds_left(job: JobView, before: Before, pace: Pace, page_s: float) -> float:
    """Until the job has ended, not rounded. Of a document that was not opened yet, the typical length counts."""
    pages = job.page_count or (pace.typical_pages if job.media_type in OF_MANY_PAGES else 1)
    pages_left = max(0, pages - job.pages_done)
    own = before.pages + before.jobs * pace.mean_pages + pages_left
    others = sum(min(own, left + jobs * pace.mean_pages) for jobs, left in before.others)
    together, alone = (own + others) / max(1, pace.processes), pages_left / max(1, pace.processes_for_one)
    return math.ceil(max(together, alone)) * page_s


def time_left(seconds: float) -> TimeLeft:
    """The range around an estimate, its ends rounded outwards: nobody shall read seconds into hours."""
    least_s, most_s = seconds / _UNSURE, seconds * _UNSURE
    most_step = _step(most_s)
    return TimeLeft(
        math.floor(least_s / _step(least_s)) * _step(least_s), max(most_step, math.ceil(most_s / most_step) * most_step)
    )


def _step(seconds: float) -> int:
    return next(step for below, step in _ROUNDING if seconds < below)
