"""What is going on, for administrators: how much waits and for whom, since when, and what each Worker has in hand.

Reads the partial indices of waiting and running jobs alone: what has ended costs nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from models import Job, User
from recto.database.connections import utc
from recto.queue_order import IS_IN_PROGRESS, QUEUED
from recto.workers import WorkerView, list_workers

_IS_QUEUED: Final = (Job.status == QUEUED) & (Job.created_us > 0)
"""Every job was created after 0: said so that SQLite takes the partial index."""


@dataclass(frozen=True, slots=True)
class UserQueue:
    """What one user has waiting and running. `oldest` is when the longest waiting job was sent; None where none waits."""

    name: str
    waiting: int
    oldest: datetime | None
    running: int
    pages_left: int


@dataclass(frozen=True, slots=True)
class QueueState:
    """All users' together, and each one's, the longest queue first."""

    waiting: int
    oldest: datetime | None
    running: int
    pages_left: int
    users: tuple[UserQueue, ...]


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A Worker, the jobs that it has in hand, and how many pages are left of them."""

    worker: WorkerView
    jobs: int
    pages_left: int


_WAITING: Final = select(Job.user_id, func.count(), func.min(Job.created_us)).where(_IS_QUEUED).group_by(Job.user_id)
_PAGES_LEFT: Final = func.sum(func.coalesce(Job.page_count, 1) - Job.pages_done)
_RUNNING: Final = select(Job.user_id, func.count(), _PAGES_LEFT).where(IS_IN_PROGRESS).group_by(Job.user_id)
_IN_HAND: Final = select(Job.lease_worker, func.count(), _PAGES_LEFT).where(IS_IN_PROGRESS).group_by(Job.lease_worker)


def queue_state(session: Session) -> QueueState:
    """How much waits and runs now."""
    waiting = {user_id: (count, oldest_us) for user_id, count, oldest_us in session.execute(_WAITING)}
    running = {user_id: (count, pages) for user_id, count, pages in session.execute(_RUNNING)}
    names = dict(session.execute(_names(waiting.keys() | running.keys())).all())
    users = [
        _user_queue(name, waiting.get(user_id, (0, None)), running.get(user_id, (0, 0)))
        for user_id, name in names.items()
    ]
    return QueueState(
        waiting=sum(user.waiting for user in users),
        oldest=min((user.oldest for user in users if user.oldest), default=None),
        running=sum(user.running for user in users),
        pages_left=sum(user.pages_left for user in users),
        users=tuple(sorted(users, key=lambda user: (-user.waiting, -user.pages_left, user.name))),
    )


def worker_states(session: Session) -> list[WorkerState]:
    """Every Worker that is remembered, the last seen first, with what it has in hand."""
    in_hand = {name: (count, pages) for name, count, pages in session.execute(_IN_HAND)}
    return [WorkerState(worker, *in_hand.get(worker.name, (0, 0))) for worker in list_workers(session)]


def _names(user_ids: set[int]) -> Select[int, str]:
    return select(User.id, User.name).where(User.id.in_(user_ids))


def _user_queue(name: str, waiting: tuple[int, int | None], running: tuple[int, int]) -> UserQueue:
    count, oldest_us = waiting
    return UserQueue(name, count, utc(oldest_us) if oldest_us else None, *running)
