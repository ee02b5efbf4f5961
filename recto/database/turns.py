"""One after another, where it is no row that two writers would meet at: locks that PostgreSQL keeps until the transaction ends.

SQLite lets one write at a time anyway. https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

import hashlib
from enum import IntEnum
from typing import TypeAlias

from sqlalchemy import BigInteger, Connection, bindparam, func, select
from sqlalchemy.orm import Session

Transaction: TypeAlias = Session | Connection


class Turn(IntEnum):
    """What only one transaction does at a time."""

    UPGRADE = 1
    """The schema."""
    FIRST_USER = 2
    """Made where there is none."""
    SIGN_IN = 3
    """Counted before it is noted."""
    DELIVERY = 4
    """Of webhooks' messages: how many are under way is counted before one more is."""


_KEY_OF_TURN = 0x5265_0000  # "Re": beside what other programs on the same database lock
_LOCK = select(func.pg_advisory_xact_lock(bindparam("key", type_=BigInteger)))


def take_turn(transaction: Transaction, turn: Turn) -> None:
    """Wait until no other transaction has this turn. It must be one that writes; the turn ends with it."""
    _lock(transaction, _KEY_OF_TURN + turn)


def hold_folder(transaction: Transaction, uuid: str) -> None:
    """Wait until no other transaction decides whether this job's folder belongs to a job."""
    digest = hashlib.sha256(f"recto folder {uuid}".encode()).digest()
    _lock(transaction, int.from_bytes(digest[:8], signed=True))


def _lock(transaction: Transaction, key: int) -> None:
    bind = transaction if isinstance(transaction, Connection) else transaction.get_bind()
    if bind.dialect.name == "postgresql":
        transaction.execute(_LOCK, {"key": key})
