"""Whose turn it is: the order in which waiting jobs are read. Within a user the oldest first; among users, who has the least being read.

Reads only the partial indices of queued and running jobs, so the cost does not depend on how many jobs have ended. The statements are
built once: to build one takes as long as to run it.
"""

from collections.abc import Collection
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Select, Table, bindparam, func, literal, select
from sqlalchemy.orm import Session

from models import Job, JobStatus, User
from recto.database.connections import Clock

# Written out in the statements: bound values would not use the partial indices.
QUEUED: Final = literal(JobStatus.QUEUED, literal_execute=True)
_IN_PROGRESS: Final = literal(JobStatus.IN_PROGRESS, literal_execute=True)
IS_IN_PROGRESS: Final = (Job.status == _IN_PROGRESS) & (Job.lease_expires_us > 0)
"""Every lease expires after 0: said so that SQLite takes the partial index, and not the one of all that the user ever sent."""

_MOST_WAITING: Final = 10_000


class QueueOrder:
    """The order under one clock: a job that is tried again later has no turn before its time."""

    def __init__(self, clock: Clock) -> None:
        self._next_user = _next_user(clock())
        self._oldest_job = _oldest_job(clock())

    def next_user(self, session: Session, except_users: Collection[int] = ()) -> int | None:
        """The user with the fewest pages in progress among those with a claimable job; the longest waiting first. None where nothing waits."""
        return session.scalar(self._next_user, {"except_users": list(except_users)})

    def oldest_job(self, session: Session, user_id: int) -> str | None:
        """The uuid of the claimable job that this user sent first, of those that nobody else is about to claim. It is locked."""
        return session.scalars(self._oldest_job, {"user_id": user_id}).one_or_none()


def is_any_queued(session: Session) -> bool:
    """Whether any job waits, be its turn later or now: what an idle Worker asks each second, for a fraction of what the whole question costs."""
    return session.execute(_ANY_QUEUED).first() is not None


def work_left(session: Session) -> int:
    """Pages that are to be read of running jobs, and one for each job's results; a job that waits counts as one, and at most 10,000 do."""
    waiting, running = session.execute(_WORK_LEFT).one()
    return int(waiting + running)


def pages_left(user_id: Any) -> Select[int]:
    """How many pages are left of the running jobs of a user, who may be a column; a job that was not opened yet counts as one."""
    left = func.coalesce(func.sum(func.coalesce(Job.page_count, 1) - Job.pages_done), 0)
    return select(left).where(IS_IN_PROGRESS, Job.user_id == user_id)


def _next_user(now: ColumnElement[int]) -> Select[int]:
    waiting_since = (
        select(func.min(Job.created_us))
        .where(Job.status == QUEUED, Job.user_id == User.id, Job.not_before_us <= now)
        .scalar_subquery()
    )
    others = User.id.not_in(bindparam("except_users", expanding=True))
    users = select(User.id).where(waiting_since.is_not(None), others)
    return users.order_by(pages_left(User.id).scalar_subquery(), waiting_since, User.id).limit(1)


def _oldest_job(now: ColumnElement[int]) -> Select[str]:
    return (
        select(Job.uuid)
        .where(Job.status == QUEUED, Job.user_id == bindparam("user_id"), Job.not_before_us <= now)
        .order_by(Job.created_us, Job.uuid)
        .limit(1)
        .with_for_update(skip_locked=True, key_share=True)
    )


_ROWS: Final = cast(Table, Job.__table__)
_WAITING: Final = select(_ROWS.c.uuid).where(_ROWS.c.status == QUEUED).limit(_MOST_WAITING).subquery()
_RUNNING: Final = func.coalesce(func.sum(func.coalesce(Job.page_count, 1) - Job.pages_done + 1), 0)
_WORK_LEFT: Final = select(
    select(func.count()).select_from(_WAITING).scalar_subquery(),
    select(_RUNNING).where(IS_IN_PROGRESS).scalar_subquery(),
)
_ANY_QUEUED: Final = select(_ROWS.c.uuid).where(_ROWS.c.status == QUEUED).limit(1)
