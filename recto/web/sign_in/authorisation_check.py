"""Every request against what its view states (authorisation.py). docs/authorisation.md shows what comes out, address by address."""

from flask import Flask, request

from recto.errors import NotAllowed
from recto.web.login import SignedInUser, signed_in
from recto.web.services import services
from recto.web.sign_in.authorisation import Access, access, stated_access


def install_authorisation_check(app: Flask) -> None:
    """Check every request. Called when all views are there; RuntimeError, which stops the start, where one states nothing."""
    access(Access.ANYBODY)(app.view_functions["static"])
    stated: dict[str, Access] = {}
    for endpoint, view in app.view_functions.items():
        needed = stated_access(view)
        if needed is None:
            raise RuntimeError(f"The view '{endpoint}' does not state who may call it. Put @access(Access.…) above it.")
        stated[endpoint] = needed

    def check() -> None:
        """Before any of the body is read. OPTIONS only lists the methods, to everybody."""
        if request.endpoint is not None and request.method != "OPTIONS":
            check_access(stated[request.endpoint])

    app.before_request(check)


def check_access(needed: Access) -> None:
    """NotSignedIn or NotAllowed where the current request's caller has not what is needed."""
    if needed in (Access.ANYBODY, Access.LINK) or (needed is Access.METRICS and services().scraper.is_caller()):
        return
    _check_user(signed_in(), needed)


def _check_user(user: SignedInUser, needed: Access) -> None:
    if needed in (Access.PERSON, Access.ADMIN_PERSON) and user.secret is None:
        raise NotAllowed("A token is not enough for this. Sign in on the page with name and password.")
    if needed in (Access.ADMIN, Access.ADMIN_PERSON, Access.METRICS) and not user.is_admin:
        raise NotAllowed("Only administrators may do this. Ask one of them.")
    if not needed.is_met_by(user.scopes):
        wanted = (" and " if needed is Access.READ_AND_WRITE else " or ").join(f"'{scope}'" for scope in needed.scopes)
        raise NotAllowed(
            f"This token has not the scope {wanted}. Use one that has; the account page and `ocr_worker.py tokens create` make them.",
            scopes=list(needed.scopes),
        )
