"""Reading a page again, for people: with other options, by a job of its own; and having that reading count in the document's job."""

from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from recto.errors import OptionInvalid, RectoError
from recto.records.corrections import SeenPage
from recto.views.jobs import JobView, find_job, get_job
from recto.views.pages import find_ended_page
from recto.web.api import remove_job
from recto.web.jobs.job_pages import require_read
from recto.web.jobs.page_readings import is_page_of, read_again, take
from recto.web.languages.errors_said import said
from recto.web.login import signed_in
from recto.web.serving.database import read
from recto.web.sign_in.authorisation import Access, access
from recto.web.uploading.asked_options import changed_options

blueprint = Blueprint("reading_again", __name__)
_PAGE = "page"
_MOST_DIGITS = 9


@blueprint.post("/jobs/<uuid:uuid>/read-page")
@access(Access.WRITE)
def read_page(uuid: UUID) -> Response:
    """Have the page of the form read again, with the form's options. Leads to the job that reads it."""
    job = read(get_job, signed_in().account.id, str(uuid))
    try:
        number = _number()
        require_read(read(find_ended_page, job.uuid, number), number)
        options = changed_options(job.options, (_PAGE,))
    except RectoError as error:
        flash(said(error), "error")
        return redirect(url_for("pages.job", uuid=job.uuid))
    return redirect(url_for("pages.job", uuid=read_again(job, number, options).uuid))


@blueprint.post("/jobs/<uuid:uuid>/use-page")
@access(Access.WRITE)
def use_page(uuid: UUID) -> Response:
    """Have the page that this job has read count in the job whose document it is. This one is not needed any more, and goes."""
    user = signed_in()
    job = read(get_job, user.account.id, str(uuid))
    target = read_of(job)
    if target is None:
        flash(gettext("The document whose page this is has been deleted. This reading of it stays here."), "error")
        return redirect(url_for("pages.job", uuid=job.uuid))
    number = int(job.options.pages or 0)
    page = require_read(read(find_ended_page, target.uuid, number), number)
    take(user, target, SeenPage(target.uuid, number, page.revision), job.uuid)
    remove_job(user.account.id, job.uuid)
    flash(gettext("Page %(number)s is now as it was just read.", number=number), "success")
    return redirect(url_for("pages.job", uuid=target.uuid, taken=number, _anchor=f"page-{number}"))


def read_of(job: JobView) -> JobView | None:
    """The job whose page this one reads again, as long as both are there; None for every other job."""
    target = read(find_job, job.retry_of) if job.retry_of else None
    return target if target and target.user_id == job.user_id and is_page_of(job, target) else None


def _number() -> int:
    given = request.form.get(_PAGE, "")
    if not given.isdecimal() or len(given) > _MOST_DIGITS:
        raise OptionInvalid("Say which page is to be read again, by its number.")
    return int(given)
