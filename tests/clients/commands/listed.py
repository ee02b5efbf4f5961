"""The commands of `recto`, as the program lists them."""

from collections.abc import Iterator

import click

from recto_client import commands


def all_commands() -> Iterator[tuple[str, click.Command]]:
    """Each with its name."""
    context = click.Context(commands.main)
    for name in commands.main.list_commands(context):
        command = commands.main.get_command(context, name)
        assert command is not None
        yield name, command
