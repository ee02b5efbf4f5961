"""docs/client.md against the code: commands, options, methods, errors."""

import inspect
import re
from pathlib import Path

import click

import recto_client
from recto_client import Client, commands
from tests.clients.commands.listed import all_commands

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "client.md").read_text(encoding="utf-8")


def rows(head: str) -> list[tuple[str, str]]:
    """First cells, as they stand, and the others, of the table with that head."""
    table = DOCS.partition(f"\n| {head} |")[2].partition("\n\n")[0]
    return re.findall(r"^\| (`.*?`) \| (.*) \|$", table, re.MULTILINE)


def test_client_document_lists_each_command_with_its_arguments() -> None:
    usages = [
        " ".join([name, *(str(one.name).upper() for one in command.params if isinstance(one, click.Argument))])
        for name, command in all_commands()
    ]
    assert [cell.strip("`") for cell, _ in rows("command")] == usages


def test_client_document_names_each_option_of_a_command() -> None:
    described = {cell.strip("`").partition(" ")[0]: text for cell, text in rows("command")}
    described["watch"] = DOCS.partition("\n## Watching a folder\n")[2].partition("\n## ")[0]
    for name, command in all_commands():
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.opts[-1] in described[name], f"{name} {option.opts[-1]}"


def test_client_document_names_each_exit_status() -> None:
    for status in (commands.FAILED, commands.EX_UNAVAILABLE, commands.EX_NOPERM, commands.STOPPED):
        assert re.search(rf"\b{status}\b", DOCS.partition("Exit status:")[2].partition("\n")[0]), status


def test_client_document_lists_each_method_with_its_parameters() -> None:
    methods = inspect.getmembers(
        Client, lambda member: inspect.isfunction(member) and not member.__name__.startswith("_")
    )
    documented = {cell.strip("`").partition("(")[0]: cell for cell, _ in rows("method")}
    assert documented.keys() == {name for name, _ in methods}
    for name, method in methods:
        for parameter in list(inspect.signature(method).parameters)[1:]:
            assert parameter in documented[name], f"{name} {parameter}"


def test_client_document_lists_each_error() -> None:
    errors = {
        name
        for name in recto_client.__all__
        if isinstance(getattr(recto_client, name), type) and issubclass(getattr(recto_client, name), Exception)
    }
    assert set(re.findall(r"`(\w+)`", " ".join(cell for cell, _ in rows("error")))) == errors
