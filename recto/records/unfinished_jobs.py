"""How many jobs may be unfinished, of one user and of all: known when another one is submitted."""

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Final, cast

from sqlalchemy import ColumnElement, Table, bindparam, func, literal, select
from sqlalchemy.orm import Session

from models import ChangeCounter, Job, JobStatus
from recto.database.connections import Clock
from recto.errors import QueueFull, UserQueueFull
from recto.records.change_numbers import hold_changes

_ROWS: Final = cast(Table, Job.__table__)
_CHANGE: Final = cast(Table, ChangeCounter.__table__).c.value
_UNFINISHED: Final = {JobStatus.QUEUED: _ROWS.c.created_us > 0, JobStatus.IN_PROGRESS: _ROWS.c.lease_expires_us > 0}
"""Each with what always holds: said so that SQLite takes its partial index, and not the one of all that the user ever sent."""
_NARROW: Final = 100
"""So near to a limit it is counted once more while nobody else can submit. More than that never submit in the same moment."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Unfinished jobs of a user and of all, at that change. Every job that comes takes a number, so by a later change they are no more than its distance more."""

    own: int
    of_all: int
    change: int

    def leaves_room(self, change: int, max_of_user: int, max_of_all: int) -> bool:
        """Whether neither limit can be near at that change. It is no earlier, unless the database is another one."""
        came = change - self.change
        return came >= 0 and min(max_of_user - self.own, max_of_all - self.of_all) - came > _NARROW


@dataclass(frozen=True, slots=True)
class Room:
    """There is room for another job: the time, and what was counted last."""

    now_us: int
    counted: Counted


class UnfinishedJobs:
    """Counts under one clock, as seldom as the limits allow: counting takes as long as the queue is."""

    def __init__(self, clock: Clock) -> None:
        self._now = select(clock(), _CHANGE)
        self._counts = select(clock(), *_COUNTS, _CHANGE)
        self._counted: dict[int, Counted] = {}

    def check_room(self, session: Session, user_id: int, max_of_user: int, max_of_all: int) -> Room:
        """UserQueueFull, QueueFull."""
        most = max_of_user, max_of_all
        if known := self._counted.get(user_id):
            now_us, change = session.execute(self._now).one()
            if known.leaves_room(change, *most):
                return Room(now_us, known)
        room = self._count(session, user_id)
        if not room.counted.leaves_room(room.counted.change, *most):
            hold_changes(session)
            room = self._count(session, user_id)
        _check(room.counted, *most)
        return room

    def remember(self, user_id: int, counted: Counted) -> None:
        """Know it from now on. Once it is committed: numbers of a transaction that is undone are taken again."""
        self._counted[user_id] = counted

    def _count(self, session: Session, user_id: int) -> Room:
        now_us, *counts = session.execute(self._counts, {"user_id": user_id}).one()
        return Room(now_us, Counted(*counts))


def _check(counted: Counted, max_of_user: int, max_of_all: int) -> None:
    if counted.own >= max_of_user:
        raise UserQueueFull(
            f"You have {counted.own} unfinished jobs, the most you may have. Wait until some have ended, or delete some.",
            limit=max_of_user,
        )
    if counted.of_all >= max_of_all:
        raise QueueFull("The queue is full. Try again when some of the jobs in it have ended.", limit=max_of_all)


def _count_unfinished(*of: ColumnElement[bool]) -> ColumnElement[int]:
    """Queued and running jobs. One look at each partial index: IN would read the whole table."""
    counts = [
        select(func.count())
        .where(_ROWS.c.status == literal(status, literal_execute=True), indexed, *of)
        .scalar_subquery()
        for status, indexed in _UNFINISHED.items()
    ]
    return reduce(add, counts)


_COUNTS: Final = (_count_unfinished(_ROWS.c.user_id == bindparam("user_id")), _count_unfinished())
