"""What lies in a volume, for the sweeper: sizes and ages of files, and whose they are. Only looks; never follows a link."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import UUID

from recto.file_storage.base import FileKind, StoredFile, kind_in_job
from recto.file_storage.scratch import INCOMING, SCRATCH

UPLOAD: Final = "upload-"
DELETED: Final = "deleted-"

_UPLOAD: Final = re.compile(rf"{re.escape(INCOMING)}/{UPLOAD}[a-z0-9_]+")
_SCRATCH: Final = re.compile(rf"{re.escape(INCOMING)}/{SCRATCH}[a-z0-9_]+")
_DELETED: Final = re.compile(rf"{re.escape(INCOMING)}/{DELETED}[0-9a-f-]{{36}}")
_NEIGHBOURS: Final = frozenset(
    {
        ".gitignore",
        ".workers",
        "recto.db",
        "recto.db-wal",
        "recto.db-shm",
        "recto.db-journal",
        "secret_key",
        "first_password",
    }
)
"""What Recto keeps beside the jobs' folders: see app.py, settings.py and presence.py."""


def is_uuid(name: str) -> bool:
    """Whether it is a job's uuid in its usual spelling."""
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False


def kind_outside(name: str) -> FileKind:
    """What lies at that path of a volume, outside of the jobs' folders."""
    if _UPLOAD.fullmatch(name):
        return FileKind.UNFINISHED
    if _SCRATCH.fullmatch(name):
        return FileKind.SCRATCH
    return FileKind.DELETED if _DELETED.fullmatch(name) else FileKind.FOREIGN


def files_in(folder: Path, now_s: float) -> Iterator[StoredFile]:
    """Everything in a job's folder, with its kind. What vanishes meanwhile is left out."""
    for path, status in _walk(folder):
        name = "" if path == folder else path.relative_to(folder).as_posix()
        name += "/" * stat.S_ISDIR(status.st_mode)
        kind = kind_in_job(name)
        is_plain = stat.S_ISDIR(status.st_mode) == (kind is FileKind.EMPTY_FOLDER)
        yield _file(name, kind if is_plain and not _is_special(status) else FileKind.FOREIGN, [status], now_s)


def files_outside(root: Path, now_s: float) -> Iterator[StoredFile]:
    """Everything in the root and in the folder of incoming files that is no job's, with its kind."""
    for path in root.iterdir():
        if path.name == INCOMING and path.is_dir() and not path.is_symlink():
            for inner in path.iterdir():
                yield from _outside(inner, f"{INCOMING}/{inner.name}", now_s)
        elif path.name not in _NEIGHBOURS and not (is_uuid(path.name) and path.is_dir() and not path.is_symlink()):
            yield from _outside(path, path.name, now_s)


def _outside(path: Path, name: str, now_s: float) -> Iterator[StoredFile]:
    """One entry; of a folder that is Recto's with all that is in it. Nothing where it is gone."""
    with suppress(FileNotFoundError):
        status, kind = path.lstat(), kind_outside(name)
        if _is_special(status) or stat.S_ISDIR(status.st_mode) != (kind in (FileKind.SCRATCH, FileKind.DELETED)):
            kind = FileKind.FOREIGN
        inside = [inner for _, inner in _walk(path)] if kind in (FileKind.SCRATCH, FileKind.DELETED) else []
        yield _file(name, kind, [status, *inside], now_s)


def _walk(path: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The files below a folder, and folders without any; a file is itself."""
    try:
        status = path.lstat()
        entries = list(path.iterdir()) if stat.S_ISDIR(status.st_mode) else []
    except FileNotFoundError:
        return
    if not entries:
        yield path, status
    for entry in entries:
        yield from _walk(entry)


def _is_special(status: os.stat_result) -> bool:
    """A link, a device, a socket."""
    return not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode)


def _file(name: str, kind: FileKind, statuses: list[os.stat_result], now_s: float) -> StoredFile:
    # A file that was moved here, or restored with its old date, counts from then.
    latest_s = max(max(status.st_mtime, status.st_ctime) for status in statuses)
    size_bytes = sum(status.st_size for status in statuses if stat.S_ISREG(status.st_mode))
    return StoredFile(name, kind, size_bytes, max(0.0, now_s - latest_s))
