"""The folder for what is only in passing on this machine: temporary files of processes, and uploads on their way.

It lies beside the documents, or where they are in an object store in the folder of the settings all the same: a system's own folder
for temporary files may be in memory.
"""

import atexit
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from recto.errors import StorageUnavailable
from recto.file_storage.disk_errors import translated
from recto.file_storage.living import create_folder, remove_unless_in_use

INCOMING: Final = ".incoming"
SCRATCH: Final = "scratch-"
_PRIVATE: Final = 0o700


def prepare_folder(root: Path) -> None:
    """Make the folder at the start, and prove that it can be written. StorageUnavailable where that is impossible."""
    try:
        root.mkdir(_PRIVATE, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            return
    except OSError as error:
        raise StorageUnavailable(
            f"The File Storage {root} cannot be written: {error.strerror}. Check file_storage.path and the folder's rights."
        ) from error


def incoming_folder(root: Path) -> Path:
    """The folder, made where it is not there. OSError."""
    folder = root / INCOMING
    folder.mkdir(_PRIVATE, parents=True, exist_ok=True)
    return folder


def scratch_folder(root: Path) -> Path:
    """A folder for the temporary files of this process. StorageFull, StorageUnavailable.

    It is gone when the process ends. Those of processes that were killed are removed by the next one that asks for its own.
    """
    with translated(root):
        _clear(root)
        folder = create_folder(incoming_folder(root), SCRATCH)
    atexit.register(_discard, folder)
    return folder


def clear_scratch(root: Path) -> None:
    """Remove the scratch folders of processes that have died. StorageUnavailable."""
    with translated(root):
        _clear(root)


def _clear(root: Path) -> None:
    for folder in incoming_folder(root).glob(f"{SCRATCH}*"):
        with suppress(OSError):  # one that resists stops nobody; the sweeper names it
            remove_unless_in_use(folder)


def _discard(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # what stays is swept
