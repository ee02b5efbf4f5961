"""The pages for administrators: what is going on, users, the audit log. They show nobody's documents."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from recto import audit
from recto.errors import OptionInvalid, RectoError
from recto.records import tallies
from recto.users import administration
from recto.users.administration import new_password
from recto.views import overview
from recto.web.admin import plots
from recto.web.admin.user_changes import add_user, change_user_noted, reset_password
from recto.web.api import number
from recto.web.languages.errors_said import said
from recto.web.services import services
from recto.web.serving.database import read
from recto.web.sign_in.authorisation import Access, access

blueprint = Blueprint("admin_pages", __name__, url_prefix="/admin")
_SPANS: Final = {1: 1, 7: 6, 30: 24}
"""Days that can be looked back on, and the hours in a bar of each."""
_HOURS_IN_DAY: Final = 24
_USERS: Final = 50
_EVENTS: Final = 50
_MEGABYTE: Final = 1_000_000
_MOST_DIGITS: Final = 9


@blueprint.get("")
@access(Access.ADMIN)
def home() -> str:
    """The queue, the Workers, and how the last days went."""
    days = number("days", 1, least=1)
    days = days if days in _SPANS else 1
    hours = days * _HOURS_IN_DAY
    found = plots.spans(read(tallies.list_tallies, hours), datetime.now(UTC), hours, _SPANS[days])
    return render_template(
        "admin.html",
        queue=read(overview.queue_state),
        states=read(overview.worker_states),
        days=days,
        day_choices=tuple(_SPANS),
        spans=found,
        pages_plot=plots.plot(found, lambda span: span.pages),
        jobs_plot=plots.plot(found, lambda span: span.finished + span.answered),
        failures_plot=plots.plot(found, lambda span: span.failed),
        failures=plots.failures(found),
    )


@blueprint.get("/users")
@access(Access.ADMIN)
def users() -> str:
    """Who may sign in, what each keeps and may."""
    return _users_page()


@blueprint.post("/users")
@access(Access.ADMIN_PERSON)
def create_user() -> tuple[str, int]:
    """Add a user and show their first password in the answer itself: it is kept nowhere."""
    password = new_password()
    try:
        user = add_user(request.form.get("name", "").strip(), password, is_admin="is_admin" in request.form)
    except RectoError as error:
        return _users_page(errors={"name": said(error)}), error.status
    return _users_page(shown_password=(user.name, password)), HTTPStatus.CREATED


@blueprint.post("/users/<int(max=9223372036854775807):user_id>/password")
@access(Access.ADMIN_PERSON)
def new_password_for(user_id: int) -> tuple[str, int]:
    """Give a user a new password and show it in the answer itself."""
    user, password = reset_password(user_id)
    return _users_page(shown_password=(user.name, password)), HTTPStatus.CREATED


@blueprint.post("/users/<int(max=9223372036854775807):user_id>/disabled")
@access(Access.ADMIN_PERSON)
def disable(user_id: int) -> Response:
    """Shut a user out."""
    user = change_user_noted(user_id, {"is_disabled": True})
    flash(gettext("%(name)s is disabled, and signed out everywhere.", name=user.name), "success")
    return redirect(url_for("admin_pages.users"))


@blueprint.post("/users/<int(max=9223372036854775807):user_id>/enabled")
@access(Access.ADMIN_PERSON)
def enable(user_id: int) -> Response:
    """Let a user in again."""
    user = change_user_noted(user_id, {"is_disabled": False})
    flash(gettext("%(name)s can sign in again.", name=user.name), "success")
    return redirect(url_for("admin_pages.users"))


@blueprint.post("/users/<int(max=9223372036854775807):user_id>/limits")
@access(Access.ADMIN_PERSON)
def limit(user_id: int) -> Response:
    """Give a user limits of their own, or take them away."""
    megabytes = _given_number("max_stored_megabytes")
    limits = {
        "max_stored_bytes": None if megabytes is None else megabytes * _MEGABYTE,
        "max_unfinished": _given_number("max_unfinished"),
    }
    user = change_user_noted(user_id, limits)
    flash(gettext("The limits of %(name)s are saved.", name=user.name), "success")
    return redirect(url_for("admin_pages.users"))


@blueprint.get("/audit")
@access(Access.ADMIN)
def audit_log() -> str:
    """Who did what to the doors."""
    before = number("before", 0, least=0) or None
    events = read(audit.list_events, _EVENTS + 1, before)
    following = events[_EVENTS - 1].id if len(events) > _EVENTS else None
    return render_template("admin_audit.html", events=events[:_EVENTS], before=before, next_before=following)


def _users_page(errors: dict[str, str] | None = None, shown_password: tuple[str, str] | None = None) -> str:
    after = request.args.get("after", "")
    found = read(administration.list_details, _USERS + 1, after)
    policy = services().jobs.policy
    values: dict[str, Any] = {
        "users": found[:_USERS],
        "after": after,
        "next_after": found[_USERS - 1].name if len(found) > _USERS else None,
        "max_stored_bytes": policy.max_stored_bytes_per_user,
        "max_unfinished": policy.max_unfinished_per_user,
        "errors": errors or {},
        "shown_password": shown_password,
    }
    return render_template("admin_users.html", **values)


def _given_number(name: str) -> int | None:
    """None, for the limit that everybody has, where the field is empty; OptionInvalid where it is no number."""
    given = request.form.get(name, "").strip()
    if not given:
        return None
    if not (given.isascii() and given.isdecimal() and len(given) <= _MOST_DIGITS):
        raise OptionInvalid(f"'{given}' is no limit. Type a whole number, or leave the field empty.")
    return int(given)
