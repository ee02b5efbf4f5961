"""What a user's `Idempotency-Key` has made (draft-ietf-httpapi-idempotency-key-header-07): rows, written in the transaction of the job.

Only that commit takes a key: a request that dies before it leaves nothing, and of two that come to it the later one finds the row.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, insert, select, tuple_
from sqlalchemy.orm import Session

from models import IdempotencyKey
from recto.database.connections import Clock, NowMicroseconds
from recto.errors import IdempotencyKeyInUse, IdempotencyKeyReused

_RETRY_AFTER_S: Final = 1


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A key that a user sent, and the fingerprint of what was sent with it."""

    user_id: int
    key: str
    fingerprint: str


def fingerprint(*sent: Any) -> str:
    """SHA-256, in hexadecimal digits, of JSON values."""
    return hashlib.sha256(json.dumps(sent, sort_keys=True).encode()).hexdigest()


def key_in_use() -> IdempotencyKeyInUse:
    """Somebody else is about to make something under this key."""
    return IdempotencyKeyInUse(
        "Another request with this Idempotency-Key has not ended yet. Send this one again in a moment; it will have the answer of the first.",
        retry_after_s=_RETRY_AFTER_S,
    )


class IdempotencyKeys:
    """The keys of the last `lifetime_s` seconds. Older ones count as never sent."""

    def __init__(self, lifetime_s: int, clock: Clock = NowMicroseconds) -> None:
        self._lifetime_us = lifetime_s * 1_000_000
        self._clock = clock

    def find(self, session: Session, request: KeyedRequest) -> str | None:
        """The uuid of the job that the key has made; None where it has made none. IdempotencyKeyReused where it was sent with something else."""
        row = session.execute(
            select(IdempotencyKey.fingerprint, IdempotencyKey.job_uuid).where(
                *_of(request), IdempotencyKey.created_us > self._clock() - self._lifetime_us
            )
        ).one_or_none()
        if row is None:
            return None
        if row.fingerprint != request.fingerprint:
            raise IdempotencyKeyReused(
                "This Idempotency-Key was sent before with another document or other options. Take a new key for each thing that you submit."
            )
        uuid: str = row.job_uuid
        return uuid

    def record(self, session: Session, request: KeyedRequest, job_uuid: str) -> None:
        """Take the key for a job that this transaction has recorded already. IdempotencyKeyInUse where another one was quicker.

        Recording a job locks the change counter's row (recto/jobs.py), so of two transactions the later one sees what the first has written.
        """
        self._forget_old(session)
        if session.execute(select(IdempotencyKey.key).where(*_of(request))).first() is not None:
            raise key_in_use()
        session.execute(
            insert(IdempotencyKey).values(
                user_id=request.user_id,
                key=request.key,
                fingerprint=request.fingerprint,
                job_uuid=job_uuid,
                created_us=self._clock(),
            )
        )

    def _forget_old(self, session: Session) -> None:
        """Those that somebody else is removing, with their job perhaps, are left to them: this transaction holds the change counter."""
        keys = tuple_(IdempotencyKey.user_id, IdempotencyKey.key)
        old = select(IdempotencyKey.user_id, IdempotencyKey.key).where(
            IdempotencyKey.created_us <= self._clock() - self._lifetime_us
        )
        session.execute(delete(IdempotencyKey).where(keys.in_(old.with_for_update(skip_locked=True))))


def _of(request: KeyedRequest) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return IdempotencyKey.user_id == request.user_id, IdempotencyKey.key == request.key
