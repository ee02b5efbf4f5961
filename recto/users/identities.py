"""Users who sign in elsewhere: an identity, which is a subject at an issuer, leads to a user. Names lead to nobody: they change hands."""

import secrets
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from models import User, UserIdentity
from recto import accounts, audit
from recto.accounts import Account
from recto.audit import Action, Event
from recto.database.connections import NowMicroseconds
from recto.errors import IdentityUnknown, OptionInvalid, UserExists

PROXY: Final = "proxy"
"""The issuer of identities that a proxy in front names."""
_MOST_SUBJECT_CHARACTERS: Final = 255
"""OpenID Connect Core 1.0, section 2, allows no more."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is elsewhere. `name` is what they are called there; `is_admin` is None where nothing is said of it."""

    issuer: str
    subject: str
    name: str
    is_admin: bool | None = None


def unguessable_password_hash() -> str:
    """For a user who signs in elsewhere: of a password that nobody knows, so that a wrong one takes as long as anybody's. Takes tens of milliseconds."""
    return accounts.hash_password(secrets.token_urlsafe(32))


def account_of_identity(session: Session, identity: Identity) -> Account | None:
    """Whose identity this is; None where nobody's. Only reads."""
    owner = select(User).join(UserIdentity, UserIdentity.user_id == User.id)
    user = session.scalar(owner.where(UserIdentity.issuer == identity.issuer, UserIdentity.subject == identity.subject))
    return Account(user.id, user.name, user.is_admin) if user else None


def sign_in_identity(
    session: Session, identity: Identity, password_hash: str | None, address: str, user_agent: str
) -> tuple[Account, str]:
    """Begin a sign-in of the identity's user; their account, and the secret for the cookie.

    A new user is made with that `password_hash`; without one, and where the name is somebody's here already, IdentityUnknown: an
    administrator decides whether both are the same person. UserDisabled where the user is shut out.
    """
    account = account_of_identity(session, identity)
    if account is None:
        account = _new_user(session, identity, password_hash, address)
    if session.scalar(select(User.is_disabled).where(User.id == account.id)):
        raise accounts.user_disabled()
    if identity.is_admin is not None and identity.is_admin is not account.is_admin:
        account = _with_rights(session, account, identity, address, is_admin=identity.is_admin)
    audit.note(session, Event(Action.SIGNED_IN, account.name, identity.issuer, address))
    return account, accounts.sign_in(session, account, address, user_agent)


def link(session: Session, user_name: str, issuer: str, subject: str) -> None:
    """Let the identity sign in as that user from now on, and as nobody else. UserNotFound, OptionInvalid."""
    if not 0 < len(subject) <= _MOST_SUBJECT_CHARACTERS:
        raise OptionInvalid(
            f"A subject has 1 to {_MOST_SUBJECT_CHARACTERS} characters. This is none that a provider gives."
        )
    user_id = accounts.find_user(session, user_name).id
    unlink(session, issuer, subject)
    session.execute(
        insert(UserIdentity).values(issuer=issuer, subject=subject, user_id=user_id, created_us=NowMicroseconds())
    )


def unlink(session: Session, issuer: str, subject: str) -> None:
    """Let the identity sign in as nobody, until it is linked again."""
    session.execute(delete(UserIdentity).where(UserIdentity.issuer == issuer, UserIdentity.subject == subject))


def _with_rights(session: Session, account: Account, identity: Identity, address: str, *, is_admin: bool) -> Account:
    session.execute(update(User).where(User.id == account.id).values(is_admin=is_admin))
    action = Action.ADMIN_GIVEN if is_admin else Action.ADMIN_TAKEN
    audit.note(session, Event(action, account.name, identity.issuer, address))
    return replace(account, is_admin=is_admin)


def _new_user(session: Session, identity: Identity, password_hash: str | None, address: str) -> Account:
    named = f"'{identity.subject}' of {identity.issuer}"
    if password_hash is None:
        raise IdentityUnknown(
            f"Nobody here is linked with {named}. Ask an administrator to link you: `ocr_worker.py users link`."
        )
    try:
        accounts.create_user(session, identity.name, password_hash)
    except UserExists as error:
        raise IdentityUnknown(
            f"There is a user '{identity.name}' here already, who is not linked with {named}. If that is you, ask an administrator to link you: "
            "`ocr_worker.py users link`."
        ) from error
    audit.note(session, Event(Action.USER_CREATED, identity.name, identity.name, address))
    link(session, identity.name, identity.issuer, identity.subject)
    return accounts.find_user(session, identity.name)
