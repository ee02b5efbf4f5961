"""A Recto that worked on SQLite and a folder goes on, on PostgreSQL and an object store, after `migrate`."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.postgresql import Server
from tests.s3_servers import S3Server
from tests.web.clients import PASSWORD
from tests.web.live_server import LiveServer
from tests.worker_processes import ROOT, drawn_page, worker

pytestmark = pytest.mark.services
PATIENCE_S = 60.0


@contextmanager
def backend(folder: Path, environ: dict[str, str], name: str = "") -> Iterator[httpx.Client]:
    server = LiveServer(folder, environ, name)
    try:
        with httpx.Client(base_url=server.address, timeout=PATIENCE_S) as client:
            yield client
    finally:
        server.stop()


def command(environ: dict[str, str], *arguments: str, patience_s: float = PATIENCE_S) -> str:
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


def test_service_goes_on_elsewhere_with_the_same_users_tokens_jobs_and_results(
    tmp_path: Path, postgresql: Server, rclone_server: S3Server
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    here = {"RECTO_FILE_STORAGE_PATH": str(old), "RECTO_ADMIN_PASSWORD": PASSWORD}
    store = rclone_server.environ(rclone_server.place())
    place = store.pop("RECTO_FILE_STORAGE_URL")
    url = postgresql.make("recto_moved")
    move = ("migrate", "--to-database", url, "--to-storage", place, "--json")
    with backend(old, here) as client:
        token = command(here, "tokens", "create", "admin").split()[-1]
        client.headers["Authorization"] = f"Bearer {token}"
        with worker(old, **here):
            read = submit(client, 3)
            assert "3" in text_of(client, read)
        command(here | store, *move, "--no-compare")  # while it runs
        waiting = submit(client, 7)
    moved = {row["what"]: row for row in json.loads(command(here | store, *move))}
    assert {row["equal"] for row in moved.values()} == {"yes"}
    assert (moved["job"]["count"], moved["job"]["copied"]) == (2, 1)
    new.mkdir()
    (new / "secret_key").write_bytes((old / "secret_key").read_bytes())
    there = store | {
        "RECTO_FILE_STORAGE_PATH": str(new),
        "RECTO_FILE_STORAGE_URL": place,
        "RECTO_DATABASE_URL": url,
    }
    with backend(new, there, "-there") as client, worker(new, **there):
        client.headers["Authorization"] = f"Bearer {token}"
        assert "3" in text_of(client, read)
        assert "7" in text_of(client, waiting)
        assert "9" in text_of(client, submit(client, 9))
    postgresql.execute("DROP DATABASE recto_moved WITH (FORCE)")
