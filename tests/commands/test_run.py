"""The Worker as a program of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recto.workers import list_workers
from tests.conftest import JobTable

ROOT = Path(__file__).resolve().parent.parent.parent


def start(folder: Path, **variables: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "ocr_worker.py", "run", "--processes", "1"],
        cwd=ROOT,
        env=os.environ | {"RECTO_FILE_STORAGE_PATH": str(folder), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_ends_gracefully_and_signs_off(table: JobTable, tmp_path: Path, number: signal.Signals) -> None:
    process = start(tmp_path)
    deadline_s = time.monotonic() + 60
    while not any(worker.is_alive for worker in table.read(list_workers)):
        assert time.monotonic() < deadline_s
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "")
    assert "worker_stopped" in err
    assert "Traceback" not in err
    assert [worker.is_alive for worker in table.read(list_workers)] == [False]


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
