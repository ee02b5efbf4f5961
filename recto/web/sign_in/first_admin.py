"""The first start: a user who can sign in, and how they learn the password without it ever entering a log."""

import os
import secrets
import sys
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from recto import accounts, audit
from recto.accounts import Account
from recto.audit import FIRST_START, Action, Event
from recto.database.connections import Begin, transaction
from recto.database.turns import Turn, take_turn
from recto.logs import get_logger

_log = get_logger(__name__)


def ensure_first_admin(sessions: sessionmaker[Session], name: str, password: str, address: str, file: Path) -> None:
    """Create the first user where there is none, in one transaction, so that of several Backends one does it.

    A given password is used as it is. A random one goes to the terminal, or, where standard error is none, into `file`.
    """
    with transaction(sessions(), Begin.READ) as session:
        if accounts.has_users(session):
            return
    chosen = password or secrets.token_urlsafe(12)
    password_hash = accounts.hash_password(chosen)
    with transaction(sessions(), Begin.CLAIM) as session:
        take_turn(session, Turn.FIRST_USER)
        if accounts.has_users(session):
            return
        accounts.create_user(session, name, password_hash, is_admin=True)
        audit.note(session, Event(Action.USER_CREATED, FIRST_START, name))
        if not password and not sys.stderr.isatty():
            _write_private(file, f"{chosen}\n")  # before the commit: no user whose password nobody knows
    if password:
        _log.info("first_user_created", name=name, password="as set by RECTO_ADMIN_PASSWORD")  # noqa: S106
    elif sys.stderr.isatty():
        sys.stderr.write(_box(name, chosen, address))
    else:
        _log.warning("first_user_created", name=name, password_in_file=str(file))


def forget_password_file(file: Path, account: Account) -> None:
    """The first sign-in of an administrator makes the file with the first password unnecessary."""
    if account.is_admin:
        file.unlink(missing_ok=True)


def _write_private(file: Path, content: str) -> None:
    file.unlink(missing_ok=True)  # an old file would keep its mode
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(content)


def _box(name: str, password: str, address: str) -> str:
    lines = [
        "Recto is ready for its first user.",
        "",
        f"Open      {address}",
        f"Name      {name}",
        f"Password  {password}",
        "",
        "This is shown once. Change the password on the account page.",
    ]
    width = max(map(len, lines))
    rule = "─" * (width + 2)
    rows = "".join(f"│ {line.ljust(width)} │\n" for line in lines)
    return f"\n┌{rule}┐\n{rows}└{rule}┘\n\n"
