"""`db`: the schema and the backup."""

import os
from pathlib import Path

import click

from recto.commands.parts import connect_sessions, open_database
from recto.database.connections import Begin, newest_schema, schema_of, transaction
from recto.records import meters
from recto.records.meters import Metered
from recto.settings import load_settings
from recto.views.reports import back_up, database_file


@click.group()
def db() -> None:
    """Upgrade and back up the database."""


@db.command()
def upgrade() -> None:
    """Bring the schema to this version. Backend and Worker do the same when they start."""
    settings = load_settings(os.environ)
    open_database(settings).dispose()
    click.echo("The database has the newest schema.")


@db.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Copy a SQLite database to FILE, consistent, while the service runs. The documents are not in it: copy their folder too."""
    settings = load_settings(os.environ)
    size_bytes = back_up(database_file(settings.database_url), file.resolve())
    with transaction(connect_sessions(settings)(), Begin.WRITE) as session:
        if schema_of(session) == newest_schema():  # one that is about to be upgraded may have no place for it
            meters.put_time(session, Metered.BACKED_UP_US)
    click.echo(f"Wrote {file} ({size_bytes:,} bytes).")
