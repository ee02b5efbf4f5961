"""What is done with several documents of the list at once: one zip of them, or their deletion, which asks first."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Final

from flask import Blueprint, Response, flash, redirect, render_template, request, stream_with_context, url_for
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from models import JobStatus
from recto.errors import RectoError
from recto.logs import get_logger
from recto.ocr.options import ResultFormat
from recto.records.derivations import ResultFile
from recto.views.jobs import JobView, own_jobs
from recto.web.api import MOST_JOBS, remove_job
from recto.web.downloads.negotiation import parse_format
from recto.web.downloads.results_zip import NotThere, zip_of_results
from recto.web.login import signed_in
from recto.web.services import services
from recto.web.serving.database import read
from recto.web.sign_in.authorisation import Access, access

blueprint = Blueprint("selections", __name__, url_prefix="/selection")
_log = get_logger(__name__)
_NAME: Final = "recto"
_MISSING: Final = "missing.txt"
_WAIT_S: Final = 120.0
"""For a format that is yet to be made; the other documents come all the same."""
_NOT_IN_TIME: Final = "It was not made in time. Download it from its own page."


@blueprint.post("/download")
@access(Access.READ)
def download() -> BaseResponse:
    """One zip with the results of the documents that are ticked, in one format. It only reads: a form's POST because the list may be long."""
    result_format = parse_format(request.form.get("format", "txt"))
    jobs = [job for job in _selected() if job.status is JobStatus.FINISHED]
    if not jobs:
        return _back(gettext("Tick documents that are finished, then download them."))
    content = zip_of_results(services().storage, result_format, _made(jobs, result_format), _MISSING, _missing)
    headers = {"Content-Disposition": f'attachment; filename="{_NAME}-{result_format.removesuffix(".zip")}.zip"'}
    return Response(stream_with_context(content), mimetype="application/zip", headers=headers)


def _made(jobs: Sequence[JobView], result_format: ResultFormat) -> Iterator[JobView | NotThere]:
    """The jobs one by one, each when its result is made."""
    for job in jobs:
        try:
            made = services().deriver.make(job, ResultFile(result_format), _WAIT_S)
        except RectoError as error:
            _log.warning("not_in_selection", job=job.uuid, code=error.code)
            yield NotThere(job, error.code, error.detail)
        else:
            yield made or NotThere(job, RectoError.code, _NOT_IN_TIME)


def _missing(not_there: Sequence[NotThere]) -> str:
    return "".join(f"{one.job.file_name}: {one.detail}\n" for one in not_there)


@blueprint.post("/delete")
@access(Access.WRITE)
def delete() -> BaseResponse | str:
    """Ask whether the documents that are ticked are to be deleted; with the answer, delete them."""
    jobs = _selected()
    if not jobs:
        return _back(gettext("Tick the documents that are to be deleted."))
    if "confirmed" not in request.form:
        return render_template("delete_selection.html", jobs=jobs)
    for job in jobs:
        remove_job(job.user_id, job.uuid)
    flash(ngettext("The document is deleted.", "%(num)s documents are deleted.", len(jobs)), "success")
    return redirect(url_for("pages.jobs"), HTTPStatus.FOUND)


def _selected() -> list[JobView]:
    """Those that are the user's; others, and what is gone by now, are as if they had not been ticked."""
    return read(_own, signed_in().account.id, request.form.getlist("uuid")[:MOST_JOBS])


def _own(session: Session, user_id: int, uuids: list[str]) -> list[JobView]:
    return own_jobs(session, user_id, list(dict.fromkeys(uuids)))


def _back(what: str) -> BaseResponse:
    flash(what, "error")
    return redirect(url_for("pages.jobs"), HTTPStatus.FOUND)
