"""Acts of a request that the audit log tells of: done and written down in one transaction."""

from typing import ParamSpec, TypeVar

from flask import request
from flask_login import current_user
from sqlalchemy.orm import Session

from recto import audit
from recto.audit import Action, Event
from recto.web.serving.database import Operation, write

_P = ParamSpec("_P")
_T = TypeVar("_T")


def client_address() -> str:
    """Where the request comes from; behind proxies that are trusted, what they say."""
    return request.remote_addr or ""


def noted_by_user(action: Action, about: str = "") -> Event:
    """The event of who is signed in."""
    return Event(action, current_user.name, about, client_address())


def write_noted(event: Event, operation: Operation[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Run `operation(session, ...)` and note the event, both or neither."""

    def both(session: Session) -> _T:
        done = operation(session, *args, **kwargs)
        audit.note(session, event)
        return done

    return write(both)
