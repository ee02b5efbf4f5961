"""`tokens`: keys for programs."""

import os

import click

from recto import accounts, reports
from recto.commands.parts import open_sessions
from recto.commands.tables import json_flag, print_rows
from recto.database import Begin, transaction
from recto.settings import load_settings


@click.group()
def tokens() -> None:
    """Make, list and revoke API tokens."""


@tokens.command()
@click.argument("user")
@click.option("--name", default="command line", show_default=True, help="What the token is for.")
def create(user: str, name: str) -> None:
    """Make a token for USER and print it: the only time that it is shown."""
    sessions = open_sessions(load_settings(os.environ))
    with transaction(sessions(), Begin.WRITE) as session:
        token = accounts.create_token(session, accounts.find_user(session, user).id, name)
    click.echo(token)


@tokens.command("list")
@click.option("--user", help="Only those of this user.")
@json_flag
def list_command(user: str | None, as_json: bool) -> None:
    """Tokens by their start and their use; never whole."""
    settings = load_settings(os.environ)
    open_sessions(settings)
    print_rows(
        reports.list_tokens(reports.database_file(settings.database_url), user),
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
        accounts.revoke_token(session, accounts.find_user(session, user).id, token_id)
    click.echo(f"Token {token_id} is revoked.")
