"""Users, their passwords, their sign-ins and their API tokens. Secrets are stored as hashes only."""

import hashlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, Final, TypeAlias, cast

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import BigInteger, CursorResult, Select, Table, bindparam, delete, func, insert, literal, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import ApiToken, Job, User, UserSession
from recto.database.connections import NowMicroseconds, utc
from recto.errors import (
    NotAllowed,
    OptionInvalid,
    PasswordRejected,
    SessionNotFound,
    TokenNotFound,
    UserDisabled,
    UserExists,
    UserHasJobs,
    UserNotFound,
)

TOKEN_PREFIX: Final = "recto_"  # noqa: S105 - not a secret: it makes leaked tokens recognisable
MIN_PASSWORD_CHARACTERS: Final = 8
MAX_NAME_CHARACTERS: Final = 100
_SHOWN_PREFIX_CHARACTERS: Final = 12
_SESSION_ID_CHARACTERS: Final = 16
"""Of the hash of the secret: one does not find the secret by it, nor by all of it."""
_SEEN_RESOLUTION_US: Final = 60_000_000  # last use is kept to the minute: not every request writes

MAX_TOKEN_LIFETIME_DAYS: Final = 36_500
_DAY_US: Final = 86_400_000_000


class Scope(StrEnum):
    """What a token may be used for. `admin` is for administrators alone, and reaches nobody's documents."""

    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    ADMIN = "admin"


DEFAULT_SCOPES: Final = (Scope.JOBS_READ, Scope.JOBS_WRITE)

Touch: TypeAlias = Callable[[Session, str], None]
"""An operation that writes down the use of a secret."""

_hasher = PasswordHasher()


@dataclass(frozen=True, slots=True)
class Account:
    """Who makes a request. Outlives the session it was read in."""

    id: int
    name: str
    is_admin: bool


@dataclass(frozen=True, slots=True)
class TokenView:
    """An API token as its owner sees it."""

    id: int
    name: str
    prefix: str
    scopes: tuple[Scope, ...]
    created: datetime
    expires: datetime | None
    last_used: datetime | None
    is_expired: bool


@dataclass(frozen=True, slots=True)
class UserView:
    """A user as an administrator sees it."""

    id: int
    name: str
    is_admin: bool
    created: datetime


def hash_password(password: str) -> str:
    """Argon2id hash (RFC 9106). Takes tens of milliseconds and releases the GIL. PasswordRejected where it is too short."""
    check_new_password(password)
    return _hasher.hash(password)


def check_new_password(password: str) -> None:
    """PasswordRejected, with what a password needs."""
    if len(password) < MIN_PASSWORD_CHARACTERS:
        raise PasswordRejected(f"A password needs at least {MIN_PASSWORD_CHARACTERS} characters. Choose a longer one.")


def create_user(session: Session, name: str, password_hash: str, *, is_admin: bool = False) -> int:
    """Add a user and return its id; UserExists where the name is taken, OptionInvalid where it is none."""
    if not 0 < len(name) <= MAX_NAME_CHARACTERS or not name.isprintable() or name != name.strip():
        raise OptionInvalid(
            f"A user name has 1 to {MAX_NAME_CHARACTERS} printable characters, with no space at its ends."
        )
    taken = UserExists(f"There is a user '{name}' already. Choose another name.")
    if has_user(session, name):
        raise taken
    created = insert(User).values(
        name=name, password_hash=password_hash, is_admin=is_admin, created_us=NowMicroseconds()
    )
    try:
        return session.execute(created.returning(User.id)).scalar_one()
    except IntegrityError as error:  # made since it was asked
        raise taken from error


def has_users(session: Session) -> bool:
    """Whether anybody can sign in."""
    return session.scalar(select(User.id).limit(1)) is not None


def has_user(session: Session, name: str) -> bool:
    """Whether somebody has this name."""
    return session.scalar(select(User.id).where(User.name == name)) is not None


def list_users(session: Session) -> list[UserView]:
    """All users by name."""
    users = session.scalars(select(User).order_by(User.name))
    return [UserView(user.id, user.name, user.is_admin, utc(user.created_us)) for user in users]


def find_user(session: Session, name: str) -> Account:
    """The user of that name; UserNotFound where there is none."""
    user = session.scalar(select(User).where(User.name == name))
    if user is None:
        raise UserNotFound(f"There is no user '{name}'. `ocr_worker.py users list` shows those there are.")
    return _account(user)


def delete_user(session: Session, name: str) -> None:
    """Remove a user without jobs; their tokens and sign-ins go too. UserHasJobs where documents of theirs are left."""
    user_id = find_user(session, name).id
    session.execute(select(User.id).where(User.id == user_id).with_for_update())  # nobody submits for them from here on
    if session.scalar(select(Job.uuid).where(Job.user_id == user_id).limit(1)) is not None:
        raise UserHasJobs(
            f"{name} still has jobs. `ocr_worker.py jobs list --user {name}` lists them; delete them first."
        )
    session.execute(delete(User).where(User.id == user_id))


def check_password(session: Session, name: str, password: str) -> Account | None:
    """The account where name and password are right, else None, in the same time whether the user exists or not.

    UserDisabled where they are right, but an administrator has shut the user out: who does not know the password learns nothing of it.
    """
    user = session.scalar(select(User).where(User.name == name))
    matches = _password_matches(user.password_hash if user else _hash_of_nobody(), password)
    if user is None or not matches:
        return None
    if user.is_disabled:
        raise user_disabled()
    return _account(user)


def user_disabled() -> UserDisabled:
    """For who has shown that they are somebody who is shut out."""
    return UserDisabled("An administrator has disabled this account. Ask one of them to enable it again.")


def set_password(session: Session, user_id: int, password_hash: str, *, keep_secret: str | None = None) -> None:
    """Change the password and end the user's sign-ins, all but the one with `keep_secret`."""
    session.execute(update(User).where(User.id == user_id).values(password_hash=password_hash))
    others = delete(UserSession).where(UserSession.user_id == user_id)
    if keep_secret is not None:
        others = others.where(UserSession.secret_hash != _digest(keep_secret))
    session.execute(others)


def sign_in(session: Session, account: Account, address: str, user_agent: str) -> str:
    """Begin a sign-in and return its secret for the cookie."""
    secret = secrets.token_urlsafe(32)
    now = session.scalar(select(NowMicroseconds()))
    session.execute(
        insert(UserSession).values(
            secret_hash=_digest(secret),
            user_id=account.id,
            created_us=now,
            seen_us=now,
            address=address[:64],
            user_agent=user_agent[:200],
        )
    )
    return secret


def sign_out(session: Session, secret: str) -> None:
    """End a sign-in."""
    session.execute(delete(UserSession).where(UserSession.secret_hash == _digest(secret)))


@dataclass(frozen=True, slots=True)
class SessionView:
    """A sign-in of a browser as its owner sees it. `id` names it without being good for anything else."""

    id: str
    created: datetime
    seen: datetime
    address: str
    user_agent: str
    is_current: bool


def list_sessions(session: Session, user_id: int, lifetime_s: int, current_secret: str) -> list[SessionView]:
    """The user's sign-ins that still hold, the last used first."""
    holds = UserSession.seen_us > NowMicroseconds() - lifetime_s * 1_000_000
    rows = session.scalars(
        select(UserSession).where(UserSession.user_id == user_id, holds).order_by(UserSession.seen_us.desc())
    )
    current = _digest(current_secret)
    return [
        SessionView(
            row.secret_hash[:_SESSION_ID_CHARACTERS],
            utc(row.created_us),
            utc(row.seen_us),
            row.address,
            row.user_agent,
            row.secret_hash == current,
        )
        for row in rows
    ]


def end_session(session: Session, user_id: int, session_id: str) -> None:
    """End a sign-in of the user; SessionNotFound where it is not theirs, or ended already."""
    shown = func.substr(UserSession.secret_hash, 1, _SESSION_ID_CHARACTERS)
    ended = delete(UserSession).where(UserSession.user_id == user_id, shown == session_id)
    if not cast(CursorResult[Any], session.execute(ended)).rowcount:
        raise SessionNotFound("There is no such sign-in among yours. It may have ended already.")


@dataclass(frozen=True, slots=True)
class Recognised:
    """An account found by a secret, what the secret is good for, and whether its last use is worth writing down."""

    account: Account
    is_stale: bool
    scopes: frozenset[Scope]


# Built once, and on the tables: every request runs one of these two, and building a statement takes longer than running it.
_USERS: Final = cast(Table, User.__table__)
_SESSIONS: Final = cast(Table, UserSession.__table__)
_TOKENS: Final = cast(Table, ApiToken.__table__)
_NOW: Final = NowMicroseconds()
_OWNER_OF_SESSION: Final = (
    select(
        _USERS.c.id,
        _USERS.c.name,
        _USERS.c.is_admin,
        _NOW - _SESSIONS.c.seen_us > _SEEN_RESOLUTION_US,
        literal(" ".join(Scope)),
    )
    .join(_SESSIONS, _SESSIONS.c.user_id == _USERS.c.id)
    .where(_SESSIONS.c.secret_hash == bindparam("secret_hash"), _USERS.c.is_disabled.is_(False))
    .where(_SESSIONS.c.seen_us > _NOW - bindparam("lifetime_us", type_=BigInteger))
)
_OWNER_OF_TOKEN: Final = (
    select(
        _USERS.c.id,
        _USERS.c.name,
        _USERS.c.is_admin,
        _TOKENS.c.last_used_us.is_(None) | (_NOW - _TOKENS.c.last_used_us > _SEEN_RESOLUTION_US),
        _TOKENS.c.scopes,
    )
    .join(_TOKENS, _TOKENS.c.user_id == _USERS.c.id)
    .where(_TOKENS.c.token_hash == bindparam("token_hash"), _USERS.c.is_disabled.is_(False))
    .where(_TOKENS.c.expires_us.is_(None) | (_TOKENS.c.expires_us > _NOW))
)


def account_of_session(session: Session, secret: str, lifetime_s: int) -> Recognised | None:
    """Whose sign-in this is; None where it was ended or not used for `lifetime_s`. Only reads."""
    return _recognise(session, _OWNER_OF_SESSION, secret_hash=_digest(secret), lifetime_us=lifetime_s * 1_000_000)


def touch_session(session: Session, secret: str) -> None:
    """Write down that a sign-in was used."""
    session.execute(
        update(UserSession).where(UserSession.secret_hash == _digest(secret)).values(seen_us=NowMicroseconds())
    )


def create_token(
    session: Session,
    user_id: int,
    name: str,
    scopes: Iterable[Scope] = DEFAULT_SCOPES,
    lifetime_days: int | None = None,
) -> str:
    """Make an API token and return it: the only time that it is seen. Without a lifetime it works until it is revoked.

    OptionInvalid for a lifetime that is none, NotAllowed where `admin` is asked for by who is no administrator.
    """
    if lifetime_days is not None and not 0 < lifetime_days <= MAX_TOKEN_LIFETIME_DAYS:
        raise OptionInvalid(f"A token works for 1 to {MAX_TOKEN_LIFETIME_DAYS:,} days, or without an end.")
    if Scope.ADMIN in scopes and not session.scalar(select(User.is_admin).where(User.id == user_id)):
        raise NotAllowed("Only an administrator's token can have the scope 'admin'. Leave it out.")
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    now_us = session.execute(select(NowMicroseconds())).scalar_one()
    session.execute(
        insert(ApiToken).values(
            user_id=user_id,
            name=name[:100],
            prefix=shown_start(token),
            token_hash=_digest(token),
            scopes=" ".join(scope for scope in Scope if scope in scopes),
            created_us=now_us,
            expires_us=None if lifetime_days is None else now_us + lifetime_days * _DAY_US,
        )
    )
    return token


def shown_start(token: str) -> str:
    """What a person recognises a token by."""
    return token[:_SHOWN_PREFIX_CHARACTERS]


def parse_scopes(given: str) -> tuple[Scope, ...]:
    """Scopes joined by spaces; OptionInvalid, naming those there are, where one is none, or there are none."""
    names = given.split()
    if not names or not set(names) <= set(Scope):
        raise OptionInvalid(f"'{given}' are no scopes of a token. Choose among: {', '.join(Scope)}.")
    return tuple(scope for scope in Scope if scope in names)


def list_tokens(session: Session, user_id: int) -> list[TokenView]:
    """The user's tokens, oldest first."""
    now_us = session.execute(select(NowMicroseconds())).scalar_one()
    tokens = session.scalars(select(ApiToken).where(ApiToken.user_id == user_id).order_by(ApiToken.id))
    return [_token_view(token, now_us) for token in tokens]


def find_token(session: Session, token: str) -> TokenView:
    """The token itself as its owner sees it; TokenNotFound where there is none such."""
    found = session.scalar(select(ApiToken).where(ApiToken.token_hash == _digest(token)))
    if found is None:
        raise _token_not_found()
    return _token_view(found, session.execute(select(NowMicroseconds())).scalar_one())


def revoke_token(session: Session, user_id: int, token_id: int) -> TokenView:
    """End a token of the user, and return what it was; TokenNotFound where it is not theirs."""
    token = session.scalar(select(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == user_id))
    if token is None:
        raise _token_not_found()
    view = _token_view(token, session.execute(select(NowMicroseconds())).scalar_one())
    session.delete(token)
    return view


def account_of_token(session: Session, token: str) -> Recognised | None:
    """Whose token this is; None where there is none such, or it has expired. Only reads.

    It is found by its hash: what the time of the look-up tells is about the hash of a guess, which leads nobody to a token.
    """
    return _recognise(session, _OWNER_OF_TOKEN, token_hash=_digest(token))


def _recognise(session: Session, owner: Select[Any], **values: str | int) -> Recognised | None:
    found = session.execute(owner, values).one_or_none()
    if found is None:
        return None
    user_id, name, is_admin, is_stale, scopes = found
    account = Account(user_id, name, is_admin)
    # An administrator who is none any more keeps their tokens, but not what they could do as one.
    return Recognised(account, bool(is_stale), frozenset(map(Scope, scopes.split())) - _not_of(account))


def _not_of(account: Account) -> frozenset[Scope]:
    return frozenset() if account.is_admin else frozenset({Scope.ADMIN})


def touch_token(session: Session, token: str) -> None:
    """Write down that a token was used."""
    session.execute(
        update(ApiToken).where(ApiToken.token_hash == _digest(token)).values(last_used_us=NowMicroseconds())
    )


def _token_view(token: ApiToken, now_us: int) -> TokenView:
    return TokenView(
        token.id,
        token.name,
        token.prefix,
        tuple(map(Scope, token.scopes.split())),
        utc(token.created_us),
        utc(token.expires_us) if token.expires_us else None,
        utc(token.last_used_us) if token.last_used_us else None,
        token.expires_us is not None and token.expires_us <= now_us,
    )


def _token_not_found() -> TokenNotFound:
    return TokenNotFound("There is no such token among yours. It may have been revoked already.")


def _account(user: User) -> Account:
    return Account(user.id, user.name, user.is_admin)


def prepare_checks() -> None:
    """Make, before the first check, what a name that nobody has is checked against: the first would take twice as long."""
    _hash_of_nobody()


@cache
def _hash_of_nobody() -> str:
    """Checked where there is no such user, so that both cases take as long."""
    return _hasher.hash(secrets.token_urlsafe())


def _password_matches(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _digest(secret: str) -> str:
    """Secrets are 256 random bits, so a plain SHA-256 is enough: there is nothing to guess by trying."""
    return hashlib.sha256(secret.encode()).hexdigest()
