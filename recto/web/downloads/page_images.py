"""The picture of a page: as it was uploaded, or as the engine saw it. Made when it is first asked for, and kept."""

import time
from http import HTTPStatus
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, request, send_file

from recto.errors import JobFailed, JobNotFound, OptionInvalid, PageNotFound, ResultNotMade
from recto.ocr.options import STAGES, Stage
from recto.records.corrections import history
from recto.records.derivations import PagePicture
from recto.views.jobs import JobView, checkpoints
from recto.web.api import JOB_ACCEPTED, accepted
from recto.web.downloads.confinement import confined
from recto.web.login import signed_in
from recto.web.openapi.described import WAIT, Parameter, Reply, described
from recto.web.services import services
from recto.web.serving.database import in_thread, read
from recto.web.sign_in.authorisation import Access, access
from recto.web.waiting.holding import asked_wait_s, wait_for_success

blueprint = Blueprint("page_images", __name__, url_prefix="/api/v1")
_STAGE: Final = Parameter("stage", "Which picture", {"type": "string", "enum": list(STAGES), "default": "original"})


@blueprint.get("/jobs/<uuid:uuid>/pages/<int:number>/image")
@access(Access.READ)
@described(
    Reply(200, "The picture", media_types=("image/png",), headers=("ETag",)),
    Reply(304, "The picture that `If-None-Match` names", headers=("ETag",)),
    JOB_ACCEPTED,
    problems=(JobNotFound, PageNotFound, JobFailed, OptionInvalid, ResultNotMade),
    parameters=(_STAGE, WAIT),
    tag="Pages",
)
def get_page_image(uuid: UUID, number: int) -> Response:
    """200 with a PNG; 202 while the job runs or the picture is being made; 409 where the job failed; 404 for a page not read."""
    user_id = signed_in().account.id
    stage, wait_s = parse_stage(request.args.get("stage", "original")), asked_wait_s()
    until = time.monotonic() + wait_s
    job = wait_for_success(user_id, str(uuid), wait_s)
    if not job.status.is_final:
        return accepted(job)
    require_page(job, number)
    picture = picture_of(job, number, stage)
    if not services().deriver.make(job, picture, until - time.monotonic()):
        return accepted(job)
    return _answer(job, picture)


def picture_of(job: JobView, number: int, stage: Stage) -> PagePicture:
    """That of the reading that counts: the original is the same for all."""
    reading = read(history, job.uuid, number).standing.reading if stage != "original" else None
    return PagePicture(number, stage, reading.token if reading else None)


def parse_stage(given: str) -> Stage:
    """OptionInvalid, naming those there are, where it is none."""
    for stage in STAGES:
        if given == stage:
            return stage
    raise OptionInvalid(f"There is no stage '{given}'. Ask for one of: {', '.join(STAGES)}.")


def require_page(job: JobView, number: int) -> None:
    """PageNotFound where the job has not read the page."""
    if number not in dict(read(checkpoints, job.uuid)):
        raise PageNotFound(
            f"The job has no page {number} that was read. The warnings of its result name pages that could not be read."
        )


def _answer(job: JobView, picture: PagePicture) -> Response:
    """The file, or 304 for who has it: it stays what it is as long as the job is there and the page is not read again."""
    response, tag = Response(status=HTTPStatus.NOT_MODIFIED), f"{picture.name}{picture.reading_token or ''}"
    if not request.if_none_match.contains(tag):
        response = _file(job.uuid, picture.file_name(job.result_token or "", job.revision), picture.name)
    response.set_etag(tag)
    return confined(response)


def _file(uuid: str, name: str, shown_name: str) -> Response:
    size_bytes = in_thread(lambda: services().storage.size_bytes(uuid, name))
    file = in_thread(lambda: services().storage.open(uuid, name))
    response = send_file(file, "image/png", download_name=shown_name, conditional=False)
    response.content_length = size_bytes
    return response
