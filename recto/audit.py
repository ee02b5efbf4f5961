"""The audit log: sign-ins, good and bad, tokens, passwords, users and deletions. Rows, without secrets and without content."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from models import AuditEvent
from recto.database.connections import NowMicroseconds, utc


class Action(StrEnum):
    """What can be done that is written down."""

    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGNED_OUT = "signed_out"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - not a secret
    PASSWORD_REFUSED = "password_refused"  # noqa: S105
    TOKEN_CREATED = "token_created"  # noqa: S105
    TOKEN_REVOKED = "token_revoked"  # noqa: S105
    USER_CREATED = "user_created"
    USER_REMOVED = "user_removed"
    USER_DISABLED = "user_disabled"
    USER_ENABLED = "user_enabled"
    LIMITS_CHANGED = "limits_changed"
    SESSION_ENDED = "session_ended"
    JOB_DELETED = "job_deleted"
    WEBHOOK_SET = "webhook_set"
    WEBHOOK_REMOVED = "webhook_removed"
    WEBHOOK_SECRET_MADE = "webhook_secret_made"  # noqa: S105
    RETENTION_SET = "retention_set"
    IDENTITY_LINKED = "identity_linked"
    IDENTITY_UNLINKED = "identity_unlinked"
    ADMIN_GIVEN = "admin_given"
    ADMIN_TAKEN = "admin_taken"


COMMAND_LINE: Final = "(command line)"
FIRST_START: Final = "(first start)"
RETENTION: Final = "(retention)"
"""Who does what no user does, but ocr_worker.py, the Backend or a Worker by itself."""


@dataclass(frozen=True, slots=True)
class Event:
    """Who did what: `user` by name, empty where nobody of that name exists; `about` a uuid, a token's start, another user."""

    action: Action
    user: str
    about: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class NotedEvent:
    """An event of the log, with its time. Later ones have higher ids."""

    id: int
    timestamp: datetime
    event: Event


def note(session: Session, event: Event) -> None:
    """Write an event down, in the transaction of what it tells of."""
    session.execute(
        insert(AuditEvent).values(
            timestamp_us=NowMicroseconds(),
            action=event.action.value,
            user_name=event.user[:100],
            about=event.about[:200],
            address=event.address[:64],
        )
    )


def list_events(session: Session, limit: int, before: int | None = None) -> list[NotedEvent]:
    """The latest events, newest first; those before the event with the id `before`, where one is named."""
    query = select(AuditEvent).order_by(AuditEvent.id.desc()).limit(limit)
    rows = session.scalars(query if before is None else query.where(AuditEvent.id < before))
    return [
        NotedEvent(row.id, utc(row.timestamp_us), Event(Action(row.action), row.user_name, row.about, row.address))
        for row in rows
    ]


def forget_old(session: Session, lifetime_s: int) -> None:
    """Delete what is older than that."""
    session.execute(delete(AuditEvent).where(AuditEvent.timestamp_us < NowMicroseconds() - lifetime_s * 1_000_000))
