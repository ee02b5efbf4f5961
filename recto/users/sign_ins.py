"""How many sign-ins may fail: for one user name, and from one address. Counted in rows, so that several Backends count together."""

import hashlib
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models import SignInAttempt
from recto.database.connections import NowMicroseconds
from recto.database.turns import Turn, take_turn
from recto.errors import TooManySignIns

_SECOND_US: Final = 1_000_000
_IPV6_PREFIX_BITS: Final = 64


@dataclass(frozen=True, slots=True)
class SignInLimits:
    """How many attempts may fail within `window_s` seconds."""

    per_name: int
    per_address: int
    window_s: int


def begin_attempt(session: Session, limits: SignInLimits, name: str, address: str) -> int:
    """Write an attempt down before it is checked, as one that failed, and return its id: attempts at the same time count too.

    TooManySignIns where too many have failed, whether or not there is such a user.
    """
    take_turn(session, Turn.SIGN_IN)
    now_us = session.execute(select(NowMicroseconds())).scalar_one()
    _forget_old(session, now_us, limits.window_s)
    name_hash, source = _hash(name), address_group(address)
    free_us = max(
        _free_us(session, SignInAttempt.name_hash, name_hash, limits.per_name, limits.window_s),
        _free_us(session, SignInAttempt.address, source, limits.per_address, limits.window_s),
    )
    if free_us > now_us:
        raise _too_many(-(-(free_us - now_us) // _SECOND_US))
    attempt = insert(SignInAttempt).values(name_hash=name_hash, address=source, timestamp_us=now_us)
    return session.execute(attempt.returning(SignInAttempt.id)).scalar_one()


def forget_attempt(session: Session, attempt_id: int) -> None:
    """It succeeded, and counts no more."""
    session.execute(delete(SignInAttempt).where(SignInAttempt.id == attempt_id))


def forget_name(session: Session, name: str) -> None:
    """An administrator let the user in: what failed for this name counts no more."""
    session.execute(delete(SignInAttempt).where(SignInAttempt.name_hash == _hash(name)))


def address_group(address: str) -> str:
    """What counts as one address: of IPv6 the /64 that one customer has all of (RFC 6177)."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(IPv6Network((int(parsed), _IPV6_PREFIX_BITS), strict=False))
    return str(parsed)


def _forget_old(session: Session, now_us: int, window_s: int) -> None:
    """Also what the clock, after a jump back, says is still to come: it would be held against people for long."""
    at = SignInAttempt.timestamp_us
    session.execute(delete(SignInAttempt).where(or_(at <= now_us - window_s * _SECOND_US, at > now_us)))


def _free_us(session: Session, column: InstrumentedAttribute[str], value: str, most: int, window_s: int) -> int:
    """The time from when on fewer than `most` attempts count; 0 where there are fewer now."""
    newest = select(SignInAttempt.timestamp_us).where(column == value).order_by(SignInAttempt.timestamp_us.desc())
    decisive_us = session.scalar(newest.offset(most - 1).limit(1))
    return 0 if decisive_us is None else decisive_us + window_s * _SECOND_US


def _too_many(wait_s: int) -> TooManySignIns:
    minutes = -(-wait_s // 60)
    return TooManySignIns(
        f"Too many sign-ins failed. Wait {minutes} minute{'' if minutes == 1 else 's'} and try again; who is signed in stays so, "
        "and tokens go on working.",
        retry_after_s=wait_s,
    )


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
