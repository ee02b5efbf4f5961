"""`backup` and `restore` as their users call them."""

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from recto.file_storage.base import DOCUMENT
from recto.records import meters
from recto.records.meters import Metered
from tests.conftest import CommandLine, JobTable


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """On another disk, so to speak."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.mark.each_database
def test_backup_says_what_it_did_and_when(command_line: CommandLine, uuid: str, folder: Path, table: JobTable) -> None:
    done = command_line("backup", str(folder / "backup"))
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"Backed up 1 jobs with 1 files to {folder / 'backup'} (")
    assert done.out.endswith("1 files are new, 0 were removed.\n")
    assert (folder / "backup" / "files" / uuid / DOCUMENT).read_bytes() == b"scan"
    with Session(table.engine) as session:
        assert meters.read_all(session)[Metered.BACKED_UP_US][""] > 0
    done = command_line("backup", "--verify", str(folder / "backup"))
    assert (done.status, done.err) == (0, "")
    assert "is whole: 1 jobs with 1 files." in done.out


def test_restore_into_a_new_folder_says_what_is_there(
    command_line: CommandLine, uuid: str, folder: Path, table: JobTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    (command_line.folder / "secret_key").write_bytes(b"0" * 64)
    table.claim()
    assert command_line("backup", str(folder / "backup")).status == 0
    monkeypatch.setenv("RECTO_FILE_STORAGE_PATH", str(folder / "new"))
    done = command_line("restore", str(folder / "backup"))
    assert (done.status, done.err) == (0, "")
    assert "1 jobs with 1 files. 1 of them were being read, and are queued again when a Worker runs." in done.out
    assert (folder / "new" / "secret_key").read_bytes() == b"0" * 64
    assert (folder / "new" / uuid / DOCUMENT).read_bytes() == b"scan"
    assert uuid in command_line("jobs", "list").out


def test_damage_ends_in_an_error_that_names_it(
    command_line: CommandLine, uuid: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command_line("backup", str(folder / "backup")).status == 0
    (folder / "backup" / "files" / uuid / DOCUMENT).write_bytes(b"scum")
    done = command_line("backup", "--verify", str(folder / "backup"))
    assert (done.status, f"files/{uuid}/document\n" in done.err, "Remove what is damaged" in done.err) == (
        1,
        True,
        True,
    )
    monkeypatch.setenv("RECTO_FILE_STORAGE_PATH", str(folder / "new"))
    done = command_line("restore", str(folder / "backup"))
    assert (done.status, f"files/{uuid}/document\n" in done.err, "All the rest is restored" in done.err) == (
        1,
        True,
        True,
    )


def test_job_without_a_document_is_named(command_line: CommandLine, table: JobTable, ann: int, folder: Path) -> None:
    uuid = table.submit(ann)
    done = command_line("backup", str(folder / "backup"))
    assert (done.status, f"Job {uuid} has no document" in done.err) == (0, True)


@pytest.mark.parametrize("name", ["", "backup"])
def test_backup_beside_what_it_saves_is_refused(command_line: CommandLine, name: str) -> None:
    done = command_line("backup", str(command_line.folder / name))
    assert (done.status, "with what it is to save" in done.err) == (2, True)


def test_restore_from_nothing_makes_nothing(
    command_line: CommandLine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECTO_FILE_STORAGE_PATH", str(folder / "new"))
    done = command_line("restore", str(folder / "backup"))
    assert (done.status, "no complete backup" in done.err) == (1, True)
    assert list(folder.iterdir()) == []
