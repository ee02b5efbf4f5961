"""`migrate`: takes a Recto over to another database and another File Storage."""

import os
from collections.abc import Iterator
from pathlib import Path

import click

from recto.commands.parts import open_database, open_storage
from recto.commands.tables import json_flag, print_rows
from recto.database.connections import connect, upgrade_schema
from recto.file_storage.base import FileStorage
from recto.file_storage.opening import prepare_storage
from recto.moving.files import MovedFolder, copy_files
from recto.moving.manifest import SIGNING, put
from recto.moving.rows import copy_rows
from recto.settings import FileStorageSettings, Settings, load_settings
from recto.views.reports import Row


@click.command()
@click.option(
    "--to-database",
    metavar="URL",
    help="The new database, as database.url names one: empty, or filled by an earlier call.",
)
@click.option("--to-storage", metavar="PLACE", help="The new File Storage: s3://bucket/prefix, or a folder.")
@click.option(
    "--compare/--no-compare",
    default=True,
    help="Whether to read all files on both sides and compare them. [default: compare]",
)
@json_flag
def migrate(to_database: str | None, to_storage: str | None, compare: bool, as_json: bool) -> None:
    """Copy users, jobs, logs and files to another database and File Storage, and compare both sides by checksum.

    It may be called while Recto runs, and again, as often as wanted: each time only what differs is copied. The last time, stop Recto before.
    The settings name where everything is now, and the keys of the object store that it goes to.
    """
    if to_database is None and to_storage is None:
        raise click.UsageError("Say where to: --to-database URL, --to-storage PLACE, or both.")
    settings = load_settings(os.environ)
    # Rows first: what they name lies in its folder already.
    rows = [*_move_rows(settings, to_database), *_move_files(settings, to_storage, compare=compare)]
    print_rows(rows, as_json=as_json, empty="")
    if any(row["equal"] == "no" for row in rows):
        raise click.ClickException(
            "Not all of it is equal yet. Where Recto still runs here, stop it; then call this once more."
        )
    if to_storage is not None and settings.file_storage.url == "":
        _take_secret_along(settings.file_storage.path, to_storage)


def _move_rows(settings: Settings, url: str | None) -> Iterator[Row]:
    if url is None:
        return
    if url == settings.database_url:
        raise click.UsageError("--to-database names the database that the settings name.")
    source, target = open_database(settings), connect(url, settings.database.busy_timeout_s)
    upgrade_schema(target)
    for moved in copy_rows(source, target):
        yield {
            "what": moved.name,
            "count": moved.rows,
            "copied": moved.written,
            "removed": moved.removed,
            "equal": _yes(moved.is_equal),
            "checksum": moved.checksum[:16],
        }
    source.dispose()
    target.dispose()


def _move_files(settings: Settings, place: str | None, *, compare: bool) -> Iterator[Row]:
    """One row for all of them; one more for each folder in which something differs."""
    if place is None:
        return
    source, target = open_storage(settings), _open_target(settings, place)
    folders = list(copy_files(source, target, compare=compare))
    yield {
        "what": "files",
        "count": sum(folder.files for folder in folders),
        "copied": sum(folder.copied for folder in folders),
        "removed": 0,
        "equal": _yes(not any(folder.different for folder in folders)) if compare else "not compared",
        "checksum": "",
    }
    yield from (_difference(folder) for folder in folders if folder.different)


def _difference(folder: MovedFolder) -> Row:
    return {
        "what": f"{folder.uuid}: {', '.join(folder.different)}",
        "count": folder.files,
        "copied": folder.copied,
        "equal": "no",
    }


def _open_target(settings: Settings, place: str) -> FileStorage:
    """As the settings would open it, were it the File Storage. SettingsError by load_settings where the place is none."""
    if "://" in place:
        there = load_settings({**os.environ, "RECTO_FILE_STORAGE_URL": place}).file_storage
    else:
        there = settings.file_storage.model_copy(update={"url": "", "path": Path(place).resolve()})
    if _is_same(settings.file_storage, there):
        raise click.UsageError("--to-storage names the File Storage that the settings name.")
    return prepare_storage(there.setup)


def _is_same(here: FileStorageSettings, there: FileStorageSettings) -> bool:
    if here.url or there.url:
        return here.url == there.url
    return here.path.resolve() == there.path.resolve()


def _take_secret_along(folder: Path, place: str) -> None:
    """It signs sign-ins and links. Into a folder it goes along; of an object store, every Backend has it for itself."""
    secret = folder / SIGNING
    if not secret.exists():
        return
    if "://" in place:
        click.echo(
            f"Give every Backend {secret} as server.secret_key, or in its own file_storage.path, so that sign-ins and links go on working.",
            err=True,
        )
    elif not (there := Path(place) / SIGNING).exists():
        put(there, secret.read_bytes())


def _yes(is_true: bool) -> str:
    return "yes" if is_true else "no"
