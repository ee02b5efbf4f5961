"""`doctor`: what is installed, what is missing, and what to do about it."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias, get_args

import click
from sqlalchemy.exc import SQLAlchemyError

from recto.commands.page_processes import core_count
from recto.commands.parts import open_sessions, open_storage
from recto.database.connections import Begin, transaction
from recto.errors import RectoError
from recto.ocr.engines.select import EngineName, choose_engine
from recto.settings import Settings, load_settings
from recto.workers import list_workers

Finding: TypeAlias = tuple[bool, str]


@click.command()
def doctor() -> None:
    """Say what is installed and what is missing. Exit status 1 where something needed is missing."""
    settings = load_settings(os.environ)
    ok = True
    for name, check in _checks(settings):
        try:
            is_fine, finding = check()
        except (RectoError, SQLAlchemyError) as error:
            is_fine, finding = False, error.detail if isinstance(error, RectoError) else str(error)
        ok = ok and is_fine
        click.echo(f"{'ok     ' if is_fine else 'MISSING'}  {name:<12} {finding}")
    if not ok:
        raise click.exceptions.Exit(1)


def _checks(settings: Settings) -> Iterator[tuple[str, Callable[[], Finding]]]:
    yield "Python", lambda: (True, f"{sys.version.split()[0]}, {core_count()} cores")
    for name in get_args(EngineName):
        if name != "auto":
            yield name, lambda name=name: _engine(name, settings)  # type: ignore[misc]
    yield "languages", lambda: _languages(settings)
    yield "storage", lambda: _storage(settings)
    yield "database", lambda: _database(settings)


def _engine(name: EngineName, settings: Settings) -> Finding:
    """An engine that was not chosen may be missing."""
    is_needed = settings.ocr.engine == name or (settings.ocr.engine == "auto" and name == "pytesseract")
    try:
        engine = choose_engine(name, _tessdata(settings))
        return True, f"Tesseract {engine.version()}"
    except (RectoError, ImportError) as error:
        return not is_needed, f"{'needed, but ' if is_needed else 'not used: '}{error}"


def _languages(settings: Settings) -> Finding:
    installed = choose_engine(settings.ocr.engine, _tessdata(settings)).languages()
    missing = [language for language in settings.ocr.languages.split("+") if language not in installed]
    if missing:
        return False, f"{', '.join(missing)} of ocr.languages; install tesseract-ocr-{missing[0]} or change the setting"
    return True, ", ".join(sorted(installed))


def _storage(settings: Settings) -> Finding:
    storage, place = open_storage(settings), settings.file_storage
    storage.check()
    if place.url:
        return True, f"{place.url} at {place.endpoint_url or 'Amazon S3'}"
    free_bytes = shutil.disk_usage(settings.file_storage.path).free
    return True, f"{settings.file_storage.path}, {free_bytes / 1e9:.1f} GB free"


def _database(settings: Settings) -> Finding:
    with transaction(open_sessions(settings)(), Begin.READ) as session:
        living = sum(worker.is_alive for worker in list_workers(session))
    return True, f"{settings.database_url}, {living} Worker{'' if living == 1 else 's'} running"


def _tessdata(settings: Settings) -> Path | None:
    return Path(settings.ocr.tessdata_path) if settings.ocr.tessdata_path else None
