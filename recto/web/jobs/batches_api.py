"""Batches: several documents in one request, one progress, one ZIP archive of the results."""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Final
from uuid import UUID, uuid4

from flask import Blueprint, Response, request, url_for
from sqlalchemy.orm import Session

from recto import audit
from recto.audit import Action
from recto.errors import (
    BatchNotFound,
    FileNotFound,
    JobNotFound,
    OptionInvalid,
    RectoError,
    ResultNotMade,
    StorageUnavailable,
    UploadEmpty,
    UploadUnsupported,
)
from recto.file_storage.base import DOCUMENT
from recto.jobs import Submission
from recto.ocr.options import Options, ResultFormat
from recto.records.batches import BatchView, forget_batch, get_batch
from recto.records.derivations import ResultFile
from recto.records.idempotency import KeyedRequest
from recto.views.jobs import JobView
from recto.web import answers
from recto.web.api import NOT_TAKEN, remove_files
from recto.web.downloads.confinement import confined
from recto.web.downloads.negotiation import FORMAT, parse_format
from recto.web.downloads.results_zip import NotThere, zip_of_results
from recto.web.jobs.job_json import batch_body
from recto.web.login import signed_in
from recto.web.openapi.described import WAIT, Reply, Takes, described
from recto.web.services import services
from recto.web.serving.database import read, write
from recto.web.sign_in.audited import noted_by_user
from recto.web.sign_in.authorisation import Access, access
from recto.web.uploading.asked_options import decided_by, given_options, given_webhook, may_be_answered_from_earlier
from recto.web.uploading.content_digest import CONTENT_DIGEST
from recto.web.uploading.idempotent import IDEMPOTENCY_KEY, KEY_PROBLEMS, REPLAYED_HEADER, key_of_request, once
from recto.web.uploading.submissions import from_earlier, make_batch, to_be_read
from recto.web.uploading.uploads import Upload, judged, received_several
from recto.web.waiting.holding import asked_wait_s, wait_for_batch

blueprint = Blueprint("batches", __name__, url_prefix="/api/v1")
_TAG: Final = "Batches"
_ERRORS: Final = "errors.json"
_GRACE_S: Final = 2.0
"""For so long every request for an archive waits for formats that are made then, as requests for results do."""


def _accepted_reply(*headers: str) -> Reply:
    says = "The batch, of which some job has not ended, or some result is not made yet"
    return Reply(202, says, (answers.Batch,), headers=("Location", "Retry-After", *headers))


@blueprint.post("/batches")
@access(Access.WRITE)
@described(
    _accepted_reply(*REPLAYED_HEADER),
    problems=(*KEY_PROBLEMS, UploadEmpty, UploadUnsupported, OptionInvalid, *NOT_TAKEN),
    parameters=(IDEMPOTENCY_KEY, CONTENT_DIGEST),
    takes=Takes.DOCUMENTS,
    tag=_TAG,
)
def create_batch() -> Response:
    """Submit several documents with the same options. All of them become jobs, or none."""
    user_id = signed_in().account.id
    with key_of_request(user_id) as key:
        uploads = received_several()
        options, may_be_answered = given_options(), may_be_answered_from_earlier()
        digests = [upload.sha256 for upload in uploads]
        keyed = key.with_content("batch", digests, decided_by(options, given_webhook())) if key else None
        submitted = once(keyed, lambda: _make(uploads, options, user_id, may_be_answered=may_be_answered, keyed=keyed))
    return submitted.mark(_accepted(read(get_batch, user_id, submitted.job.batch_uuid or "")))


@blueprint.get("/batches/<uuid:uuid>")
@access(Access.READ)
@described(
    Reply(200, "The batch", (answers.Batch,), headers=("Retry-After",)),
    problems=(BatchNotFound, OptionInvalid),
    parameters=(WAIT,),
    tag=_TAG,
)
def get_batch_status(uuid: UUID) -> Response:
    """One batch with its jobs. `?wait=` holds the request until all of them have ended."""
    return _answered(wait_for_batch(signed_in().account.id, str(uuid), asked_wait_s()))


@blueprint.get("/batches/<uuid:uuid>/result")
@access(Access.READ)
@described(
    Reply(200, "The archive", media_types=("application/zip",), headers=("Content-Disposition",)),
    _accepted_reply(),
    problems=(BatchNotFound, OptionInvalid),
    parameters=(FORMAT, WAIT),
    tag=_TAG,
)
def get_batch_result(uuid: UUID) -> Response:
    """The results of all jobs as one ZIP archive, when all have ended; those that failed are listed in its `errors.json`."""
    user_id, wait_s = signed_in().account.id, asked_wait_s()
    result_format = parse_format(request.args.get("format", "txt"))
    until = time.monotonic() + wait_s
    batch = wait_for_batch(user_id, str(uuid), wait_s)
    found = _found(batch, result_format, until) if batch.has_ended else None
    if found is None:
        return _accepted(batch)
    content = zip_of_results(services().storage, result_format, found, _ERRORS, _errors)
    response = Response(content, mimetype="application/zip")
    response.headers["Content-Disposition"] = f"attachment; filename=batch-{batch.uuid}.zip"
    return confined(response)


@blueprint.post("/batches/<uuid:uuid>/cancel")
@access(Access.WRITE)
@described(
    Reply(200, "The batch as it is now", (answers.Batch,), headers=("Retry-After",)),
    problems=(BatchNotFound,),
    tag=_TAG,
)
def cancel_batch(uuid: UUID) -> Response:
    """Stop reading the jobs of a batch, and keep them; those that have ended stay as they ended."""
    user_id = signed_in().account.id
    write(_cancel, user_id, str(uuid))
    return _answered(read(get_batch, user_id, str(uuid)))


@blueprint.delete("/batches/<uuid:uuid>")
@access(Access.WRITE)
@described(Reply(204, "Stopped, and everything of it removed"), problems=(BatchNotFound,), tag=_TAG)
def delete_batch(uuid: UUID) -> tuple[str, int]:
    """Stop the jobs of the batch and remove them with everything they have."""
    for job in write(_delete, signed_in().account.id, str(uuid)):
        remove_files(job.uuid)
    return "", HTTPStatus.NO_CONTENT


def _make(
    uploads: list[Upload], options: Options, user_id: int, *, may_be_answered: bool, keyed: KeyedRequest | None
) -> JobView:
    """Make the batch; gives its first job. Of a document that is refused, its name is said."""
    uuid = str(uuid4())
    # In order: of jobs that were made in the same millisecond, the one with the smallest uuid is read first.
    uuids = sorted(str(uuid4()) for _ in uploads)
    submissions = [
        replace(_judged(upload, options, user_id), uuid=own, batch_uuid=uuid)
        for upload, own in zip(uploads, uuids, strict=True)
    ]
    new = [
        (from_earlier(submission, options) if may_be_answered else None)
        or to_be_read(submission, options, partial(upload.incoming.keep, submission.uuid, DOCUMENT))
        for upload, submission in zip(uploads, submissions, strict=True)
    ]
    try:
        return make_batch(uuid, new, keyed)[0]
    except (FileNotFound, JobNotFound) as error:
        raise StorageUnavailable(
            "Something that the batch needs was removed while it was being recorded. Send it again; nothing of it is left."
        ) from error


def _judged(upload: Upload, options: Options, user_id: int) -> Submission:
    try:
        return judged(upload, options, user_id)
    except RectoError as error:
        named = f"{upload.file_name}: {error.detail} Nothing of the batch is kept."
        raise type(error)(named, **error.members, document=upload.file_name) from error


def _cancel(session: Session, user_id: int, uuid: str) -> None:
    for job in _held(session, user_id, uuid):
        services().jobs.cancel(session, user_id, job.uuid)


def _held(session: Session, user_id: int, uuid: str) -> tuple[JobView, ...]:
    """The jobs of a batch, which nobody else changes until the commit. BatchNotFound."""
    services().jobs.hold(session, [job.uuid for job in get_batch(session, user_id, uuid).jobs])
    return get_batch(session, user_id, uuid).jobs


def _delete(session: Session, user_id: int, uuid: str) -> tuple[JobView, ...]:
    jobs = _held(session, user_id, uuid)
    for job in jobs:
        services().jobs.delete(session, user_id, job.uuid)
        audit.note(session, noted_by_user(Action.JOB_DELETED, job.uuid))
    forget_batch(session, uuid)
    return jobs


def _found(batch: BatchView, result_format: ResultFormat, until: float) -> list[JobView | NotThere] | None:
    """None where a result has to be made yet and the time is up: who asks again finds what was made meanwhile."""
    found: list[JobView | NotThere] = []
    until = max(until, time.monotonic() + _GRACE_S)
    for job in batch.jobs:
        if job.reason is not None:
            found.append(NotThere(job, job.reason.code, job.reason.detail))
            continue
        try:
            made = services().deriver.make(job, ResultFile(result_format), until - time.monotonic())
        except ResultNotMade as error:
            found.append(NotThere(job, str(error.members["reason"]), error.detail))
        else:
            if made is None:
                return None
            found.append(made)
    return found


def _errors(not_there: Sequence[NotThere]) -> str:
    listed = [
        {"uuid": one.job.uuid, "file_name": one.job.file_name, "code": one.code, "detail": one.detail}
        for one in not_there
    ]
    return json.dumps(listed, ensure_ascii=False, indent=1) + "\n"


def _answered(batch: BatchView) -> Response:
    response = answers.answered(batch_body(batch))
    if not batch.has_ended:
        response.headers["Retry-After"] = str(services().limits.retry_after_s)
    return response


def _accepted(batch: BatchView) -> Response:
    response = answers.answered(batch_body(batch), HTTPStatus.ACCEPTED)
    response.headers["Location"] = url_for("batches.get_batch_status", uuid=batch.uuid)
    response.headers["Retry-After"] = str(services().limits.retry_after_s)
    return response
