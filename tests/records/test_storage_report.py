"""Who keeps how much."""

from dataclasses import replace
from pathlib import Path

from recto.file_storage.base import DOCUMENT
from recto.file_storage.volume import VolumeStorage
from recto.jobs import Jobs
from recto.records.retention import RetentionPolicy, set_user_retention
from recto.records.storage_report import UserStorage, report_storage
from recto.users.administration import UserLimits, set_limits
from recto.working.sweeper import Sweeper
from tests.conftest import POLICY, JobTable, new_submission


def keep(table: JobTable, storage: VolumeStorage, user_id: int, content: bytes) -> str:
    submission = replace(new_submission(user_id), size_bytes=len(content))
    incoming = storage.incoming()
    incoming.file.write(content)
    incoming.keep(submission.uuid, DOCUMENT)
    with storage.write(submission.uuid, "metadata.json") as file:
        file.write(b"{}")
    table.do(table.jobs.submit, submission)
    return submission.uuid


def test_report_has_users_with_documents_and_what_the_sweep_saw(
    table: JobTable, ann: int, bob: int, tmp_path: Path
) -> None:
    storage = VolumeStorage(tmp_path / "files")
    storage.prepare()
    table.jobs = Jobs(POLICY, retention=RetentionPolicy(default_s=60))  # the database's clock, as the report's
    keep(table, storage, ann, b"x" * 10)
    keep(table, storage, bob, b"x" * 100)
    table.do(set_user_retention, ann, 3600)
    table.do(set_limits, bob, UserLimits(max_stored_bytes=0))
    before = table.read(report_storage, 5000)
    assert before.swept is None
    assert [user.all_bytes for user in before.users] == [None, None]
    table.do(table.jobs.finish, table.claim().lease)
    list(Sweeper(table.sessions, table.jobs, storage, 3600.0).sweep())
    report = table.read(report_storage, 5000)
    assert report.swept is not None
    assert report.database_bytes > 4096
    assert report.users == (
        UserStorage("bob", 1, 100, None, 102, 0, None),
        UserStorage("ann", 1, 10, 5000, 12, 1, 3600),
    )


def test_report_of_nobody_is_empty(table: JobTable) -> None:
    assert table.read(report_storage, 0).users == ()
