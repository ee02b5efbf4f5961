"""Results: waiting for one, having a format made, and the file itself: streamed at once, or behind a signed link."""

import time
from functools import partial
from http import HTTPStatus
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from recto.errors import FileNotFound, JobFailed, JobNotFound, NotAcceptable, OptionInvalid, ResultNotMade
from recto.file_storage.base import result_name
from recto.ocr.options import RESULT_FORMATS, ResultFormat
from recto.records.derivations import ResultFile
from recto.views.jobs import JobView, find_job
from recto.web.api import JOB_ACCEPTED, accepted
from recto.web.downloads.content_disposition import attachment
from recto.web.downloads.file_answers import CONDITIONS, FILE_HEADERS, NOT_HAD, file_answer
from recto.web.downloads.links import download_name
from recto.web.downloads.negotiation import FORMAT, asked_format
from recto.web.login import signed_in
from recto.web.openapi.described import BAD_RANGE, WAIT, Parameter, Reply, described
from recto.web.services import services
from recto.web.serving.database import in_thread, read
from recto.web.sign_in.authorisation import Access, access
from recto.web.waiting.holding import asked_wait_s, wait_for_success

blueprint = Blueprint("results", __name__, url_prefix="/api/v1")
RESULT_TYPES: Final = tuple(dict.fromkeys(kind.media_type.partition(";")[0] for kind in RESULT_FORMATS.values()))
_SIGNATURE: Final = Parameter("signature", "The key, as the redirect has it", {"type": "string"}, is_required=True)
_REDIRECT: Final = Parameter(
    "redirect", "0: the file itself instead of the redirect to it", {"type": "integer", "enum": [0, 1], "default": 1}
)


def _files(*more_headers: str) -> tuple[Reply, ...]:
    """A file, whole, in part, or not again."""
    headers = (*FILE_HEADERS, *more_headers)
    return (
        Reply(200, "The file", media_types=RESULT_TYPES, headers=headers, schema_name="Result"),
        Reply(206, "A part of it, as `Range` asked for", media_types=RESULT_TYPES, headers=(*headers, "Content-Range")),
        Reply(304, "The file that `If-None-Match` names", headers=("ETag", *more_headers)),
    )


@blueprint.get("/jobs/<uuid:uuid>/result")
@access(Access.READ)
@described(
    Reply(
        302,
        "To the file, by a link that works for a short while and needs no token",
        media_types=("text/html",),
        headers=("Location", "Vary"),
    ),
    *_files("Vary"),
    JOB_ACCEPTED,
    problems=(JobNotFound, NotAcceptable, JobFailed, NOT_HAD, BAD_RANGE, OptionInvalid, ResultNotMade),
    parameters=(FORMAT, WAIT, _REDIRECT, *CONDITIONS),
    tag="Results",
)
def get_result(uuid: UUID) -> BaseResponse:
    """302 to the file, or with `redirect=0` the file; 202 while there is none yet; 409 where there will be none."""
    user_id = signed_in().account.id
    result_format, redirects, wait_s = asked_format(), _asks_for_redirect(), asked_wait_s()
    until = time.monotonic() + wait_s
    job = wait_for_success(user_id, str(uuid), wait_s)
    wanted = ResultFile(result_format)
    made = services().deriver.make(job, wanted, until - time.monotonic()) if job.status.is_final else None
    if made is None:
        return accepted(job)
    return to_file(made, result_format) if redirects else result_file(made, result_format)


@blueprint.get("/jobs/<uuid:uuid>/files/<file_name>")
@access(Access.LINK)
@described(
    *_files(),
    problems=(FileNotFound, NOT_HAD, BAD_RANGE),
    parameters=(_SIGNATURE, *CONDITIONS),
    tag="Results",
)
def get_file(uuid: UUID, file_name: str) -> Response:
    """A result file by its signed link. Needs no sign-in; ends when the link expires, or the job is corrected or deleted."""
    name = services().links.check(request.args.get("signature", ""), str(uuid), services().limits.link_lifetime_s)
    job, result_format = read(find_job, str(uuid)), _format_of(file_name)
    if job is None or result_format is None or name != result_name(job.result_token or "", result_format, job.revision):
        raise FileNotFound("There is no such file. Ask for the result of the job again.")
    return result_file(job, result_format)


def to_file(job: JobView, result_format: ResultFormat) -> BaseResponse:
    """302 to where a program gets a file of a FINISHED job: from the store itself where it can, else from this Backend."""
    name = result_name(job.result_token or "", result_format, job.revision)
    lifetime_s, media_type = services().limits.link_lifetime_s, RESULT_FORMATS[result_format].media_type
    disposition = attachment(download_name(job, result_format))
    direct = in_thread(partial(services().storage.link, job.uuid, name, lifetime_s, disposition, media_type))
    return _redirect_to(direct) if direct else to_own_file(job, result_format)


def to_own_file(job: JobView, result_format: ResultFormat) -> BaseResponse:
    """302 to the file as this Backend serves it: pages for people stay within their own origin, wherever the documents lie."""
    name = result_name(job.result_token or "", result_format, job.revision)
    signature = services().links.sign(job.uuid, name)
    file_name = f"result.{result_format}"
    return _redirect_to(url_for("results.get_file", uuid=job.uuid, file_name=file_name, signature=signature))


def _redirect_to(address: str) -> BaseResponse:
    response = redirect(address, HTTPStatus.FOUND)
    response.headers["Cache-Control"] = "no-store"
    return response


def result_file(job: JobView, result_format: ResultFormat) -> Response:
    """The file of a FINISHED job, as the current request wants it: whole, in part, or not again. FileNotFound."""
    name = result_name(job.result_token or "", result_format, job.revision)
    media_type = RESULT_FORMATS[result_format].media_type.partition(";")[0]  # werkzeug adds the charset itself
    return file_answer(job.uuid, name, result_format, media_type, download_name(job, result_format))


def _asks_for_redirect() -> bool:
    given = request.args.get("redirect", "1")
    if given not in ("0", "1"):
        raise OptionInvalid(f"'redirect' is 1 for the link to the file, or 0 for the file itself; it is '{given}'.")
    return given == "1"


def _format_of(file_name: str) -> ResultFormat | None:
    return next((name for name in RESULT_FORMATS if file_name == f"result.{name}"), None)
