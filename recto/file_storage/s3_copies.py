"""Documents that were fetched from an object store, for those who need a path: each page of a document is read by itself."""

import os
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final
from weakref import finalize

from recto.file_storage.disk_errors import translated

_MOST: Final = 2
"""A page process reads the pages of one document after another; now and then those of two in turn."""


@dataclass(slots=True)
class _Copy:
    path: Path
    users: int = 0


class LocalCopies:
    """Keeps the files that were asked for last in the folder for temporary files of this process (tempfile.gettempdir)."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._copies: OrderedDict[tuple[str, str], _Copy] = OrderedDict()
        self._lock = threading.Lock()
        self._folder: Path | None = None

    @contextmanager
    def path(self, key: str, etag: str, fetch: Callable[[BinaryIO], None]) -> Iterator[Path]:
        """The file of that key and etag, which `fetch` writes where it is not here yet. It stays while the block runs.

        StorageFull, StorageUnavailable, and what `fetch` raises.
        """
        with self._lock:
            copy = self._copies.get((key, etag)) or self._fetched(key, etag, fetch)
            copy.users += 1
            self._copies.move_to_end((key, etag))
        try:
            yield copy.path
        finally:
            with self._lock:
                copy.users -= 1
                self._forget_old()

    def _fetched(self, key: str, etag: str, fetch: Callable[[BinaryIO], None]) -> _Copy:
        folder = self._own_folder()
        with translated(folder):
            descriptor, name = tempfile.mkstemp(dir=folder)
            path = Path(name)
            try:
                with os.fdopen(descriptor, "wb") as sink:
                    fetch(sink)
            except BaseException:
                path.unlink()
                raise
        copy = self._copies[key, etag] = _Copy(path)
        return copy

    def _own_folder(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="documents-"))
            finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder

    def _forget_old(self) -> None:
        unused = [name for name, copy in self._copies.items() if not copy.users]
        for name in unused[: max(0, len(self._copies) - self._most)]:
            self._copies.pop(name).path.unlink(missing_ok=True)
