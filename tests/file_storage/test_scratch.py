"""The folder for temporary files of this machine."""

import errno
import os
import shutil
import stat
from pathlib import Path

import pytest

from recto.file_storage.scratch import clear_scratch, incoming_folder, scratch_folder


def test_scratch_folder_is_the_processes_own_and_those_of_the_dead_go(tmp_path: Path) -> None:
    dead = incoming_folder(tmp_path) / "scratch-dead"
    dead.mkdir()
    (dead / "page.png").write_bytes(b"pixels")
    first, second = scratch_folder(tmp_path), scratch_folder(tmp_path)
    assert first != second
    assert stat.S_IMODE(first.stat().st_mode) == 0o700
    assert {path.name for path in (tmp_path / ".incoming").iterdir()} == {first.name, second.name}
    clear_scratch(tmp_path)
    assert first.is_dir()


def test_scratch_folder_of_a_dead_process_that_resists_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = incoming_folder(tmp_path) / "scratch-dead"
    dead.mkdir()
    monkeypatch.setattr(shutil, "rmtree", failing_tree)
    assert scratch_folder(tmp_path).is_dir()
    assert dead.is_dir()


def failing_tree(*_: object, **__: object) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))
