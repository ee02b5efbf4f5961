"""The File Storage in an object store that speaks S3: Amazon's, MinIO, and others.

A job's folder is what keys begin with, and it is there as long as its `document` is:

- A file appears by one request, or by the one that puts its parts together: a reader gets the old one or the new one, never a mixture.
- Conditional writes (If-None-Match) are used for the document, where the store has them. Where it has not, nothing depends on them: a
  document is written once, under a uuid that was made for it, and an attempt writes under `attempts/<lease token>/`, which no other
  attempt ever does. What is written twice, a format that two processes derive, is the same bytes.
- A deletion takes the document first. Who writes looks for it before and after: either the deletion still lists the new key, or the writer
  finds the document gone and removes its key again. Stores list what was written before (S3 does since December 2020).
- A copy is made by the store (CopyObject), and is the new job's own.
- Files are gathered on this machine before they are sent, so that a request that fails is sent again, and one that is cut off leaves nothing.
"""

import io
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, cast
from uuid import UUID

from recto.errors import FileNotFound, RectoError, StorageUnavailable
from recto.file_storage.base import DOCUMENT, FileKind, IncomingFile, Space, StoredFile, WriteFile, kind_in_job
from recto.file_storage.disk_errors import TranslatedFile, no_file, require_space, translated
from recto.file_storage.living import create_file
from recto.file_storage.s3_client import S3Clients
from recto.file_storage.s3_copies import LocalCopies
from recto.file_storage.s3_objects import PART_BYTES, Listed, S3Objects
from recto.file_storage.scratch import incoming_folder, prepare_folder
from recto.file_storage.volume_listing import is_uuid
from recto.storage_setup import S3Place

_INCOMING: Final = ".incoming/"
_PROBE: Final = f"{_INCOMING}check"
_UPLOAD: Final = re.compile(rf"{re.escape(_INCOMING)}upload-[0-9]+-[0-9a-f]{{32}}")
_UPLOAD_ID: Final = "?uploadId="
_SPOOLED: Final = "upload-"
_DELETION_ROUNDS: Final = 3


def open_s3(place: S3Place, folder: Path, min_free_bytes: int, context: Callable[[], object] | None) -> "S3Storage":
    """The File Storage at that place. `context`: see S3Clients."""
    return S3Storage(S3Objects(S3Clients(place, context), place.bucket), place.prefix, folder, min_free_bytes)


class S3Storage:
    """Implements FileStorage (base.py). `folder` holds what is on its way; below `min_free_bytes` of free disk there it takes no documents."""

    def __init__(self, objects: S3Objects, prefix: str, folder: Path, min_free_bytes: int = 0) -> None:
        self._objects = objects
        self._prefix = prefix
        self._folder = folder
        self._min_free_bytes = min_free_bytes
        self._copies = LocalCopies()

    def prepare(self) -> None:
        """Make the folder of this machine. The store is not asked: it may come later, and `check` says so until then. StorageUnavailable."""
        prepare_folder(self._folder)

    def incoming(self) -> IncomingFile:
        """See FileStorage."""
        with translated(self._folder):
            require_space(self._folder, self._min_free_bytes)
        return _SpooledFile(self._objects, self._key, self._spool())

    @contextmanager
    def write(self, uuid: str, name: str) -> Iterator[BinaryIO]:
        """See FileStorage."""
        key = self._key(uuid, name)
        self._require_document(uuid)
        with self._spool() as file:
            yield file
            self._objects.put(key, file)
        try:
            self._require_document(uuid)
        except FileNotFound:
            self._objects.delete([key])
            raise

    @contextmanager
    def together(self, uuid: str) -> Iterator[WriteFile]:
        """See FileStorage. Each is there when its own block ends: requests are what takes time, and there is one for each."""
        yield partial(self.write, uuid)

    def copy(self, source_uuid: str, uuid: str, names: Mapping[str, str]) -> None:
        """See FileStorage."""
        self._objects.copy([(self._key(source_uuid, source), self._key(uuid, name)) for name, source in names.items()])

    def open(self, uuid: str, name: str) -> BinaryIO:
        """See FileStorage. A megabyte of it is in memory at a time."""
        return self._objects.open(self._key(uuid, name))

    def local_path(self, uuid: str, name: str) -> AbstractContextManager[Path]:
        """See FileStorage. Fetched once for the pages that a process reads one after another."""
        key = self._key(uuid, name)

        def fetch(sink: BinaryIO) -> None:
            with self._objects.open(key, PART_BYTES) as file:
                shutil.copyfileobj(file, sink, PART_BYTES)

        return self._copies.path(key, self._objects.head(key).etag, fetch)

    def read_each(self, uuid: str, names: Iterable[str]) -> Iterator[bytes]:
        """See FileStorage."""
        return self._objects.read_each(self._key(uuid, name) for name in names)

    def size_bytes(self, uuid: str, name: str) -> int:
        """See FileStorage."""
        return self._objects.head(self._key(uuid, name)).size_bytes

    def withdraw(self, uuid: str) -> None:
        """See FileStorage."""
        self._objects.delete([self._key(uuid, DOCUMENT)])

    def delete(self, uuid: str) -> None:
        """See FileStorage. Until nothing is listed any more: somebody may have been writing."""
        prefix = self._key(uuid, "")
        self.withdraw(uuid)
        for part in self._objects.unfinished(prefix):
            self._objects.abort(part.key, part.upload_id)
        for _ in range(_DELETION_ROUNDS):
            listed = self._objects.listed(prefix)
            first = next(listed, None)
            if first is None:
                return
            self._objects.delete([first.key, *(found.key for found in listed)])
        if next(self._objects.listed(prefix), None) is not None:
            raise StorageUnavailable("Files of the job are still being written. They are removed at the next sweep.")

    def folders(self) -> Iterator[str]:
        """See FileStorage."""
        for found in self._objects.top_level(self._prefix):
            if isinstance(found, str) and is_uuid(name := self._name(found).removesuffix("/")):
                yield name

    def contents(self, uuid: str) -> list[StoredFile]:
        """See FileStorage."""
        prefix = self._key(uuid, "")
        files = [_stored(found, found.key.removeprefix(prefix), kind_in_job) for found in self._objects.listed(prefix)]
        if not files:
            raise no_file(uuid)
        return files

    def outside(self) -> Iterator[StoredFile]:
        """See FileStorage. Parts of files that are being written are among it, wherever the file will be."""
        for found in self._objects.top_level(self._prefix):
            if isinstance(found, Listed):
                yield _stored(found, self._name(found.key), _kind_outside)
            elif (name := self._name(found)) != _INCOMING and not is_uuid(name.removesuffix("/")):
                yield StoredFile(name, FileKind.FOREIGN, 0, 0.0)
        for found in self._objects.listed(self._prefix + _INCOMING):
            if (name := self._name(found.key)) != _PROBE:
                yield _stored(found, name, _kind_outside)
        for found in self._objects.unfinished(self._prefix):
            yield _stored(found, f"{self._name(found.key)}{_UPLOAD_ID}{found.upload_id}", _kind_outside)

    def remove(self, uuid: str, name: str) -> bool:
        """See FileStorage. There are no folders that could be empty."""
        key = self._key(uuid, name)
        if kind_in_job(name) is FileKind.FOREIGN or not name or name == "/":
            raise ValueError(f"{name} is not Recto's to remove.")
        self._objects.delete([key])
        return True

    def remove_outside(self, name: str) -> bool:
        """See FileStorage. Whether somebody writes cannot be known here; who does gets an error, and writes again."""
        if _kind_outside(name) is FileKind.FOREIGN:
            raise ValueError(f"{name} is not Recto's to remove.")
        key, _, upload_id = name.partition(_UPLOAD_ID)
        if upload_id:
            self._objects.abort(self._prefix + key, upload_id)
        else:
            self._objects.delete([self._prefix + key])
        return True

    def link(self, uuid: str, name: str, lifetime_s: int, disposition: str, media_type: str) -> str | None:
        """See FileStorage."""
        answer = {"ResponseContentDisposition": disposition, "ResponseContentType": media_type}
        return self._objects.link("get_object", lifetime_s, Key=self._key(uuid, name), **answer)

    def offer(self, name: str, size_bytes: int, lifetime_s: int) -> str | None:
        """See FileStorage. The size is part of what is signed."""
        return self._objects.link("put_object", lifetime_s, Key=self._incoming_key(name), ContentLength=size_bytes)

    def offered(self, name: str) -> IncomingFile:
        """See FileStorage."""
        return _OfferedFile(self._objects, self._key, self._incoming_key(name))

    def space(self) -> Space | None:
        """None: an object store has no end that it would tell."""
        return None

    def check(self) -> None:
        """See FileStorage. By an object that is replaced each time."""
        key = self._prefix + _PROBE
        self._objects.put(key, io.BytesIO(b"probe"))
        self._objects.head(key)
        with translated(self._folder):
            require_space(self._folder, self._min_free_bytes)

    def _spool(self) -> BinaryIO:
        """A file without a name: it is gone with the process, however that ends."""
        with translated(self._folder):
            descriptor, path = create_file(incoming_folder(self._folder), _SPOOLED)
            path.unlink()
        return cast(BinaryIO, io.BufferedRandom(TranslatedFile(descriptor, self._folder)))

    def _require_document(self, uuid: str) -> None:
        try:
            self._objects.head(self._key(uuid, DOCUMENT))
        except FileNotFound as error:
            raise FileNotFound(f"The folder of job {uuid} is gone: the job was deleted.") from error

    def _key(self, uuid: str, name: str) -> str:
        return f"{self._prefix}{UUID(uuid)}/{name}"

    def _incoming_key(self, name: str) -> str:
        if _kind_outside(_INCOMING + name) is not FileKind.UNFINISHED:
            raise no_file(name)
        return f"{self._prefix}{_INCOMING}{name}"

    def _name(self, key: str) -> str:
        return key.removeprefix(self._prefix)


class _SpooledFile:
    """Implements IncomingFile (base.py) as a file of this machine that is sent when it is kept."""

    def __init__(self, objects: S3Objects, key: Callable[[str, str], str], file: BinaryIO) -> None:
        self.file = file
        self._objects, self._key = objects, key

    def keep(self, uuid: str, name: str) -> None:
        """See IncomingFile."""
        self._objects.put(self._key(uuid, name), self.file, is_new=True)
        self.file.close()

    def discard(self) -> None:
        """See IncomingFile."""
        with suppress(RectoError):  # what its buffer still holds may find no room; it is thrown away anyway
            self.file.close()


class _OfferedFile:
    """Implements IncomingFile (base.py) as an object that a client has put into the store."""

    def __init__(self, objects: S3Objects, key: Callable[[str, str], str], arrived_key: str) -> None:
        self.file = objects.open(arrived_key)
        self._etag = objects.head(arrived_key).etag
        self._objects, self._key, self._arrived_key = objects, key, arrived_key

    def keep(self, uuid: str, name: str) -> None:
        """See IncomingFile. What the client has put in its place meanwhile is refused, where the store knows how."""
        self._objects.copy([(self._arrived_key, self._key(uuid, name))], self._etag)
        self.file.close()

    def discard(self) -> None:
        """See IncomingFile."""
        self.file.close()
        self._objects.delete([self._arrived_key])


def _kind_outside(name: str) -> FileKind:
    """What lies at that place of the store, outside of the jobs' folders, or is being written in parts."""
    key, is_in_parts, _ = name.partition(_UPLOAD_ID)
    if _UPLOAD.fullmatch(key):
        return FileKind.UNFINISHED
    uuid, _, inner = key.partition("/")
    is_ours = bool(is_in_parts) and is_uuid(uuid) and kind_in_job(inner) is FileKind.KEPT
    return FileKind.UNFINISHED if is_ours else FileKind.FOREIGN


def _stored(found: Listed, name: str, kind: Callable[[str], FileKind]) -> StoredFile:
    return StoredFile(name, kind(name), found.size_bytes, found.age_s)
