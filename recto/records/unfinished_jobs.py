"""How many jobs may be unfinished, of one user and of all: counted when another one is submitted."""

from functools import reduce
from operator import add
from typing import Final, cast

from sqlalchemy import ColumnElement, bindparam, func, literal, select
from sqlalchemy.orm import Session

from models import Job, JobStatus
from recto.errors import QueueFull, UserQueueFull
from recto.records.change_numbers import hold_changes

_UNFINISHED: Final = {JobStatus.QUEUED: Job.created_us > 0, JobStatus.IN_PROGRESS: Job.lease_expires_us > 0}
"""Each with what always holds: said so that SQLite takes its partial index, and not the one of all that the user ever sent."""
_NARROW: Final = 100
"""So near to a limit it is counted once more while nobody else can submit. More than that never submit in the same moment."""


def check_room(session: Session, user_id: int, max_of_user: int, max_of_all: int, clock: ColumnElement[int]) -> int:
    """The time by `clock`, which is asked with it. UserQueueFull, QueueFull."""
    now, own, of_all = _count(session, user_id, clock)
    if min(max_of_user - own, max_of_all - of_all) <= _NARROW:
        hold_changes(session)
        now, own, of_all = _count(session, user_id, clock)
    if own >= max_of_user:
        raise UserQueueFull(
            f"You have {own} unfinished jobs, the most you may have. Wait until some have ended, or delete some.",
            limit=max_of_user,
        )
    if of_all >= max_of_all:
        raise QueueFull("The queue is full. Try again when some of the jobs in it have ended.", limit=max_of_all)
    return now


def _count(session: Session, user_id: int, clock: ColumnElement[int]) -> tuple[int, int, int]:
    """The time, the user's unfinished jobs, and everybody's."""
    counts = session.execute(select(clock, *_COUNTS), {"user_id": user_id})
    return cast(tuple[int, int, int], tuple(counts.one()))


def _count_unfinished(*of: ColumnElement[bool]) -> ColumnElement[int]:
    """Queued and running jobs. One look at each partial index: IN would read the whole table."""
    counts = [
        select(func.count()).where(Job.status == literal(status, literal_execute=True), indexed, *of).scalar_subquery()
        for status, indexed in _UNFINISHED.items()
    ]
    return reduce(add, counts)


# Built once, for every upload runs it.
_COUNTS: Final = (_count_unfinished(Job.user_id == bindparam("user_id")), _count_unfinished())
