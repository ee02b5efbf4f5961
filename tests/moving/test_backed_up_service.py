"""A Recto is backed up while it runs, and another one, elsewhere, goes on from the backup."""

import hashlib
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models import Base, Job, JobEvent, JobPage, JobStatusTransition, User
from recto.database.connections import Begin, connect, transaction
from recto.file_storage.base import DOCUMENT, METADATA, checkpoint_name, result_name
from recto.file_storage.volume import VolumeStorage
from recto.jobs import Jobs
from recto.moving.manifest import read_manifest
from tests.conftest import POLICY, new_submission, sqlite_url
from tests.moving.services import admin_token, backend, command, read_by_a_worker, reads_on, submit, text_of
from tests.postgresql import Server
from tests.s3_servers import S3Server
from tests.web.clients import PASSWORD
from tests.worker_processes import worker

MANY = 1000
LONG_S = 1200.0


@pytest.fixture
def old(tmp_path: Path) -> Path:
    folder = tmp_path / "old"
    folder.mkdir()
    return folder


def backed_up_while_it_runs(folder: Path, here: dict[str, str], backup: Path) -> tuple[str, str, str]:
    """A token of its admin, a job that was read, and one that waits."""
    with backend(folder, here) as client:
        token = admin_token(client, here)
        read = read_by_a_worker(client, folder, here, 3)
        waiting = submit(client, 7)
        assert "Backed up 2 jobs" in command(here, "backup", str(backup))
    return token, read, waiting


def goes_on_elsewhere(folder: Path, backup: Path, token: str, read: str, waiting: str) -> None:
    """A Recto in a new folder, from what is in the backup."""
    folder.mkdir()
    there = {"RECTO_FILE_STORAGE_PATH": str(folder)}
    command(there, "restore", str(backup))
    reads_on(folder, there, token, read, waiting)


def test_service_goes_on_from_a_backup_that_was_taken_while_it_ran(tmp_path: Path, old: Path) -> None:
    here = {"RECTO_FILE_STORAGE_PATH": str(old), "RECTO_ADMIN_PASSWORD": PASSWORD}
    token, read, waiting = backed_up_while_it_runs(old, here, tmp_path / "backup")
    assert "is whole: 2 jobs" in command({}, "backup", "--verify", str(tmp_path / "backup"))
    goes_on_elsewhere(tmp_path / "new", tmp_path / "backup", token, read, waiting)


@pytest.mark.services
def test_service_on_postgresql_and_an_object_store_is_backed_up_and_goes_on_in_a_folder(
    tmp_path: Path, old: Path, postgresql: Server, rclone_server: S3Server
) -> None:
    store = rclone_server.environ(rclone_server.place())
    here = store | {
        "RECTO_FILE_STORAGE_PATH": str(old),
        "RECTO_ADMIN_PASSWORD": PASSWORD,
        "RECTO_DATABASE_URL": postgresql.make("recto_backed_up"),
    }
    token, read, waiting = backed_up_while_it_runs(old, here, tmp_path / "backup")
    goes_on_elsewhere(tmp_path / "new", tmp_path / "backup", token, read, waiting)
    postgresql.execute("DROP DATABASE recto_backed_up WITH (FORCE)")


@pytest.mark.long
def test_thousand_jobs_of_a_running_service_are_equal_by_checksum_elsewhere(tmp_path: Path, old: Path) -> None:
    here = {"RECTO_FILE_STORAGE_PATH": str(old), "RECTO_ADMIN_PASSWORD": PASSWORD}
    backup, new = tmp_path / "backup", tmp_path / "new"
    with backend(old, here) as client, worker(old, **here):
        token = admin_token(client, here)
        read = submit(client, 3)
        assert "3" in text_of(client, read)
        engine = connect(sqlite_url(old / "recto.db"), 30.0)
        uuids = [read, *finished_jobs(engine, VolumeStorage(old), MANY - 1)]
        with someone_submitting(client):
            timed("backup", here, str(backup))
            timed("backup", here, str(backup))
        waiting = submit(client, 7)
        timed("backup", here, str(backup))
        timed("backup", {}, "--verify", str(backup))
        new.mkdir()
        there = {"RECTO_FILE_STORAGE_PATH": str(new)}
        timed("restore", there, str(backup))
        assert read_manifest(backup).jobs > MANY
        elsewhere = connect(sqlite_url(new / "recto.db"), 30.0)
        assert set(uuids) <= set(rows_of(elsewhere, Job, "uuid", uuids))
        for model, of in (
            (Job, "uuid"),
            (JobStatusTransition, "job_uuid"),
            (JobPage, "job_uuid"),
            (JobEvent, "job_uuid"),
        ):
            assert rows_of(engine, model, of, uuids) == rows_of(elsewhere, model, of, uuids), model
        for uuid in uuids:
            assert checksums(old / uuid) == checksums(new / uuid)
        engine.dispose()
        elsewhere.dispose()
    reads_on(new, there, token, read, waiting)


def finished_jobs(engine: Engine, storage: VolumeStorage, number: int) -> list[str]:
    """Jobs of the first user that have ended, with small files."""
    jobs = Jobs(replace(POLICY, max_unfinished_per_user=number, max_unfinished=number))
    with Session(engine) as session:
        user_id = session.scalars(select(User.id)).one()
    leases = []
    for _ in range(number):
        # Submitted and ended in one transaction, so that the service's own Worker gets none of them.
        with transaction(Session(engine), Begin.CLAIM) as session:
            jobs.submit(session, new_submission(user_id))
            claim = jobs.claim_next(session, "made up")
            assert claim is not None
            jobs.finish(session, claim.lease)
        leases.append(claim.lease)
        fill(storage, claim.lease.job_uuid, claim.lease.token)
    return [lease.job_uuid for lease in leases]


def fill(storage: VolumeStorage, uuid: str, token: str) -> None:
    incoming = storage.incoming()
    incoming.file.write(f"scan of {uuid} ".encode() * 500)
    incoming.keep(uuid, DOCUMENT)
    for name in (METADATA, checkpoint_name(token, 1), result_name(token, "txt")):
        with storage.write(uuid, name) as file:
            file.write(f"{name} of {uuid}".encode() * 20)


@contextmanager
def someone_submitting(client: httpx.Client) -> Iterator[None]:
    """Documents arrive, and some of them go, all the time."""
    stopping = threading.Event()
    own = httpx.Client(base_url=client.base_url, headers=client.headers, timeout=60.0)

    def go_on() -> None:
        while not stopping.wait(1.0):
            submit(own, 1)
            assert own.delete(f"/api/v1/jobs/{submit(own, 2)}").status_code == 204

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
        own.close()


def timed(name: str, environ: dict[str, str], *arguments: str) -> None:
    """Call the command, and print what it says, with its seconds, the start of Python among them."""
    start = time.monotonic()
    said = command(environ, name, *arguments, patience_s=LONG_S).strip()
    sys.stdout.write(f"{time.monotonic() - start:.1f} s: {said}\n")


def rows_of(engine: Engine, model: type[Base], of: str, uuids: list[str]) -> dict[str, str]:
    """The rows that belong to these jobs, less what every place makes for itself, as SHA-256 by job."""
    sums = {uuid: hashlib.sha256() for uuid in uuids}
    table = model.__table__
    with engine.connect() as connection:
        for row in connection.execute(select(table).order_by(*table.primary_key)).mappings():
            if row[of] in sums:
                sums[row[of]].update(repr([value for name, value in row.items() if name != "text_indexed"]).encode())
    return {uuid: digest.hexdigest() for uuid, digest in sums.items()}


def checksums(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
