"""The files of one File Storage in another: those that are not there are copied, and all are compared by checksum.

Files are written once and never changed, so one of the same name and length is taken for the same until the checksums are compared. What is
over there and not here is left to the sweeper of the new place.
"""

import hashlib
import shutil
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from io import BufferedReader
from typing import BinaryIO, Final, cast

from recto.errors import FileNotFound
from recto.file_storage.base import DOCUMENT, FileKind, FileStorage

_FOLDERS_AT_ONCE: Final = 8
"""A store over the network answers a request after some milliseconds, during which others can be made."""


@dataclass(frozen=True, slots=True)
class MovedFolder:
    """What became of a job's folder. `different` names the files that the new folder has not, or with other bytes; only looked for where asked."""

    uuid: str
    names: tuple[str, ...]
    size_bytes: int
    copied: int
    different: tuple[str, ...]

    @property
    def files(self) -> int:
        """How many it has."""
        return len(self.names)


def copy_files(
    source: FileStorage, target: FileStorage, *, compare: bool, uuids: Iterable[str] | None = None
) -> Iterator[MovedFolder]:
    """Copy every job's folder, or those of `uuids`; `compare` reads all files on both sides afterwards. Jobs that are deleted meanwhile are left out.

    StorageFull and StorageUnavailable where one of the stores fails: what was copied stays, and the next call goes on there.
    """
    wanted = list(source.folders() if uuids is None else uuids)
    with ThreadPoolExecutor(_FOLDERS_AT_ONCE) as threads:
        for moved in threads.map(partial(_copy_folder, source, target, compare), wanted):
            if moved is not None:
                yield moved


def _copy_folder(source: FileStorage, target: FileStorage, compare: bool, uuid: str) -> MovedFolder | None:
    sizes = _sizes(source, uuid)
    if DOCUMENT not in sizes:
        return MovedFolder(uuid, tuple(sizes), sum(sizes.values()), 0, tuple(sizes)) if _sizes(source, uuid) else None
    there = _sizes(target, uuid)
    missing = sorted((name for name in sizes if there.get(name) != sizes[name]), key=_document_first)
    try:
        for name in missing:
            _copy(source, target, uuid, name)
        different = tuple(name for name in sizes if not _is_equal(source, target, uuid, name)) if compare else ()
    except FileNotFound:
        return _copy_changed_folder(source, target, compare, uuid, sizes)
    return MovedFolder(uuid, tuple(sizes), sum(sizes.values()), len(missing), different)


def _copy_changed_folder(
    source: FileStorage, target: FileStorage, compare: bool, uuid: str, sizes: Mapping[str, int]
) -> MovedFolder | None:
    """A file went away meanwhile: with its job, or because a newer one took its place."""
    if _sizes(source, uuid) == sizes:
        return MovedFolder(uuid, tuple(sizes), sum(sizes.values()), 0, tuple(sizes))
    return _copy_folder(source, target, compare, uuid)


def _sizes(storage: FileStorage, uuid: str) -> dict[str, int]:
    try:
        return {file.name: file.size_bytes for file in storage.contents(uuid) if file.kind is FileKind.KEPT}
    except FileNotFound:
        return {}


def _document_first(name: str) -> tuple[bool, str]:
    """It makes the folder."""
    return name != DOCUMENT, name


def _copy(source: FileStorage, target: FileStorage, uuid: str, name: str) -> None:
    with source.open(uuid, name) as file:
        if name == DOCUMENT:
            _receive(file, target, uuid)
        else:
            with target.write(uuid, name) as sink:
                shutil.copyfileobj(file, sink)


def _receive(document: BinaryIO, target: FileStorage, uuid: str) -> None:
    incoming = target.incoming()
    try:
        shutil.copyfileobj(document, incoming.file)
        incoming.keep(uuid, DOCUMENT)
    except BaseException:
        incoming.discard()
        raise


def _is_equal(source: FileStorage, target: FileStorage, uuid: str, name: str) -> bool:
    return checksum(source, uuid, name) == checksum(target, uuid, name)


def checksum(storage: FileStorage, uuid: str, name: str) -> str:
    """The SHA-256 of a file in hexadecimal digits. FileNotFound."""
    with storage.open(uuid, name) as file:
        return hashlib.file_digest(cast(BufferedReader, file), "sha256").hexdigest()
