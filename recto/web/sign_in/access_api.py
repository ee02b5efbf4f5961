"""The API about access itself: the token that is used, and the audit log for administrators."""

from http import HTTPStatus
from typing import Final

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from recto import accounts, audit
from recto.accounts import TokenView
from recto.audit import Action, Event, NotedEvent
from recto.errors import OptionInvalid, TokenNotFound
from recto.records.kept_documents import kept_by
from recto.web import answers
from recto.web.api import MOST_NUMBER, number
from recto.web.login import SignedInUser, signed_in
from recto.web.openapi.described import Parameter, Reply, described
from recto.web.services import services
from recto.web.serving.database import read, write
from recto.web.sign_in import answers as sign_in_answers
from recto.web.sign_in.audited import client_address
from recto.web.sign_in.authorisation import Access, access

blueprint = Blueprint("access", __name__, url_prefix="/api/v1")
_LIMIT: Final = 100
_LIMIT_MOST: Final = 1000
_LIMIT_PARAMETER: Final = Parameter(
    "limit",
    "Events in the answer",
    {"type": "integer", "minimum": 1, "maximum": MOST_NUMBER, "default": _LIMIT, "examples": [10]},
)


@blueprint.get("/account")
@access(Access.USER)
@described(Reply(200, "The account", (sign_in_answers.Account,)), tag="Access")
def get_account() -> Response:
    """Whose request it is, and how much of what they may keep their documents take."""
    user = signed_in()
    kept = read(kept_by, user.account.id, services().jobs.policy.max_stored_bytes_per_user)
    storage = sign_in_answers.Storage(documents=kept.documents, bytes=kept.size_bytes, max_bytes=kept.most_bytes)
    return answers.answered(sign_in_answers.Account(name=user.name, is_admin=user.is_admin, storage=storage))


@blueprint.get("/token")
@access(Access.USER)
@described(Reply(200, "The token", (sign_in_answers.Token,)), problems=(TokenNotFound,), tag="Access")
def get_token() -> Response:
    """The token that the request carries: what it may do, and until when."""
    return answers.answered(_token_body(_own_token(signed_in())))


@blueprint.delete("/token")
@access(Access.USER)
@described(Reply(204, "It works no longer"), problems=(TokenNotFound,), tag="Access")
def delete_token() -> tuple[str, int]:
    """End the token that the request carries."""
    user = signed_in()
    write(revoke_token_noted, user, _own_token(user).id, client_address())
    return "", HTTPStatus.NO_CONTENT


@blueprint.get("/audit")
@access(Access.ADMIN)
@described(
    Reply(200, "Events", (sign_in_answers.AuditLog,)),
    problems=(OptionInvalid,),
    parameters=(_LIMIT_PARAMETER,),
    tag="Access",
)
def get_audit() -> Response:
    """The latest events of the audit log, newest first."""
    events = read(audit.list_events, min(number("limit", _LIMIT, least=1), _LIMIT_MOST))
    return answers.answered(sign_in_answers.AuditLog(events=[_audit_entry(noted) for noted in events]))


def revoke_token_noted(session: Session, user: SignedInUser, token_id: int, address: str) -> None:
    """End a token of the user and note it, both or neither."""
    view = accounts.revoke_token(session, user.account.id, token_id)
    audit.note(session, Event(Action.TOKEN_REVOKED, user.name, f"{view.prefix}…", address))


def _own_token(user: SignedInUser) -> TokenView:
    if user.token is None:
        raise TokenNotFound("You are signed in by a cookie, not by a token. The account page lists your tokens.")
    return read(accounts.find_token, user.token)


def _token_body(view: TokenView) -> sign_in_answers.Token:
    return sign_in_answers.Token(
        name=view.name,
        prefix=view.prefix,
        scopes=list(view.scopes),
        created=view.created,
        expires=view.expires,
        last_used=view.last_used,
    )


def _audit_entry(noted: NotedEvent) -> sign_in_answers.AuditEntry:
    event = noted.event
    return sign_in_answers.AuditEntry(
        timestamp=noted.timestamp, action=event.action, user=event.user, about=event.about, address=event.address
    )
