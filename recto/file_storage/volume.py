"""The File Storage on a folder: a local disk, or a volume that containers share."""

import errno
import io
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast
from uuid import UUID

from recto.errors import FileNotFound, RectoError
from recto.file_storage.base import FileKind, IncomingFile, Space, StoredFile, WriteFile, kind_in_job
from recto.file_storage.disk_errors import TranslatedFile, no_file, require_space, translated
from recto.file_storage.living import create_file, remove_unless_in_use
from recto.file_storage.scratch import INCOMING, incoming_folder, prepare_folder
from recto.file_storage.volume_listing import (
    DELETED,
    UPLOAD,
    files_in,
    files_outside,
    is_uuid,
    kind_outside,
)

_PRIVATE: Final = 0o700  # documents are for Recto's own user, whatever other users the machine has
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
        prepare_folder(self._root)

    def incoming(self) -> "VolumeIncomingFile":
        """See FileStorage."""
        with translated(self._root):
            require_space(self._root, self._min_free_bytes)
            return VolumeIncomingFile(self._root, incoming_folder(self._root))

    @contextmanager
    def write(self, uuid: str, name: str) -> Iterator[BinaryIO]:
        """See FileStorage."""
        with self.together(uuid) as write_file, write_file(name) as file:
            yield file

    @contextmanager
    def together(self, uuid: str) -> Iterator[WriteFile]:
        """See FileStorage. One wait for the disk instead of one for each."""
        files = _JobFiles(self._folder(uuid))
        try:
            yield files.write
            files.place()
        finally:
            files.discard()

    def copy(self, source_uuid: str, uuid: str, names: Mapping[str, str]) -> None:
        """See FileStorage. By hard links where there are such: files are replaced here and never changed, so nobody sees that they share bytes."""
        source, folder = self._folder(source_uuid), self._folder(uuid)
        with translated(source):
            require_space(self._root, self._min_free_bytes)
            folder.mkdir(_PRIVATE, exist_ok=True)
            for name, source_name in names.items():
                _make_folders_below(folder, (folder / name).parent)
                if not _link(source / source_name, folder / name):
                    self._copy_bytes(source / source_name, uuid, name)
            _flush_folders((folder / name for name in names), self._root)

    def _copy_bytes(self, source: Path, uuid: str, name: str) -> None:
        with source.open("rb") as file, self.write(uuid, name) as sink:
            shutil.copyfileobj(file, sink)

    def open(self, uuid: str, name: str) -> BinaryIO:
        """See FileStorage."""
        path = self._folder(uuid) / name
        with translated(path):
            return path.open("rb")

    @contextmanager
    def local_path(self, uuid: str, name: str) -> Iterator[Path]:
        """See FileStorage."""
        path = self._folder(uuid) / name
        with translated(path):
            if not path.is_file():
                raise no_file(path.name)
        try:
            yield path
        except FileNotFoundError as error:
            if path.is_file():
                raise  # it was another file
            raise no_file(path.name) from error  # the job was deleted between the look and the opening

    def read_each(self, uuid: str, names: Iterable[str]) -> Iterator[bytes]:
        """See FileStorage."""
        for name in names:
            with self.open(uuid, name) as file:
                yield file.read()

    def size_bytes(self, uuid: str, name: str) -> int:
        """See FileStorage."""
        path = self._folder(uuid) / name
        with translated(path):
            return path.stat().st_size

    def withdraw(self, uuid: str) -> None:
        """See FileStorage. By one rename: a Worker that still writes into the folder finds it gone instead of half empty."""
        folder = self._folder(uuid)
        with translated(folder):
            incoming_folder(self._root)
            with suppress(FileNotFoundError):
                folder.rename(self._withdrawn(folder.name))
                _flush_folder(self._root)

    def delete(self, uuid: str) -> None:
        """See FileStorage."""
        self.withdraw(uuid)
        with translated(self._folder(uuid)):
            self._remove_withdrawn(self._withdrawn(self._folder(uuid).name))

    def folders(self) -> Iterator[str]:
        """See FileStorage."""
        with translated(self._root):
            for entry in self._root.iterdir():
                if is_uuid(entry.name) and entry.is_dir() and not entry.is_symlink():
                    yield entry.name

    def contents(self, uuid: str) -> list[StoredFile]:
        """See FileStorage."""
        folder = self._folder(uuid)
        with translated(folder):
            if not folder.is_dir():
                raise no_file(folder.name)
            return list(files_in(folder, self._clock()))

    def outside(self) -> Iterator[StoredFile]:
        """See FileStorage. Files beside the jobs' folders that Recto has there itself, such as the database, are not named."""
        with translated(self._root):
            yield from files_outside(self._root, self._clock())

    def remove(self, uuid: str, name: str) -> bool:
        """See FileStorage."""
        path = self._folder(uuid) / name
        with translated(path):
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
        with translated(path):
            match kind_outside(name):
                case FileKind.UNFINISHED | FileKind.SCRATCH:
                    return remove_unless_in_use(path)
                case FileKind.DELETED:
                    self._remove_withdrawn(path)
                case _:
                    raise ValueError(f"{name} is not Recto's to remove.")
        return True

    def link(self, uuid: str, name: str, lifetime_s: int, disposition: str, media_type: str) -> str | None:  # noqa: ARG002
        """None: a folder serves nothing by itself."""
        return None

    def offer(self, name: str, size_bytes: int, lifetime_s: int) -> str | None:  # noqa: ARG002
        """None: a folder takes nothing by itself."""
        return None

    def offered(self, name: str) -> IncomingFile:
        """FileNotFound, since nothing is offered."""
        raise no_file(name)

    def space(self) -> Space:
        """See FileStorage."""
        with translated(self._root):
            usage = shutil.disk_usage(self._root)
        return Space(usage.total, usage.free, self._min_free_bytes)

    def check(self) -> None:
        """See FileStorage."""
        with translated(self._root):
            with tempfile.TemporaryFile(dir=incoming_folder(self._root)) as probe:
                probe.write(b"probe")
            require_space(self._root, self._min_free_bytes)

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
        self.file = cast(BinaryIO, io.BufferedRandom(TranslatedFile(descriptor, root)))
        self._root = root

    def keep(self, uuid: str, name: str) -> None:
        """See IncomingFile."""
        folder = self._root / str(UUID(uuid))
        with translated(folder):
            _flush(self.file)
            folder.mkdir(_PRIVATE, exist_ok=True)
            self._path.rename(folder / name)
            _flush_folders([folder / name], self._root)
            self.file.close()  # in use until it has its name

    def discard(self) -> None:
        """See IncomingFile."""
        with suppress(RectoError):  # what its buffer still holds may find no room; it is thrown away anyway
            self.file.close()
        with translated(self._path):
            self._path.unlink(missing_ok=True)


class _JobFiles:
    """Files of one folder. Each is on its way to the disk while the next is made; they are waited for at the end, and get their names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unplaced: list[_Unplaced] = []

    @contextmanager
    def write(self, name: str) -> Iterator[BinaryIO]:
        """Write a file that has no name before `place`; throw it away where the block raises."""
        target = self._folder / name
        with translated(target), ExitStack() as discard:
            if not self._folder.is_dir():
                raise FileNotFound(f"The folder of job {self._folder.name} is gone: the job was deleted.")
            _make_folders_below(self._folder, target.parent)
            descriptor, temporary = create_file(target.parent, ".", ".part")
            discard.callback(temporary.unlink, missing_ok=True)
            file = discard.enter_context(os.fdopen(descriptor, "wb"))
            if self._unplaced:
                _begin_flush(self._unplaced[-1].file)
            yield file
            file.flush()
            self._unplaced.append(_Unplaced(file, temporary, target, discard.pop_all()))

    def place(self) -> None:
        """Give each its name once all are on the disk. Durable when this returns."""
        targets = [one.target for one in self._unplaced]
        for one in self._unplaced:
            with translated(one.target):
                _flush(one.file)
        while self._unplaced:
            one = self._unplaced[0]
            with translated(one.target):
                one.temporary.rename(one.target)
            one.discard.pop_all()
            del self._unplaced[0]
            one.file.close()  # in use until it has its name
        if targets:
            with translated(targets[-1]):
                _flush_folders(targets, self._folder)

    def discard(self) -> None:
        """Throw away what has no name."""
        with translated(self._folder), ExitStack() as discard:
            for one in self._unplaced:
                discard.push(one.discard)


@dataclass(frozen=True, slots=True)
class _Unplaced:
    """A file that was written and has no name yet. `discard` closes and removes it."""

    file: BinaryIO
    temporary: Path
    target: Path
    discard: ExitStack


def _flush_folders(files: Iterable[Path], top: Path) -> None:
    """Make the names of the files durable, and those of their folders below `top`."""
    folders: list[Path] = []
    for file in files:
        folder = file.parent
        while folder != top and folder not in folders:
            folders.append(folder)
            folder = folder.parent
    for folder in (*folders, top):
        _flush_folder(folder)


def _make_folders_below(top: Path, folder: Path) -> None:
    """Like mkdir(parents=True), but never creates `top` itself: a concurrent deletion must win. Not durable before `_flush_folders`."""
    missing = []
    while folder != top and not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(_PRIVATE, exist_ok=True)


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


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _begin_flush(file: BinaryIO) -> None:
    """Have the kernel begin to write what was written to the file to the disk, so that whoever waits for it later waits less."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _flush_folder(folder: Path) -> None:
    """Make the names in a folder durable: a rename alone is not (fsync(2), notes)."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
