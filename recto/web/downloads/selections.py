"""What is done with several documents of the list at once: one zip of them, or their deletion, which asks first."""

from http import HTTPStatus
from typing import Final

from flask import Blueprint, Response, flash, redirect, render_template, request, stream_with_context, url_for
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from models import JobStatus
from recto.views.jobs import JobView, own_jobs
from recto.web.api import MOST_JOBS, remove_job
from recto.web.downloads.bulk_zip import zip_of_results
from recto.web.downloads.negotiation import parse_format
from recto.web.login import signed_in
from recto.web.serving.database import read
from recto.web.sign_in.authorisation import Access, access

blueprint = Blueprint("selections", __name__, url_prefix="/selection")
_NAME: Final = "recto"


@blueprint.post("/download")
@access(Access.READ)
def download() -> BaseResponse:
    """One zip with the results of the documents that are ticked, in one format. It only reads: a form's POST because the list may be long."""
    result_format = parse_format(request.form.get("format", "txt"))
    jobs = [job for job in _selected() if job.status is JobStatus.FINISHED]
    if not jobs:
        return _back(gettext("Tick documents that are finished, then download them."))
    content = stream_with_context(zip_of_results(jobs, result_format))
    headers = {"Content-Disposition": f'attachment; filename="{_NAME}-{result_format.removesuffix(".zip")}.zip"'}
    return Response(content, mimetype="application/zip", headers=headers)


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
