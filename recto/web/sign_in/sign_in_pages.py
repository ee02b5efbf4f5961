"""One's sign-ins in other browsers: what they are called, and ending them."""

from typing import Final

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from recto import accounts
from recto.audit import Action
from recto.web.login import signed_in
from recto.web.sign_in.audited import noted_by_user, write_noted
from recto.web.sign_in.authorisation import Access, access

blueprint = Blueprint("sign_in_pages", __name__)
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
"""The first that is named counts: others name Chrome and Safari as well."""
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


@blueprint.app_template_filter("browser")
def browser_words(user_agent: str) -> str:
    """A browser as people call it, such as "Firefox on Windows"; of one that is not known, the beginning of what it says of itself."""
    browser = next(
        (name for mark, name in _BROWSERS if mark in user_agent),
        user_agent.partition("/")[0] or gettext("Unknown browser"),
    )
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    return gettext("%(browser)s on %(system)s", browser=browser, system=system) if system else browser


@blueprint.post("/account/sessions/<session_id>/end")
@access(Access.PERSON)
def end(session_id: str) -> Response:
    """End one of one's sign-ins; that of this browser, too."""
    write_noted(noted_by_user(Action.SESSION_ENDED), accounts.end_session, signed_in().account.id, session_id)
    flash(gettext("That browser is signed out."), "success")
    return redirect(url_for("pages.account"))
