"""Changing the tags of a document on its page; recto/web/jobs/job_details_api.py does it for programs."""

from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from recto.errors import OptionInvalid
from recto.records.job_details import change_details, parse_tags
from recto.views.jobs import get_job
from recto.web.languages.errors_said import said
from recto.web.login import signed_in
from recto.web.serving.database import read, write
from recto.web.sign_in.authorisation import Access, access

blueprint = Blueprint("tag_pages", __name__)


@blueprint.post("/jobs/<uuid:uuid>/tags")
@access(Access.WRITE)
def change_tags(uuid: UUID) -> Response:
    """Give the document the tags of the form, one a line, instead of those that it has."""
    job = read(get_job, signed_in().account.id, str(uuid))
    try:
        write(change_details, job.user_id, job.uuid, tags=parse_tags(request.form.get("tags", "").splitlines()))
    except OptionInvalid as error:
        flash(said(error), "error")
    return redirect(url_for("pages.job", uuid=job.uuid))
