"""`derive`: formats of a finished job, as the Backend and an administrator have them made."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from uuid import uuid4

import pytest

from recto.commands import derive
from recto.file_storage.base import DOCUMENT, checkpoint_name, picture_name, result_name
from recto.file_storage.volume import VolumeStorage
from recto.ocr.page import Block, Box, Line, Page, Quad, Word
from recto.ocr.writers.json import page_to_json
from recto.records import derivations
from tests.conftest import CommandLine, JobTable
from tests.drawing import blank_page, save_tiff

QUAD: Quad = ((0.0, 0.0), (9.0, 0.0), (9.0, 5.0), (0.0, 5.0))
LINE = Line((Word("Read", 0.9, Box(0, 0, 9, 5), QUAD),), Box(0, 0, 9, 5), QUAD, 0)
PAGE = Page(1, 60, 40, 300.0, ("eng",), "tesserocr 5", (), (Block((LINE,), Box(0, 0, 9, 5)),))


@pytest.fixture(autouse=True)
def _no_limits_for_the_tests_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("RECTO_WORKER_PROCESS_MEMORY_BYTES", "0")
    monkeypatch.setenv("RECTO_WORKER_NICENESS", "0")
    monkeypatch.setattr(derive, "configure_logging", lambda *_: None)


@pytest.fixture
def storage(command_line: CommandLine) -> VolumeStorage:
    return VolumeStorage(command_line.folder)


@pytest.fixture
def uuid(table: JobTable, ann: int, storage: VolumeStorage, tmp_path: Path) -> str:
    """A finished job of one page whose text is 'Read'."""
    uuid = table.submit(ann)
    incoming = storage.incoming()
    incoming.file.write(save_tiff(tmp_path / "one.tif", [blank_page(60, 40)]).read_bytes())
    incoming.keep(uuid, DOCUMENT)
    lease = table.claim().lease
    with storage.write(uuid, checkpoint_name(lease.token, 1)) as file:
        file.write(page_to_json(PAGE))
    table.do(table.jobs.adopt_page, lease, 1)
    table.do(table.jobs.finish, lease)
    return uuid


def made(storage: VolumeStorage, table: JobTable, uuid: str, result_format: str) -> bytes:
    with storage.open(uuid, result_name(table.job(uuid).result_token or "", result_format)) as file:
        return file.read()


def test_derive_makes_the_format_from_the_pages_that_were_read(
    command_line: CommandLine, table: JobTable, storage: VolumeStorage, uuid: str
) -> None:
    assert command_line("derive", uuid, "json").status == 0
    result = json.loads(made(storage, table, uuid, "json"))
    assert result["pages"][0]["blocks"][0]["lines"][0]["text"] == "Read"
    assert result["created"] == "2027-01-15T08:00:00.000000Z"
    assert table.read(derivations.find, uuid, "json") is None


def test_derive_twice_gives_equal_bytes(
    command_line: CommandLine, table: JobTable, storage: VolumeStorage, uuid: str
) -> None:
    assert command_line("derive", uuid, "json").status == 0
    first = made(storage, table, uuid, "json")
    assert command_line("derive", uuid, "json").status == 0
    assert made(storage, table, uuid, "json") == first


def test_derive_goes_on_under_the_token_that_it_is_given(
    command_line: CommandLine, table: JobTable, storage: VolumeStorage, uuid: str
) -> None:
    assert table.do(derivations.begin, uuid, "txt", "token", 60.0)
    refused = command_line("derive", uuid, "txt")
    assert (refused.status, "being made already" in refused.err) == (1, True)
    assert command_line("derive", uuid, "txt", "--token", "token").status == 0
    assert made(storage, table, uuid, "txt") == b"Read\n"
    assert table.read(derivations.find, uuid, "txt") is None


def test_derive_makes_the_picture_of_a_page(
    command_line: CommandLine, table: JobTable, storage: VolumeStorage, uuid: str
) -> None:
    assert command_line("derive", uuid, "page-0001-preprocessed.png").status == 0
    with storage.open(uuid, picture_name(table.job(uuid).result_token or "", 1, "preprocessed")) as file:
        assert file.read(8) == b"\x89PNG\r\n\x1a\n"
    assert table.read(derivations.find, uuid, "page-0001-preprocessed.png") is None


def test_derive_of_a_page_that_was_not_read_records_that(command_line: CommandLine, table: JobTable, uuid: str) -> None:
    refused = command_line("derive", uuid, "page-0002-original.png")
    assert (refused.status, "has not read page 2" in refused.err) == (1, True)
    found = table.read(derivations.find, uuid, "page-0002-original.png")
    assert found is not None
    assert found.error_code == "page_not_found"


def test_derive_that_fails_records_its_reason_and_leaves_the_job_finished(
    command_line: CommandLine, table: JobTable, storage: VolumeStorage, uuid: str
) -> None:
    (command_line.folder / uuid / DOCUMENT).write_bytes(b"II*\x00 and nothing more")
    failed = command_line("derive", uuid, "json")
    assert failed.status == 1
    found = table.read(derivations.find, uuid, "json")
    assert found is not None
    assert found.error_code == "document_damaged"
    assert found.error_detail
    assert found.error_detail in failed.err
    assert table.job(uuid).status == "FINISHED"


def test_derive_of_a_job_that_is_not_finished_says_so(command_line: CommandLine, table: JobTable, ann: int) -> None:
    refused = command_line("derive", table.submit(ann), "txt")
    assert (refused.status, "is QUEUED" in refused.err) == (1, True)


def test_derive_of_no_job_says_so(command_line: CommandLine) -> None:
    assert "There is no such job" in command_line("derive", "0b9e3a52-7f0c-4d3e-9a51-6c1f0e2d4b77", "txt").err


def test_derive_of_an_unknown_format_is_wrong_usage(command_line: CommandLine, uuid: str) -> None:
    refused = command_line("derive", uuid, "docx")
    assert (refused.status, "page-0001-original.png" in refused.err) == (2, True)


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux's kernel")
def test_derive_ends_with_the_program_that_asked_for_it(tmp_path: Path) -> None:
    """Which is not this one, so that it is taken for dead."""
    command = [sys.executable, "ocr_worker.py", "derive", str(uuid4()), "txt", "--parent-pid", str(os.getppid())]
    root = Path(__file__).resolve().parents[2]
    ended = subprocess.run(command, cwd=root, env=os.environ | {"RECTO_FILE_STORAGE_PATH": str(tmp_path)}, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []
