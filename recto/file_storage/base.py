"""The File Storage: one folder per job uuid, holding the document, its metadata and what the attempts wrote.

On a volume (volume.py) that is a folder, in an object store (s3.py) what keys begin with.

    <uuid>/document                                the upload, byte for byte
    <uuid>/metadata.json                           file name, media type, size, options
    <uuid>/attempts/<lease token>/pages/0001.json  checkpoints of one attempt
    <uuid>/attempts/<lease token>/result.txt …     results of one attempt; the job's row names the attempt that counts
    <uuid>/attempts/<lease token>/result-3.txt …   the same with what people had corrected by revision 3; the row names the one that counts
    <uuid>/attempts/<lease token>/pictures/0001.original.png …  pictures of its pages, where they were asked for

A file appears whole or not at all, and is durable by then. Names inside a folder are Recto's own; a client's file name never becomes a path.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final, Protocol

WriteFile = Callable[[str], AbstractContextManager[BinaryIO]]
"""Writes the file of that name into a job's folder that is known already."""

DOCUMENT: Final = "document"
METADATA: Final = "metadata.json"

_KEPT: Final = re.compile(
    r"document|metadata\.json|attempts/[0-9a-f]{32}/(pages/[0-9]{4,9}\.json|result(-[1-9][0-9]*)?\.[a-z.]+|pictures/[0-9]{4,9}\.[a-z]+\.png)"
)
_UNFINISHED: Final = re.compile(r"(attempts/[0-9a-f]{32}/((pages|pictures)/)?)?\.[a-z0-9_]+\.part")
_FOLDER: Final = re.compile(r"(attempts/([0-9a-f]{32}/((pages|pictures)/)?)?)?/?")
_CORRECTED: Final = re.compile(r"attempts/[0-9a-f]{32}/result-([1-9][0-9]*)\.[a-z.]+")
_ATTEMPT: Final = re.compile(r"attempts/([0-9a-f]{32})/.*")


class FileKind(StrEnum):
    """What a file of the store is, by its name and its place."""

    KEPT = "kept"
    """Under its final name."""
    UNFINISHED = "unfinished"
    """Being written, or what is left of it."""
    EMPTY_FOLDER = "empty folder"
    SCRATCH = "scratch"
    """The folder in which a process keeps its temporary files."""
    DELETED = "deleted"
    """What a deletion that broke off has left of a job's folder."""
    FOREIGN = "foreign"
    """Nothing that Recto has put there."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that the store holds. `name` is its path in the job's folder or, outside of those, in the store.

    An empty folder has a slash at its end. `age_s`: seconds since it was last written or moved, by the clock of this machine.
    """

    name: str
    kind: FileKind
    size_bytes: int
    age_s: float


def kind_in_job(name: str) -> FileKind:
    """What a file of that name is in a job's folder."""
    if _KEPT.fullmatch(name):
        return FileKind.KEPT
    if _UNFINISHED.fullmatch(name):
        return FileKind.UNFINISHED
    return FileKind.EMPTY_FOLDER if _FOLDER.fullmatch(name) else FileKind.FOREIGN


def attempt_of(name: str) -> str | None:
    """The token of the attempt that a file of a job belongs to; None for what belongs to the job as a whole."""
    found = _ATTEMPT.fullmatch(name)
    return found[1] if found else None


def checkpoint_name(token: str, number: int) -> str:
    """Where an attempt keeps the page of that number, counted from 1."""
    return f"attempts/{token}/pages/{number:04d}.json"


def result_name(token: str, result_format: str, revision: int = 0) -> str:
    """Where an attempt keeps its result in that format, as it was read or at a revision of what people have corrected."""
    return f"attempts/{token}/result{f'-{revision}' if revision else ''}.{result_format}"


def revision_of(name: str) -> int:
    """Which revision of the corrections is in a file of that name; 0 where none can be."""
    found = _CORRECTED.fullmatch(name)
    return int(found[1]) if found else 0


def picture_name(token: str, number: int, stage: str) -> str:
    """Where the picture of a page at a stage lies beside the results of an attempt."""
    return f"attempts/{token}/pictures/{number:04d}.{stage}.png"


def upload_name(user_id: int, token: str) -> str:
    """What a file of a user is called that goes straight to the store; `token` is 32 hexadecimal digits. Nobody else's id leads to it."""
    return f"upload-{user_id}-{token}"


def attempt_folders(token: str) -> tuple[str, ...]:
    """The folders of an attempt as `FileStorage.contents` names them, inner ones first."""
    return f"attempts/{token}/pages/", f"attempts/{token}/pictures/", f"attempts/{token}/"


@dataclass(frozen=True, slots=True)
class Space:
    """The room of a store, in bytes. `refused_below_bytes`: with less free, nothing more is taken."""

    total_bytes: int
    free_bytes: int
    refused_below_bytes: int


class IncomingFile(Protocol):
    """A file that is still arriving. Outside every job's folder, so that nothing sees it before `keep`."""

    file: BinaryIO
    """Open for writing and reading, at the position after what was written. Writing raises StorageFull and StorageUnavailable."""

    def keep(self, uuid: str, name: str) -> None:
        """Make it the file `name` of the job: durable when this returns. Creates the job's folder. StorageFull where it does not fit."""

    def discard(self) -> None:
        """Throw it away. Does nothing after `keep`. StorageUnavailable where it cannot be removed: it is left to the sweeper."""


class FileStorage(Protocol):
    """What Recto asks of a store. Every method may raise StorageUnavailable, and the writing ones StorageFull."""

    def incoming(self) -> IncomingFile:
        """Begin to receive a file of unknown size."""

    def write(self, uuid: str, name: str) -> AbstractContextManager[BinaryIO]:
        """Write a file of an existing job folder. It appears, durable, when the block ends; not at all where the block raises.

        FileNotFound where the job's folder is gone: a deleted job's folder is never created again.
        """

    def together(self, uuid: str) -> AbstractContextManager[WriteFile]:
        """Write several files of an existing job folder by what this gives, which takes their names. They have appeared, durable, when the block ends.

        One whose own block raises does not appear, and the others are none the worse for it. Where this block raises, some may have appeared.
        FileNotFound as by `write`.
        """

    def copy(self, source_uuid: str, uuid: str, names: Mapping[str, str]) -> None:
        """Begin a job's folder with files of another job: `names` are those that they get, each with the one that it has there.

        The files are the new job's own, whatever becomes of the other's, and durable when this returns. FileNotFound where one is not there;
        what was copied before lies in the new folder then.
        """

    def open(self, uuid: str, name: str) -> BinaryIO:
        """A seekable stream of the file. FileNotFound where there is none."""

    def local_path(self, uuid: str, name: str) -> AbstractContextManager[Path]:
        """The file as a path on this machine while the block runs. FileNotFound where there is none."""

    def read_each(self, uuid: str, names: Iterable[str]) -> Iterator[bytes]:
        """The contents of small files of a job, one after another in their order. FileNotFound where one is not there."""

    def size_bytes(self, uuid: str, name: str) -> int:
        """Length of the file. FileNotFound where there is none."""

    def delete(self, uuid: str) -> None:
        """Remove the job's folder with all that is in it. Does nothing where there is none."""

    def withdraw(self, uuid: str) -> None:
        """Take the document away, at once: afterwards nobody opens it, and nothing is written into the folder any more.

        What else was in the folder may still be named; `delete` frees its room.
        """

    def folders(self) -> Iterator[str]:
        """The uuids that have a folder, in no order."""

    def contents(self, uuid: str) -> list[StoredFile]:
        """All that is in the job's folder, in no order. FileNotFound where there is no folder."""

    def outside(self) -> Iterator[StoredFile]:
        """What lies outside of the jobs' folders: arriving files, scratch folders, deletions that broke off, and what is foreign."""

    def remove(self, uuid: str, name: str) -> bool:
        """Remove a file, or an empty folder, that `contents` has named. False, and nothing changed, where a living process writes it.

        Does nothing where it is gone. ValueError for a foreign name: Recto leaves alone what it has not put there.
        """

    def remove_outside(self, name: str) -> bool:
        """The same for what `outside` has named."""

    def link(self, uuid: str, name: str, lifetime_s: int, disposition: str, media_type: str) -> str | None:
        """A URL under which a client gets the file from the store itself; None where the Backend has to serve it.

        `disposition` and `media_type` are the headers Content-Disposition and Content-Type of that answer.
        """

    def offer(self, name: str, size_bytes: int, lifetime_s: int) -> str | None:
        """A URL under which a client may PUT a file of just that size into the store itself; None where the Backend has to take it.

        Nothing sees the file before `offered(name)` is kept. `name` is one by `upload_name`.
        """

    def offered(self, name: str) -> IncomingFile:
        """What a client has put under a URL that was offered. FileNotFound where it has not arrived, or was kept and discarded.

        It can only be read, and stays where it is until it is discarded, also after `keep`.
        """

    def space(self) -> Space | None:
        """How much room there is; None for a store that has no end."""

    def check(self) -> None:
        """Prove that the store can be read and written now; StorageUnavailable or StorageFull says why not."""
