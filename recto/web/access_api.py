"""The API about access itself: the token that is used, and the audit log for administrators."""

from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, Response, jsonify
from sqlalchemy.orm import Session

from recto import accounts, audit
from recto.accounts import TokenView
from recto.audit import Action, Event, NotedEvent
from recto.errors import TokenNotFound
from recto.web.api import number
from recto.web.audited import client_address
from recto.web.authorisation import Access, access
from recto.web.database import read, write
from recto.web.job_json import time_json
from recto.web.login import SignedInUser, signed_in

blueprint = Blueprint("access", __name__, url_prefix="/api/v1")
_LIMIT: Final = 100
_LIMIT_MOST: Final = 1000


@blueprint.get("/token")
@access(Access.USER)
def get_token() -> Response:
    """The token that the request carries: what it may do, and until when."""
    return jsonify(_token_json(_own_token(signed_in())))


@blueprint.delete("/token")
@access(Access.USER)
def delete_token() -> tuple[str, int]:
    """End the token that the request carries."""
    user = signed_in()
    write(revoke_token_noted, user, _own_token(user).id, client_address())
    return "", HTTPStatus.NO_CONTENT


@blueprint.get("/audit")
@access(Access.ADMIN)
def get_audit() -> Response:
    """The latest events of the audit log, newest first."""
    events = read(audit.list_events, min(number("limit", _LIMIT, least=1), _LIMIT_MOST))
    return jsonify(events=[_event_json(noted) for noted in events])


def revoke_token_noted(session: Session, user: SignedInUser, token_id: int, address: str) -> None:
    """End a token of the user and note it, both or neither."""
    view = accounts.revoke_token(session, user.account.id, token_id)
    audit.note(session, Event(Action.TOKEN_REVOKED, user.name, f"{view.prefix}…", address))


def _own_token(user: SignedInUser) -> TokenView:
    if user.token is None:
        raise TokenNotFound("You are signed in by a cookie, not by a token. The account page lists your tokens.")
    return read(accounts.find_token, user.token)


def _token_json(view: TokenView) -> dict[str, Any]:
    return {
        "name": view.name,
        "prefix": view.prefix,
        "scopes": view.scopes,
        "created": time_json(view.created),
        "expires": time_json(view.expires) if view.expires else None,
        "last_used": time_json(view.last_used) if view.last_used else None,
    }


def _event_json(noted: NotedEvent) -> dict[str, str]:
    event = noted.event
    return {
        "timestamp": time_json(noted.timestamp),
        "action": event.action,
        "user": event.user,
        "about": event.about,
        "address": event.address,
    }
