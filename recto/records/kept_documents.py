"""How much each user keeps: documents and their bytes, counted with every job that comes and goes (recto/jobs.py), and how much they may.

What Recto makes of a document is not counted: it follows from the document, and nobody can tell its size before.
"""

from dataclasses import dataclass
from typing import Final, cast

from sqlalchemy import Table, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from models import User
from recto.errors import NotSignedIn, UserStorageFull

_MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Kept:
    """What a user keeps. `most_bytes` is None for no limit."""

    documents: int
    size_bytes: int
    most_bytes: int | None


@dataclass(frozen=True, slots=True)
class OwnLimits:
    """What a user has of their own for new jobs: unfinished ones at most, and seconds that they are kept. None where everybody's holds."""

    max_unfinished: int | None
    retention_s: int | None


def kept_by(session: Session, user_id: int, most_of_everybody: int) -> Kept:
    """What the user keeps, and may; `most_of_everybody` counts where the user has no limit of their own, 0 is none. NotSignedIn where they are gone."""
    columns = select(User.stored_documents, User.stored_bytes, User.max_stored_bytes).where(User.id == user_id)
    row = session.execute(columns).one_or_none()
    if row is None:
        raise NotSignedIn(
            "Your account was removed while this request was under way. Ask an administrator for another one."
        )
    documents, size_bytes, own = row
    return Kept(documents, size_bytes, most_bytes(own, most_of_everybody))


def most_bytes(own: int | None, most_of_everybody: int) -> int | None:
    """What a user may keep who has that limit of their own; None for no limit."""
    return (most_of_everybody if own is None else own) or None


def add(session: Session, user_id: int, size_bytes: int, most_of_everybody: int) -> OwnLimits:
    """Count another document. UserStorageFull, and nothing changed, where it is too much: asked and written by one statement."""
    values = {"user_id": user_id, "size": size_bytes, "most_of_everybody": most_of_everybody}
    if counted := session.execute(_ADD, values).one_or_none():
        return OwnLimits(*counted)
    kept = kept_by(session, user_id, most_of_everybody)
    raise UserStorageFull(
        f"Your documents take {_megabytes(kept.size_bytes)} of the {_megabytes(kept.most_bytes or 0)} that you may keep, which leaves "
        "too little for this one. Delete some that you do not need, or ask an administrator for more.",
        limit=kept.most_bytes,
    )


def remove(session: Session, user_id: int, size_bytes: int) -> None:
    """A document is gone."""
    session.execute(
        update(User)
        .where(User.id == user_id)
        .values(stored_documents=User.stored_documents - 1, stored_bytes=User.stored_bytes - size_bytes)
    )


# Built once, and on the table: every upload runs it.
_USERS: Final = cast(Table, User.__table__)
_MOST: Final = func.coalesce(_USERS.c.max_stored_bytes, bindparam("most_of_everybody"))
_WITH_DOCUMENT: Final = _USERS.c.stored_bytes + bindparam("size")
_ADD: Final = (
    update(_USERS)
    .where(_USERS.c.id == bindparam("user_id"), or_(_MOST == 0, _WITH_DOCUMENT <= _MOST))
    .values(stored_documents=_USERS.c.stored_documents + 1, stored_bytes=_WITH_DOCUMENT)
    .returning(_USERS.c.max_unfinished, _USERS.c.retention_s)
)


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / _MEGABYTE:,.1f} MB"
