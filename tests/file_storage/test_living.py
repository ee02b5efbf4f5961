"""Locks on temporary files: what a living process holds stays, what a dead one held goes."""

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from recto.file_storage.living import create_file, create_folder, remove_unless_in_use

ROOT = Path(__file__).resolve().parent.parent.parent
HOLD = """
import sys
from pathlib import Path
from recto.file_storage.living import create_file, create_folder

folder = Path(sys.argv[1])
descriptor, file = create_file(folder, "upload-")
print(file, create_folder(folder, "scratch-"), sep="\\n", flush=True)
sys.stdin.read()
"""


def test_file_is_in_use_until_its_last_descriptor_is_closed(tmp_path: Path) -> None:
    descriptor, path = create_file(tmp_path, "upload-")
    again = os.dup(descriptor)
    os.close(descriptor)
    assert not remove_unless_in_use(path)
    assert path.exists()
    os.close(again)
    assert remove_unless_in_use(path)
    assert not path.exists()


def test_files_of_another_process_are_in_use_until_it_is_killed(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    file, folder = (Path(process.stdout.readline().strip()) for _ in range(2))
    (folder / "page.png").write_bytes(b"pixels")
    assert [remove_unless_in_use(path) for path in (file, folder)] == [False, False]
    process.kill()
    process.communicate()
    assert [remove_unless_in_use(path) for path in (file, folder)] == [True, True]
    assert list(tmp_path.iterdir()) == []


def test_removal_of_what_is_gone_is_done(tmp_path: Path) -> None:
    assert remove_unless_in_use(tmp_path / "gone")


def test_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
        remove_unless_in_use(tmp_path / "link")
    assert (tmp_path / "theirs").exists()


@pytest.mark.parametrize("create", ["file", "folder"])
def test_creation_that_a_sweeper_was_quicker_than_begins_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, create: str
) -> None:
    """Between its making and its lock, a file is nobody's."""
    real, swept = fcntl.flock, list[Path]()

    def sweep_once(descriptor: int, operation: int) -> None:
        if not swept:
            (path,) = tmp_path.iterdir()
            swept.append(path)
            assert remove_unless_in_use(path)
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", sweep_once)
    if create == "file":
        descriptor, path = create_file(tmp_path, "upload-")
        assert os.fstat(descriptor).st_nlink == 1
        os.close(descriptor)
    else:
        path = create_folder(tmp_path, "scratch-")
    assert list(tmp_path.iterdir()) == [path]
    assert path not in swept


def refuse(*_: object) -> None:
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


def test_file_system_without_locks_takes_files_and_gives_none_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", refuse)
    descriptor, path = create_file(tmp_path, "upload-")
    os.close(descriptor)
    with pytest.raises(OSError, match=os.strerror(errno.ENOLCK)):
        remove_unless_in_use(path)
    assert path.exists()
