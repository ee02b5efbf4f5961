"""What a database of the first release holds is there after the upgrade to the newest schema, and the service works on it."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, Table, insert, select, update

from models import Base
from recto import accounts
from recto.database.connections import connect, upgrade_schema
from recto.expired_leases import ExpiryWatch
from recto.file_storage.base import DOCUMENT
from recto.file_storage.volume import VolumeStorage
from recto.moving.manifest import Manifest, file_checksum, write_checksums, write_manifest
from recto.moving.restore import restore_backup
from recto.records.job_events import events_after
from recto.views.jobs import get_job, list_jobs
from recto.workers import list_workers
from tests.conftest import POLICY, JobTable, SetClock, sqlite_url
from tests.database.test_migrations import migrate
from tests.postgresql import Server

FIRST = "0001"
TOKEN, SECRET, ATTEMPT, LEASE = "recto_first", "a sign-in", "a" * 32, "b" * 32
LOGS = {
    "QUEUED": ("QUEUED",),
    "IN_PROGRESS": ("QUEUED", "IN_PROGRESS"),
    "FINISHED": ("QUEUED", "IN_PROGRESS", "FINISHED"),
    "FAILURE": ("QUEUED", "IN_PROGRESS", "FAILURE"),
}
UUIDS = {status: f"00000000-0000-4000-8000-{number:012}" for number, status in enumerate(LOGS)}
DELETED = "00000000-0000-4000-8000-000000000009"


def fill(engine: Engine) -> None:
    """Rows in each table that the first schema had: a user with a token and a sign-in, a job in each status with its log, pages, a deletion."""
    tables = MetaData()
    tables.reflect(engine)
    rows = rows_of_first_release()
    assert rows.keys() == tables.tables.keys() - {"alembic_version", "change_counter"}
    with engine.begin() as connection:
        for table in tables.sorted_tables:
            if table.name in rows:
                connection.execute(insert(table), rows[table.name])
        connection.execute(update(tables.tables["change_counter"]).values(value=40))


def rows_of_first_release() -> dict[str, list[dict[str, Any]]]:
    return {
        "user": [
            {
                "name": "ann",
                "password_hash": accounts.hash_password("a long password"),
                "is_admin": True,
                "created_us": 1,
            }
        ],
        "worker": [
            {
                "name": "w",
                "version": "0.1",
                "engine": "e",
                "languages": ["eng"],
                "processes": 1,
                "started_us": 2,
                "seen_us": 3,
            }
        ],
        "api_token": [
            {
                "user_id": 1,
                "name": "scanner",
                "prefix": "recto_fi",
                "token_hash": sha256(TOKEN),
                "created_us": 4,
                "last_used_us": None,
            }
        ],
        "user_session": [
            {
                "secret_hash": sha256(SECRET),
                "user_id": 1,
                "created_us": 5,
                "seen_us": 6,
                "address": "::1",
                "user_agent": "Firefox",
            }
        ],
        "job": [job(status) for status in UUIDS],
        "job_deletion": [{"uuid": DELETED, "user_id": 1, "timestamp": 90, "change": 39, "files_removed": True}],
        "job_page": [
            {
                "job_uuid": UUIDS[status],
                "number": number,
                "attempt_token": ATTEMPT,
                "error_code": code,
                "error_detail": code,
            }
            for status in ("IN_PROGRESS", "FINISHED")
            for number, code in ((1, None), (2, "page_damaged"))
        ],
        "job_status_transition": [
            {"job_uuid": UUIDS[last], "status": status, "timestamp": 10 * (at + 1), "attempt": min(at, 1)}
            for last, log in LOGS.items()
            for at, status in enumerate(log)
        ],
    }


def job(status: str) -> dict[str, Any]:
    is_read = status in ("IN_PROGRESS", "FINISHED")
    return {
        "uuid": UUIDS[status],
        "user_id": 1,
        "status": status,
        "created_us": 10,
        "ended_us": 30 if status in ("FINISHED", "FAILURE") else None,
        "change": 30 + len(LOGS[status]),
        "file_name": f"{status}.pdf",
        "media_type": "application/pdf",
        "size_bytes": 4,
        "options": {"languages": "deu"},
        "page_count": 2 if is_read else None,
        "pages_done": 2 if is_read else 0,
        "pages_failed": 1 if is_read else 0,
        "attempt": 0 if status == "QUEUED" else 1,
        "not_before_us": 0,
        "lease_token": LEASE if status == "IN_PROGRESS" else None,
        "lease_worker": "w" if status == "IN_PROGRESS" else None,
        "lease_expires_us": 50 if status == "IN_PROGRESS" else None,
        "result_token": ATTEMPT if status == "FINISHED" else None,
        "reason_code": "document_damaged" if status == "FAILURE" else None,
        "reason_detail": "It is no PDF." if status == "FAILURE" else None,
    }


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def first(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database of the first release, in use."""
    server: Server | None = None
    url = sqlite_url(tmp_path / "first.db")
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql")
        url = server.make("recto_first")
    engine = connect(url, 10.0)
    migrate(engine, FIRST)
    fill(engine)
    yield engine
    engine.dispose()
    if server is not None:
        server.execute("DROP DATABASE recto_first WITH (FORCE)")


def check_service(engine: Engine, clock: SetClock) -> None:
    """Users, tokens, sign-ins, lists and logs are what they were; the waiting job is read, and the one of the Worker that is gone."""
    table = JobTable(engine, clock)
    assert table.read(accounts.check_password, "ann", "a long password") is not None
    assert table.read(accounts.account_of_token, TOKEN) is not None
    jobs = {job.status.value: job for job in table.read(list_jobs, 1, 10)}
    assert {status: job.uuid for status, job in jobs.items()} == UUIDS
    for status, uuid in UUIDS.items():
        shown = table.read(get_job, 1, uuid)
        assert tuple(entry.status.value for entry in shown.transitions) == LOGS[status]
        assert (shown.file_name, shown.size_bytes) == (f"{status}.pdf", 4)
    assert table.read(events_after, 1, UUIDS["FINISHED"], 0, 100)[-1].kind.value == "end"
    watch = ExpiryWatch(POLICY, clock)
    table.read(watch.expired, 0.0)
    (lease,) = table.read(watch.expired, 10.0)
    assert lease.job_uuid == UUIDS["IN_PROGRESS"]
    table.do(table.jobs.requeue_expired, [lease])
    clock.move(3600)
    for _ in range(2):
        claim = table.claim()
        missing = {1, 2} - set(claim.finished_pages)
        table.do(table.jobs.set_page_count, claim.lease, 2)
        for number in sorted(missing):
            table.do(table.jobs.adopt_page, claim.lease, number)
        table.do(table.jobs.finish, claim.lease)
    assert table.statuses(UUIDS["IN_PROGRESS"]) == ["QUEUED", "IN_PROGRESS", "QUEUED", "IN_PROGRESS", "FINISHED"]
    assert table.job(UUIDS["QUEUED"]).change > 40
    table.do(table.jobs.delete, 1, UUIDS["FINISHED"])
    assert table.submit(1) != ""


def test_database_of_the_first_release_is_upgraded_with_all_it_holds(first: Engine, clock: SetClock) -> None:
    before = contents(first)
    upgrade_schema(first)
    after = contents(first)
    for name, rows in before.items():
        if name not in ("alembic_version", "change_counter"):
            assert [{key: row[key] for key in old} for row, old in zip(after[name], rows, strict=True)] == rows, name
    assert after.keys() >= {table.name for table in Base.metadata.sorted_tables}
    with JobTable(first, clock).sessions() as session:
        assert [worker.name for worker in list_workers(session)] == ["w"]
    check_service(first, clock)


def contents(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, less the index of words, in the order of the first column."""
    tables = MetaData()
    tables.reflect(engine, only=lambda name, _: not name.startswith("page_text_index"))
    with engine.connect() as connection:
        return {table.name: rows(connection, table) for table in tables.sorted_tables}


def rows(connection: Any, table: Table) -> list[dict[str, Any]]:
    ordered = select(table).order_by(*list(table.columns)[:2])
    return [dict(row) for row in connection.execute(ordered).mappings()]


def test_backup_of_the_first_release_is_restored_and_upgraded(
    tmp_path: Path, migrated_file: Path, clock: SetClock
) -> None:
    backup, new = tmp_path / "backup", tmp_path / "new"
    new.mkdir()
    write_backup(backup)
    before = file_checksum(backup / "recto-20261124T091244000000Z.db")
    engine = connect(sqlite_url(Path(shutil.copy(migrated_file, new / "recto.db"))), 10.0)
    restored = restore_backup(backup, engine, VolumeStorage(new), new / "secret_key", tmp_path)
    assert (restored.different, restored.interrupted_jobs, restored.manifest.schema) == ((), 1, FIRST)
    assert file_checksum(backup / "recto-20261124T091244000000Z.db") == before
    assert (new / UUIDS["QUEUED"] / DOCUMENT).read_bytes() == b"scan"
    check_service(engine, clock)
    engine.dispose()


def write_backup(folder: Path) -> None:
    """As a Recto of the first schema would have written it."""
    name = "recto-20261124T091244000000Z"
    checksums = {}
    for uuid in UUIDS.values():
        (folder / "files" / uuid).mkdir(parents=True)
        (folder / "files" / uuid / DOCUMENT).write_bytes(b"scan")
        checksums[f"files/{uuid}/{DOCUMENT}"] = sha256("scan")
    engine = connect(sqlite_url(folder / f"{name}.db"), 10.0)
    migrate(engine, FIRST)
    fill(engine)
    engine.dispose()
    checksums[f"{name}.db"] = file_checksum(folder / f"{name}.db") or ""
    checksum = write_checksums(folder, name, checksums)
    write_manifest(folder, Manifest("0.0.1", FIRST, "2026-11-24T09:12:44+00:00", 4, 4, 16, name, checksum))
