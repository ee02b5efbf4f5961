"""The pages of a job, one by one: which have ended, and what was read on each. Also before the job has ended."""

from functools import partial
from http import HTTPStatus
from typing import Final, Literal, TypeAlias, get_args
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from recto.errors import FileNotFound, JobNotFound, OptionInvalid, PageNotFound
from recto.records.corrections import History, history
from recto.views.jobs import JobView, get_job
from recto.views.page_results import ReadPage, page_as_json, page_as_text
from recto.views.pages import EndedPage, find_ended_page, list_ended_pages
from recto.web import answers
from recto.web.api import JOB_ACCEPTED, MOST_NUMBER, accepted, number
from recto.web.downloads.confinement import confined
from recto.web.jobs.job_json import progress
from recto.web.login import signed_in
from recto.web.openapi.described import IF_NONE_MATCH, WAIT, Parameter, Reply, described
from recto.web.services import services
from recto.web.serving.database import Lane, in_thread, read
from recto.web.sign_in.authorisation import Access, access
from recto.web.waiting.holding import asked_wait_s, wait_for

PageFormat: TypeAlias = Literal["json", "txt"]

blueprint = Blueprint("job_pages", __name__, url_prefix="/api/v1")
_LIMIT: Final = 100
MOST_PAGES: Final = 1000
_LIST_PARAMETERS: Final = (
    Parameter(
        "limit",
        "Pages in one answer",
        {"type": "integer", "minimum": 1, "maximum": MOST_NUMBER, "default": _LIMIT, "examples": [20]},
    ),
    Parameter(
        "after",
        "The number of a page: those with higher numbers",
        {"type": "integer", "minimum": 0, "maximum": MOST_NUMBER, "default": 0},
    ),
)
_FORMAT: Final = Parameter(
    "format", "What is wanted", {"type": "string", "enum": list(get_args(PageFormat)), "default": "json"}
)

AS_READ: Final = Parameter("as_read", "1: without corrections", {"type": "string", "enum": ["0", "1"], "default": "0"})


@blueprint.get("/jobs/<uuid:uuid>/pages")
@access(Access.READ)
@described(
    Reply(200, "Pages that have ended", (answers.PageList,), headers=("Link",)),
    problems=(JobNotFound, OptionInvalid),
    parameters=_LIST_PARAMETERS,
    tag="Pages",
)
def get_pages(uuid: UUID) -> Response:
    """The pages that were read or given up so far, by their numbers. While the job runs, they do not end in this order."""
    limit, after = min(number("limit", _LIMIT, least=1), MOST_PAGES), number("after", 0, least=0)
    job = read(get_job, signed_in().account.id, str(uuid))
    pages = read(list_ended_pages, job.uuid, limit + 1, after)
    following = None
    if len(pages) > limit:
        following = url_for("job_pages.get_pages", uuid=job.uuid, after=pages[limit - 1].number, limit=limit)
    body = answers.PageList(
        status=job.status.value,
        progress=progress(job),
        pages=[_entry(job, page) for page in pages[:limit]],
        next=following,
    )
    return answers.with_next(answers.answered(body), following)


@blueprint.get("/jobs/<uuid:uuid>/pages/<int:number>")
@access(Access.READ)
@described(
    Reply(200, "The page", media_types=("text/plain",), headers=("ETag",), schema_name="ResultPage"),
    Reply(304, "The page that `If-None-Match` names", headers=("ETag",)),
    JOB_ACCEPTED,
    problems=(JobNotFound, PageNotFound, FileNotFound, OptionInvalid),
    parameters=(_FORMAT, AS_READ, WAIT, IF_NONE_MATCH),
    tag="Pages",
)
def get_page(uuid: UUID, number: int) -> Response:
    """One page as it is in the result, with what was corrected; 202 as long as it may still be read. `?wait=` holds the request until then."""
    wanted, is_as_read = _parse_format(request.args.get("format", "json")), _parse_as_read()
    job, page = _wait_for_page(signed_in().account.id, str(uuid), number, asked_wait_s())
    if page is None and not job.status.is_final and not _is_beyond(job, number):
        return accepted(job)
    found = require_read(page, number)
    made = History(0, ()) if is_as_read else read(history, job.uuid, number)
    return _answer(job, found, wanted, made)


def _wait_for_page(user_id: int, uuid: str, number: int, wait_s: float) -> tuple[JobView, EndedPage | None]:
    """Job and page when the page has ended, or will not end any more, or the time is up. The job is read first: an ended one gets no pages."""
    page = None

    def is_enough(job: JobView) -> bool:
        nonlocal page
        page = read(find_ended_page, uuid, number)
        return page is not None or job.status.is_final or _is_beyond(job, number)

    job = read(get_job, user_id, uuid)
    if not is_enough(job) and wait_s > 0:
        job = wait_for(user_id, uuid, wait_s, is_enough)
    return job, page


def _is_beyond(job: JobView, number: int) -> bool:
    """Whether it is known that the document has no such page: where all its pages are read, their count says so."""
    is_counted = job.options.pages is None and job.page_count is not None
    return number < 1 or (is_counted and number > (job.page_count or 0))


def require_read(page: EndedPage | None, number: int) -> EndedPage:
    """PageNotFound where the page was not read."""
    if page is None:
        raise PageNotFound(
            f"The job has no page {number}: the document does not have it, or it was not asked for. The list of its pages shows those there are."
        )
    if page.reason:
        raise PageNotFound(f"Page {number} could not be read. {page.reason.detail}", reason=page.reason.code)
    return page


def _answer(job: JobView, page: EndedPage, wanted: PageFormat, made: History) -> Response:
    """The page, or 304 for who has it: only a correction changes it. The ETag is its revision."""
    write, media_type = (page_as_json, "application/json") if wanted == "json" else (page_as_text, "text/plain")
    response = Response(status=HTTPStatus.NOT_MODIFIED)
    if not request.if_none_match.contains(str(made.revision)):
        standing = made.standing
        checkpoint = ReadPage(job.uuid, standing.token(page.attempt_token), page.number)
        content = in_thread(partial(write, services().storage, checkpoint, standing.corrections), Lane.DISK)
        response = Response(content, mimetype=media_type)
    response.set_etag(str(made.revision))
    return confined(response)


def _parse_format(given: str) -> PageFormat:
    for page_format in get_args(PageFormat):
        if given == page_format:
            found: PageFormat = page_format
            return found
    raise OptionInvalid(f"A page cannot be had as '{given}'. Ask for one of: {', '.join(get_args(PageFormat))}.")


def _parse_as_read() -> bool:
    given = request.args.get(AS_READ.name, "0")
    if given not in ("0", "1"):
        raise OptionInvalid(f"'{AS_READ.name}' is 1 for the page without corrections, or 0; it is '{given}'.")
    return given == "1"


def _entry(job: JobView, page: EndedPage) -> answers.PageEntry:
    warnings = [answers.JobWarning(code=page.reason.code, detail=page.reason.detail)] if page.reason else []
    return answers.PageEntry(
        number=page.number,
        status="FAILED" if page.reason else "READ",
        confidence=None if page.confidence is None else round(page.confidence, 4),
        text_layer=page.text_layer,
        revision=page.revision,
        warnings=warnings,
        links=answers.PageLinks(
            self=url_for("job_pages.get_page", uuid=job.uuid, number=page.number),
            image=url_for("page_images.get_page_image", uuid=job.uuid, number=page.number),
            corrections=url_for("corrections_api.get_corrections", uuid=job.uuid, number=page.number),
        ),
    )
