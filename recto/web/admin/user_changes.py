"""What administrators do to users, with who did it in the audit log, both or neither."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from recto import accounts, audit
from recto.audit import Action, Event
from recto.users import administration, sign_ins
from recto.users.administration import UserDetails
from recto.web.login import signed_in
from recto.web.serving.database import in_thread, write
from recto.web.sign_in.audited import client_address, noted_by_user


def add_user(name: str, password: str, *, is_admin: bool) -> UserDetails:
    """Add a user."""
    password_hash = in_thread(lambda: accounts.hash_password(password))
    return write(_added, name, password_hash, is_admin, noted_by_user(Action.USER_CREATED, name))


def change_user_noted(user_id: int, given: dict[str, Any]) -> UserDetails:
    """Change of a user what is given: keys and values are those of answers.UserChange."""
    user = signed_in()
    return write(
        _changed, user_id, given, user.account.id, Event(Action.LIMITS_CHANGED, user.name, "", client_address())
    )


def reset_password(user_id: int) -> tuple[UserDetails, str]:
    """Give a user a new password, which is returned and kept nowhere. It ends their sign-ins."""
    password = administration.new_password()
    password_hash = in_thread(lambda: accounts.hash_password(password))
    return write(_with_password, user_id, password_hash, noted_by_user(Action.PASSWORD_CHANGED)), password


def _added(session: Session, name: str, password_hash: str, is_admin: bool, noted: Event) -> UserDetails:
    user_id = accounts.create_user(session, name, password_hash, is_admin=is_admin)
    audit.note(session, noted)
    return administration.details_of(session, user_id)


def _changed(session: Session, user_id: int, given: dict[str, Any], by_user_id: int, noted: Event) -> UserDetails:
    user = administration.details_of(session, user_id)
    for action in _actions(session, user, given, by_user_id):
        audit.note(session, replace(noted, action=action, about=user.name))
    session.expire_all()
    return administration.details_of(session, user_id)


def _actions(session: Session, user: UserDetails, given: dict[str, Any], by_user_id: int) -> Iterator[Action]:
    """What is done; a change to what is there already is none."""
    is_disabled = given.get("is_disabled", user.is_disabled)
    if is_disabled != user.is_disabled:
        administration.set_disabled(session, user.id, by_user_id, is_disabled=is_disabled)
        yield Action.USER_DISABLED if is_disabled else Action.USER_ENABLED
    limits = replace(user.limits, **{name: value for name, value in given.items() if name != "is_disabled"})
    if limits != user.limits:
        administration.set_limits(session, user.id, limits)
        yield Action.LIMITS_CHANGED


def _with_password(session: Session, user_id: int, password_hash: str, noted: Event) -> UserDetails:
    user = administration.details_of(session, user_id)
    accounts.set_password(session, user_id, password_hash)
    sign_ins.forget_name(session, user.name)
    audit.note(session, replace(noted, about=user.name))
    return user
