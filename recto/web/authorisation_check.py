"""Every request against what its view states (authorisation.py). docs/authorisation.md shows what comes out, address by address."""

from flask import Flask, current_app, request

from recto.errors import NotAllowed
from recto.web.authorisation import Access, access, stated_access
from recto.web.login import signed_in


def install_authorisation_check(app: Flask) -> None:
    """Check every request. Called when all views are there; RuntimeError, which stops the start, where one states nothing."""
    access(Access.ANYBODY)(app.view_functions["static"])
    for endpoint, view in app.view_functions.items():
        if stated_access(view) is None:
            raise RuntimeError(f"The view '{endpoint}' does not state who may call it. Put @access(Access.…) above it.")
    app.before_request(_check_authorisation)


def _check_authorisation() -> None:
    """NotSignedIn or NotAllowed, before any of the body is read. OPTIONS only lists the methods, to everybody."""
    if request.endpoint is None or request.method == "OPTIONS":
        return
    needed = stated_access(current_app.view_functions[request.endpoint])
    if needed is Access.ANYBODY or needed is Access.LINK:
        return
    user = signed_in()
    if needed is Access.PERSON and user.secret is None:
        raise NotAllowed("This is for people, not for a program's token. Sign in on the page.")
