"""The command `recto`."""

import sys
from importlib import import_module
from typing import Final

import click

from recto_client import __version__
from recto_client.errors import NotAllowed, NotReachable, NotSignedIn, RectoError

_COMMANDS: Final = {
    "login": "login:login",
    "read": "documents:read",
    "watch": "watch:watch",
    "submit": "documents:submit",
    "wait": "jobs:wait",
    "download": "documents:download",
    "jobs": "jobs:jobs",
    "cancel": "jobs:cancel",
    "delete": "jobs:delete",
}
"""In the order in which people come to need them."""

FAILED: Final = 1
EX_UNAVAILABLE: Final = 69
EX_NOPERM: Final = 77
STOPPED: Final = 130


class _Commands(click.Group):
    """Imports a command when it is called, and lists them in the order of the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All of them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """One of them."""
        module, _, name = _COMMANDS.get(cmd_name, "").partition(":")
        if not module:
            return None
        command: click.Command = getattr(import_module(f"recto_client.commands.{module}"), name)
        return command


_HELP: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=_Commands, context_settings=_HELP)
@click.version_option(__version__, prog_name="recto")
def main() -> None:
    """Reads scans and photos of text with a Recto: http://127.0.0.1:8080 or wherever yours runs.

    \b
    Once:              recto login http://127.0.0.1:8080
    Read a scan:       recto read letter.pdf
    In two languages:  recto read letter.pdf -l eng+deu -o letter.txt
    Searchable PDFs:   recto read *.jpg --format pdf -o read/
    A scanner's share: recto watch inbox/ --out outbox/ --format txt --format pdf

    Results go to standard output or into files, everything else to standard error. Address and token come from RECTO_URL and
    RECTO_TOKEN, or else from `recto login`.

    Exit status: 0; 1 where a document could not be read or something was refused; 2 for wrong usage; 69 where no Recto answers;
    77 where the token is not taken; 130 after Ctrl-C.
    """


def run_command_line() -> None:
    """Ends the process with the status that `main` tells of."""
    sys.exit(status_of(sys.argv[1:]))


def status_of(arguments: list[str]) -> int:
    """The exit status of the command with these arguments; errors are told in one line on standard error."""
    try:
        status = main(arguments, prog_name="recto", standalone_mode=False)
    except RectoError as error:
        advice = " Run `recto login`, or set RECTO_TOKEN." if isinstance(error, NotSignedIn) else ""
        click.echo(f"Error: {error}{advice}", err=True)
        return _status_of_error(error)
    except OSError as error:
        click.echo(
            f"Error: {error.filename or ''}: {error.strerror or error}. Check the path and its permissions.", err=True
        )
        return FAILED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo("Stopped.", err=True)
        return STOPPED
    return status if isinstance(status, int) else 0


def _status_of_error(error: RectoError) -> int:
    if isinstance(error, NotReachable):
        return EX_UNAVAILABLE
    return EX_NOPERM if isinstance(error, NotSignedIn | NotAllowed) else FAILED
