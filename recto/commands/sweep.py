"""`jobs sweep`: what crashes have left behind."""

import os

import click

from recto.commands.parts import job_operations, open_sessions, open_storage
from recto.commands.tables import json_flag, print_rows
from recto.durations import HOW_TO_WRITE, parse_duration_s, shown_duration
from recto.settings import load_settings
from recto.views.reports import Row
from recto.working.sweeper import Outcome, Sweeper, Swept


def _seconds(_context: click.Context, _parameter: click.Parameter, age: str | None) -> float | None:
    """An age given as 90, 90s, 15m, 36h or 2d. click.BadParameter where it is none."""
    if age is None:
        return None
    age_s = parse_duration_s(age)
    if age_s is None:
        raise click.BadParameter(f"'{age}' is no age. {HOW_TO_WRITE}")
    return age_s


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option(
    "--older-than",
    callback=_seconds,
    metavar="AGE",
    help="Clean up what is older, such as 36h or 2d; file_storage.sweep_after_s where it is left out.",
)
@click.option("--force", is_flag=True, help="Remove folders without a job even where most folders have none.")
@json_flag
def sweep(dry_run: bool, older_than: float | None, force: bool, as_json: bool) -> None:
    """Find what crashes have left behind, report it, and remove what is safe to remove."""
    settings = load_settings(os.environ)
    age_s = settings.file_storage.sweep_after_s if older_than is None else older_than
    sweeper = Sweeper(
        open_sessions(settings),
        job_operations(settings),
        open_storage(settings),
        age_s,
        is_dry_run=dry_run,
        is_forced=force,
        event_lifetime_s=settings.database.event_lifetime_s,
    )
    found = list(sweeper.sweep())
    rows = [_values(swept) if as_json else _shown(swept) for swept in found]
    print_rows(rows, as_json=as_json, empty="Nothing was left behind.")
    if any(swept.outcome is Outcome.RESISTED for swept in found):
        raise click.exceptions.Exit(1)


def _values(swept: Swept) -> Row:
    finding = swept.finding
    return {
        "kind": finding.kind.value,
        "uuid": finding.uuid,
        "name": finding.name,
        "age_s": round(finding.age_s, 3),
        "size_bytes": finding.size_bytes,
        "outcome": swept.outcome.value,
        "detail": swept.detail,
    }


def _shown(swept: Swept) -> Row:
    finding = swept.finding
    return {
        "what": finding.kind.value,
        "where": "/".join(part for part in (finding.uuid, finding.name) if part),
        "age": shown_duration(finding.age_s),
        "bytes": f"{finding.size_bytes:,}",
        "outcome": " - ".join(part for part in (swept.outcome.value, swept.detail) if part),
    }
