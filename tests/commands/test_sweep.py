"""`jobs sweep` as its users call it, on real folders."""

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from recto.durations import shown_duration
from recto.file_storage.base import DOCUMENT, checkpoint_name
from recto.file_storage.volume import VolumeStorage
from tests.conftest import CommandLine, JobTable

ROOT = Path(__file__).resolve().parent.parent.parent
TOKEN = "d" * 32


def keep(storage: VolumeStorage, uuid: str) -> str:
    incoming = storage.incoming()
    incoming.file.write(b"scan")
    incoming.keep(uuid, DOCUMENT)
    return uuid


@pytest.fixture
def storage(command_line: CommandLine, table: JobTable, ann: int) -> VolumeStorage:
    """With a job, a folder without one, an abandoned attempt, a broken-off upload and a file of somebody's."""
    storage = VolumeStorage(command_line.folder)
    uuid = keep(storage, table.submit(ann))
    keep(storage, str(uuid4()))
    with storage.write(uuid, checkpoint_name(TOKEN, 1)) as file:
        file.write(b"page")
    (command_line.folder / ".incoming" / "upload-x1_").write_bytes(b"half")
    (command_line.folder / "notes.txt").write_bytes(b"mine")
    return storage


def outcomes(command_line: CommandLine, *options: str) -> dict[str, str]:
    done = command_line("jobs", "sweep", "--json", *options)
    assert (done.status, done.err) == (0, "")
    return {row["kind"]: row["outcome"] for row in json.loads(done.out)}


def test_sweep_spares_what_is_young_and_takes_it_at_the_given_age(
    command_line: CommandLine, storage: VolumeStorage
) -> None:
    kinds = ["folder without job", "abandoned attempt", "broken-off upload"]
    foreign = {"foreign file": "reported"}
    before = sorted(command_line.folder.rglob("*"))
    assert outcomes(command_line) == dict.fromkeys(kinds, "too young") | foreign
    assert outcomes(command_line, "--older-than", "0", "--dry-run") == dict.fromkeys(kinds, "to be removed") | foreign
    assert sorted(command_line.folder.rglob("*")) == before
    assert outcomes(command_line, "--older-than", "0s") == dict.fromkeys(kinds, "removed") | foreign
    assert outcomes(command_line, "--older-than", "0") == foreign
    assert len(list(storage.folders())) == 1


def test_sweep_prints_a_table_for_people(command_line: CommandLine, storage: VolumeStorage) -> None:
    shown = command_line("jobs", "sweep", "--dry-run", "--older-than", "0")
    assert shown.status == 0
    assert shown.out.split("\n")[0].split() == ["what", "where", "age", "bytes", "outcome"]
    (uuid,) = [uuid for uuid in storage.folders() if (command_line.folder / uuid / "attempts").exists()]
    row = next(line for line in shown.out.splitlines() if "abandoned" in line)
    assert f"{uuid}/attempts/{TOKEN}/" in row
    assert row.endswith("to be removed")


def test_sweep_without_findings_says_so(command_line: CommandLine) -> None:
    assert command_line("jobs", "sweep").out == "Nothing was left behind.\n"
    assert json.loads(command_line("jobs", "sweep", "--json").out) == []


def test_sweep_of_folders_that_no_job_owns_needs_force(command_line: CommandLine, table: JobTable) -> None:
    storage = VolumeStorage(command_line.folder)
    keep(storage, str(uuid4()))
    assert "Is this their database?" in command_line("jobs", "sweep", "--older-than", "0").out
    assert outcomes(command_line, "--older-than", "0", "--force") == {"folder without job": "removed"}
    assert list(storage.folders()) == []


def test_sweep_that_something_resists_ends_with_status_1(
    command_line: CommandLine, storage: VolumeStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(30, os.strerror(30))

    monkeypatch.setattr("recto.file_storage.volume.remove_unless_in_use", refuse)
    done = command_line("jobs", "sweep", "--older-than", "0")
    assert done.status == 1
    assert "resisted - The File Storage cannot be used: Read-only file system" in done.out


@pytest.mark.parametrize("age", ["soon", "-1", "1w", "1 h", ""])
def test_sweep_with_an_age_that_is_none_is_wrong_usage(command_line: CommandLine, age: str) -> None:
    done = command_line("jobs", "sweep", f"--older-than={age}")
    assert done.status == 2
    assert "Write it like 90s, 15m, 36h or 2d." in done.err


@pytest.mark.parametrize(
    ("age_s", "shown"), [(0, "0 s"), (59, "59 s"), (60, "1 m"), (7200, "2 h"), (2.6 * 86400, "3 d")]
)
def test_age_is_shown_in_its_largest_unit(age_s: float, shown: str) -> None:
    assert shown_duration(age_s) == shown


def test_sweep_as_a_program_leaves_an_upload_of_another_program_alone(storage: VolumeStorage, tmp_path: Path) -> None:
    incoming = storage.incoming()
    incoming.file.write(b"half")
    done = subprocess.run(
        [sys.executable, "ocr_worker.py", "jobs", "sweep", "--older-than", "0", "--json"],
        cwd=ROOT,
        env=os.environ | {"RECTO_FILE_STORAGE_PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    uploads = [row["outcome"] for row in json.loads(done.stdout) if row["kind"] == "broken-off upload"]
    assert sorted(uploads) == ["in use", "removed"]
    incoming.keep(str(uuid4()), DOCUMENT)
