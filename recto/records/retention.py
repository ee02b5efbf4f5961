"""How long a job is kept after its end: what it asks for, what its user has, what the settings say; and the jobs whose time is over.

The length is settled when a job is made and stays: whoever was promised that a document goes after a day is not surprised by a later setting.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from models import Job, User
from recto.database.connections import NowMicroseconds
from recto.durations import HOW_TO_WRITE, parse_duration_s
from recto.errors import OptionInvalid

FOR_EVER: Final = "forever"
LONGEST_S: Final = 100 * 366 * 86_400


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """Seconds after the end. `default_s` where neither job nor user says another, 0: for ever; `longest_s` that any may have, 0: no limit."""

    default_s: int = 0
    longest_s: int = 0


@dataclass(frozen=True, slots=True)
class ExpiredJob:
    """A job whose time is over, and whose it is."""

    uuid: str
    user_id: int


def parse_retention(given: str) -> int:
    """Whole seconds, 0 for ever. OptionInvalid where it is no length of time."""
    if given == FOR_EVER:
        return 0
    duration_s = parse_duration_s(given)
    if duration_s is None or not 1 <= duration_s <= LONGEST_S:
        raise OptionInvalid(f"Option 'retention': '{given}' is no length of time. {HOW_TO_WRITE} Or '{FOR_EVER}'.")
    return int(duration_s)


def lifetime_s(asked_s: int | None, of_user_s: int | None, policy: RetentionPolicy) -> int | None:
    """Seconds that a job is kept after its end; None for ever. The job's own wish comes before its user's, and both before the default."""
    wanted_s = next(value for value in (asked_s, of_user_s, policy.default_s) if value is not None)
    limits = [value for value in (wanted_s, policy.longest_s) if value]
    return min(limits, default=None)


def set_user_retention(session: Session, user_id: int, retention_s: int | None) -> None:
    """Give the user a retention of their own, for jobs that are made from now on; None for the default."""
    session.execute(update(User).where(User.id == user_id).values(retention_s=retention_s))


def expired_jobs(session: Session, limit: int, now: ColumnElement[int] | None = None) -> Sequence[ExpiredJob]:
    """Some of the jobs whose time is over, the longest first. Reads an index of those that expire at all."""
    due = select(Job.uuid, Job.user_id).where(Job.expires_us <= (NowMicroseconds() if now is None else now))
    return [ExpiredJob(uuid, user_id) for uuid, user_id in session.execute(due.order_by(Job.expires_us).limit(limit))]
