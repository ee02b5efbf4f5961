"""`backup` and `restore`: all that a Recto keeps, in a folder."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from sqlalchemy.orm import Session

from recto.commands.parts import connect_database, job_operations, open_database, open_storage
from recto.database.connections import Begin, transaction
from recto.file_storage.scratch import scratch_folder
from recto.moving.backup import MadeBackup, make_backup
from recto.moving.manifest import SIGNING, different_files, read_manifest
from recto.moving.restore import RestoredBackup, restore_backup
from recto.records import meters
from recto.records.meters import Metered
from recto.settings import Settings, load_settings

_MOST_NAMED: Final = 20
_folder = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))


@click.command()
@_folder
@click.option(
    "--verify", is_flag=True, help="Back up nothing: read what is in FOLDER, and compare it with its checksums."
)
def backup(folder: Path, verify: bool) -> None:
    """Back up users, jobs, logs, files and the secret to FOLDER, consistent, while Recto runs, whatever it keeps them in.

    Again into the same folder copies only what is new. What was deleted since is removed there.
    """
    if verify:
        _verify(folder)
        return
    settings = load_settings(os.environ)
    _check_outside(settings, folder)
    database = connect_database(settings)
    made = make_backup(
        database,
        open_storage(settings),
        settings.file_storage.path / SIGNING,
        job_operations(settings),
        folder.resolve(),
        datetime.now(UTC),
    )
    with transaction(Session(database), Begin.WRITE) as session:
        meters.put_time(session, Metered.BACKED_UP_US)
    click.echo(_said(made, folder))
    for uuid in made.incomplete[:_MOST_NAMED]:
        click.echo(
            f"Job {uuid} has no document, here as in the File Storage. `ocr_worker.py jobs sweep --dry-run` says more.",
            err=True,
        )


@click.command()
@_folder
def restore(folder: Path) -> None:
    """Restore the backup in FOLDER to the database and File Storage of the settings, which must be empty, and compare it by checksum.

    Recto must not run there yet. A backup of an older version is upgraded. Where it breaks off, call it again.
    """
    settings = load_settings(os.environ)
    read_manifest(folder)  # before anything is made
    restored = restore_backup(
        folder.resolve(),
        open_database(settings),
        open_storage(settings),
        settings.file_storage.path / SIGNING,
        scratch_folder(settings.file_storage.path),
    )
    click.echo(_told(restored))
    _fail_where(restored.different, "Not equal to the backup", "All the rest is restored.")


def _check_outside(settings: Settings, folder: Path) -> None:
    storage = settings.file_storage.path.resolve()
    if folder.resolve().is_relative_to(storage):
        raise click.UsageError(f"FOLDER lies in {storage}, with what it is to save. Name one on another disk.")


def _said(made: MadeBackup, folder: Path) -> str:
    manifest = made.manifest
    return (
        f"Backed up {manifest.jobs:,} jobs with {manifest.files:,} files to {folder} ({manifest.size_bytes:,} bytes): "
        f"{made.copied:,} files are new, {made.removed:,} were removed."
    )


def _told(restored: RestoredBackup) -> str:
    manifest, reading = restored.manifest, restored.interrupted_jobs
    waits = f" {reading:,} of them were being read, and are queued again when a Worker runs." if reading else ""
    return f"Restored the backup of {manifest.made}: {manifest.jobs:,} jobs with {manifest.files:,} files.{waits}"


def _verify(folder: Path) -> None:
    different = different_files(folder)
    _fail_where(different, "Damaged or missing", "Remove what is damaged, and back up to this folder again.")
    manifest = read_manifest(folder)
    click.echo(f"The backup of {manifest.made} is whole: {manifest.jobs:,} jobs with {manifest.files:,} files.")


def _fail_where(different: tuple[str, ...], what: str, advice: str) -> None:
    if different:
        named = "\n".join(f"  {path}" for path in different[:_MOST_NAMED])
        raise click.ClickException(f"{what}: {len(different):,} in all, such as\n{named}\n{advice}")
