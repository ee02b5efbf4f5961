"""Jobs whose time is over go, with all that they have, and nothing of them is left anywhere."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, text

from models import JobDerivation, PageText
from recto import audit
from recto.audit import RETENTION, Action
from recto.errors import StorageUnavailable
from recto.file_storage.base import DOCUMENT
from recto.file_storage.volume import VolumeStorage
from recto.records.deletion_proof import find_deletion, rows_left
from recto.records.idempotency import IdempotencyKeys, KeyedRequest
from recto.records.job_details import put_tags
from recto.text_search.text_index import removals_to_purge
from recto.working.expiry import Expiry, ExpiryThread
from recto.working.text_indexer import TextIndexer
from tests.conftest import JobTable, new_submission


@pytest.fixture
def storage(tmp_path: Path) -> VolumeStorage:
    storage = VolumeStorage(tmp_path / "files")
    storage.prepare()
    return storage


@pytest.fixture
def expiry(table: JobTable, storage: VolumeStorage) -> Expiry:
    return Expiry(table.sessions, table.jobs, storage, table.clock)


def finished(table: JobTable, storage: VolumeStorage, user_id: int, retention_s: int) -> str:
    """A finished job with a row in every table that jobs have, and its files."""
    submission = replace(new_submission(user_id), retention_s=retention_s, request_id="one")
    incoming = storage.incoming()
    incoming.file.write(b"a scan")
    incoming.keep(submission.uuid, DOCUMENT)
    table.do(table.jobs.submit, submission)
    table.do(put_tags, submission.uuid, ("invoice",))
    table.do(IdempotencyKeys(60).record, KeyedRequest(user_id, submission.uuid, "f" * 64), submission.uuid)
    lease = table.claim().lease
    table.do(table.jobs.set_page_count, lease, 1)
    table.do(table.jobs.adopt_page, lease, 1)
    table.do(table.jobs.finish, lease)
    derivation = insert(JobDerivation).values(job_uuid=submission.uuid, name="tsv", token="t", expires_us=1)
    table.do(lambda session: session.execute(derivation))
    page_text = insert(PageText).values(job_uuid=submission.uuid, number=1, user_id=user_id, text="Zwiebelfisch")
    table.do(lambda session: session.execute(page_text))
    return submission.uuid


def mentions(engine: Engine, uuid: str) -> Iterator[str]:
    """Every table, hidden ones of full-text search too, with a value that has the uuid in it, however it got there."""
    with engine.connect() as connection:
        tables = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
        for table in tables:
            for row in connection.exec_driver_sql(f'SELECT * FROM "{table}"'):  # noqa: S608 - names of our own tables
                if any(uuid in str(value) for value in row):
                    yield table


def test_expired_job_is_nowhere_any_more_but_in_the_notes_of_its_deletion(
    table: JobTable, storage: VolumeStorage, expiry: Expiry, engine: Engine, ann: int
) -> None:
    uuid, kept = finished(table, storage, ann, 60), finished(table, storage, ann, 3600)
    before = set(mentions(engine, uuid))
    assert before >= {
        "job",
        "job_page",
        "job_tag",
        "page_text",
        "job_event",
        "job_status_transition",
        "idempotency_key",
        "job_derivation",
    }
    assert set(table.read(rows_left, uuid)) == before
    assert expiry.expire() == 0
    table.clock.move(61)
    assert expiry.expire() == 1
    assert set(mentions(engine, uuid)) == {"job_deletion", "audit_event"}
    assert table.read(rows_left, uuid) == {}
    assert list(storage.folders()) == [kept]
    assert table.row(kept) is not None


def test_words_of_a_deleted_job_leave_the_index_of_the_search_when_it_is_rewritten(
    table: JobTable, storage: VolumeStorage, expiry: Expiry, ann: int
) -> None:
    finished(table, storage, ann, 60)
    table.clock.move(61)
    expiry.expire()
    assert table.read(removals_to_purge) is not None
    TextIndexer(table.sessions, storage).purge()
    assert table.read(removals_to_purge) is None


def test_expiry_is_noted_in_the_audit_log_and_in_the_deletion(
    table: JobTable, storage: VolumeStorage, expiry: Expiry, ann: int
) -> None:
    uuid = finished(table, storage, ann, 60)
    table.clock.move(61)
    expiry.expire()
    (noted,) = table.read(audit.list_events, 10)
    assert (noted.event.action, noted.event.user, noted.event.about) == (Action.JOB_DELETED, RETENTION, uuid)
    deletion = table.read(find_deletion, uuid)
    assert deletion is not None
    assert deletion.files_removed


def test_files_that_resist_are_left_to_the_sweeper(
    table: JobTable, storage: VolumeStorage, expiry: Expiry, ann: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: VolumeStorage, uuid: str) -> None:
        raise StorageUnavailable("The disk does not answer.")

    uuid = finished(table, storage, ann, 60)
    table.clock.move(61)
    with monkeypatch.context() as patch:
        patch.setattr(VolumeStorage, "delete", refuse)
        assert expiry.expire() == 1
    deletion = table.read(find_deletion, uuid)
    assert deletion is not None
    assert not deletion.files_removed
    assert list(storage.folders()) == [uuid]


def test_job_that_was_deleted_meanwhile_is_passed_over(
    table: JobTable, storage: VolumeStorage, expiry: Expiry, ann: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = finished(table, storage, ann, 60), finished(table, storage, ann, 60)
    table.clock.move(61)
    found = expiry._due()
    table.do(table.jobs.delete, ann, first)
    monkeypatch.setattr(expiry, "_due", iter([found, []]).__next__)
    assert expiry.expire() == 1
    assert table.row(second) is None


def test_many_are_deleted_in_one_go_and_a_stop_ends_it(
    table: JobTable, storage: VolumeStorage, expiry: Expiry, ann: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recto.working.expiry._AT_ONCE", 2)
    for _ in range(5):
        finished(table, storage, ann, 60)
    table.clock.move(61)
    assert expiry.expire(iter([False, True, True]).__next__) == 1
    assert expiry.expire() == 4


def test_thread_looks_at_once_and_goes_on_after_a_fault(
    table: JobTable, storage: VolumeStorage, expiry: Expiry, ann: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = [StorageUnavailable("The database does not answer.")]
    whole = expiry.expire

    def once_broken(is_stopping: object) -> int:
        if faults:
            raise faults.pop()
        return whole()

    monkeypatch.setattr(expiry, "expire", once_broken)
    finished(table, storage, ann, 60)
    table.clock.move(61)
    thread = ExpiryThread(expiry, 0.01)
    thread.start()
    while list(storage.folders()):
        pass
    thread.stop()
    assert not faults
