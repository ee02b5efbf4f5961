"""A whole Recto that is to be backed up or moved: its Backend, its commands, and documents that a Worker reads."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

from tests.web.live_server import LiveServer
from tests.worker_processes import ROOT, drawn_page, worker

_PATIENCE_S: Final = 60.0


@contextmanager
def backend(folder: Path, environ: dict[str, str], name: str = "") -> Iterator[httpx.Client]:
    server = LiveServer(folder, environ, name)
    try:
        with httpx.Client(base_url=server.address, timeout=_PATIENCE_S) as client:
            yield client
    finally:
        server.stop()


def command(environ: dict[str, str], *arguments: str, patience_s: float = _PATIENCE_S) -> str:
    outer = {name: value for name, value in os.environ.items() if not name.startswith("RECTO_")}
    done = subprocess.run(
        [sys.executable, "ocr_worker.py", *arguments],
        cwd=ROOT,
        env=outer | environ,
        capture_output=True,
        text=True,
        timeout=patience_s,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def text_of(client: httpx.Client, uuid: str) -> str:
    wanted: dict[str, str | int] = {"format": "txt", "wait": 50}
    answer = client.get(f"/api/v1/jobs/{uuid}/result", params=wanted, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return answer.text


def submit(client: httpx.Client, number: int) -> str:
    answer = client.post("/api/v1/jobs", content=drawn_page(number), params={"dedupe": "false"})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["uuid"])


def admin_token(client: httpx.Client, environ: dict[str, str]) -> str:
    """A new one, which the client sends from now on."""
    token = command(environ, "tokens", "create", "admin").split()[-1]
    client.headers["Authorization"] = f"Bearer {token}"
    return token


def read_by_a_worker(client: httpx.Client, folder: Path, environ: dict[str, str], number: int) -> str:
    """A job with that number on its page, which a Worker reads that comes and goes."""
    with worker(folder, **environ):
        uuid = submit(client, number)
        assert str(number) in text_of(client, uuid)
    return uuid


def reads_on(folder: Path, there: dict[str, str], token: str, read: str, waiting: str) -> None:
    """A Recto on the folder serves what was read, reads what waited, and what is new as well."""
    with backend(folder, there, "-there") as client, worker(folder, **there):
        client.headers["Authorization"] = f"Bearer {token}"
        assert "3" in text_of(client, read)
        assert "7" in text_of(client, waiting)
        assert "9" in text_of(client, submit(client, 9))
