"""Corrections of a page by people: what was made, one more, and taking the latest back. Kept beside what was read, never over it."""

from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from flask import Blueprint, Response, request, url_for
from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError

from recto.errors import (
    CorrectionInvalid,
    CorrectionNotFound,
    CorrectionNotLatest,
    FileNotFound,
    JobFailed,
    JobNotFound,
    JobUnfinished,
    PageChanged,
    PageNotFound,
)
from recto.records import corrections
from recto.records.corrections import (
    History,
    MadeCorrection,
    Reading,
    SeenPage,
    Standing,
    history,
    page_changed,
    parse_correction,
)
from recto.views.jobs import get_job
from recto.views.page_results import ReadPage, confidence_with, outcome
from recto.views.pages import find_ended_page
from recto.web import answers
from recto.web.jobs.job_pages import require_read
from recto.web.jobs.page_readings import take
from recto.web.login import SignedInUser, signed_in
from recto.web.openapi.described import Reply, described
from recto.web.services import services
from recto.web.serving.database import Lane, in_thread, read, write
from recto.web.sign_in.authorisation import Access, access

blueprint = Blueprint("corrections_api", __name__, url_prefix="/api/v1")
_MOST_BODY_BYTES: Final = 16 * 1024
_USAGE: Final = (
    'Send JSON such as {"revision": 0, "word": 3, "count": 1, "text": "Recto"}, or {"revision": 0, "line": 2, "text": "…"}; '
    'or {"revision": 0, "job": "…"}; docs/api.md says what they mean.'
)
_ADDRESS: Final = "/jobs/<uuid:uuid>/pages/<int:number>/corrections"
_PROBLEMS: Final = (JobNotFound, PageNotFound, JobFailed, JobUnfinished, PageChanged, FileNotFound)


class WordsToCorrect(BaseModel):
    """Words of one line that become others."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    revision: int = Field(description="Of the page as you saw it: its ETag", ge=0, examples=[0])
    word: int = Field(description="Index of the first word in the page's reading order, from 0", ge=0, examples=[0])
    count: int = Field(default=1, description="How many words, all on one line", ge=1, examples=[1])
    text: str = Field(description="What stands there: one word, several, or none", examples=["Recto"])


class LineToCorrect(BaseModel):
    """A line that becomes another."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    revision: int = Field(description="Of the page as you saw it: its ETag", ge=0, examples=[0])
    line: int = Field(description="Index of the line in the page's reading order, from 0", ge=0, examples=[0])
    text: str = Field(description="What stands there; words that stay are left alone", examples=["Read by Recto"])


class ReadingToTake(BaseModel):
    """The page as another job has read it, of the same document: with other options, say. What was corrected in the page before gives way to it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    revision: Annotated[int, Field(strict=True)] = Field(
        description="Of the page as you saw it: its ETag", ge=0, examples=[0]
    )
    job: UUID = Field(
        description="The job that has read the page, and has ended", examples=["0b9e3a52-7f0c-4d3e-9a51-6c1f0e2d4b77"]
    )


class NewCorrection(RootModel[WordsToCorrect | LineToCorrect | ReadingToTake]):
    """One of the three."""


@blueprint.get(_ADDRESS)
@access(Access.READ)
@described(
    Reply(200, "What was corrected", (answers.PageCorrections,)),
    problems=(JobNotFound, PageNotFound),
    tag="Corrections",
)
def get_corrections(uuid: UUID, number: int) -> Response:
    """All corrections of a page, latest first, with those that were undone, and the page's revision."""
    job = read(get_job, signed_in().account.id, str(uuid))
    require_read(read(find_ended_page, job.uuid, number), number)
    return answers.answered(_body(read(history, job.uuid, number)))


@blueprint.post(_ADDRESS)
@access(Access.WRITE)
@described(
    Reply(201, "What was corrected, with this", (answers.PageCorrections,), headers=("Location",)),
    problems=(*_PROBLEMS, CorrectionInvalid),
    json_body=NewCorrection,
    tag="Corrections",
)
def add_correction(uuid: UUID, number: int) -> Response:
    """Correct words of one line, or a line, or take the page as another job has read it. Every result that is asked for afterwards has it."""
    user = signed_in()
    page, made = _correctable(user.account.id, str(uuid), number)
    given = _given()
    if given.revision != made.revision:
        raise page_changed(made.revision)
    seen = SeenPage(page.uuid, number, given.revision)
    if isinstance(given, ReadingToTake):
        revision = take(user, read(get_job, user.account.id, page.uuid), seen, str(given.job))
    else:
        revision = _correct(user, page, seen, made.standing, given)
    response = answers.answered(_body(read(history, page.uuid, number)), HTTPStatus.CREATED)
    response.headers["Location"] = url_for(
        "corrections_api.undo_correction", uuid=page.uuid, number=number, correction=revision
    )
    return response


@blueprint.delete(f"{_ADDRESS}/<int:correction>")
@access(Access.WRITE)
@described(
    Reply(200, "What was corrected, without this", (answers.PageCorrections,)),
    problems=(*_PROBLEMS, CorrectionNotFound, CorrectionNotLatest),
    tag="Corrections",
)
def undo_correction(uuid: UUID, number: int, correction: int) -> Response:
    """Undo the latest correction that stands. It stays in the list, with the time when it was undone."""
    page, made = _correctable(signed_in().account.id, str(uuid), number)
    left = made.without_latest(correction)
    confidence = in_thread(
        partial(confidence_with, services().storage, _counting(page, left), left.corrections), Lane.DISK
    )
    write(corrections.undo, SeenPage(page.uuid, number, made.revision), correction, confidence)
    return answers.answered(_body(read(history, page.uuid, number)))


def _correct(
    user: SignedInUser, page: ReadPage, seen: SeenPage, standing: Standing, given: WordsToCorrect | LineToCorrect
) -> int:
    correction = parse_correction(given.model_dump(exclude={"revision"}))
    counting = _counting(page, standing)
    done = in_thread(partial(outcome, services().storage, counting, standing.corrections, correction), Lane.DISK)
    return write(corrections.add, seen, user.name, correction, done.replaced, done.confidence)


def _counting(page: ReadPage, standing: Standing) -> ReadPage:
    return replace(page, token=standing.token(page.token))


def _correctable(user_id: int, uuid: str, number: int) -> tuple[ReadPage, History]:
    """The page of a FINISHED job and what was corrected in it."""
    job = read(get_job, user_id, uuid)
    if job.reason is not None:
        raise JobFailed(
            f"The job failed, so there is no result to correct. {job.reason.detail}", reason=job.reason.code
        )
    if not job.status.is_final:
        raise JobUnfinished("The document is still being read. Correct it when the job has ended.")
    page = require_read(read(find_ended_page, uuid, number), number)
    return ReadPage(uuid, page.attempt_token, number), read(history, uuid, number)


def _given() -> WordsToCorrect | LineToCorrect | ReadingToTake:
    content = request.stream.read(_MOST_BODY_BYTES + 1)
    if len(content) > _MOST_BODY_BYTES:
        raise CorrectionInvalid(
            f"The request is longer than the {_MOST_BODY_BYTES:,} bytes that a correction may have."
        )
    try:
        return NewCorrection.model_validate_json(content).root
    except ValidationError as error:
        raise CorrectionInvalid(f"This is no correction. {_USAGE}") from error


def _body(made: History) -> answers.PageCorrections:
    return answers.PageCorrections(
        revision=made.revision, corrections=[_correction(one) for one in reversed(made.made)]
    )


def _correction(made: MadeCorrection) -> answers.Correction:
    what = made.what
    if isinstance(made.correction, Reading):
        what = {"text": None, "options": made.correction.options}
    return answers.Correction(
        id=made.revision,
        author=made.author,
        created=made.created,
        undone=made.undone,
        replaced=made.replaced,
        **{"word": None, "count": None, "line": None, "options": None} | what,
    )
