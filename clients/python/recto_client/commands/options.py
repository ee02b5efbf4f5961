"""The options of a job on the command line. Recto judges their values: it knows its languages, and newer ones know more."""

from collections.abc import Callable
from typing import Any

import click

from recto_client.formats import SUFFIXES

FORMAT = click.Choice(list(SUFFIXES))


def job_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: options that decide how a document is read, gathered by `given_options`."""
    for option in reversed(
        [
            click.option("-l", "--languages", metavar="LANGUAGES", help="Languages of the text: deu+eng, or auto."),
            click.option("--pages", metavar="PAGES", help="Pages to read: 1-3,7,9-end."),
            click.option("--mode", metavar="MODE", help="For PDF pages that have text: auto, force or skip."),
            click.option("--preprocess", metavar="STEPS", help="How pages are prepared: auto+no-light, none."),
            click.option(
                "--option", "others", metavar="NAME=VALUE", multiple=True, help="Any other option of docs/api.md."
            ),
        ]
    ):
        command = option(command)
    return command


def password_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: the password of the document."""
    return click.option(
        "--password", metavar="PASSWORD", help="Opens an encrypted PDF. Other users of this machine can see it."
    )(command)


def given_options(given: dict[str, Any]) -> dict[str, str]:
    """Those that were given, as the API takes them. UsageError for one that has no value."""
    others = given.pop("others")
    options = {name: value for name, value in given.items() if value is not None}
    for other in others:
        name, sign, value = other.partition("=")
        if not sign or not name:
            raise click.UsageError(f"'{other}' is no option. Write it as NAME=VALUE, such as dedupe=false.")
        options[name] = value
    return options
