"""Result formats and pictures of pages made after a job has ended: who makes one, and which could not be made.

A derivation is begun under a token and belongs to whoever has it as long as it is renewed. What was made is a file in the job's folder;
only what is being made, or failed a moment ago, has a row that counts.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy import ColumnElement, and_, delete, insert, select, update
from sqlalchemy.orm import Session

from models import Job, JobDerivation
from recto.database.connections import NowMicroseconds
from recto.errors import ResultNotMade
from recto.file_storage.base import picture_name, result_name
from recto.ocr.options import RESULT_FORMATS, STAGES, ResultFormat, Stage
from recto.views.jobs import job_not_found

FAILURE_HOLDS_S: Final = 60.0
"""For so long a failure is the answer; asked for later, the format is tried again: a full disk may have room by then."""

_READING: Final = "reading-"
_READING_HOLDS_S: Final = 3600.0
_PICTURE: Final = re.compile(rf"page-(?P<number>[0-9]{{4,9}})-(?P<stage>{'|'.join(STAGES)})\.png")


class Derivable(Protocol):
    """What can be made of a finished job."""

    @property
    def name(self) -> str:
        """What the row and the command `derive` call it."""

    @property
    def title(self) -> str:
        """What people call it, as the subject of a sentence's middle: "the format TSV"."""

    def file_name(self, token: str, revision: int = 0) -> str:
        """Where it lies in the job's folder; `token` names the attempt whose results count, `revision` that of the corrections."""


@dataclass(frozen=True, slots=True)
class ResultFile:
    """The result in one format."""

    result_format: ResultFormat

    @property
    def name(self) -> str:
        """See Derivable."""
        return self.result_format

    @property
    def title(self) -> str:
        """See Derivable."""
        return f"the format {RESULT_FORMATS[self.result_format].title}"

    def file_name(self, token: str, revision: int = 0) -> str:
        """See Derivable."""
        return result_name(token, self.result_format, revision)


@dataclass(frozen=True, slots=True)
class PagePicture:
    """The picture of page `number` at a stage of its preprocessing; of another reading than the job's own under the token of that one."""

    number: int
    stage: Stage
    reading_token: str | None = None

    @property
    def name(self) -> str:
        """See Derivable."""
        return f"page-{self.number:04d}-{self.stage}.png"

    @property
    def title(self) -> str:
        """See Derivable."""
        return f"the picture of page {self.number}"

    def file_name(self, token: str, revision: int = 0) -> str:
        """See Derivable. No correction changes a picture."""
        del revision
        return picture_name(self.reading_token or token, self.number, self.stage)


def parse_name(name: str) -> ResultFile | PagePicture | None:
    """What is called so; None where nothing is."""
    for result_format in RESULT_FORMATS:
        if name == result_format:
            return ResultFile(result_format)
    found = _PICTURE.fullmatch(name)
    stage = next((stage for stage in STAGES if found and stage == found["stage"]), None)
    return PagePicture(int(found["number"]), stage) if found and stage else None


@dataclass(frozen=True, slots=True)
class Derivation:
    """What is being made under `token`; one that could not be made has an error."""

    token: str
    error_code: str | None
    error_detail: str | None


def find(session: Session, uuid: str, name: str) -> Derivation | None:
    """The derivation under way or failed; None where none was begun, or where it may be begun anew."""
    counting = JobDerivation.expires_us > NowMicroseconds()
    row = session.scalar(select(JobDerivation).where(_of(uuid, name), counting))
    return Derivation(row.token, row.error_code, row.error_detail) if row else None


def reserve_reading(session: Session, uuid: str, token: str) -> None:
    """Keep the sweeper from a checkpoint that is put into the job's folder under `token` and not recorded yet."""
    _insert(session, uuid, _reading(token), token, _READING_HOLDS_S)


def reading_is_recorded(session: Session, uuid: str, token: str) -> None:
    """Its own row keeps it from now on; or it was not recorded, and nothing keeps it."""
    session.execute(delete(JobDerivation).where(_held(uuid, _reading(token), token)))


def reserved_readings(session: Session, uuids: Collection[str]) -> list[tuple[str, str]]:
    """(job, token) of those that are about to be recorded."""
    reserved = JobDerivation.name.startswith(_READING, autoescape=True), JobDerivation.expires_us > NowMicroseconds()
    rows = session.execute(
        select(JobDerivation.job_uuid, JobDerivation.token).where(JobDerivation.job_uuid.in_(uuids), *reserved)
    )
    return [(uuid, token) for uuid, token in rows]


def begin(session: Session, uuid: str, name: str, token: str, hold_s: float) -> bool:
    """Take what is called `name` under `token` for `hold_s`; False where somebody else is at it or it failed a moment ago. JobNotFound."""
    if session.scalar(select(Job.uuid).where(Job.uuid == uuid).with_for_update(key_share=True)) is None:
        raise job_not_found()
    if find(session, uuid, name):
        return False
    session.execute(delete(JobDerivation).where(_of(uuid, name)))
    _insert(session, uuid, name, token, hold_s)
    return True


def renew(session: Session, uuid: str, name: str, token: str, hold_s: float) -> None:
    """Keep what is being made for another `hold_s`."""
    session.execute(update(JobDerivation).where(_held(uuid, name, token)).values(expires_us=_in(hold_s)))


def end(session: Session, uuid: str, name: str, token: str) -> None:
    """The file is there; or nobody makes it any more, and whoever asks may begin."""
    session.execute(delete(JobDerivation).where(_held(uuid, name, token)))


def fail(session: Session, uuid: str, name: str, token: str, error: ResultNotMade) -> None:
    """It could not be made. Changes nothing where that was recorded already, or somebody else is at it."""
    session.execute(
        update(JobDerivation)
        .where(_held(uuid, name, token))
        .values(
            error_code=error.members.get("reason", error.code),
            error_detail=error.detail,
            expires_us=_in(FAILURE_HOLDS_S),
        )
    )


def failed_at_once(session: Session, uuid: str, name: str, token: str, error: ResultNotMade) -> None:
    """A format that was to be written with the job, under its attempt's `token`, could not be made."""
    _insert(session, uuid, name, token, FAILURE_HOLDS_S)
    fail(session, uuid, name, token, error)


def forget_failures(session: Session, uuid: str) -> None:
    """What could not be made may be tried at once: it is made of something else now."""
    session.execute(delete(JobDerivation).where(JobDerivation.job_uuid == uuid, JobDerivation.error_code.is_not(None)))


def _insert(session: Session, uuid: str, name: str, token: str, hold_s: float) -> None:
    row = {"job_uuid": uuid, "name": name, "token": token, "expires_us": _in(hold_s)}
    session.execute(insert(JobDerivation).values(row))


def _of(uuid: str, name: str) -> ColumnElement[bool]:
    return and_(JobDerivation.job_uuid == uuid, JobDerivation.name == name)


def _held(uuid: str, name: str, token: str) -> ColumnElement[bool]:
    return and_(_of(uuid, name), JobDerivation.token == token, JobDerivation.error_code.is_(None))


def _reading(token: str) -> str:
    return f"{_READING}{token}"


def _in(seconds: float) -> ColumnElement[int]:
    return NowMicroseconds() + round(seconds * 1_000_000)
