"""Lists on standard output: a table for people, JSON for programs."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import click
from tabulate import tabulate

from recto.views.reports import Row

json_flag: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--json", "as_json", is_flag=True, help="JSON instead of a table."
)


def print_rows(rows: Sequence[Row], *, as_json: bool, empty: str) -> None:
    """Print the rows; `empty` is what a person reads where there are none."""
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    elif rows:
        click.echo(tabulate([{name: _shown(value) for name, value in row.items()} for row in rows], headers="keys"))
    else:
        click.echo(empty)


def _shown(value: Any) -> Any:
    return "" if value is None else value
