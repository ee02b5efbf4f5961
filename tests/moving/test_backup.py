"""A backup holds what a Recto keeps, as it is at one moment; it is restored to either kind of database and of store."""

import fcntl
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import Job, JobDeletion, User
from recto.database.connections import connect
from recto.errors import DocumentDamaged, RectoError, SettingsError
from recto.expired_leases import ExpiryWatch
from recto.file_storage.base import DOCUMENT, FileStorage, checkpoint_name, result_name
from recto.file_storage.volume import VolumeStorage
from recto.moving.backup import MadeBackup, make_backup
from recto.moving.files import MovedFolder, copy_files
from recto.moving.manifest import different_files, read_manifest, write_manifest
from recto.moving.restore import RestoredBackup, restore_backup
from tests.conftest import POLICY, JobTable, SetClock, new_submission, sqlite_url
from tests.database.test_migrations import migrate
from tests.postgresql import Server
from tests.s3_servers import S3Server

MADE = datetime(2026, 11, 24, 9, 12, 44, tzinfo=UTC)
TOKEN = "d" * 32


class Place:
    """A Recto's parts, without its programs."""

    def __init__(self, folder: Path, table: JobTable, storage: FileStorage) -> None:
        self.folder = folder
        self.table = table
        self.storage = storage
        self.secret = folder / "secret_key"

    def submit(self, user_id: int, document: bytes) -> str:
        submission = new_submission(user_id)
        incoming = self.storage.incoming()
        incoming.file.write(document)
        incoming.keep(submission.uuid, DOCUMENT)
        self.table.do(self.table.jobs.submit, submission)
        return submission.uuid

    def write(self, uuid: str, name: str, content: bytes) -> None:
        with self.storage.write(uuid, name) as file:
            file.write(content)

    def read(self, uuid: str, name: str) -> bytes:
        with self.storage.open(uuid, name) as file:
            return file.read()

    def delete(self, user_id: int, uuid: str) -> None:
        self.table.do(self.table.jobs.delete, user_id, uuid)
        self.storage.delete(uuid)

    def back_up(self, folder: Path, after_s: float = 0.0, storage: FileStorage | None = None) -> MadeBackup:
        made = MADE + timedelta(seconds=after_s)
        return make_backup(self.table.engine, storage or self.storage, self.secret, self.table.jobs, folder, made)

    def restore(self, folder: Path) -> RestoredBackup:
        scratch = self.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        return restore_backup(folder, self.table.engine, self.storage, self.secret, scratch)


@pytest.fixture
def here(tmp_path: Path, table: JobTable) -> Place:
    """Where the backup is taken; `table` says in which database."""
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "secret_key").write_bytes(b"0" * 64)
    return Place(folder, table, VolumeStorage(folder))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def elsewhere(request: pytest.FixtureRequest, migrated_file: Path, tmp_path: Path, clock: SetClock) -> Iterator[Place]:
    """Where nothing is yet."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    if request.param == "sqlite":
        engine = connect(sqlite_url(Path(shutil.copy(migrated_file, folder / "recto.db"))), 10.0)
        yield Place(folder, JobTable(engine, clock), VolumeStorage(folder))
        engine.dispose()
        return
    server: Server = request.getfixturevalue("postgresql")
    with server.database() as url:
        engine = connect(url, 10.0)
        yield Place(folder, JobTable(engine, clock), VolumeStorage(folder))
        engine.dispose()


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    return tmp_path / "backup"


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def jobs_in(folder: Path) -> set[str]:
    with closing(sqlite3.connect(folder / read_manifest(folder).database)) as rows:
        return {uuid for (uuid,) in rows.execute("SELECT uuid FROM job")}


@pytest.mark.each_database
def test_backup_restored_elsewhere_is_equal_and_goes_on(here: Place, elsewhere: Place, backup: Path, ann: int) -> None:
    waiting, failing, running = (here.submit(ann, document) for document in (b"one", b"two", b"three"))
    with Session(here.table.engine) as session, session.begin():
        session.execute(update(Job).where(Job.uuid == waiting).values(not_before_us=here.table.clock.now_us + 10**9))
        session.execute(update(Job).where(Job.uuid == failing).values(created_us=1))
    here.table.do(here.table.jobs.fail, here.table.claim().lease, DocumentDamaged("It is no PDF."))
    here.write(here.table.claim().lease.job_uuid, checkpoint_name(TOKEN, 1), b"page")
    made = here.back_up(backup)
    assert (made.manifest.jobs, made.manifest.files, made.copied, made.incomplete) == (3, 4, 4, ())
    assert different_files(backup) == ()
    restored = elsewhere.restore(backup)
    assert (restored.different, restored.interrupted_jobs) == ((), 1)
    assert elsewhere.secret.read_bytes() == b"0" * 64
    assert set(elsewhere.storage.folders()) == {waiting, failing, running}
    assert elsewhere.read(running, checkpoint_name(TOKEN, 1)) == b"page"
    assert [elsewhere.table.job(uuid).status for uuid in (waiting, failing, running)] == [
        "QUEUED",
        "FAILURE",
        "IN_PROGRESS",
    ]
    elsewhere.table.clock.move(1000)
    watch = ExpiryWatch(POLICY, elsewhere.table.clock)
    elsewhere.table.read(watch.expired, 0.0)
    elsewhere.table.do(elsewhere.table.jobs.requeue_expired, elsewhere.table.read(watch.expired, 10.0))
    elsewhere.table.clock.move(1000)
    assert elsewhere.table.job(running).status == "QUEUED"
    assert {elsewhere.table.claim().lease.job_uuid for _ in range(2)} == {waiting, running}


def test_sha256sum_reads_the_checksums(here: Place, backup: Path, ann: int) -> None:
    here.submit(ann, b"one")
    manifest = here.back_up(backup).manifest
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", manifest.checksums],
        cwd=backup,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.count(": OK")) == (0, 3)
    assert oct(backup.stat().st_mode)[-3:] == "700"
    assert {oct(path.stat().st_mode)[-3:] for path in backup.iterdir() if path.is_file()} == {"600"}


def test_second_time_only_what_is_new_is_copied_and_what_is_gone_is_removed(
    here: Place, elsewhere: Place, backup: Path, ann: int
) -> None:
    kept, gone = here.submit(ann, b"one"), here.submit(ann, b"two")
    here.write(kept, result_name(TOKEN, "txt", 1), b"The lamp was lit.")
    first = here.back_up(backup)
    here.delete(ann, gone)
    here.write(kept, result_name(TOKEN, "txt", 2), b"The lamp was lit!")
    assert here.storage.remove(kept, result_name(TOKEN, "txt", 1))
    new = here.submit(ann, b"three")
    second = here.back_up(backup, after_s=86400)
    assert (second.copied, second.removed, second.manifest.jobs) == (2, 2, 2)
    assert files_in(backup) == {
        "manifest.json",
        "secret_key",
        second.manifest.database,
        second.manifest.checksums,
        f"files/{kept}/{DOCUMENT}",
        f"files/{kept}/{result_name(TOKEN, 'txt', 2)}",
        f"files/{new}/{DOCUMENT}",
    }
    assert first.manifest.name != second.manifest.name
    assert different_files(backup) == ()
    assert elsewhere.restore(backup).different == ()
    assert elsewhere.table.row(gone) is None


@pytest.mark.services
def test_backup_of_an_object_store_is_restored_to_a_folder_and_to_an_object_store(
    here: Place, elsewhere: Place, backup: Path, ann: int, rclone_server: S3Server, tmp_path: Path
) -> None:
    here.storage = rclone_server.storage(tmp_path / "passing")
    uuid = here.submit(ann, b"scan" * 100_000)
    here.write(uuid, result_name(TOKEN, "txt"), b"The lamp was lit.")
    assert here.back_up(backup).manifest.files == 2
    assert elsewhere.restore(backup).different == ()
    assert elsewhere.read(uuid, DOCUMENT) == b"scan" * 100_000
    elsewhere.storage = rclone_server.storage(tmp_path / "passing")
    assert elsewhere.restore(backup).different == ()
    assert elsewhere.read(uuid, result_name(TOKEN, "txt")) == b"The lamp was lit."


def between_rows_and_files(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    def copy(*parts: Any, **options: Any) -> Iterator[MovedFolder]:
        happens()
        return copy_files(*parts, **options)

    monkeypatch.setattr("recto.moving.backup.copy_files", copy)


def test_job_deleted_or_sent_during_the_backup_is_not_in_it(
    here: Place, elsewhere: Place, backup: Path, ann: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, gone = here.submit(ann, b"one"), here.submit(ann, b"two")

    def meanwhile() -> None:
        here.delete(ann, gone)
        here.submit(ann, b"three")

    between_rows_and_files(monkeypatch, meanwhile)
    made = here.back_up(backup)
    assert (made.manifest.jobs, made.incomplete) == (1, ())
    assert (jobs_in(backup), different_files(backup)) == ({kept}, ())
    assert elsewhere.restore(backup).different == ()
    with Session(elsewhere.table.engine) as session:
        assert list(session.scalars(select(Job.uuid))) == [kept]
        assert list(session.scalars(select(JobDeletion.uuid).where(JobDeletion.files_removed))) == [gone]
        assert session.scalars(select(User.stored_documents)).one() == 1


def test_job_whose_document_is_missing_is_named(here: Place, elsewhere: Place, backup: Path, ann: int) -> None:
    whole, broken = here.submit(ann, b"one"), here.submit(ann, b"two")
    here.storage.delete(broken)
    made = here.back_up(backup)
    assert (made.incomplete, made.manifest.jobs) == ((broken,), 2)
    assert elsewhere.restore(backup).different == ()
    assert set(elsewhere.storage.folders()) == {whole}


def test_backup_that_breaks_off_leaves_the_one_before_it_whole(
    here: Place, elsewhere: Place, backup: Path, ann: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = here.submit(ann, b"one")
    here.back_up(backup)
    here.delete(ann, kept)
    new = here.submit(ann, b"two")
    with monkeypatch.context() as patch:
        patch.setattr("recto.moving.backup.write_manifest", failing)
        with pytest.raises(OSError, match="unplugged"):
            here.back_up(backup, after_s=1)
    assert (jobs_in(backup), different_files(backup)) == ({kept}, ())
    assert elsewhere.restore(backup).different == ()
    assert set(elsewhere.storage.folders()) == {kept}
    made = here.back_up(backup, after_s=2)
    assert (jobs_in(backup), made.removed) == ({new}, 1)
    assert len(list(backup.glob("recto-*"))) == 2


def failing(*_: object) -> None:
    raise OSError("unplugged")


def test_damage_is_found_told_of_and_mended(here: Place, elsewhere: Place, backup: Path, ann: int) -> None:
    uuid = here.submit(ann, b"one")
    here.back_up(backup)
    document = backup / "files" / uuid / DOCUMENT
    document.write_bytes(b"0ne")
    assert different_files(backup) == (f"files/{uuid}/{DOCUMENT}",)
    assert elsewhere.restore(backup).different == (f"files/{uuid}/{DOCUMENT}",)
    document.unlink()
    assert here.back_up(backup, after_s=1).copied == 1
    assert different_files(backup) == ()


def test_damaged_rows_are_not_restored(here: Place, elsewhere: Place, backup: Path, ann: int) -> None:
    here.submit(ann, b"one")
    database = backup / here.back_up(backup).manifest.database
    database.write_bytes(b"?" * database.stat().st_size)
    with pytest.raises(RectoError, match="damaged or missing"):
        elsewhere.restore(backup)
    with pytest.raises(RectoError, match="Remove that file"):
        here.back_up(backup, after_s=1)
    database.unlink()
    here.back_up(backup, after_s=2)
    assert different_files(backup) == ()


def test_damaged_checksums_prove_nothing(here: Place, elsewhere: Place, backup: Path) -> None:
    (backup / here.back_up(backup).manifest.checksums).write_text("")
    for use in (different_files, elsewhere.restore, here.back_up):
        with pytest.raises(RectoError, match=r"nothing in .* can be proven"):
            use(backup)


def test_restore_that_broke_off_goes_on(here: Place, elsewhere: Place, backup: Path, ann: int) -> None:
    uuids = [here.submit(ann, document) for document in (b"one", b"two")]
    here.back_up(backup)
    elsewhere.restore(backup)
    elsewhere.storage.delete(uuids[0])
    assert elsewhere.restore(backup).different == ()
    assert set(elsewhere.storage.folders()) == set(uuids)


def test_place_in_use_is_left_alone(here: Place, elsewhere: Place, backup: Path, ann: int) -> None:
    here.submit(ann, b"one")
    here.back_up(backup)
    zoe = elsewhere.table.add_user("zoe")
    with pytest.raises(SettingsError, match="users of its own, such as 'zoe'"):
        elsewhere.restore(backup)
    own = elsewhere.submit(zoe, b"own")
    with pytest.raises(SettingsError, match=own):
        elsewhere.restore(backup)
    assert set(elsewhere.storage.folders()) == {own}
    assert not elsewhere.secret.exists()


def test_folder_with_something_else_is_left_alone(here: Place, backup: Path) -> None:
    backup.mkdir()
    (backup / "letters").write_text("Dear Zoe")
    with pytest.raises(RectoError, match="something else, such as letters"):
        here.back_up(backup)
    assert files_in(backup) == {"letters"}


def test_backup_of_another_recto_is_left_alone(here: Place, elsewhere: Place, backup: Path, ann: int) -> None:
    uuid = here.submit(ann, b"one")
    here.back_up(backup)
    elsewhere.table.add_user("zoe")
    elsewhere.table.add_user("yan")
    with Session(elsewhere.table.engine) as session, session.begin():
        session.execute(update(User).values(created_us=User.created_us + 1))
    with pytest.raises(RectoError, match="backup of another Recto"):
        elsewhere.back_up(backup, after_s=1)
    assert f"files/{uuid}/{DOCUMENT}" in files_in(backup)


def test_two_backups_into_one_folder_at_once_are_refused(here: Place, backup: Path) -> None:
    backup.mkdir()
    descriptor = os.open(backup, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(RectoError, match=r"Another backup into .* is running"):
        here.back_up(backup)
    os.close(descriptor)
    here.back_up(backup)


def test_folder_without_a_complete_backup_is_told_of(elsewhere: Place, backup: Path) -> None:
    with pytest.raises(RectoError, match=r"no complete backup: it has no manifest\.json"):
        elsewhere.restore(backup)
    backup.mkdir()
    (backup / "manifest.json").write_text("[]")
    with pytest.raises(RectoError, match="cannot be read"):
        elsewhere.restore(backup)


def test_backup_of_a_newer_version_is_not_restored(here: Place, elsewhere: Place, backup: Path) -> None:
    manifest = here.back_up(backup).manifest
    write_manifest(backup, replace(manifest, schema="9999", recto="9.0.0"))
    with pytest.raises(RectoError, match=r"made by Recto 9\.0\.0, which is newer .* no way back"):
        elsewhere.restore(backup)


def test_database_of_another_schema_is_backed_up_by_its_own_version(
    tmp_path: Path, clock: SetClock, backup: Path
) -> None:
    engine = connect(sqlite_url(tmp_path / "recto.db"), 10.0)
    place = Place(tmp_path, JobTable(engine, clock), VolumeStorage(tmp_path))
    with pytest.raises(RectoError, match="There is no database"):
        place.back_up(backup)
    migrate(engine, "0001")
    with pytest.raises(RectoError, match="before the upgrade"):
        place.back_up(backup)
    engine.dispose()
