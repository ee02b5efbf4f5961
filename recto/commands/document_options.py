"""Command-line options made from the one definition of a job's options (recto/ocr/options.py)."""

from collections.abc import Callable
from typing import Any, Final, Literal, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from recto.errors import OptionInvalid
from recto.ocr.options import Options, parse_options

_SHORT: Final = {"languages": "-l"}


def document_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: one option of the command for each field of Options, but for `formats`: a command writes one file."""
    for name, field in reversed(Options.model_fields.items()):
        if name != "formats":
            flags = [flag for flag in (_SHORT.get(name), f"--{name.replace('_', '-')}") if flag]
            command = click.option(*flags, name, type=_click_type(field), help=field.description)(command)
    return command


def _click_type(field: FieldInfo) -> click.Choice[str] | None:
    """A choice where the field is one of some values; the values themselves are judged by Options."""
    return click.Choice(get_args(field.annotation)) if get_origin(field.annotation) is Literal else None


def options_from(given: dict[str, Any], default_languages: str) -> Options:
    """Options from the command's arguments; what was not given keeps its default. click.UsageError for bad values."""
    values = {name: value for name, value in given.items() if value is not None}
    try:
        return parse_options({"languages": default_languages} | values)
    except OptionInvalid as error:
        raise click.UsageError(error.detail) from error
