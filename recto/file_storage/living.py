"""Which temporary files a living process still uses: it holds a lock on them, and the kernel takes the lock away when it dies.

flock(2): the lock belongs to the open file, whichever process or thread opened it, and ends when the last descriptor is closed. It holds
between containers that share a volume of one machine, and over NFS since Linux 2.6.12.
"""

import errno
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP})


def create_file(folder: Path, prefix: str, suffix: str = "") -> tuple[int, Path]:
    """A new file that is in use as long as the descriptor is open."""
    while True:
        descriptor, name = tempfile.mkstemp(suffix, prefix, folder)
        if _hold(descriptor, Path(name)):
            return descriptor, Path(name)


def create_folder(folder: Path, prefix: str) -> Path:
    """A new folder that is in use as long as this process lives."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=prefix, dir=folder))
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue  # a sweeper was quicker
        if _hold(descriptor, path):
            return path


def take_file(path: Path) -> bool:
    """Make that file and hold it as long as this process lives; False where there is one, or a sweeper was quicker."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    return _hold(descriptor, path)


def is_given_up(path: Path) -> bool:
    """Whether nobody holds the file any more. False as well where it is gone, or where the file system knows no locks."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: others may ask at the same time
    except OSError as error:
        if error.errno not in {*_NO_LOCKS, errno.EAGAIN}:
            raise
        return False
    finally:
        os.close(descriptor)
    return True


def remove_unless_in_use(path: Path) -> bool:
    """Remove a file or a folder that no living process holds; False where one does. True as well where it is gone.

    OSError where the file system knows no locks: then nobody can tell, and the file stays.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(path)
    except BlockingIOError:
        return False
    except FileNotFoundError:
        return True  # renamed by its writer, or removed by another sweeper
    finally:
        os.close(descriptor)
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _hold(descriptor: int, path: Path) -> bool:
    """Take the lock. False, and the descriptor closed, where a sweeper removed the file before it was held."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            os.close(descriptor)
            raise
    try:
        is_mine = os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        is_mine = False
    if not is_mine:
        os.close(descriptor)
    return is_mine
