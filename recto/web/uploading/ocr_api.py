"""From document to result in one request: `curl -T scan.pdf -H 'Accept: text/plain' …/api/v1/ocr`."""

import time
from typing import Final

from flask import Blueprint, Response, url_for

from recto.errors import (
    DocumentError,
    FileNotFound,
    JobFailed,
    JobNotFound,
    NotAcceptable,
    OptionInvalid,
    RectoError,
    ResultNotMade,
    UploadEmpty,
    UploadUnsupported,
)
from recto.ocr.options import ResultFormat
from recto.records.derivations import ResultFile
from recto.views.jobs import JobView, Reason
from recto.web.api import NEW_JOB, NOT_FETCHED, NOT_TAKEN, accepted
from recto.web.downloads.negotiation import FORMAT, asked_format
from recto.web.downloads.results import RESULT_TYPES, result_file
from recto.web.login import signed_in
from recto.web.openapi.described import PREFER, Reply, Takes, described
from recto.web.services import services
from recto.web.sign_in.authorisation import Access, access
from recto.web.uploading.content_digest import CONTENT_DIGEST
from recto.web.uploading.idempotent import IDEMPOTENCY_KEY, KEY_PROBLEMS, REPLAYED_HEADER
from recto.web.uploading.uploads import submit_one
from recto.web.waiting.holding import preferred_wait_s, wait_for_end

blueprint = Blueprint("ocr_api", __name__, url_prefix="/api/v1")
_REASONS: Final = {error.code: error for error in DocumentError.__subclasses__()}
"""Why a job can fail. Here they are answers: the client has the document in hand."""
_described = described(
    Reply(
        200,
        "The result",
        media_types=RESULT_TYPES,
        headers=("Content-Disposition", "Content-Location", "Location", "Link", "Preference-Applied", *REPLAYED_HEADER),
        schema_name="Result",
    ),
    NEW_JOB,
    problems=(
        *KEY_PROBLEMS,
        UploadEmpty,
        UploadUnsupported,
        NotAcceptable,
        OptionInvalid,
        *_REASONS.values(),
        JobFailed,
        JobNotFound,
        FileNotFound,
        ResultNotMade,
        *NOT_FETCHED,
        *NOT_TAKEN,
    ),
    parameters=(FORMAT, PREFER, IDEMPOTENCY_KEY, CONTENT_DIGEST),
    takes=Takes.DOCUMENT,
    tag="Results",
)


@blueprint.post("/ocr")
@access(Access.WRITE)
@_described
def read_document() -> Response:
    """Submit a document and get its result. 202 with the job where `Prefer: wait`, or `server.max_wait_s`, is over first."""
    return _result_of_document()


@blueprint.put("/ocr")
@access(Access.WRITE)
@_described
def put_document() -> Response:
    """The same: `curl -T` sends PUT."""
    return _result_of_document()


def _result_of_document() -> Response:
    user_id, result_format, preferred_s = signed_in().account.id, asked_format(), preferred_wait_s()
    submitted = submit_one(user_id, f"txt+{result_format}", ("format",))
    wait_s = services().limits.max_wait_s if preferred_s is None else preferred_s
    until = time.monotonic() + wait_s
    job = wait_for_end(user_id, submitted.job.uuid, wait_s)
    if job.reason is not None:
        raise _failure(job, job.reason)
    wanted = ResultFile(result_format)
    made = services().deriver.make(job, wanted, until - time.monotonic()) if job.status.is_final else None
    response = _result(made, result_format) if made else accepted(job)
    if preferred_s is not None:
        response.headers["Preference-Applied"] = f"wait={wait_s:g}"
    return submitted.mark(response)


def _result(job: JobView, result_format: ResultFormat) -> Response:
    response = result_file(job, result_format)
    address = url_for("api.get_job_status", uuid=job.uuid)
    response.headers["Location"] = address
    response.headers["Link"] = f'<{address}>; rel="describedby"'
    response.headers["Content-Location"] = url_for("results.get_result", uuid=job.uuid, format=result_format)
    return response


def _failure(job: JobView, reason: Reason) -> RectoError:
    """What the job ended with, as an answer; its address is in the member `job`, for a retry with other options."""
    address = url_for("api.get_job_status", uuid=job.uuid)
    error = _REASONS.get(reason.code)
    return error(reason.detail, job=address) if error else JobFailed(reason.detail, reason=reason.code, job=address)
