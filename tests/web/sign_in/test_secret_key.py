"""The secret that signs cookies and links."""

import os
import stat
import threading
from pathlib import Path

import pytest

from recto.errors import SettingsError, StorageUnavailable
from recto.web.sign_in.secret_key import load_secret_key
from tests.web.conftest import MakeApp


def test_secret_is_made_once_and_for_its_owner_alone(make_app: MakeApp, folder: Path) -> None:
    umask = os.umask(0)
    try:
        first = make_app()
    finally:
        os.umask(umask)
    file = folder / "secret_key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_bytes()) >= 32
    assert make_app().secret_key == first.secret_key == file.read_bytes()
    assert [path.name for path in folder.iterdir() if path.name.startswith(".secret")] == []


def test_two_folders_have_two_secrets(tmp_path: Path) -> None:
    assert load_secret_key(tmp_path / "a" / "secret_key") != load_secret_key(tmp_path / "b" / "secret_key")


def test_backends_that_start_together_agree_on_one(tmp_path: Path) -> None:
    keys: list[bytes] = []
    starts = [threading.Thread(target=lambda: keys.append(load_secret_key(tmp_path / "secret_key"))) for _ in range(8)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


@pytest.mark.parametrize("content", [b"", b"short", b" \n"])
def test_unusable_secret_stops_the_start_with_the_next_step(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "secret_key"
    file.write_bytes(content)
    with pytest.raises(SettingsError, match="Delete it"):
        load_secret_key(file)


def test_secret_that_cannot_be_made_is_storage_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnavailable, match="Check the rights of its folder"):
        load_secret_key(tmp_path / "file" / "secret_key")


def test_secret_that_is_given_needs_no_file(tmp_path: Path) -> None:
    assert load_secret_key(tmp_path / "secret_key", "0123456789" * 4) == b"0123456789" * 4
    assert list(tmp_path.iterdir()) == []


def test_secret_that_is_given_too_short_is_a_settings_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"server\.secret_key is too short"):
        load_secret_key(tmp_path / "secret_key", "secret")
