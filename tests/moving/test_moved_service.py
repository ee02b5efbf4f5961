"""A Recto that worked on SQLite and a folder goes on, on PostgreSQL and an object store, after `migrate`."""

import json
from pathlib import Path

import pytest

from tests.moving.services import admin_token, backend, command, read_by_a_worker, reads_on, submit
from tests.postgresql import Server
from tests.s3_servers import S3Server
from tests.web.clients import PASSWORD

pytestmark = pytest.mark.services


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
        token = admin_token(client, here)
        read = read_by_a_worker(client, old, here, 3)
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
    reads_on(new, there, token, read, waiting)
    postgresql.execute("DROP DATABASE recto_moved WITH (FORCE)")
