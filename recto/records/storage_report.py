"""Who keeps how much: for administrators, who see sizes and no documents."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Job, User
from recto.database.connections import NowMicroseconds, size_bytes, utc
from recto.records.kept_documents import most_bytes
from recto.records.meters import Metered, read_all

_DAY_US: Final = 86_400_000_000


@dataclass(frozen=True, slots=True)
class UserStorage:
    """What a user keeps: `documents` with their `bytes`, and how many of these they may, None for no limit (recto/records/kept_documents.py).

    `all_bytes` is all that their jobs have, documents and results, as the last sweep saw it; None before the first. `expiring_jobs` are those whose time is over within a day; `retention_s` is the user's own, 0 for ever, None where the default holds.
    """

    name: str
    documents: int
    bytes: int
    max_bytes: int | None
    all_bytes: int | None
    expiring_jobs: int
    retention_s: int | None


@dataclass(frozen=True, slots=True)
class StorageReport:
    """All of it. `swept` is when the last sweep looked at every file; None before the first."""

    users: tuple[UserStorage, ...]
    database_bytes: int
    swept: datetime | None


def report_storage(session: Session, most_of_everybody: int) -> StorageReport:
    """The report, who keeps most first. Reads the users, and of the jobs those alone that are deleted soon.

    `most_of_everybody` bytes may be kept by who has no limit of their own, 0 is none.
    """
    meters = read_all(session)
    swept = meters[Metered.USER_BYTES]
    soon = select(Job.user_id, func.count()).where(Job.expires_us <= NowMicroseconds() + _DAY_US)
    expiring: dict[int, int] = dict(session.execute(soon.group_by(Job.user_id)).all())
    swept_us = meters[Metered.SWEPT_US].get("")
    users = [
        UserStorage(
            name=user.name,
            documents=user.stored_documents,
            bytes=user.stored_bytes,
            max_bytes=most_bytes(user.max_stored_bytes, most_of_everybody),
            all_bytes=swept.get(str(user.id), 0) if swept_us else None,
            expiring_jobs=expiring.get(user.id, 0),
            retention_s=user.retention_s,
        )
        for user in session.scalars(select(User))
    ]
    users.sort(key=lambda user: (-user.bytes, user.name))
    return StorageReport(tuple(users), size_bytes(session), utc(swept_us) if swept_us else None)
