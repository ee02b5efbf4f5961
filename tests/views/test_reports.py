import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from recto import accounts
from recto.errors import PageDamaged, RectoError, SettingsError
from recto.views.reports import back_up, list_jobs, list_tokens, list_users
from recto.views.reports import database_file as database_file_of
from tests.conftest import POLICY, JobTable, SetClock, sqlite_url


@pytest.mark.each_database
def test_list_jobs_shows_newest_first_with_owner_and_reason(table: JobTable, ann: int, database_url: str) -> None:
    first = table.submit(ann)
    table.do(table.jobs.fail, table.claim().lease, PageDamaged("Damaged."))
    table.clock.move(1)
    second = table.submit(ann)
    table.claim("worker-1")
    newest, oldest = list_jobs(database_url, None, None, 10)
    assert (newest["uuid"], newest["status"], newest["worker"], newest["user"]) == (
        second,
        "IN_PROGRESS",
        "worker-1",
        "ann",
    )
    assert (oldest["uuid"], oldest["reason"], oldest["created"]) == (first, "page_damaged", "2027-01-15T08:00:00Z")


@pytest.mark.each_database
def test_list_jobs_can_be_narrowed(table: JobTable, ann: int, bob: int, database_url: str) -> None:
    uuids = {name: table.submit(user) for name, user in (("ann", ann), ("bob", bob))}
    table.do(table.jobs.cancel, ann, uuids["ann"])
    assert [row["uuid"] for row in list_jobs(database_url, "FAILURE", None, 10)] == [uuids["ann"]]
    assert [row["uuid"] for row in list_jobs(database_url, None, "bob", 10)] == [uuids["bob"]]
    assert list_jobs(database_url, "FAILURE", "bob", 10) == []
    assert len(list_jobs(database_url, None, None, 1)) == 1


@pytest.mark.each_database
def test_list_users_counts_their_jobs(table: JobTable, ann: int, bob: int, database_url: str) -> None:
    table.submit(ann)
    table.submit(ann)
    assert [(row["name"], row["jobs"], row["is_admin"]) for row in list_users(database_url)] == [
        ("ann", 2, 0),
        ("bob", 0, 0),
    ]


@pytest.mark.each_database
def test_list_tokens_shows_the_start_of_each_and_no_hash(
    table: JobTable, ann: int, bob: int, database_url: str
) -> None:
    token = table.do(accounts.create_token, ann, "scanner")
    table.do(accounts.create_token, bob, "other")
    (row,) = list_tokens(database_url, "ann")
    assert (row["name"], row["user"], row["last_used"]) == ("scanner", "ann", None)
    assert token.startswith(row["prefix"])
    assert set(row) == {"id", "user", "name", "prefix", "scopes", "created", "expires", "last_used"}
    assert len(list_tokens(database_url, None)) == 2


def test_back_up_is_one_file_that_holds_everything(
    table: JobTable, ann: int, database_file: Path, tmp_path: Path
) -> None:
    uuid = table.submit(ann)
    target = tmp_path / "backup.db"
    assert back_up(database_file, target) == target.stat().st_size
    assert [row["uuid"] for row in list_jobs(sqlite_url(target), None, None, 10)] == [uuid]
    assert sorted(path.name for path in tmp_path.glob("*backup*")) == ["backup.db"]


def test_back_up_while_a_writer_writes_is_consistent(
    engine: Engine, clock: SetClock, ann: int, database_file: Path, tmp_path: Path
) -> None:
    roomy = replace(POLICY, max_unfinished_per_user=1_000_000, max_unfinished=1_000_000)
    table = JobTable(engine, clock, roomy)
    stopping = threading.Event()

    def write() -> None:
        while not stopping.is_set():
            if table.try_claim() is None:
                for _ in range(5):
                    table.submit(ann)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(10):
            target = tmp_path / f"{number}.db"
            back_up(database_file, target)
            check_consistent(target)
    finally:
        stopping.set()
        writer.join()


def check_consistent(copy: Path) -> None:
    """Each job has exactly the transitions that its status stands for."""
    connection = sqlite3.connect(copy)
    broken = connection.execute(
        "SELECT count(*) FROM job WHERE (SELECT count(*) FROM job_status_transition WHERE job_uuid = uuid) "
        "<> CASE status WHEN 'QUEUED' THEN 1 ELSE 2 END"
    ).fetchone()[0]
    connection.close()
    assert broken == 0


def test_back_up_over_an_older_one_replaces_it(table: JobTable, ann: int, database_file: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    back_up(database_file, target)
    table.submit(ann)
    back_up(database_file, target)
    assert len(list_jobs(sqlite_url(target), None, None, 10)) == 1


@pytest.mark.parametrize("place", ["nowhere/backup.db", "a_file/backup.db"])
def test_back_up_to_a_folder_that_is_not_there_says_so(database_file: Path, tmp_path: Path, place: str) -> None:
    (tmp_path / "a_file").touch()
    with pytest.raises(RectoError, match="Cannot back up to"):
        back_up(database_file, tmp_path / place)


def test_back_up_onto_the_database_itself_is_refused(
    table: JobTable, ann: int, database_file: Path, tmp_path: Path
) -> None:
    table.submit(ann)
    (tmp_path / "link.db").symlink_to(database_file)
    for target in (database_file, tmp_path / "link.db"):
        with pytest.raises(RectoError, match="is the database itself"):
            back_up(database_file, target)
    assert len(list_jobs(sqlite_url(database_file), None, None, 10)) == 1


def test_back_up_of_a_database_that_is_not_there_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RectoError, match="Cannot back up"):
        back_up(tmp_path / "none.db", tmp_path / "backup.db")
    assert list(tmp_path.iterdir()) == []


def test_database_file_of_a_sqlite_url_is_an_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert database_file_of(f"sqlite:///{tmp_path}/recto.db") == tmp_path / "recto.db"
    assert database_file_of("sqlite:///recto.db") == tmp_path / "recto.db"
    assert database_file_of(f"sqlite:///{tmp_path}/a%20b.db?timeout=3") == tmp_path / "a b.db"


def test_database_file_of_another_database_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match=r"pg_dump .* postgresql://ann@host/recto\. ") as refused:
        database_file_of("postgresql+psycopg://ann:open-sesame@host/recto")
    assert "sesame" not in refused.value.detail
