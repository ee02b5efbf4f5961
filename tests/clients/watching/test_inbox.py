import os
from pathlib import Path

import pytest

from recto_client.watching.inbox import Seen, Settling, is_passed_over, look, look_at


def test_look_finds_files_in_all_folders_by_name(tmp_path: Path) -> None:
    (tmp_path / "b" / "deep").mkdir(parents=True)
    for name in ("c.pdf", "a.pdf", "b/deep/x.pdf"):
        (tmp_path / name).write_bytes(b"12")
    found = list(look(tmp_path))
    assert [file.path for file in found] == ["a.pdf", "b/deep/x.pdf", "c.pdf"]
    assert found[0] == look_at(tmp_path, "a.pdf")
    assert found[0].size_bytes == 2


def test_look_passes_over_what_is_no_document_and_the_outbox(tmp_path: Path) -> None:
    (tmp_path / ".done").mkdir()
    (tmp_path / "out").mkdir()
    for name in (".done/a.pdf", "out/a.txt", ".hidden.pdf", "a.pdf.part"):
        (tmp_path / name).touch()
    assert list(look(tmp_path, {tmp_path / "out"})) == []


def test_look_follows_no_links(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").touch()
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "file").symlink_to(secret / "key")
    (inbox / "folder").symlink_to(secret)
    os.mkfifo(inbox / "pipe")
    assert list(look(inbox)) == []


def test_look_into_a_folder_that_is_away_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(look(tmp_path / "away"))
    assert look_at(tmp_path, "away") is None


@pytest.mark.parametrize(
    "name", [".a.pdf", "~$a.docx", "a.pdf.PART", "a.tmp", "a.pdf.crdownload", "Thumbs.db", "desktop.ini"]
)
def test_half_written_and_hidden_names_are_passed_over(name: str) -> None:
    assert is_passed_over(name)


@pytest.mark.parametrize("name", ["a.pdf", "partly.pdf", "no suffix", "tmp", "ä.tif"])
def test_names_of_documents_are_not_passed_over(name: str) -> None:
    assert not is_passed_over(name)


def test_file_settles_when_it_has_not_changed_for_the_time() -> None:
    settling = Settling(3.0)
    small, large = Seen("a.pdf", 1, 10), Seen("a.pdf", 2, 11)
    assert settling.settled([small], 100.0) == []
    assert settling.settled([large], 102.9) == []
    assert settling.settled([large], 105.8) == []
    assert settling.settled([large], 105.9) == [large]
    assert settling.settled([], 106.0) == []
    assert settling.settled([large], 106.1) == []


def test_empty_file_is_given_ten_times_as_long() -> None:
    settling, empty = Settling(3.0), Seen("a.pdf", 0, 10)
    assert settling.settled([empty], 0.0) == []
    assert settling.settled([empty], 29.0) == []
    assert settling.settled([empty], 30.0) == [empty]
