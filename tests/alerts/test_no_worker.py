"""Metrics while Recto works, and the alert that fires when its last Worker is killed: the real programs, and a real Prometheus.

`pytest -s -m long tests/alerts` prints what Prometheus saw.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.alerts.prometheus import ROOT, Prometheus
from tests.drawing import draw_page, save_pdf
from tests.patience import wait_until
from tests.web.hand_worker import HandWorker
from tests.web.live_server import LiveServer

pytestmark = pytest.mark.long
_PASSWORD = "a password for alerts"
_DOCUMENTS = 12
_PAGES = 3
_SEEN = {
    "jobs accepted": "max(recto_jobs_submitted_total)",
    "jobs finished": "max(recto_jobs_finished_total)",
    "jobs waiting": 'max(recto_jobs{status="QUEUED"})',
    "pages read": "max(recto_pages_read_total)",
    "oldest waits, s": "max(recto_queue_oldest_age_seconds)",
    "recognise, median s": 'histogram_quantile(0.5, max by (le) (recto_stage_seconds_bucket{stage="recognise"}))',
    "waiters": "sum(recto_waiters)",
    "Workers alive": "max(recto_workers_alive)",
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    server = LiveServer(tmp_path / "storage", {"RECTO_ADMIN_PASSWORD": _PASSWORD})
    yield server
    server.stop()


@pytest.fixture
def prometheus(tmp_path: Path, server: LiveServer) -> Iterator[Prometheus]:
    prometheus = Prometheus(tmp_path / "prometheus", f"{server.host}:{server.port}")
    yield prometheus
    prometheus.stop()


@pytest.fixture
def worker(server: LiveServer) -> Iterator["subprocess.Popen[bytes]"]:
    outer = {name: value for name, value in os.environ.items() if not name.startswith("RECTO_")}
    own = {"RECTO_FILE_STORAGE_PATH": str(server.folder), "RECTO_FILE_STORAGE_MIN_FREE_BYTES": "0"}
    command = [sys.executable, "ocr_worker.py", "run", "--processes", "1"]
    with server.log.with_name("worker.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=outer | own, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    yield process
    process.kill()
    process.wait()


def submit(server: LiveServer, folder: Path) -> None:
    hand = HandWorker(server.folder)
    token = hand.token_of("admin")
    hand.close()
    document = folder / "scan.pdf"
    save_pdf(document, [draw_page().pixels] * _PAGES)
    for number in range(_DOCUMENTS):
        answer = requests.post(
            f"{server.address}/api/v1/jobs?dedupe=false&filename={number}.pdf",
            data=document.read_bytes(),
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )
        assert answer.status_code == 202, answer.text


def test_load_shows_in_the_metrics_and_a_killed_worker_is_missed(
    server: LiveServer, worker: "subprocess.Popen[bytes]", prometheus: Prometheus, tmp_path: Path
) -> None:
    wait_until(lambda: prometheus.value("max(recto_workers_alive)") == 1, 120, "a Worker", pause_s=1.0)
    submit(server, tmp_path)
    started_s = time.monotonic()

    def is_done() -> bool:
        seen = {name: prometheus.value(expression) for name, expression in _SEEN.items()}
        print(f"{time.monotonic() - started_s:5.0f} s", seen)  # noqa: T201
        return seen["jobs finished"] == _DOCUMENTS

    wait_until(is_done, 600, "the end of all jobs", pause_s=1.0)
    assert prometheus.value("max(recto_pages_read_total)") == _DOCUMENTS * _PAGES
    wait_until(
        lambda: prometheus.value('max(recto_stage_seconds_count{stage="recognise"})') == _DOCUMENTS * _PAGES,
        30,
        "the times of all pages",
        pause_s=1.0,
    )
    assert "RectoNoWorker" not in prometheus.firing()
    worker.send_signal(signal.SIGKILL)
    gone_s = wait_until(lambda: prometheus.value("max(recto_workers_alive)") == 0, 60, "a Worker less", pause_s=1.0)
    fired_s = gone_s + wait_until(lambda: "RectoNoWorker" in prometheus.firing(), 120, "the alert", pause_s=1.0)
    print(f"Killed: none alive after {gone_s:.0f} s, RectoNoWorker fires after {fired_s:.0f} s")  # noqa: T201
    ready = requests.get(f"{server.address}/readyz", timeout=20)
    assert ready.status_code == 200
    print(ready.json()["checks"]["worker"])  # noqa: T201
    assert "No Worker is running" in ready.json()["checks"]["worker"]["detail"]
