"""Results: waiting for one, having a format made, and the file itself behind a signed link."""

import time
from http import HTTPStatus
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, redirect, request, send_file, url_for
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wrappers import Response as BaseResponse

from recto.derivations import ResultFile
from recto.errors import FileNotFound, JobFailed, JobNotFound, OptionInvalid, ResultNotMade
from recto.file_storage.base import result_name
from recto.job_views import JobView, find_job
from recto.ocr.options import RESULT_FORMATS, ResultFormat
from recto.web.api import JOB_ACCEPTED, accepted
from recto.web.authorisation import Access, access
from recto.web.database import in_thread, read
from recto.web.described import BAD_RANGE, WAIT, Parameter, Reply, described
from recto.web.links import download_name
from recto.web.login import signed_in
from recto.web.served_files import confined
from recto.web.services import services
from recto.web.waiting import asked_wait_s, wait_for_success

blueprint = Blueprint("results", __name__, url_prefix="/api/v1")
_FORMAT: Final = Parameter(
    "format", "What is wanted", {"type": "string", "enum": list(RESULT_FORMATS), "default": "txt"}
)
_FILE: Final = tuple(dict.fromkeys(kind.media_type.partition(";")[0] for kind in RESULT_FORMATS.values()))
_FILE_HEADERS: Final = ("Content-Disposition",)
_SIGNATURE: Final = Parameter("signature", "The key, as the redirect has it", {"type": "string"}, is_required=True)


@blueprint.get("/jobs/<uuid:uuid>/result")
@access(Access.READ)
@described(
    Reply(
        302,
        "To the file, by a link that works for a short while and needs no token",
        media_types=("text/html",),
        headers=("Location",),
    ),
    JOB_ACCEPTED,
    problems=(JobNotFound, JobFailed, OptionInvalid, ResultNotMade),
    parameters=(_FORMAT, WAIT),
    tag="Results",
)
def get_result(uuid: UUID) -> BaseResponse:
    """302 to the file; 202 while there is none yet; 409 where there will be none."""
    user_id = signed_in().account.id
    result_format, wait_s = parse_format(request.args.get("format", "txt")), asked_wait_s()
    until = time.monotonic() + wait_s
    job = wait_for_success(user_id, str(uuid), wait_s)
    wanted = ResultFile(result_format)
    if not job.status.is_final or not services().deriver.has_made(job, wanted, until - time.monotonic()):
        return accepted(job)
    return to_file(job, result_format)


@blueprint.get("/jobs/<uuid:uuid>/files/<file_name>")
@access(Access.LINK)
@described(
    Reply(200, "The file", media_types=_FILE, headers=_FILE_HEADERS, schema_name="Result"),
    Reply(206, "A part of it, as `Range` asked for", media_types=_FILE, headers=(*_FILE_HEADERS, "Content-Range")),
    problems=(FileNotFound, BAD_RANGE),
    parameters=(_SIGNATURE,),
    tag="Results",
)
def get_file(uuid: UUID, file_name: str) -> Response:
    """A result file by its signed link. Needs no sign-in; ends when the link expires or the job is deleted."""
    name = services().links.check(request.args.get("signature", ""), str(uuid), services().limits.link_lifetime_s)
    job, result_format = read(find_job, str(uuid)), _format_of(file_name)
    if job is None or result_format is None or name != result_name(job.result_token or "", result_format):
        raise FileNotFound("There is no such file. Ask for the result of the job again.")
    size_bytes = in_thread(lambda: services().storage.size_bytes(job.uuid, name))
    file = in_thread(lambda: services().storage.open(job.uuid, name))
    media_type = RESULT_FORMATS[result_format].media_type.partition(";")[0]  # werkzeug adds the charset itself
    response = send_file(
        file, media_type, as_attachment=True, download_name=download_name(job, result_format), conditional=False
    )
    response.content_length = size_bytes
    try:
        response.make_conditional(request.environ, accept_ranges=True, complete_length=size_bytes)
    except RequestedRangeNotSatisfiable:
        file.close()
        raise
    return confined(response)


def to_file(job: JobView, result_format: ResultFormat) -> BaseResponse:
    """302 to where a client gets a file of a FINISHED job: from the store itself where it can, else from this Backend."""
    name = result_name(job.result_token or "", result_format)
    lifetime_s, media_type = services().limits.link_lifetime_s, RESULT_FORMATS[result_format].media_type
    direct = services().storage.link(job.uuid, name, lifetime_s, download_name(job, result_format), media_type)
    signature = services().links.sign(job.uuid, name)
    own = url_for("results.get_file", uuid=job.uuid, file_name=f"result.{result_format}", signature=signature)
    response = redirect(direct or own, HTTPStatus.FOUND)
    response.headers["Cache-Control"] = "no-store"
    return response


def parse_format(given: str) -> ResultFormat:
    """OptionInvalid, naming those there are, where it is none."""
    for result_format in RESULT_FORMATS:
        if given == result_format:
            return result_format
    raise OptionInvalid(f"There is no format '{given}'. Ask for one of: {', '.join(RESULT_FORMATS)}.")


def _format_of(file_name: str) -> ResultFormat | None:
    return next((name for name in RESULT_FORMATS if file_name == f"result.{name}"), None)
