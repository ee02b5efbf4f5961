"""Result formats made after a job has ended: who makes one, and which could not be made.

A derivation is begun under a token and belongs to whoever has it as long as it is renewed. What was made is a file in the job's folder;
only what is being made, or failed a moment ago, has a row that counts.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, and_, delete, insert, select, update
from sqlalchemy.orm import Session

from models import Job, JobDerivation
from recto.database import NowMicroseconds
from recto.errors import ResultNotMade
from recto.job_views import job_not_found
from recto.ocr.options import ResultFormat

FAILURE_HOLDS_S: Final = 60.0
"""For so long a failure is the answer; asked for later, the format is tried again: a full disk may have room by then."""

_WRITING_S_PER_PAGE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Derivation:
    """A format that is being made under `token`; one that could not be made has an error."""

    token: str
    error_code: str | None
    error_detail: str | None


def time_limit_s(page_timeout_s: float, page_count: int) -> float:
    """How long writing a result of so many pages may take: as long as one page may take to be read, and some more for each page."""
    return page_timeout_s + page_count * _WRITING_S_PER_PAGE


def find(session: Session, uuid: str, result_format: ResultFormat) -> Derivation | None:
    """The derivation under way or failed; None where none was begun, or where it may be begun anew."""
    counting = JobDerivation.expires_us > NowMicroseconds()
    row = session.scalar(select(JobDerivation).where(_of(uuid, result_format), counting))
    return Derivation(row.token, row.error_code, row.error_detail) if row else None


def begin(session: Session, uuid: str, result_format: ResultFormat, token: str, hold_s: float) -> bool:
    """Take the format under `token` for `hold_s`; False where somebody else is at it or it failed a moment ago. JobNotFound."""
    if session.scalar(select(Job.uuid).where(Job.uuid == uuid)) is None:
        raise job_not_found()
    if find(session, uuid, result_format):
        return False
    session.execute(delete(JobDerivation).where(_of(uuid, result_format)))
    _insert(session, uuid, result_format, token, hold_s)
    return True


def renew(session: Session, uuid: str, result_format: ResultFormat, token: str, hold_s: float) -> None:
    """Keep what is being made for another `hold_s`."""
    session.execute(update(JobDerivation).where(_held(uuid, result_format, token)).values(expires_us=_in(hold_s)))


def end(session: Session, uuid: str, result_format: ResultFormat, token: str) -> None:
    """The file is there; or nobody makes it any more, and whoever asks may begin."""
    session.execute(delete(JobDerivation).where(_held(uuid, result_format, token)))


def fail(session: Session, uuid: str, result_format: ResultFormat, token: str, error: ResultNotMade) -> None:
    """The format could not be made. Changes nothing where that was recorded already, or somebody else is at it."""
    session.execute(
        update(JobDerivation)
        .where(_held(uuid, result_format, token))
        .values(
            error_code=error.members.get("reason", error.code),
            error_detail=error.detail,
            expires_us=_in(FAILURE_HOLDS_S),
        )
    )


def failed_at_once(session: Session, uuid: str, result_format: ResultFormat, token: str, error: ResultNotMade) -> None:
    """A format that was to be written with the job, under its attempt's `token`, could not be made."""
    _insert(session, uuid, result_format, token, FAILURE_HOLDS_S)
    fail(session, uuid, result_format, token, error)


def _insert(session: Session, uuid: str, result_format: ResultFormat, token: str, hold_s: float) -> None:
    row = {"job_uuid": uuid, "result_format": result_format, "token": token, "expires_us": _in(hold_s)}
    session.execute(insert(JobDerivation).values(row))


def _of(uuid: str, result_format: ResultFormat) -> ColumnElement[bool]:
    return and_(JobDerivation.job_uuid == uuid, JobDerivation.result_format == result_format)


def _held(uuid: str, result_format: ResultFormat, token: str) -> ColumnElement[bool]:
    return and_(_of(uuid, result_format), JobDerivation.token == token, JobDerivation.error_code.is_(None))


def _in(seconds: float) -> ColumnElement[int]:
    return NowMicroseconds() + round(seconds * 1_000_000)
