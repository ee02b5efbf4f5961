"""That a Worker lives, as a lock that the kernel takes away when it dies: its jobs need not wait until their leases expire.

Each Worker holds a file that is named after it and after the running system. Whoever gets the lock of another's file has proof that it is
dead, whatever became of its process id: no number is compared, none can have been given to another process, and it holds between containers
of one machine. Files of other systems prove nothing here, since a lock over a network may be lost: there the leases expire as ever.
"""

import os
import socket
import time
from itertools import count
from pathlib import Path
from typing import Final

from recto.errors import StorageUnavailable
from recto.file_storage.living import is_given_up, remove_unless_in_use, take_file

FOLDER: Final = ".workers"
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class Presence:
    """Holds the file of one Worker. `name` is the Worker's, unlike that of any other that lives or was not forgotten."""

    def __init__(self, folder: Path, wanted_name: str, system: str | None = None) -> None:
        """`system` stands for the running kernel. StorageUnavailable where the folder cannot be written."""
        self._folder = folder
        self._ending = f"@{system or _running_system()}"
        names = (wanted_name if number == 1 else f"{wanted_name}-{number}" for number in count(1))
        try:
            folder.mkdir(0o700, exist_ok=True)
            self._forget_other_systems()
            self.name = next(name for name in names if take_file(self._file(name)))
        except OSError as error:
            raise StorageUnavailable(
                f"The folder {folder} cannot be used: {error.strerror}. Check its rights."
            ) from error

    def dead(self) -> frozenset[str]:
        """The Workers of this machine that have died and were not forgotten."""
        others = [path for path in self._folder.iterdir() if path.name.endswith(self._ending)]
        names = {path.name.removesuffix(self._ending): path for path in others}
        return frozenset(name for name, path in names.items() if name != self.name and is_given_up(path))

    def forget(self, names: frozenset[str]) -> None:
        """Their jobs are taken care of."""
        for name in names:
            remove_unless_in_use(self._file(name))

    def beat(self) -> None:
        """Note by the file's time that the database was reached just now: what a health check sees without any database (deploy/health.py)."""
        now_s = time.time()  # this machine's, also on a network's file system
        os.utime(self._file(self.name), (now_s, now_s))

    def leave(self) -> None:
        """The Worker stops, and has handed back its jobs."""
        self._file(self.name).unlink(missing_ok=True)

    def _forget_other_systems(self) -> None:
        """Files of before the last start of a machine. One of a machine that lives keeps it by its lock."""
        for path in self._folder.iterdir():
            if not path.name.endswith(self._ending):
                remove_unless_in_use(path)

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}{self._ending}"


def _running_system() -> str:
    """A name for the running kernel, the same in all its containers, and another after each start (random(4)); else the host's name."""
    return _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else socket.gethostname()
