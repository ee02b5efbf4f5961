import hashlib
from pathlib import Path

import pytest

from recto.errors import EngineMissing
from recto.ocr.engines import tessdata
from recto.ocr.engines.tessdata import checksums, find_tessdata, installed_languages


def folder_with(path: Path, *languages: str) -> Path:
    for language in languages:
        file = path / f"{language}.traineddata"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return path


def test_tessdata_named_explicitly_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESSDATA_PREFIX", str(folder_with(tmp_path / "other", "fra")))
    assert find_tessdata(folder_with(tmp_path / "mine", "eng")) == tmp_path / "mine"


def test_tessdata_named_explicitly_without_data_is_not_looked_for_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(EngineMissing, match=str(tmp_path)):
        find_tessdata(tmp_path)


@pytest.mark.parametrize("below", ["", "tessdata"])
def test_tessdata_prefix_names_the_folder_or_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str
) -> None:
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    data = folder_with(tmp_path / below, "eng")
    assert find_tessdata() == data


def test_tessdata_of_the_tesseract_command_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = folder_with(tmp_path / "data", "eng")
    command = tmp_path / "tesseract"
    command.write_text(f"#!/bin/sh\necho 'List of available languages in \"{data}/\" (1):'; echo eng\n")
    command.chmod(0o755)
    monkeypatch.delenv("TESSDATA_PREFIX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert find_tessdata() == data


def test_tessdata_without_command_or_data_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TESSDATA_PREFIX", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(tessdata, "_USUAL_FOLDERS", ())
    with pytest.raises(EngineMissing, match="tesseract-ocr-eng"):
        find_tessdata()


def test_languages_in_folders_below_have_their_path(tmp_path: Path) -> None:
    folder_with(tmp_path, "eng", "Fraktur", "osd", "equ", "script/Latin")
    assert installed_languages(tmp_path) == {"eng", "Fraktur", "script/Latin"}


def test_checksum_of_data_that_changed_is_taken_anew(tmp_path: Path) -> None:
    file = tmp_path / "eng.traineddata"
    file.write_bytes(b"old")
    (old,) = checksums(tmp_path, ("eng",))
    file.write_bytes(b"newer")
    (new,) = checksums(tmp_path, ("eng",))
    assert old.sha256 == hashlib.sha256(b"old").hexdigest()
    assert new.sha256 == hashlib.sha256(b"newer").hexdigest()


def test_checksum_of_data_that_did_not_change_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "script").mkdir()
    (tmp_path / "script" / "Latin.traineddata").write_bytes(b"data")
    first = checksums(tmp_path, ("script/Latin",))
    monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("the file was read again"))
    assert checksums(tmp_path, ("script/Latin",)) == first
