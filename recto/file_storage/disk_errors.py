"""What the operating system says of a disk, in the errors that FileStorage promises."""

import errno
import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from recto.errors import FileNotFound, RectoError, StorageFull, StorageUnavailable

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """FileNotFound, StorageFull, StorageUnavailable."""
    try:
        yield
    except RectoError:
        raise
    except FileNotFoundError as error:
        raise no_file(path.name) from error
    except OSError as error:
        if error.errno in _FULL:
            raise storage_full("The File Storage is full.") from error
        raise StorageUnavailable(
            f"The File Storage cannot be used: {error.strerror} ({path.name}). Nothing was changed."
        ) from error


class TranslatedFile(io.FileIO):
    """A file that is written and read. Whoever writes it, a form's parser too, hears of a full disk in the words of FileStorage."""

    def __init__(self, descriptor: int, folder: Path) -> None:
        super().__init__(descriptor, "w+")
        self._folder = folder

    def write(self, data: Any) -> int:
        """See io.RawIOBase.write. StorageFull, StorageUnavailable."""
        with translated(self._folder):
            return super().write(data)


def require_space(folder: Path, min_free_bytes: int) -> None:
    """StorageFull where less than that is free on the disk of the folder."""
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < min_free_bytes:
        raise storage_full(
            f"Only {free_bytes:,} bytes are free in the File Storage, less than the {min_free_bytes:,} it keeps back."
        )


def no_file(name: str) -> FileNotFound:
    """A job's file is not there."""
    return FileNotFound(f"There is no file {name} for this job. It may have been deleted.")


def storage_full(why: str) -> StorageFull:
    """`why` is a sentence."""
    return StorageFull(
        f"{why} Delete jobs that are no longer needed, or give the volume more room, and send the document again."
    )
