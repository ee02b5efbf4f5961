"""The way to the provider of sign-ins and back."""

from typing import TYPE_CHECKING, Final

from flask import Blueprint, request, session, url_for
from werkzeug.wrappers import Response

from recto.errors import SignOnFailed
from recto.web.login import sign_in_from_elsewhere
from recto.web.services import services
from recto.web.sign_in.authorisation import Access, access
from recto.web.sign_in.elsewhere import Elsewhere

if TYPE_CHECKING:
    from recto.web.sign_in.provider import Provider

blueprint = Blueprint("sign_on", __name__)
_NEXT: Final = "sign_on_next"


@blueprint.get("/sign-in/provider")
@access(Access.ANYBODY)
def begin() -> Response:
    """Lead the browser to the provider."""
    answer = _provider().lead_there(url_for("sign_on.finish", _external=True))
    session[_NEXT] = request.args.get("next", "")
    return answer


@blueprint.get("/sign-in/provider/callback")
@access(Access.ANYBODY)
def finish() -> Response:
    """Where the provider leads it back to: sign in whom it names."""
    identity = _provider().returned_identity()
    return sign_in_from_elsewhere(identity, session.get(_NEXT, ""), Elsewhere.PROVIDER)


def _provider() -> "Provider":
    provider = services().sign_on.provider
    if provider is None:
        raise SignOnFailed("This Recto has no provider of sign-ins. Sign in with name and password.")
    return provider
