"""The File Storage on a folder: a local disk, or a volume that containers share."""

import errno
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, cast
from uuid import UUID

from recto.errors import FileNotFound, RectoError, StorageFull, StorageUnavailable

_PRIVATE: Final = 0o700  # documents are for Recto's own user, whatever other users the machine has
_INCOMING: Final = ".incoming"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class VolumeStorage:
    """Implements FileStorage (base.py) on `root`. Refuses new documents while less than `min_free_bytes` are free."""

    def __init__(self, root: Path, min_free_bytes: int = 0) -> None:
        self._root = root
        self._min_free_bytes = min_free_bytes

    def prepare(self) -> None:
        """Make the root folder at the start, and prove that it can be written. StorageUnavailable where that is impossible."""
        try:
            self._root.mkdir(_PRIVATE, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._root):
                return
        except OSError as error:
            raise StorageUnavailable(
                f"The File Storage {self._root} cannot be written: {error.strerror}. Check file_storage.path and the folder's rights."
            ) from error

    def incoming(self) -> "VolumeIncomingFile":
        """See FileStorage."""
        folder = self.scratch_folder()
        with _translated(self._root):
            self._check_space()
            return VolumeIncomingFile(self._root, folder)

    def scratch_folder(self) -> Path:
        """Where files lie that no job owns: on the volume, since a system's folder for temporary files may be in memory."""
        folder = self._root / _INCOMING
        with _translated(self._root):
            folder.mkdir(_PRIVATE, parents=True, exist_ok=True)
        return folder

    @contextmanager
    def write(self, uuid: str, name: str) -> Iterator[BinaryIO]:
        """See FileStorage."""
        folder = self._folder(uuid)
        target = folder / name
        with _translated(target):
            if not folder.is_dir():
                raise FileNotFound(f"The folder of job {uuid} is gone: the job was deleted.")
            _make_folders_below(folder, target.parent)
            descriptor, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=target.parent)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    yield file
                    _flush(file)
                _rename(Path(temporary), target)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise

    def open(self, uuid: str, name: str) -> BinaryIO:
        """See FileStorage."""
        path = self._folder(uuid) / name
        with _translated(path):
            return path.open("rb")

    @contextmanager
    def local_path(self, uuid: str, name: str) -> Iterator[Path]:
        """See FileStorage."""
        path = self._folder(uuid) / name
        with _translated(path):
            if not path.is_file():
                raise _no_file(path)
        yield path

    def size_bytes(self, uuid: str, name: str) -> int:
        """See FileStorage."""
        path = self._folder(uuid) / name
        with _translated(path):
            return path.stat().st_size

    def delete(self, uuid: str) -> None:
        """See FileStorage."""
        folder = self._folder(uuid)
        # Renamed first: a Worker that still writes into the folder finds it gone instead of half empty.
        doomed = self._root / _INCOMING / f"deleted-{folder.name}"
        with _translated(folder):
            doomed.parent.mkdir(_PRIVATE, parents=True, exist_ok=True)
            try:
                folder.rename(doomed)
            except FileNotFoundError:
                if not doomed.exists():
                    return
            while doomed.exists():
                with suppress(FileNotFoundError):  # another deletion of the same job was quicker with a file
                    shutil.rmtree(doomed)
            _flush_folder(self._root)

    def folders(self) -> Iterator[str]:
        """See FileStorage."""
        with _translated(self._root):
            for entry in self._root.iterdir():
                if entry.is_dir() and _is_uuid(entry.name):
                    yield entry.name

    def link(self, uuid: str, name: str, lifetime_s: int, file_name: str, media_type: str) -> str | None:  # noqa: ARG002
        """None: a folder serves nothing by itself."""
        return None

    def check(self) -> None:
        """See FileStorage."""
        folder = self.scratch_folder()
        with _translated(self._root):
            with tempfile.TemporaryFile(dir=folder) as probe:
                probe.write(b"probe")
            self._check_space()

    def _check_space(self) -> None:
        free_bytes = shutil.disk_usage(self._root).free
        if free_bytes < self._min_free_bytes:
            raise _full(
                f"Only {free_bytes:,} bytes are free in the File Storage, less than the {self._min_free_bytes:,} it keeps back."
            )

    def _folder(self, uuid: str) -> Path:
        return self._root / str(UUID(uuid))


class VolumeIncomingFile:
    """Implements IncomingFile (base.py) as a file beside the jobs' folders, so that keeping it is one rename."""

    def __init__(self, root: Path, folder: Path) -> None:
        descriptor, path = tempfile.mkstemp(prefix="upload-", dir=folder)
        self.file = cast(BinaryIO, io.BufferedRandom(_Content(descriptor, root)))
        self._path = Path(path)
        self._root = root

    def keep(self, uuid: str, name: str) -> None:
        """See IncomingFile."""
        folder = self._root / str(UUID(uuid))
        with _translated(folder):
            _flush(self.file)
            self.file.close()
            folder.mkdir(_PRIVATE, exist_ok=True)
            _rename(self._path, folder / name)
            _flush_folder(self._root)

    def discard(self) -> None:
        """See IncomingFile."""
        with suppress(RectoError):  # what its buffer still holds may find no room; it is thrown away anyway
            self.file.close()
        with _translated(self._path):
            self._path.unlink(missing_ok=True)


class _Content(io.FileIO):
    """An incoming file's bytes. Whoever writes them, a form's parser too, hears of a full disk in the words of FileStorage."""

    def __init__(self, descriptor: int, root: Path) -> None:
        super().__init__(descriptor, "w+")
        self._root = root

    def write(self, data: Any) -> int:
        """See io.RawIOBase.write. StorageFull, StorageUnavailable."""
        with _translated(self._root):
            return super().write(data)


def _make_folders_below(top: Path, folder: Path) -> None:
    """Like mkdir(parents=True), but never creates `top` itself: a concurrent deletion must win."""
    missing = []
    while folder != top and not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(_PRIVATE, exist_ok=True)
        _flush_folder(new.parent)


def _rename(source: Path, target: Path) -> None:
    source.rename(target)
    _flush_folder(target.parent)


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Make the names in a folder durable: a rename alone is not (fsync(2), notes)."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn what the operating system says into the errors that FileStorage promises."""
    try:
        yield
    except RectoError:
        raise
    except FileNotFoundError as error:
        raise _no_file(path) from error
    except OSError as error:
        if error.errno in _FULL:
            raise _full("The File Storage is full.") from error
        raise StorageUnavailable(
            f"The File Storage cannot be used: {error.strerror} ({path.name}). Nothing was changed."
        ) from error


def _no_file(path: Path) -> FileNotFound:
    return FileNotFound(f"There is no file {path.name} for this job. It may have been deleted.")


def _full(why: str) -> StorageFull:
    return StorageFull(
        f"{why} Delete jobs that are no longer needed, or give the volume more room, and send the document again."
    )


def _is_uuid(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False
