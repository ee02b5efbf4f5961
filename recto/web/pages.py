"""The pages for people: the list with the upload, one job, the account."""

from contextlib import closing
from http import HTTPStatus
from typing import Any, Final, get_args
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from models import JobStatus
from recto import accounts, audit
from recto.accounts import Scope
from recto.audit import Action, Event
from recto.errors import OptionInvalid, PasswordRejected, RectoError, ResultNotMade
from recto.file_storage.base import result_name
from recto.ocr.media_types import ACCEPTED, FILE_NAME_ENDINGS, kind
from recto.ocr.options import AS_MEASURED, AUTO_LANGUAGE, NO_STEP, RESULT_FORMATS, STAGES, Mode
from recto.records.corrections import pages_standing
from recto.records.derivations import ResultFile
from recto.records.kept_documents import kept_by
from recto.views.jobs import JobView, find_job, get_job, latest_change, page_failures
from recto.web.api import remove_job, stop_job
from recto.web.downloads.negotiation import parse_format
from recto.web.downloads.page_images import parse_stage, picture_of, require_page
from recto.web.downloads.results import to_own_file
from recto.web.jobs import list_options
from recto.web.jobs.reading_again import read_of
from recto.web.jobs.search_pages import hits_in
from recto.web.languages.errors_said import said
from recto.web.languages.language_names import language_name
from recto.web.login import SignedInUser, account_of_password, signed_in
from recto.web.services import services
from recto.web.serving.database import in_thread, read, write
from recto.web.sign_in.access_api import revoke_token_noted
from recto.web.sign_in.audited import client_address, noted_by_user, write_noted
from recto.web.sign_in.authorisation import Access, access
from recto.web.uploading.asked_options import changed_options, given_options, may_be_answered_from_earlier
from recto.web.uploading.submissions import retry
from recto.web.uploading.uploads import received, submit
from recto.workers import installed_languages, list_workers

blueprint = Blueprint("pages", __name__)
blueprint.add_app_template_filter(kind)
_LIST_LIMIT: Final = 50
_SHOWN_TEXT_BYTES: Final = 2_000_000
_MAKING_WAIT_S: Final = 20.0
_MOST_DIGITS: Final = 9


@blueprint.get("/")
@access(Access.READ)
def jobs() -> str:
    """The upload and the list of one's jobs."""
    user_id, shown = signed_in().account.id, list_options.given_options()
    change = read(latest_change)
    listed = read(shown.list, user_id, _LIST_LIMIT + 1)
    workers = read(list_workers)
    return render_template(
        "jobs.html",
        jobs=listed[:_LIST_LIMIT],
        shown=shown,
        next_place=shown.place_after(listed[_LIST_LIMIT - 1]) if len(listed) > _LIST_LIMIT else None,
        day_choices=list_options.DAYS,
        formats=RESULT_FORMATS,
        change=change,
        languages=_language_choices(installed_languages(workers)),
        default_languages=services().default_languages,
        max_upload_bytes=services().limits.max_upload_bytes,
        accept=",".join([*ACCEPTED, *FILE_NAME_ENDINGS]),
        modes=get_args(Mode),
        preprocess_choices=(AS_MEASURED, NO_STEP),
        worker_seen=any(worker.is_alive for worker in workers),
    )


@blueprint.post("/upload")
@access(Access.WRITE)
def upload() -> Response:
    """The upload form without JavaScript: every document is tried, and what is wrong with one is said of that one."""
    user = signed_in()
    uploads, options, may_be_answered = received(), given_options(), may_be_answered_from_earlier()
    for one in uploads:
        try:
            job = submit(one, options, user.account.id, may_be_answered=may_be_answered)
        except RectoError as error:
            flash(f"{one.file_name}: {said(error)}", "error")
        else:
            flash(_accepted_words(job), "success")
    return redirect(url_for("pages.jobs"))


@blueprint.get("/jobs/<uuid:uuid>")
@access(Access.READ)
def job(uuid: UUID) -> str:
    """One job: how far it is, its text, what was wrong."""
    found = read(get_job, signed_in().account.id, str(uuid))
    text, is_cut = _text_of(found) if found.status is JobStatus.FINISHED else (None, False)
    workers = read(list_workers)
    return render_template(
        "job.html",
        job=found,
        text=text,
        text_cut=is_cut,
        pages=read(pages_standing, found.uuid),
        stages=STAGES,
        answered_from=read(find_job, found.deduplicated_from) if found.deduplicated_from else None,
        warnings=[*found.warnings, *read(page_failures, found.uuid)],
        formats=RESULT_FORMATS,
        hits=hits_in(found.user_id, found.uuid),
        page_of=read_of(found),
        worker_seen=any(worker.is_alive for worker in workers),
        languages=_language_choices(installed_languages(workers)),
        modes=get_args(Mode),
        preprocess_choices=(AS_MEASURED, NO_STEP),
    )


@blueprint.get("/jobs/<uuid:uuid>/result/<result_format>")
@access(Access.READ)
def result(uuid: UUID, result_format: str) -> Response | tuple[str, int, dict[str, str]]:
    """The result as a file. A format that takes long to make shows a page that asks again by itself."""
    job, asked = read(get_job, signed_in().account.id, str(uuid)), parse_format(result_format)
    if job.status is not JobStatus.FINISHED:
        return redirect(url_for("pages.job", uuid=job.uuid))
    made = services().deriver.make(job, ResultFile(asked), _MAKING_WAIT_S)
    if made:
        return to_own_file(made, asked)
    return _being_made(job, gettext(RESULT_FORMATS[asked].title), "download")


@blueprint.get("/jobs/<uuid:uuid>/pages/<int:number>/<stage>")
@access(Access.READ)
def page_image(uuid: UUID, number: int, stage: str) -> Response | tuple[str, int, dict[str, str]]:
    """The picture of a page. One that takes long to make shows a page that asks again by itself."""
    job = read(get_job, signed_in().account.id, str(uuid))
    picture = picture_of(job, number, parse_stage(stage))
    if job.status is not JobStatus.FINISHED:
        return redirect(url_for("pages.job", uuid=job.uuid))
    require_page(job, number)
    if services().deriver.make(job, picture, _MAKING_WAIT_S):
        return redirect(url_for("page_images.get_page_image", uuid=uuid, number=number, stage=stage))
    return _being_made(job, gettext("The picture of page %(number)s", number=number), "picture")


@blueprint.post("/jobs/<uuid:uuid>/cancel")
@access(Access.WRITE)
def cancel(uuid: UUID) -> Response:
    """Stop reading a job."""
    stop_job(signed_in().account.id, str(uuid))
    return redirect(url_for("pages.job", uuid=uuid))


@blueprint.post("/jobs/<uuid:uuid>/read-again")
@access(Access.WRITE)
def read_anew(uuid: UUID) -> Response:
    """Have the document of a job read again, as a job of its own, with the options that the form gives in the place of the earlier ones."""
    earlier = read(get_job, signed_in().account.id, str(uuid))
    is_all = request.form.get("pages") == ""  # an empty option is as one that is left out, but this field was emptied
    job = retry(
        earlier, changed_options(earlier.options.model_copy(update={"pages": None}) if is_all else earlier.options)
    )
    flash(gettext("%(name)s is in the queue again.", name=job.file_name), "success")
    return redirect(url_for("pages.job", uuid=job.uuid))


@blueprint.post("/jobs/<uuid:uuid>/delete")
@access(Access.WRITE)
def delete(uuid: UUID) -> Response:
    """Stop and remove a job."""
    remove_job(signed_in().account.id, str(uuid))
    flash(gettext("The document and its text are deleted."), "success")
    return redirect(url_for("pages.jobs"))


@blueprint.get("/account")
@access(Access.PERSON)
def account() -> str:
    """API tokens, password, sign-ins, and how much is kept."""
    return _account_page(signed_in(), {})


@blueprint.post("/account/tokens")
@access(Access.PERSON)
def create_token() -> tuple[str, int]:
    """Make a token and show it in the answer itself: it is kept nowhere, not even in a cookie."""
    user = signed_in()
    name = request.form.get("name", "").strip() or "unnamed"
    scopes = accounts.parse_scopes(request.form.get("scopes") or " ".join(accounts.DEFAULT_SCOPES))
    token = write(_new_token, user, name, scopes, _lifetime_days(request.form.get("days", "")), client_address())
    return _account_page(user, {}, new_token=token), HTTPStatus.CREATED


@blueprint.post("/account/tokens/<int(max=9223372036854775807):token_id>/revoke")
@access(Access.PERSON)
def revoke_token(token_id: int) -> Response:
    """End a token."""
    write(revoke_token_noted, signed_in(), token_id, client_address())
    flash(gettext("The token is revoked."), "success")
    return redirect(url_for("pages.account"))


@blueprint.post("/account/password")
@access(Access.PERSON)
def change_password() -> Response | tuple[str, int]:
    """Change one's password; the other sign-ins end."""
    user = signed_in()
    errors = _password_errors(user)
    if errors:
        return _account_page(user, errors), HTTPStatus.UNPROCESSABLE_ENTITY
    password_hash = in_thread(lambda: accounts.hash_password(request.form["new"]))
    changed = noted_by_user(Action.PASSWORD_CHANGED)
    write_noted(changed, accounts.set_password, user.account.id, password_hash, keep_secret=user.secret)
    flash(gettext("The password is changed. Other browsers are signed out."), "success")
    return redirect(url_for("pages.account"))


def _new_token(
    session: Session, user: SignedInUser, name: str, scopes: tuple[Scope, ...], days: int | None, address: str
) -> str:
    token = accounts.create_token(session, user.account.id, name, scopes, days)
    about = f"{accounts.shown_start(token)}… {' '.join(scopes)}"
    audit.note(session, Event(Action.TOKEN_CREATED, user.name, about, address))
    return token


def _lifetime_days(given: str) -> int | None:
    """None, for no end, where nothing is given; OptionInvalid where it is no number."""
    if not given:
        return None
    if not given.isdecimal() or len(given) > _MOST_DIGITS:
        raise OptionInvalid(f"'{given}' is no number of days. Choose how long the token works, or leave it empty.")
    return int(given)


def _scope_choices(user: SignedInUser) -> dict[str, str]:
    """Values of the form and what they mean."""
    choices = {
        " ".join(accounts.DEFAULT_SCOPES): gettext("Send and read"),
        Scope.JOBS_READ.value: gettext("Only read"),
        Scope.JOBS_WRITE.value: gettext("Only send and delete"),
    }
    return choices | ({Scope.ADMIN.value: gettext("Administer this Recto")} if user.is_admin else {})


def _day_choices() -> dict[str, str]:
    """Values of the form, in days, and when the token ends."""
    return {
        "365": gettext("After a year"),
        "30": gettext("After 30 days"),
        "1": gettext("After a day"),
        "": gettext("When it is revoked"),
    }


def _accepted_words(job: JobView) -> str:
    if job.deduplicated_from:
        return str(gettext("%(name)s was read before, so its text is here already.", name=job.file_name))
    return str(gettext("%(name)s is in the queue.", name=job.file_name))


def _being_made(job: JobView, title: str, what: str) -> tuple[str, int, dict[str, str]]:
    page = render_template("making.html", job=job, title=title, what=what)
    return page, HTTPStatus.ACCEPTED, {"Refresh": str(services().limits.retry_after_s)}


def _language_choices(installed: tuple[str, ...]) -> list[tuple[str, str]]:
    """Codes and names for the form, none before any Worker was seen: then a code is typed."""
    choices = [(code, gettext(language_name(code))) for code in installed]
    return [(AUTO_LANGUAGE, gettext("Find out")), *choices] if choices else []


def _password_errors(user: SignedInUser) -> dict[str, str]:
    form = request.form
    if account_of_password(user.name, form.get("current", ""), Action.PASSWORD_REFUSED) is None:
        return {"current": gettext("This is not your current password.")}
    if form.get("new", "") != form.get("repeat", ""):
        return {"repeat": gettext("The two new passwords differ. Type the new one twice.")}
    try:
        accounts.check_new_password(form.get("new", ""))
    except PasswordRejected as error:
        return {"new": said(error)}
    return {}


def _account_page(user: SignedInUser, errors: dict[str, str], new_token: str | None = None) -> str:
    values: dict[str, Any] = {
        "tokens": read(accounts.list_tokens, user.account.id),
        "sessions": read(
            accounts.list_sessions, user.account.id, services().limits.session_lifetime_s, user.secret or ""
        ),
        "kept": read(kept_by, user.account.id, services().jobs.policy.max_stored_bytes_per_user),
        "scope_choices": _scope_choices(user),
        "day_choices": _day_choices(),
        "new_token": new_token,
        "base_url": request.url_root.rstrip("/"),
        "errors": errors,
    }
    return render_template("account.html", **values)


def _text_of(found: JobView) -> tuple[str | None, bool]:
    """The text of a finished job, and whether it was cut to what a page can show; None where it cannot be made, or not soon enough."""
    made: JobView | None = found
    try:
        if found.revision:  # as it was read it is there; with corrections it is made when it is first wanted
            made = services().deriver.make(found, ResultFile("txt"), _MAKING_WAIT_S)
    except ResultNotMade:
        return None, False  # whoever downloads it is told why
    return in_thread(lambda: _shown_text(made)) if made else (None, False)


def _shown_text(made: JobView) -> tuple[str, bool]:
    name = result_name(made.result_token or "", "txt", made.revision)
    with closing(services().storage.open(made.uuid, name)) as file:
        content = file.read(_SHOWN_TEXT_BYTES + 1)
    return content[:_SHOWN_TEXT_BYTES].decode("utf-8", "ignore"), len(content) > _SHOWN_TEXT_BYTES
