"""`recto login`."""

import sys

import click

from recto_client.commands import credentials

_PATIENCE_S = 5.0


@click.command()
@click.argument("url", default="http://127.0.0.1:8080")
@click.option("--token-stdin", is_flag=True, help="Read the token from standard input instead of asking for it.")
def login(url: str, token_stdin: bool) -> None:
    """Keep the address of a Recto and a token, for all other commands.

    A token is made on Recto's account page. It is tried, and then kept in a file that only you can read. URL is
    http://127.0.0.1:8080 where it is left out.
    """
    token = sys.stdin.readline() if token_stdin else click.prompt("Token", hide_input=True, err=True)
    with credentials.client_for(url, token.strip(), _PATIENCE_S) as client:
        known = client.token()
    credentials.keep(url, token.strip())
    click.echo(
        f"Signed in at {url} with the token '{known['name']}' ({', '.join(known['scopes'])}), kept in {credentials.file()}.",
        err=True,
    )
