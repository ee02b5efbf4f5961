"""`users`: who may sign in."""

import os
import sys
from dataclasses import asdict

import click

from recto import accounts, audit
from recto.audit import COMMAND_LINE, Action, Event
from recto.commands.parts import open_sessions
from recto.commands.tables import json_flag, print_rows
from recto.database.connections import Begin, transaction
from recto.errors import RectoError
from recto.records.retention import parse_retention, set_user_retention
from recto.records.storage_report import report_storage
from recto.settings import load_settings
from recto.users import identities, sign_ins
from recto.views import reports

_password_stdin = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")


@click.group()
def users() -> None:
    """List, add and remove users, set passwords."""


@users.command("list")
@json_flag
def list_command(as_json: bool) -> None:
    """Everybody who may sign in."""
    settings = load_settings(os.environ)
    open_sessions(settings)
    print_rows(
        reports.list_users(settings.database_url),
        as_json=as_json,
        empty="There are no users yet.",
    )


@users.command()
@click.argument("name")
@click.option("--admin", is_flag=True, help="The user administers this Recto.")
@_password_stdin
def add(name: str, admin: bool, password_stdin: bool) -> None:
    """Add the user NAME."""
    sessions = open_sessions(load_settings(os.environ))
    password_hash = accounts.hash_password(_ask_password(password_stdin))
    with transaction(sessions(), Begin.WRITE) as session:
        accounts.create_user(session, name, password_hash, is_admin=admin)
        audit.note(session, Event(Action.USER_CREATED, COMMAND_LINE, name))
    click.echo(f"Added {name}.")


@users.command()
@click.argument("name")
@_password_stdin
def password(name: str, password_stdin: bool) -> None:
    """Set the password of the user NAME, end their sign-ins, and let them try again at once where too many had failed."""
    sessions = open_sessions(load_settings(os.environ))
    password_hash = accounts.hash_password(_ask_password(password_stdin))
    with transaction(sessions(), Begin.WRITE) as session:
        accounts.set_password(session, accounts.find_user(session, name).id, password_hash)
        sign_ins.forget_name(session, name)
        audit.note(session, Event(Action.PASSWORD_CHANGED, COMMAND_LINE, name))
    click.echo(f"The password of {name} is set.")


@users.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove the user NAME, who must have no jobs left, with their tokens."""
    settings = load_settings(os.environ)
    sessions = open_sessions(settings)
    with transaction(sessions(), Begin.WRITE) as session:
        accounts.delete_user(session, name)
        audit.note(session, Event(Action.USER_REMOVED, COMMAND_LINE, name))
    click.echo(f"Removed {name}.")


@users.command("audit")
@click.option("--user", help="Only what this user did, or what was done to them.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many at most.")
@json_flag
def audit_command(user: str | None, limit: int, as_json: bool) -> None:
    """Sign-ins, good and bad, tokens, passwords and deletions: who, what and from where, newest first."""
    settings = load_settings(os.environ)
    open_sessions(settings)
    rows = reports.list_audit(settings.database_url, user, limit)
    print_rows(rows, as_json=as_json, empty="Nothing was noted yet.")


@users.command()
@click.argument("name")
@click.argument("age")
def retention(name: str, age: str) -> None:
    """Keep jobs that NAME makes from now on for AGE after their ends: 36h, 30d, forever, or default."""
    with transaction(open_sessions(load_settings(os.environ))(), Begin.WRITE) as session:
        user_id = accounts.find_user(session, name).id
        set_user_retention(session, user_id, None if age == "default" else parse_retention(age))
        audit.note(session, Event(Action.RETENTION_SET, COMMAND_LINE, f"{name}: {age}"))
    click.echo(f"New jobs of {name} are kept for: {age}.")


@users.command("link")
@click.argument("name")
@click.argument("subject")
@click.option("--issuer", help="The provider; oidc.issuer where it is left out, 'proxy' for a proxy in front.")
def link_command(name: str, subject: str, issuer: str | None) -> None:
    """Let who is SUBJECT at the provider (its claim `sub`), or at the proxy, sign in as the user NAME."""
    settings = load_settings(os.environ)
    issuer = issuer or settings.oidc.issuer or identities.PROXY
    with transaction(open_sessions(settings)(), Begin.WRITE) as session:
        identities.link(session, name, issuer, subject)
        audit.note(session, Event(Action.IDENTITY_LINKED, COMMAND_LINE, f"{name}: {subject} at {issuer}"))
    click.echo(f"{subject} at {issuer} signs in as {name}.")


@users.command("unlink")
@click.argument("subject")
@click.option("--issuer", help="The provider; oidc.issuer where it is left out, 'proxy' for a proxy in front.")
def unlink_command(subject: str, issuer: str | None) -> None:
    """Let who is SUBJECT at the provider or the proxy sign in as nobody, until they are linked again."""
    settings = load_settings(os.environ)
    issuer = issuer or settings.oidc.issuer or identities.PROXY
    with transaction(open_sessions(settings)(), Begin.WRITE) as session:
        identities.unlink(session, issuer, subject)
        audit.note(session, Event(Action.IDENTITY_UNLINKED, COMMAND_LINE, f"{subject} at {issuer}"))
    click.echo(f"{subject} at {issuer} signs in as nobody.")


@users.command()
@json_flag
def storage(as_json: bool) -> None:
    """Who keeps how much, and may, who keeps most first."""
    settings = load_settings(os.environ)
    with transaction(open_sessions(settings)(), Begin.READ) as session:
        report = report_storage(session, settings.queue.max_stored_bytes_per_user)
    print_rows([asdict(user) for user in report.users], as_json=as_json, empty="There are no users yet.")
    if not as_json:
        swept = f"{report.swept:%Y-%m-%d %H:%M} UTC" if report.swept else "never yet"
        click.echo(f"Database: {report.database_bytes:,} bytes. all_bytes are of the last sweep: {swept}.")


def _ask_password(password_stdin: bool) -> str:
    if password_stdin:
        return sys.stdin.readline().rstrip("\n")
    if not sys.stdin.isatty():
        raise RectoError(
            "There is no terminal to ask for the password. Give it on standard input with --password-stdin."
        )
    answer: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return answer
