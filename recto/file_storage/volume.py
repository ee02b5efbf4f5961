"""The File Storage on a folder: a local disk, or a volume that containers share."""

import atexit
import errno
import io
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, cast
from uuid import UUID

from recto.errors import FileNotFound, RectoError, StorageFull, StorageUnavailable
from recto.file_storage.base import FileKind, StoredFile, kind_in_job
from recto.file_storage.living import create_file, create_folder, remove_unless_in_use
from recto.file_storage.volume_listing import (
    DELETED,
    INCOMING,
    SCRATCH,
    UPLOAD,
    files_in,
    files_outside,
    is_uuid,
    kind_outside,
)

_PRIVATE: Final = 0o700  # documents are for Recto's own user, whatever other users the machine has
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_LINKS: Final = frozenset({errno.EPERM, errno.EMLINK, errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP})
"""Said by file systems without hard links, and where a file has as many as it can have (link(2))."""


class VolumeStorage:
    """Implements FileStorage (base.py) on `root`. Refuses new documents while less than `min_free_bytes` are free."""

    def __init__(self, root: Path, min_free_bytes: int = 0, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives seconds since 1970, as the files' own times do."""
        self._root = root
        self._min_free_bytes = min_free_bytes
        self._clock = clock

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
        with _translated(self._root):
            self._check_space()
            return VolumeIncomingFile(self._root, self._incoming_folder())

    def scratch_folder(self) -> Path:
        """A folder for the temporary files of this process: on the volume, since a system's own may be in memory.

        It is gone when the process ends. Those of processes that were killed are removed by the next one that asks for its own.
        """
        with _translated(self._root):
            self._clear_scratch()
            folder = create_folder(self._incoming_folder(), SCRATCH)
        atexit.register(_discard, folder)
        return folder

    def clear_scratch(self) -> None:
        """Remove the scratch folders of processes that have died."""
        with _translated(self._root):
            self._clear_scratch()

    def _clear_scratch(self) -> None:
        for folder in self._incoming_folder().glob(f"{SCRATCH}*"):
            with suppress(OSError):  # one that resists stops nobody; the sweeper names it
                remove_unless_in_use(folder)

    def _incoming_folder(self) -> Path:
        folder = self._root / INCOMING
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
            descriptor, temporary = create_file(target.parent, ".", ".part")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    yield file
                    _flush(file)
                    _rename(temporary, target)  # in use until it has its name
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise

    def copy(self, source_uuid: str, uuid: str, names: Mapping[str, str]) -> None:
        """See FileStorage. By hard links where there are such: files are replaced here and never changed, so nobody sees that they share bytes."""
        source, folder = self._folder(source_uuid), self._folder(uuid)
        with _translated(source):
            self._check_space()
            folder.mkdir(_PRIVATE, exist_ok=True)
            for name, source_name in names.items():
                _make_folders_below(folder, (folder / name).parent)
                if not _link(source / source_name, folder / name):
                    self._copy_bytes(source / source_name, uuid, name)
            for place in {(folder / name).parent for name in names}:
                _flush_folder(place)
            _flush_folder(self._root)

    def _copy_bytes(self, source: Path, uuid: str, name: str) -> None:
        with source.open("rb") as file, self.write(uuid, name) as sink:
            shutil.copyfileobj(file, sink)

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
        try:
            yield path
        except FileNotFoundError as error:
            if path.is_file():
                raise  # it was another file
            raise _no_file(path) from error  # the job was deleted between the look and the opening

    def size_bytes(self, uuid: str, name: str) -> int:
        """See FileStorage."""
        path = self._folder(uuid) / name
        with _translated(path):
            return path.stat().st_size

    def withdraw(self, uuid: str) -> None:
        """See FileStorage. By one rename: a Worker that still writes into the folder finds it gone instead of half empty."""
        folder = self._folder(uuid)
        with _translated(folder):
            self._incoming_folder()
            with suppress(FileNotFoundError):
                folder.rename(self._withdrawn(folder.name))
                _flush_folder(self._root)

    def delete(self, uuid: str) -> None:
        """See FileStorage."""
        self.withdraw(uuid)
        with _translated(self._folder(uuid)):
            self._remove_withdrawn(self._withdrawn(self._folder(uuid).name))

    def folders(self) -> Iterator[str]:
        """See FileStorage."""
        with _translated(self._root):
            for entry in self._root.iterdir():
                if is_uuid(entry.name) and entry.is_dir() and not entry.is_symlink():
                    yield entry.name

    def contents(self, uuid: str) -> list[StoredFile]:
        """See FileStorage."""
        folder = self._folder(uuid)
        with _translated(folder):
            if not folder.is_dir():
                raise _no_file(folder)
            return list(files_in(folder, self._clock()))

    def outside(self) -> Iterator[StoredFile]:
        """See FileStorage. Files beside the jobs' folders that Recto has there itself, such as the database, are not named."""
        with _translated(self._root):
            yield from files_outside(self._root, self._clock())

    def remove(self, uuid: str, name: str) -> bool:
        """See FileStorage."""
        path = self._folder(uuid) / name
        with _translated(path):
            match kind_in_job(name):
                case FileKind.UNFINISHED:
                    return remove_unless_in_use(path)
                case FileKind.KEPT:
                    path.unlink(missing_ok=True)
                case FileKind.EMPTY_FOLDER if name.startswith("attempts/"):
                    return _remove_empty(path)
                case _:
                    raise ValueError(f"{name} is not Recto's to remove.")
        return True

    def remove_outside(self, name: str) -> bool:
        """See FileStorage."""
        path = self._root / name
        with _translated(path):
            match kind_outside(name):
                case FileKind.UNFINISHED | FileKind.SCRATCH:
                    return remove_unless_in_use(path)
                case FileKind.DELETED:
                    self._remove_withdrawn(path)
                case _:
                    raise ValueError(f"{name} is not Recto's to remove.")
        return True

    def link(self, uuid: str, name: str, lifetime_s: int, file_name: str, media_type: str) -> str | None:  # noqa: ARG002
        """None: a folder serves nothing by itself."""
        return None

    def check(self) -> None:
        """See FileStorage."""
        with _translated(self._root):
            with tempfile.TemporaryFile(dir=self._incoming_folder()) as probe:
                probe.write(b"probe")
            self._check_space()

    def _check_space(self) -> None:
        free_bytes = shutil.disk_usage(self._root).free
        if free_bytes < self._min_free_bytes:
            raise _full(
                f"Only {free_bytes:,} bytes are free in the File Storage, less than the {self._min_free_bytes:,} it keeps back."
            )

    def _withdrawn(self, uuid: str) -> Path:
        return self._root / INCOMING / f"{DELETED}{uuid}"

    def _remove_withdrawn(self, folder: Path) -> None:
        while folder.exists():
            with suppress(FileNotFoundError):  # another deletion of the same job was quicker with a file
                shutil.rmtree(folder)

    def _folder(self, uuid: str) -> Path:
        return self._root / str(UUID(uuid))


class VolumeIncomingFile:
    """Implements IncomingFile (base.py) as a file beside the jobs' folders, so that keeping it is one rename."""

    def __init__(self, root: Path, folder: Path) -> None:
        descriptor, self._path = create_file(folder, UPLOAD)
        self.file = cast(BinaryIO, io.BufferedRandom(_Content(descriptor, root)))
        self._root = root

    def keep(self, uuid: str, name: str) -> None:
        """See IncomingFile."""
        folder = self._root / str(UUID(uuid))
        with _translated(folder):
            _flush(self.file)
            folder.mkdir(_PRIVATE, exist_ok=True)
            _rename(self._path, folder / name)  # in use until it has its name
            _flush_folder(self._root)
            self.file.close()

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


def _discard(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # what stays is swept


def _remove_empty(folder: Path) -> bool:
    """Remove a folder; False where it is not empty any more."""
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno != errno.ENOTEMPTY:
            raise
        return False
    return True


def _link(source: Path, target: Path) -> bool:
    """Give the file a second name; False where that is impossible here."""
    try:
        target.hardlink_to(source)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return False
    return True


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
