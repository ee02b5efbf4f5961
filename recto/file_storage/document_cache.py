"""Copies of documents on a node's own disk: a document of a thousand pages is fetched once by a node, and not once for each page.

The page processes of a node share the folder. A copy that a process reads is in use (living.py) and stays; of the others, those that were not used for
longest make room. A copy may outlive its document by an hour: what is read of it then can no longer be kept, since the job's folder is gone.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import UUID

from recto.errors import StorageUnavailable
from recto.file_storage.base import DOCUMENT, FileStorage
from recto.file_storage.living import create_file, remove_unless_in_use

_UNUSED_S: Final = 3600.0
_CHUNK_BYTES: Final = 1 << 20
_LOCKS: Final = 16
"""So many documents are fetched at the same time; each by one process, and who else wants it waits."""


class DocumentCache:
    """Keeps copies in `folder`, of `limit_bytes` together: more only while all of them are in use."""

    def __init__(self, folder: Path, limit_bytes: int, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives seconds since 1970, as the files' own times do."""
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._clock = clock

    @contextmanager
    def local_path(self, storage: FileStorage, uuid: str) -> Iterator[Path]:
        """The job's document as a path while the block runs. FileNotFound where there is none; StorageUnavailable, of the cache too."""
        path = self._folder / str(UUID(uuid))
        try:
            while (descriptor := _use(path)) is None:
                self._fetch(storage, path)
            os.utime(path, (self._clock(), self._clock()))
        except OSError as error:
            raise StorageUnavailable(
                f"The folder for copies of documents, {self._folder}, cannot be used: {error.strerror}. "
                "Check cluster.document_cache_path and its rights, or give it more room."
            ) from error
        try:
            yield path
        finally:
            os.close(descriptor)

    def clear(self) -> None:
        """Remove all copies that nobody reads."""
        for path in self._copies():
            remove_unless_in_use(path)

    def _fetch(self, storage: FileStorage, path: Path) -> None:
        """Make the copy, unless another process was quicker."""
        self._folder.mkdir(0o700, parents=True, exist_ok=True)
        lock = os.open(self._folder / f".lock-{UUID(path.name).int % _LOCKS}", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                self._make_room(storage.size_bytes(path.name, DOCUMENT))
                self._copy(storage, path)
        finally:
            os.close(lock)

    def _copy(self, storage: FileStorage, path: Path) -> None:
        descriptor, part = create_file(self._folder, ".", ".part")
        with os.fdopen(descriptor, "wb") as target:
            try:
                with storage.open(path.name, DOCUMENT) as source:
                    shutil.copyfileobj(source, target, _CHUNK_BYTES)
                target.flush()
                part.rename(path)
            except BaseException:
                part.unlink()
                raise

    def _make_room(self, size_bytes: int) -> None:
        """Also of what a process that was killed has left half written."""
        copies = sorted((path.stat().st_mtime, path.stat().st_size, path) for path in self._copies())
        too_many = sum(copy_bytes for _, copy_bytes, _ in copies) + size_bytes - self._limit_bytes
        for used_at, copy_bytes, path in copies:
            if (too_many > 0 or used_at < self._clock() - _UNUSED_S) and remove_unless_in_use(path):
                too_many -= copy_bytes

    def _copies(self) -> list[Path]:
        return [path for path in self._folder.glob("*") if not path.name.startswith(".lock-")]


def _use(path: Path) -> int | None:
    """Open the copy and hold it (flock(2)); None where there is none, or it was removed at that moment."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    if os.fstat(descriptor).st_nlink:
        return descriptor
    os.close(descriptor)
    return None
