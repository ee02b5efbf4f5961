"""Backs up a Recto that runs into a folder; again into the same folder copies only what is new and removes what is gone.

The rows first, as they are at one moment, then the files of the jobs that are among them: so each job has its document. A job that is deleted
between the two is taken out of the copy of the rows as well.
"""

import fcntl
import os
import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, inspect, select
from sqlalchemy.orm import Session

from models import Job, User
from recto import __version__
from recto.database.connections import Begin, newest_schema, schema_of, transaction, upgrade_schema
from recto.errors import RectoError
from recto.file_storage.base import FileKind, FileStorage
from recto.file_storage.volume import VolumeStorage
from recto.jobs import Jobs
from recto.moving.files import MovedFolder, checksum, copy_files
from recto.moving.manifest import (
    FILES,
    SIGNING,
    Manifest,
    file_checksum,
    has_manifest,
    open_rows,
    path_in_backup,
    put,
    read_checksums,
    read_manifest,
    write_checksums,
    write_manifest,
)
from recto.moving.rows import copy_rows
from recto.records.file_references import batches
from recto.views.reports import back_up, database_file

_OF_ONE_TIME: Final = re.compile(r"\.?(recto-[0-9]{8}T[0-9]{12}Z)\.(db|sha256)(-wal|-shm|-journal|\.part)?")
_OURS: Final = re.compile(r"files|\.?(manifest\.json|secret_key)(\.part)?")
_LEFT_OVER: Final = frozenset({FileKind.UNFINISHED, FileKind.SCRATCH, FileKind.DELETED})


@dataclass(frozen=True, slots=True)
class MadeBackup:
    """A complete backup: how many files had to be copied and removed for it, and the jobs whose documents were missing in the File Storage itself."""

    manifest: Manifest
    copied: int
    removed: int
    incomplete: tuple[str, ...]


def make_backup(
    source: Engine, storage: FileStorage, secret: Path, jobs: Jobs, folder: Path, made: datetime
) -> MadeBackup:
    """Back up all that the Recto with these parts keeps. `made` is now, in UTC.

    RectoError where the folder is no place for it, or the database has not the schema of this version; StorageFull and StorageUnavailable where
    one of the disks fails: the backup that was there before is whole then.
    """
    _check_schema(source)
    with _alone(folder):
        _check_folder(source, folder)
        before = _checksums_before(folder)
        _remove_other_times(folder)
        name = f"recto-{made:%Y%m%dT%H%M%S%f}Z"
        copy = VolumeStorage(folder / FILES)
        copy.prepare()
        database = folder / f"{name}.db"
        _copy_rows(source, database)
        moved, incomplete = _copy_files(source, storage, copy, database, jobs)
        checksums = _checksums(copy, moved, before) | {database.name: file_checksum(database) or ""}
        checksums |= _copy_secret(secret, folder)
        manifest = Manifest(
            recto=__version__,
            schema=newest_schema(),
            made=made.isoformat(timespec="seconds"),
            jobs=len(moved) + len(incomplete),
            files=sum(one.files for one in moved),
            size_bytes=sum(one.size_bytes for one in moved) + database.stat().st_size,
            name=name,
            checksum=write_checksums(folder, name, checksums),
        )
        write_manifest(folder, manifest)
        _remove_other_times(folder)
        return MadeBackup(manifest, sum(one.copied for one in moved), _remove_gone(copy, moved), incomplete)


def _check_schema(source: Engine) -> None:
    if source.dialect.name == "sqlite" and not (file := database_file(str(source.url))).exists():
        raise RectoError(f"There is no database {file}. Check database.url and file_storage.path.")
    if inspect(source).has_table("alembic_version"):
        with transaction(Session(source), Begin.READ) as session:
            if schema_of(session) == newest_schema():
                return
    raise RectoError(
        "The database has another schema than this version of Recto. Back it up with the version that it belongs to, before the upgrade; "
        "or upgrade it first: ocr_worker.py db upgrade."
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else backs up into the folder meanwhile. It is made, for its owner alone, where it is not there."""
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise RectoError(f"Cannot back up to {folder}: {error.strerror}. Check the path and its rights.") from error
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise RectoError(f"Another backup into {folder} is running. Wait until it has ended.") from error
    except OSError as error:
        raise RectoError(
            f"The file system of {folder} knows no locks: {error.strerror}. Back up to another, and copy the folder from there."
        ) from error


def _check_folder(source: Engine, folder: Path) -> None:
    """What is in the folder is going to be replaced: so it must be an earlier backup, and one of this Recto."""
    if not has_manifest(folder):
        foreign = [
            path.name
            for path in folder.iterdir()
            if not _OURS.fullmatch(path.name) and not _OF_ONE_TIME.fullmatch(path.name)
        ]
        if foreign:
            raise RectoError(
                f"{folder} holds something else, such as {foreign[0]}. Name an empty folder, or one with an earlier backup."
            )
        return
    known = _users_of(folder / read_manifest(folder).database)
    with Session(source) as session:
        users = {(user_id, created_us) for user_id, created_us in session.execute(select(User.id, User.created_us))}
    if known and not known & users:
        raise RectoError(
            f"{folder} holds the backup of another Recto: it has none of the users of this one. Name another folder."
        )


def _users_of(database: Path) -> set[tuple[int, int]]:
    """Those of an earlier backup. None where somebody has removed its rows."""
    if not database.exists():
        return set()
    try:
        with closing(sqlite3.connect(database)) as old:
            return set(old.execute('SELECT id, created_us FROM "user"'))
    except sqlite3.DatabaseError as error:
        raise RectoError(f"{database} is damaged: {error}. Remove that file, and back up again.") from error


def _checksums_before(folder: Path) -> dict[str, str]:
    return read_checksums(folder, read_manifest(folder)) if has_manifest(folder) else {}


def _remove_other_times(folder: Path) -> None:
    """Remove the rows and checksums of earlier backups, and of those that broke off."""
    current = read_manifest(folder).name if has_manifest(folder) else ""
    for path in folder.iterdir():
        found = _OF_ONE_TIME.fullmatch(path.name)
        if found and found[1] != current:
            path.unlink()


def _copy_rows(source: Engine, database: Path) -> None:
    if source.dialect.name == "sqlite":
        back_up(database_file(str(source.url)), database)
        return
    rows = open_rows(database)
    upgrade_schema(rows)
    different = [table.name for table in copy_rows(source, rows) if not table.is_equal]
    _close(rows, database)
    if different:
        raise RectoError(
            f"The copy of the rows differs in {', '.join(different)}. Call it again; should it stay so, look at the disk."
        )


def _close(rows: Engine, database: Path) -> None:
    """One file again, without a WAL beside it."""
    rows.dispose()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def _copy_files(
    source: Engine, storage: FileStorage, copy: FileStorage, database: Path, jobs: Jobs
) -> tuple[list[MovedFolder], tuple[str, ...]]:
    """The folders that are copied, and the jobs without a document."""
    rows = open_rows(database)
    with Session(rows) as session:
        uuids = list(session.scalars(select(Job.uuid)))
    moved = [one for one in copy_files(storage, copy, compare=False, uuids=uuids) if not one.different]
    missing = sorted(set(uuids) - {one.uuid for one in moved})
    incomplete = [uuid for some in batches(missing) for uuid in _living(source, some)]
    _delete(rows, jobs, set(missing) - set(incomplete))
    _close(rows, database)
    return moved, tuple(incomplete)


def _living(source: Engine, uuids: Collection[str]) -> list[str]:
    with Session(source) as session:
        return list(session.scalars(select(Job.uuid).where(Job.uuid.in_(uuids))))


def _delete(rows: Engine, jobs: Jobs, uuids: Iterable[str]) -> None:
    """As their owners did meanwhile."""
    for uuid in uuids:
        with transaction(Session(rows), Begin.WRITE) as session:
            jobs.delete(session, session.get_one(Job, uuid).user_id, uuid)
            jobs.files_removed(session, uuid)


def _checksums(copy: FileStorage, moved: Iterable[MovedFolder], before: Mapping[str, str]) -> dict[str, str]:
    """Of all files. Those of folders that nothing was copied into are known from the last time."""
    checksums: dict[str, str] = {}
    for one in moved:
        paths = {path_in_backup(one.uuid, name): name for name in one.names}
        if one.copied or not paths.keys() <= before.keys():
            checksums |= {path: checksum(copy, one.uuid, name) for path, name in paths.items()}
        else:
            checksums |= {path: before[path] for path in paths}
    return checksums


def _copy_secret(secret: Path, folder: Path) -> dict[str, str]:
    if not secret.exists():
        (folder / SIGNING).unlink(missing_ok=True)
        return {}
    put(folder / SIGNING, secret.read_bytes())
    return {SIGNING: file_checksum(folder / SIGNING) or ""}


def _remove_gone(copy: FileStorage, moved: Iterable[MovedFolder]) -> int:
    """Remove the files of deleted jobs, and those that their jobs have no more; how many."""
    names = {one.uuid: frozenset(one.names) for one in moved}
    removed = 0
    for uuid in list(copy.folders()):
        kept = names.get(uuid, frozenset())
        gone = [
            file
            for file in copy.contents(uuid)
            if file.name not in kept and file.kind in (FileKind.KEPT, FileKind.UNFINISHED)
        ]
        if uuid not in names:
            copy.delete(uuid)
        else:
            for file in gone:
                copy.remove(uuid, file.name)
        removed += len(gone)
    for left in list(copy.outside()):
        if left.kind in _LEFT_OVER:
            copy.remove_outside(left.name)
    return removed
