"""Puts a backup into an empty database and an empty File Storage, of whatever kind, and compares all of it by checksum.

The rows go over by a copy of theirs that is brought to the newest schema first: so a backup of an older version is upgraded on its way.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from models import Job, JobStatus
from recto.database.connections import is_known_schema, upgrade_schema
from recto.errors import FileNotFound, RectoError, SettingsError
from recto.file_storage.base import FileStorage
from recto.file_storage.volume import VolumeStorage
from recto.moving.files import checksum, copy_files
from recto.moving.manifest import (
    FILES,
    SIGNING,
    Manifest,
    file_checksum,
    job_and_name,
    open_rows,
    put,
    read_checksums,
    read_manifest,
)
from recto.moving.rows import copy_rows


@dataclass(frozen=True, slots=True)
class RestoredBackup:
    """What was restored. `different` names tables, and files by their paths in the backup, that are not equal to what the backup had."""

    manifest: Manifest
    interrupted_jobs: int
    different: tuple[str, ...]


def restore_backup(folder: Path, target: Engine, storage: FileStorage, secret: Path, scratch: Path) -> RestoredBackup:
    """Restore the backup in that folder, or go on with it where that broke off. `scratch` has room for the rows once more.

    The target has the newest schema. RectoError where the backup is damaged or newer than this Recto, SettingsError where either place is in use;
    nothing is changed there then.
    """
    manifest = read_manifest(folder)
    checksums = read_checksums(folder, manifest)
    _check(folder, manifest, checksums)
    files = {place: path for path in checksums if (place := job_and_name(path))}
    uuids = {uuid for uuid, _ in files}
    _check_empty(storage, uuids)
    different = _restore_rows(folder / manifest.database, target, scratch)
    for _ in copy_files(VolumeStorage(folder / FILES), storage, compare=False, uuids=sorted(uuids)):
        pass
    different += [path for (uuid, name), path in files.items() if _checksum(storage, uuid, name) != checksums[path]]
    if SIGNING in checksums and not secret.exists():
        put(secret, (folder / SIGNING).read_bytes())
    with Session(target) as session:
        reading = select(func.count()).select_from(Job).where(Job.status == JobStatus.IN_PROGRESS)
        interrupted = session.scalars(reading).one()
    return RestoredBackup(manifest, interrupted, tuple(different))


def _check(folder: Path, manifest: Manifest, checksums: dict[str, str]) -> None:
    if not is_known_schema(manifest.schema):
        raise RectoError(
            f"The backup was made by Recto {manifest.recto}, which is newer than this one (schema {manifest.schema}). Restore it with that version: "
            "there is no way back to an older one."
        )
    if file_checksum(folder / manifest.database) != checksums.get(manifest.database):
        raise RectoError(
            f"{folder / manifest.database} is damaged or missing: there is nothing to restore from. Take another backup."
        )


def _check_empty(storage: FileStorage, uuids: set[str]) -> None:
    stranger = next((uuid for uuid in storage.folders() if uuid not in uuids), None)
    if stranger is not None:
        raise SettingsError(
            f"The File Storage has jobs that are not in the backup, such as {stranger}. Name an empty one."
        )


def _restore_rows(database: Path, target: Engine, scratch: Path) -> list[str]:
    copied = scratch / "recto.db"
    shutil.copyfile(database, copied)
    rows = open_rows(copied)
    try:
        upgrade_schema(rows)
        return [table.name for table in copy_rows(rows, target) if not table.is_equal]
    finally:
        rows.dispose()


def _checksum(storage: FileStorage, uuid: str, name: str) -> str | None:
    try:
        return checksum(storage, uuid, name)
    except FileNotFound:
        return None
