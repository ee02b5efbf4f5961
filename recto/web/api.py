"""The HTTP API for programs: /api/v1. docs/api.md describes it."""

from collections.abc import Collection
from functools import lru_cache, partial
from http import HTTPStatus
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from recto.audit import Action
from recto.errors import (
    AddressRefused,
    DocumentNotFetched,
    DocumentUrlsOff,
    FileNotFound,
    JobNotFound,
    LanguageUnknown,
    NoAnswer,
    OptionInvalid,
    QueueFull,
    RectoError,
    StorageFull,
    TooManyRequests,
    UploadEmpty,
    UploadNotFound,
    UploadUnsupported,
    UserQueueFull,
    UserStorageFull,
)
from recto.logs import get_logger
from recto.views.jobs import JobView, get_job, latest_change, list_jobs
from recto.views.outlook import Outlook
from recto.web import answers
from recto.web.jobs.job_filters import FILTERS, given_filters, parse_filters
from recto.web.jobs.job_json import job_body, job_summary
from recto.web.login import signed_in
from recto.web.openapi.described import IF_NONE_MATCH, PREFER, WAIT, Parameter, Reply, Takes, described
from recto.web.services import services
from recto.web.serving.database import Lane, in_thread, read, write
from recto.web.sign_in.audited import noted_by_user, write_noted
from recto.web.sign_in.authorisation import Access, access
from recto.web.uploading.asked_options import changed_options, decided_by, given_webhook
from recto.web.uploading.content_digest import CONTENT_DIGEST
from recto.web.uploading.idempotent import (
    IDEMPOTENCY_KEY,
    KEY_PROBLEMS,
    REPLAYED_HEADER,
    Submitted,
    key_of_request,
    once,
)
from recto.web.uploading.submissions import retry
from recto.web.uploading.uploads import submit_one
from recto.web.waiting.holding import asked_wait_s, preferred_wait_s, wait_for_another, wait_for_change, wait_for_end
from recto.workers import installed_languages, list_workers

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
_log = get_logger(__name__)
_LIST_LIMIT: Final = 50
MOST_JOBS: Final = 200
_MOST_DIGITS: Final = 18  # what a 64-bit integer of the database always holds
JOB_ACCEPTED: Final = Reply(202, "The job, which has not ended", (answers.Job,), headers=("Location", "Retry-After"))
NEW_JOB: Final = Reply(
    202,
    "The job, which waits or is read; one that was made before, with the same document or the same key, may have ended",
    (answers.Job,),
    headers=("Location", "Retry-After", *REPLAYED_HEADER),
)
_ENDED_JOB: Final = Reply(
    200,
    "The job, which ended while the request was held",
    (answers.Job,),
    headers=("Location", "Preference-Applied", *REPLAYED_HEADER),
)
NOT_FETCHED: Final = (DocumentUrlsOff, DocumentNotFetched, NoAnswer, UploadNotFound)
"""Problems of a document that lies elsewhere: at its `document_url`, or in the store under its `upload`."""
NOT_TAKEN: Final = (
    LanguageUnknown,
    AddressRefused,
    UserStorageFull,
    UserQueueFull,
    TooManyRequests,
    QueueFull,
    StorageFull,
)
"""Problems of making a job, whatever its document comes from."""
MOST_NUMBER: Final = 10**_MOST_DIGITS - 1
PLACE: Final = Parameter(
    "before",
    "A place in the list, as `next` has it",
    {"type": "string", "pattern": rf"^[0-9]{{1,{_MOST_DIGITS}}}\..+$"},
)
_LIST_PARAMETERS: Final = (
    Parameter(
        "limit",
        "Jobs in one answer",
        {"type": "integer", "minimum": 1, "maximum": MOST_NUMBER, "default": _LIST_LIMIT, "examples": [2]},
    ),
    PLACE,
    Parameter(
        "after",
        "A `change`: gives what changed since, instead of the list",
        {"type": "integer", "minimum": 0, "maximum": MOST_NUMBER},
    ),
    WAIT,
    *FILTERS,
)


@blueprint.post("/jobs")
@access(Access.WRITE)
@described(
    NEW_JOB,
    _ENDED_JOB,
    problems=(*KEY_PROBLEMS, UploadEmpty, UploadUnsupported, *NOT_FETCHED, *NOT_TAKEN),
    parameters=(PREFER, IDEMPOTENCY_KEY, CONTENT_DIGEST),
    takes=Takes.DOCUMENT,
)
def create_job() -> Response:
    """Submit a document. 202; 200 where `Prefer: wait` was asked for and the job ended in time."""
    user_id, wait_s = signed_in().account.id, preferred_wait_s()
    return _submitted(user_id, submit_one(user_id), wait_s)


@blueprint.get("/jobs")
@access(Access.READ)
@described(
    Reply(200, "Jobs, or what changed", (answers.JobList, answers.JobChanges), headers=("Link",)),
    problems=(OptionInvalid,),
    parameters=_LIST_PARAMETERS,
)
def get_jobs() -> Response:
    """The user's jobs, newest first, all or those that the filters name; with `?after=`, what changed since."""
    user_id = signed_in().account.id
    filters, limit = given_filters(), min(number("limit", _LIST_LIMIT, least=1), MOST_JOBS)
    asked_wait_s()  # means nothing without `after`, but a wrong one is wrong
    place, wanted = parse_before(request.args.get("before")), parse_filters(filters)
    if "after" in request.args:
        return _changes(user_id, filters)
    change = read(latest_change)  # read before the list: what changes between the two is reported again, not missed
    jobs = read(list_jobs, user_id, limit + 1, place, wanted)
    following = None
    if len(jobs) > limit:
        following = url_for("api.get_jobs", before=before(jobs[limit - 1]), limit=limit, **filters)
    items = [job_summary(job) for job in jobs[:limit]]
    return answers.with_next(answers.answered(answers.JobList(jobs=items, next=following, change=change)), following)


@blueprint.get("/jobs/<uuid:uuid>")
@access(Access.READ)
@described(
    Reply(200, "The job", (answers.Job,), headers=("ETag", "Retry-After")),
    Reply(304, "The job is still as `If-None-Match` names it", headers=("ETag",)),
    problems=(JobNotFound, OptionInvalid),
    parameters=(WAIT, IF_NONE_MATCH),
)
def get_job_status(uuid: UUID) -> Response:
    """One job. `?wait=` holds the request until it has ended, or until it is not as `If-None-Match` names it any more."""
    user_id, wait_s = signed_in().account.id, asked_wait_s()
    if request.if_none_match:
        job = wait_for_another(user_id, str(uuid), wait_s, _is_known)
    else:
        job = wait_for_end(user_id, str(uuid), wait_s)
    if _is_known(job):
        response = _with_retry_after(Response(status=HTTPStatus.NOT_MODIFIED), job)
    else:
        response = job_response(job, services().outlooks.of(job))
    response.set_etag(str(job.change), weak=True)
    return response


@blueprint.delete("/jobs/<uuid:uuid>")
@access(Access.WRITE)
@described(Reply(204, "Stopped, and everything of it removed"), problems=(JobNotFound,))
def delete_job(uuid: UUID) -> tuple[str, int]:
    """Stop the job and remove it with everything it has."""
    remove_job(signed_in().account.id, str(uuid))
    return "", HTTPStatus.NO_CONTENT


@blueprint.post("/jobs/<uuid:uuid>/cancel")
@access(Access.WRITE)
@described(Reply(200, "The job as it is now", (answers.Job,), headers=("Retry-After",)), problems=(JobNotFound,))
def cancel_job(uuid: UUID) -> Response:
    """Stop reading a job, and keep it; one that has ended stays as it ended."""
    return job_response(stop_job(signed_in().account.id, str(uuid)))


@blueprint.post("/jobs/<uuid:uuid>/retry")
@access(Access.WRITE)
@described(
    NEW_JOB,
    _ENDED_JOB,
    problems=(*KEY_PROBLEMS, JobNotFound, FileNotFound, *NOT_TAKEN),
    parameters=(PREFER, IDEMPOTENCY_KEY, CONTENT_DIGEST),
    takes=Takes.OPTIONS,
)
def retry_job(uuid: UUID) -> Response:
    """Read the document of a job again, as a job of its own. Options that are given take the place of the earlier ones."""
    user_id, wait_s = signed_in().account.id, preferred_wait_s()
    with key_of_request(user_id) as key:
        earlier = read(get_job, user_id, str(uuid))
        options = changed_options(earlier.options)
        webhook_url = given_webhook(request.form)
        keyed = key.with_content(earlier.uuid, decided_by(options, webhook_url)) if key else None
        submitted = once(keyed, lambda: retry(earlier, options, keyed, webhook_url))
    return _submitted(user_id, submitted, wait_s)


@blueprint.get("/languages")
@access(Access.READ_OR_WRITE)
@described(Reply(200, "What can be read", (answers.Languages,)), tag="Service")
def get_languages() -> Response:
    """The languages that Workers have, the ones that are taken where none is named, and whether a Worker is running."""
    workers = read(list_workers)
    return answers.answered(
        answers.Languages(
            languages=list(installed_languages(workers)),
            default=services().default_languages,
            worker_running=any(worker.is_alive for worker in workers),
        )
    )


def stop_job(user_id: int, uuid: str) -> JobView:
    """Cancel the job. Its Worker learns of it at its next look and kills what reads for it."""
    write(services().jobs.cancel, user_id, uuid)
    return read(get_job, user_id, uuid)


def remove_job(user_id: int, uuid: str) -> None:
    """Delete the row, then the files. Where the files resist, the sweeper finds them by the deletion's row.

    The job is gone with the commit, so that files that resist are no error of the request.
    """
    write_noted(noted_by_user(Action.JOB_DELETED, uuid), services().jobs.delete, user_id, uuid)
    remove_files(uuid)


def remove_files(uuid: str) -> None:
    """Of a job whose deletion is committed."""
    try:
        in_thread(partial(services().storage.delete, uuid), Lane.DISK)
        write(services().jobs.files_removed, uuid)
    except RectoError as error:
        _log.warning("files_left_to_sweeper", job=uuid, detail=error.detail)


def before(job: JobView) -> str:
    """The place after a job in the list, for `?before=`."""
    return f"{round(job.created.timestamp() * 1_000_000)}.{job.uuid}"


def parse_before(given: str | None) -> tuple[int, str] | None:
    """The reverse of `before`; OptionInvalid for anything else."""
    if given is None:
        return None
    created, _, uuid = given.partition(".")
    if not created.isdecimal() or len(created) > _MOST_DIGITS or not uuid:
        raise OptionInvalid("'before' is not a place in the list. Follow the 'next' link of an earlier answer.")
    return int(created), uuid


def _changes(user_id: int, filters: Collection[str]) -> Response:
    if filters:
        raise OptionInvalid(
            f"'after' gives all that changed; it does not go with {', '.join(filters)}. Leave one of both out."
        )
    changes = wait_for_change(user_id, number("after", 0, least=0), asked_wait_s())
    return answers.answered(
        answers.JobChanges(
            jobs=[job_summary(job) for job in changes.jobs],
            deleted=[job.uuid for job in changes.deleted],
            change=changes.change,
        )
    )


def _submitted(user_id: int, submitted: Submitted, wait_s: float | None) -> Response:
    """202 with the job, or after a wait that was preferred 200, where it ended in time."""
    job = submitted.job
    if wait_s is None:
        return submitted.mark(accepted(job))
    job = wait_for_end(user_id, job.uuid, wait_s)
    response = job_response(job) if job.status.is_final else accepted(job)
    response.headers["Preference-Applied"] = f"wait={wait_s:g}"
    response.headers["Location"] = url_for("api.get_job_status", uuid=job.uuid)
    return submitted.mark(response)


@lru_cache(maxsize=256)
def _job_body(job: JobView, outlook: Outlook | None, script_root: str) -> bytes:  # noqa: ARG001 - part of the key, since the links in the body begin with it
    """The job as JSON. A thousand clients may be woken by one change: they get the same bytes."""
    return job_body(job, outlook).json_bytes()


def job_response(job: JobView, outlook: Outlook | None = None) -> Response:
    """200 with the job, and when to ask again where it has not ended."""
    body = _job_body(job, outlook, request.script_root)
    return _with_retry_after(Response(body, mimetype="application/json"), job)


def _with_retry_after(response: Response, job: JobView) -> Response:
    if not job.status.is_final:
        response.headers["Retry-After"] = str(services().limits.retry_after_s)
    return response


def _is_known(job: JobView) -> bool:
    """Whether `If-None-Match` names the job as it is. Weakly: the body says more than its last change, such as its place in the queue."""
    return request.if_none_match.contains_weak(str(job.change))


def accepted(job: JobView) -> Response:
    """202 with the job, its address, and when to ask again."""
    response = Response(_job_body(job, None, request.script_root), mimetype="application/json")
    response.status_code = HTTPStatus.ACCEPTED
    response.headers["Location"] = url_for("api.get_job_status", uuid=job.uuid)
    response.headers["Retry-After"] = str(services().limits.retry_after_s)
    return response


def number(name: str, default: int, least: int) -> int:
    """A whole number of the query, such as `?limit=`; OptionInvalid where it is none, or too small."""
    given = request.args.get(name, str(default))
    number = int(given) if given.isdecimal() and len(given) <= _MOST_DIGITS else least - 1
    if number < least:
        raise OptionInvalid(f"'{name}' has to be a whole number from {least} on; it is '{given}'.")
    return number
