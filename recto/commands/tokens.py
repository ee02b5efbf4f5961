"""`tokens`: keys for programs."""

import os

import click

from recto import accounts, audit
from recto.accounts import DEFAULT_SCOPES, Scope
from recto.audit import COMMAND_LINE, Action, Event
from recto.commands.parts import open_sessions
from recto.commands.tables import json_flag, print_rows
from recto.database.connections import Begin, transaction
from recto.settings import load_settings
from recto.views import reports


@click.group()
def tokens() -> None:
    """Make, list and revoke API tokens."""


@tokens.command()
@click.argument("user")
@click.option("--name", default="command line", show_default=True, help="What the token is for.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([scope.value for scope in Scope]),
    multiple=True,
    default=[scope.value for scope in DEFAULT_SCOPES],
    show_default=True,
    help="What it may do; may be given more than once.",
)
@click.option("--days", type=int, help="How many days it works; until it is revoked where this is left out.")
def create(user: str, name: str, scopes: tuple[str, ...], days: int | None) -> None:
    """Make a token for USER and print it: the only time that it is shown."""
    sessions = open_sessions(load_settings(os.environ))
    with transaction(sessions(), Begin.WRITE) as session:
        user_id = accounts.find_user(session, user).id
        token = accounts.create_token(session, user_id, name, tuple(map(Scope, scopes)), days)
        about = f"{user}: {accounts.shown_start(token)}… {' '.join(scopes)}"
        audit.note(session, Event(Action.TOKEN_CREATED, COMMAND_LINE, about))
    click.echo(token)


@tokens.command("list")
@click.option("--user", help="Only those of this user.")
@json_flag
def list_command(user: str | None, as_json: bool) -> None:
    """Tokens by their start and their use; never whole."""
    settings = load_settings(os.environ)
    open_sessions(settings)
    print_rows(
        reports.list_tokens(settings.database_url, user),
        as_json=as_json,
        empty="There are no tokens.",
    )


@tokens.command()
@click.argument("user")
@click.argument("token_id", type=int)
def revoke(user: str, token_id: int) -> None:
    """End the token TOKEN_ID (see `tokens list`) of USER."""
    sessions = open_sessions(load_settings(os.environ))
    with transaction(sessions(), Begin.WRITE) as session:
        revoked = accounts.revoke_token(session, accounts.find_user(session, user).id, token_id)
        audit.note(session, Event(Action.TOKEN_REVOKED, COMMAND_LINE, f"{user}: {revoked.prefix}…"))
    click.echo(f"Token {token_id} is revoked.")
