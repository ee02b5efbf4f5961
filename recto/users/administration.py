"""What an administrator sees of users, and sets: who may sign in, and how much each may keep and have read. Never what is in their documents."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from models import User, UserSession
from recto.database.connections import utc
from recto.errors import NotAllowed, OptionInvalid, UserNotFound
from recto.records.retention import LONGEST_S, set_user_retention

MOST_NUMBER: Final = 2**53 - 1
"""Larger ones do not survive the JSON of JavaScript."""
MOST_UNFINISHED: Final = 2**31 - 1
_PASSWORD_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class UserLimits:
    """A user's own limits, in the place of those of the settings; None where there are none. 0 bytes are no limit, 0 seconds are for ever."""

    max_stored_bytes: int | None = None
    max_unfinished: int | None = None
    retention_s: int | None = None


@dataclass(frozen=True, slots=True)
class UserDetails:
    """A user as an administrator sees it. `seen` is the last use of a sign-in that was not ended; None where there is none."""

    id: int
    name: str
    is_admin: bool
    is_disabled: bool
    created: datetime
    seen: datetime | None
    stored_documents: int
    stored_bytes: int
    limits: UserLimits


_SEEN_US: Final = (
    select(func.max(UserSession.seen_us)).where(UserSession.user_id == User.id).correlate(User).scalar_subquery()
)


def list_details(session: Session, limit: int, after: str = "") -> list[UserDetails]:
    """Users by name, so many of those after a name."""
    query: Select[Any] = select(User, _SEEN_US).order_by(User.name).limit(limit)
    if after:
        query = query.where(User.name > after)
    return [_details(user, seen_us) for user, seen_us in session.execute(query)]


def details_of(session: Session, user_id: int) -> UserDetails:
    """One user; UserNotFound where there is none of that id."""
    row = session.execute(select(User, _SEEN_US).where(User.id == user_id)).one_or_none()
    if row is None:
        raise UserNotFound("There is no such user. The list of users shows those there are.")
    return _details(*row)


def set_disabled(session: Session, user_id: int, by_user_id: int, *, is_disabled: bool) -> None:
    """Shut a user out, with their programs, or let them in again. NotAllowed for oneself: nobody could undo it."""
    if user_id == by_user_id:
        raise NotAllowed("You cannot disable yourself: have another administrator do it.")
    details_of(session, user_id)
    session.execute(update(User).where(User.id == user_id).values(is_disabled=is_disabled))
    if is_disabled:
        session.execute(delete(UserSession).where(UserSession.user_id == user_id))


def set_limits(session: Session, user_id: int, limits: UserLimits) -> None:
    """Give a user limits of their own. OptionInvalid where one is no limit."""
    if limits.max_stored_bytes is not None and not 0 <= limits.max_stored_bytes <= MOST_NUMBER:
        raise OptionInvalid(f"'max_stored_bytes' is a number from 0, which is no limit, to {MOST_NUMBER:,}.")
    if limits.max_unfinished is not None and not 0 <= limits.max_unfinished <= MOST_UNFINISHED:
        raise OptionInvalid(f"'max_unfinished' is a number from 0, which lets no job in, to {MOST_UNFINISHED:,}.")
    if limits.retention_s is not None and not 0 <= limits.retention_s <= LONGEST_S:
        raise OptionInvalid(f"'retention_s' is a number of seconds from 0, which is for ever, to {LONGEST_S:,}.")
    details_of(session, user_id)
    values = {"max_stored_bytes": limits.max_stored_bytes, "max_unfinished": limits.max_unfinished}
    session.execute(update(User).where(User.id == user_id).values(values))
    set_user_retention(session, user_id, limits.retention_s)


def new_password() -> str:
    """One to give to a user, who changes it: 96 random bits, too many to be guessed."""
    return secrets.token_urlsafe(_PASSWORD_BYTES)


def _details(user: User, seen_us: int | None) -> UserDetails:
    return UserDetails(
        id=user.id,
        name=user.name,
        is_admin=user.is_admin,
        is_disabled=user.is_disabled,
        created=utc(user.created_us),
        seen=utc(seen_us) if seen_us else None,
        stored_documents=user.stored_documents,
        stored_bytes=user.stored_bytes,
        limits=UserLimits(user.max_stored_bytes, user.max_unfinished, user.retention_s),
    )
