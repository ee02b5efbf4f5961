"""The Worker's entry point and the administrator's: `python ocr_worker.py --help`.

A command's module is imported when the command is called: page processes import this file too and need none of them.
"""

import gc
import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

from recto import __version__
from recto.errors import RectoError, SettingsError
from recto.parent_death import die_with_parent

if __name__ == "__mp_main__":
    # So multiprocessing calls this file in a page process. At once: what it loads next takes a second, on a busy machine several.
    die_with_parent()
# Before NumPy is loaded. With one process to a core, a second thread of OpenBLAS has nothing to do but spin while others start.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

_COMMANDS: Final = {
    "run": "recto.commands.run:run",
    "dispatch": "recto.commands.dispatch:dispatch",
    "node": "recto.commands.node:node",
    "recognise": "recto.commands.recognise:recognise",
    "derive": "recto.commands.derive:derive",
    "doctor": "recto.commands.doctor:doctor",
    "users": "recto.commands.users:users",
    "tokens": "recto.commands.tokens:tokens",
    "jobs": "recto.commands.jobs:jobs",
    "db": "recto.commands.db:db",
    "backup": "recto.commands.backup:backup",
    "restore": "recto.commands.backup:restore",
    "migrate": "recto.commands.migrate:migrate",
}


class LazyGroup(click.Group):
    """A click group whose commands are imported on first use (click's documentation, "Lazily loading subcommands")."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names in the order of the table."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return one command."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        with _no_collections():
            command: click.Command = getattr(importlib.import_module(module), name)
        return command


@contextmanager
def _no_collections() -> Iterator[None]:
    """What is imported stays: looking for garbage among it takes a tenth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="Recto")
def main() -> None:
    """Recto's Worker: reads documents, alone or for the Backend, and administers both."""


def run_command_line() -> int:
    """Exit status: 0; 1 for an error that is Recto's to tell; 2 for wrong usage; 78 (EX_CONFIG) for wrong settings."""
    try:
        status = main(standalone_mode=False)
    except RectoError as error:
        click.echo(f"Error: {error.detail}", err=True)
        return os.EX_CONFIG if isinstance(error, SettingsError) else 1
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo("Stopped.", err=True)
        return 130
    return status if isinstance(status, int) else 0  # click hands the status of an Exit back instead of raising it


if __name__ == "__main__":
    sys.exit(run_command_line())
