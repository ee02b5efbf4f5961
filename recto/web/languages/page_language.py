"""Choosing the language of the pages: a cookie remembers it in this browser, also for who is not signed in."""

from datetime import timedelta
from typing import Final

from flask import Blueprint, current_app, redirect, request
from werkzeug.wrappers import Response

from recto.web.languages.translations import COOKIE, languages
from recto.web.login import local_address
from recto.web.sign_in.authorisation import Access, access

blueprint = Blueprint("page_language", __name__)
_LIFETIME: Final = timedelta(days=365)


@blueprint.post("/language")
@access(Access.ANYBODY)
def choose() -> Response:
    """Remember the language of the form and go back to the page. One that there is not is forgotten: the browser's own counts again."""
    response = redirect(local_address(request.form.get("next", "")))
    chosen, config = request.form.get("language", ""), current_app.config
    place = {
        "path": config["SESSION_COOKIE_PATH"],
        "secure": config["SESSION_COOKIE_SECURE"],
        "httponly": True,
        "samesite": "Lax",
    }
    if chosen in languages():
        response.set_cookie(COOKIE, chosen, max_age=_LIFETIME, **place)
    else:
        response.delete_cookie(COOKIE, **place)
    return response
