"""The containers' health checks, against what they look at."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from deploy import health
from recto.workers import SEEN_WITHIN_S
from recto.working.presence import FOLDER, Presence

NAME = f"{socket.gethostname()}-1"


@pytest.fixture
def presence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Presence:
    monkeypatch.setenv("RECTO_FILE_STORAGE_PATH", str(tmp_path))
    return Presence(tmp_path / FOLDER, NAME)


def make_older(presence: Presence, seconds: float) -> None:
    for file in presence._folder.iterdir():
        os.utime(file, (time.time() - seconds, time.time() - seconds))


def test_worker_works_as_long_as_it_beats(presence: Presence) -> None:
    make_older(presence, SEEN_WITHIN_S + 1)
    assert not health.worker_works()
    presence.beat()
    assert health.worker_works()
    presence.leave()
    assert not health.worker_works()


def test_worker_of_another_host_does_not_count(presence: Presence) -> None:
    presence.leave()
    Presence(presence._folder, f"{socket.gethostname()}2-1")
    assert not health.worker_works()


def test_check_knows_where_and_how_late_a_worker_reports() -> None:
    assert (health._FOLDER, health._SEEN_WITHIN_S) == (FOLDER, SEEN_WITHIN_S)


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = {"/healthz": 200, "/health": 200, "/other/healthz": 404}
        self.send_response(known.get(self.path, 500))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the class has it
        """Nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), _Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_backend_works_where_it_answers(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECTO_SERVER_PORT", str(port))
    assert health.backend_works()
    monkeypatch.setenv("RECTO_SERVER_BASE_PATH", "/other/")
    assert health.backend_works()
    monkeypatch.setenv("RECTO_SERVER_BASE_PATH", "/broken")
    assert not health.backend_works()


def test_scheduler_works_where_it_answers(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_SCHEDULER_PAGES_PORT", port)
    assert health.scheduler_works()


CONNECTIONS = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0B00007F:8E1B 00000000:0000 0A 00000000:00000000 00:00000000 00000000 10001        0 1 1 0 100 0 0 10 0
   1: 0B0012AC:D2F0 020012AC:{port} {state} 00000000:00000000 00:00000000 00000000 10001        0 2 1 0 20 4 30 10 -1
"""


@pytest.mark.parametrize(
    ("port", "state", "works"), [("2252", "01", True), ("2252", "06", False), ("1F90", "01", False)]
)
def test_node_works_while_it_is_connected_to_a_scheduler(
    port: str, state: str, works: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Linux lists them: of the addresses 6 is one that waits to be forgotten, 1F90 port 8080."""
    table = tmp_path / "tcp"
    table.write_text(CONNECTIONS.format(port=port, state=state), encoding="ascii")
    monkeypatch.setattr(health, "_CONNECTIONS", (table, tmp_path / "tcp6"))
    assert health.node_works() is works
