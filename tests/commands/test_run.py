"""The Worker as a program of its own."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from recto.jobs import Jobs
from recto.workers import list_workers
from recto.working.presence import FOLDER
from tests.conftest import POLICY, JobTable
from tests.patience import wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
HOLD_PRESENCE = """
import sys, time
from pathlib import Path
from recto.working.presence import Presence

presence = Presence(Path(sys.argv[1]), sys.argv[2])
print(presence.name, flush=True)
time.sleep(600)
"""


def start(folder: Path, **variables: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "ocr_worker.py", "run", "--processes", "1"],
        cwd=ROOT,
        env=os.environ | {"RECTO_FILE_STORAGE_PATH": str(folder), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_worker(table: JobTable, process: "subprocess.Popen[str]") -> None:
    def is_there() -> bool:
        assert process.poll() is None
        return any(worker.is_alive for worker in table.read(list_workers))

    wait_until(is_there, 60.0, "a Worker", pause_s=0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_ends_gracefully_and_signs_off(table: JobTable, tmp_path: Path, number: signal.Signals) -> None:
    process = start(tmp_path)
    wait_for_worker(table, process)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "")
    assert "worker_stopped" in err
    assert "Traceback" not in err
    assert [worker.is_alive for worker in table.read(list_workers)] == [False]


def test_run_takes_over_at_once_what_a_killed_worker_held(table: JobTable, tmp_path: Path, ann: int) -> None:
    """Long before the lease ends, which here lasts an hour."""
    table.jobs = Jobs(replace(POLICY, lease_s=3600.0))  # by the database's clock, as the program
    uuid = table.submit(ann)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD_PRESENCE, str(tmp_path / FOLDER), "killed"], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"killed\n"
    table.claim("killed")
    process = start(tmp_path, RECTO_QUEUE_LEASE_S="3600")
    wait_for_worker(table, process)
    assert table.statuses(uuid) == ["QUEUED", "IN_PROGRESS"]
    holder.kill()
    holder.communicate()
    wait_until(lambda: table.statuses(uuid) != ["QUEUED", "IN_PROGRESS"], 15.0, "the job to be requeued", pause_s=0.05)
    process.terminate()
    _, err = process.communicate(timeout=30)
    assert "worker_died" in err
    assert table.log(uuid)[2].reason_code == "worker_lost"
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_run_without_language_data_names_the_doctor(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    process = start(tmp_path, RECTO_OCR_TESSDATA_PATH=str(tmp_path / "empty"))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.splitlines()[-1].startswith("Error: The page processes cannot start. `ocr_worker.py doctor`")


def test_run_with_wrong_settings_ends_at_once(tmp_path: Path) -> None:
    process = start(tmp_path, RECTO_QUEUE_LEASE_S="1")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 78
    assert err.startswith("Error: queue in the environment: renew_s")


def test_run_with_a_tessdata_path_that_is_no_folder_refuses_its_settings(tmp_path: Path) -> None:
    process = start(tmp_path, RECTO_OCR_TESSDATA_PATH="/nowhere")
    _, err = process.communicate(timeout=30)
    assert process.returncode == os.EX_CONFIG
    assert err == "Error: ocr.tessdata_path names no folder: /nowhere. Leave it empty for Tesseract's own.\n"
