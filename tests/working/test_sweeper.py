"""The sweeper on real folders and a real database; the test says what time it is for both."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker
from structlog.testing import capture_logs

from models import JobDeletion, JobStatus
from recto.database.connections import Begin, connect
from recto.errors import DatabaseBusy, StorageUnavailable
from recto.file_storage.base import DOCUMENT, checkpoint_name, result_name
from recto.file_storage.scratch import scratch_folder
from recto.file_storage.stale import Finding, Kind
from recto.file_storage.volume import VolumeStorage
from recto.jobs import Jobs
from recto.ocr.corrections import LineCorrection
from recto.records import corrections
from recto.records.corrections import SeenPage
from recto.records.job_events import events_after
from recto.working.pace import Pace
from recto.working.sweeper import Outcome, Sweeper, SweepingThread, Swept
from tests.conftest import POLICY, JobTable, SetClock, new_submission
from tests.patience import wait_until
from tests.working.left_behind import (
    DAY_S,
    FOREIGN,
    LEFT_BEHIND,
    TOKEN,
    World,
    broken_off_upload,
    deletion_with_files,
    folder_without_job,
)

pytestmark = pytest.mark.each_database


@pytest.fixture
def world(table: JobTable, tmp_path: Path) -> World:
    """With a queued, a running and a finished job in good order."""
    world = World(table, tmp_path / "storage")
    world.finish(world.start())
    world.start()
    world.submit()
    return world


def seen(swept: list[Swept]) -> list[tuple[Kind, Outcome]]:
    return [(found.finding.kind, found.outcome) for found in swept]


left_behind = pytest.mark.parametrize("leave", LEFT_BEHIND, ids=lambda leave: leave.__name__)


def test_sound_store_has_nothing_to_sweep_however_old(world: World) -> None:
    before = world.files()
    world.wait(1000 * DAY_S)
    assert world.sweep() == []
    assert world.sweep(0.0) == []
    assert world.files() == before


@left_behind
def test_what_was_left_behind_is_removed_once_it_is_old(world: World, leave: Callable[[World], None]) -> None:
    leave(world)
    before = world.files()
    world.wait(DAY_S - 600)
    assert seen(world.sweep()) == [(LEFT_BEHIND[leave], Outcome.YOUNG)]
    world.wait(1200)
    assert seen(world.sweep(is_dry_run=True)) == [(LEFT_BEHIND[leave], Outcome.DUE)]
    assert world.files() == before
    (swept,) = world.sweep()
    assert (swept.finding.kind, swept.outcome) == (LEFT_BEHIND[leave], Outcome.REMOVED)
    assert DAY_S <= swept.finding.age_s < DAY_S + 1200
    assert world.sweep(0.0) == []
    gone = before.keys() - world.files().keys()
    assert sum(len(before[name]) for name in gone if before[name] != b"/") == swept.finding.size_bytes


def test_files_of_a_deletion_are_reported_as_gone(world: World) -> None:
    deletion_with_files(world)
    world.sweep(0.0)
    with world.table.sessions() as session:
        assert [row.files_removed for row in session.query(JobDeletion)] == [True]


def test_attempt_that_lost_its_lease_is_abandoned_but_for_its_adopted_pages(world: World) -> None:
    """What the database refers to stays, whichever attempt wrote it."""
    adopted = world.start().lease
    world.table.do(world.table.jobs.hand_back, adopted)
    world.table.do(world.table.jobs.cancel, world.user, adopted.job_uuid)
    lost = world.table.claim().lease
    world.write(lost.job_uuid, checkpoint_name(lost.token, 1))
    world.table.do(world.table.jobs.hand_back, lost)
    assert [(found.finding.kind, found.finding.name) for found in world.sweep(0.0)] == [
        (Kind.ABANDONED_ATTEMPT, f"attempts/{lost.token}/")
    ]
    assert world.storage.size_bytes(adopted.job_uuid, checkpoint_name(adopted.token, 1))


def test_page_that_was_written_and_never_recorded_goes_when_its_lease_is_lost(world: World) -> None:
    lease = world.start().lease
    adopted, lost = (world.root / lease.job_uuid / checkpoint_name(lease.token, number) for number in (1, 3))
    world.write(lease.job_uuid, checkpoint_name(lease.token, 3))
    assert world.sweep(older_than_s=0) == []
    world.table.do(world.table.jobs.hand_back, lease)
    assert [swept.finding.kind for swept in world.sweep(older_than_s=0)] == [Kind.LOST_PAGE]
    assert adopted.exists()
    assert not lost.exists()


def test_result_from_before_a_correction_is_removed_and_those_that_count_stay(world: World) -> None:
    claim = world.start()
    uuid, token = world.finish(claim), claim.lease.token
    for seen_revision in (0, 1):
        page = SeenPage(uuid, 1, seen_revision)
        world.table.do(corrections.add, page, "ann", LineCorrection(0, "x"), "", None)
        world.write(uuid, result_name(token, "txt", seen_revision + 1))
    world.wait(DAY_S + 600)
    (swept,) = world.sweep()
    assert (swept.finding.kind, swept.finding.name, swept.outcome) == (
        Kind.SUPERSEDED_RESULT,
        result_name(token, "txt", 1),
        Outcome.REMOVED,
    )
    assert world.storage.size_bytes(uuid, result_name(token, "txt"))
    assert world.storage.size_bytes(uuid, result_name(token, "txt", 2))


@pytest.mark.parametrize("leave", FOREIGN, ids=lambda leave: leave.__name__)
def test_what_is_foreign_is_reported_and_never_touched(world: World, leave: Callable[[World], None]) -> None:
    leave(world)
    before = world.files()
    world.wait(1000 * DAY_S)
    assert seen(world.sweep(0.0, is_forced=True)) == [(Kind.FOREIGN, Outcome.REPORTED)]
    assert world.files() == before


def test_foreign_file_in_an_abandoned_attempt_stays_alone(world: World) -> None:
    uuid = world.submit()
    world.write(uuid, result_name(TOKEN, "txt"))
    (world.root / uuid / "attempts" / TOKEN / "notes.txt").write_bytes(b"mine")
    assert sorted(seen(world.sweep(0.0))) == [
        (Kind.ABANDONED_ATTEMPT, Outcome.IN_USE),
        (Kind.FOREIGN, Outcome.REPORTED),
    ]
    assert [path.name for path in (world.root / uuid / "attempts" / TOKEN).iterdir()] == ["notes.txt"]
    assert seen(world.sweep(0.0)) == [(Kind.FOREIGN, Outcome.REPORTED)]


def test_living_upload_write_and_process_are_left_alone_at_any_age(world: World) -> None:
    lease = world.start().lease
    incoming, scratch = world.storage.incoming(), scratch_folder(world.root)
    incoming.file.write(b"half")
    world.wait(1000 * DAY_S)
    with world.storage.write(lease.job_uuid, checkpoint_name(lease.token, 3)) as file:
        file.write(b"half")
        assert sorted(seen(world.sweep(0.0))) == [
            (Kind.UPLOAD, Outcome.IN_USE),
            (Kind.SCRATCH, Outcome.IN_USE),
            (Kind.UNFINISHED_FILE, Outcome.IN_USE),
        ]
    assert world.storage.size_bytes(lease.job_uuid, checkpoint_name(lease.token, 3)) == 4
    assert scratch.is_dir()
    incoming.keep(str(uuid4()), DOCUMENT)


@pytest.mark.parametrize("what", ["folder", "document"])
def test_unfinished_job_without_document_ends_in_failure_once(world: World, what: str) -> None:
    queued, running = world.submit(), world.start().lease
    for uuid in (queued, running.job_uuid):
        if what == "folder":
            world.storage.delete(uuid)
        else:
            world.storage.remove(uuid, DOCUMENT)
    assert {found.outcome for found in world.sweep()} == {Outcome.YOUNG}
    world.wait(DAY_S)
    assert seen(world.sweep(is_dry_run=True)) == [(Kind.JOB_WITHOUT_DOCUMENT, Outcome.TO_FAIL)] * 2
    assert world.table.statuses(queued) == ["QUEUED"]
    assert seen(world.sweep()) == [(Kind.JOB_WITHOUT_DOCUMENT, Outcome.FAILED)] * 2
    assert world.table.statuses(queued) == ["QUEUED", "FAILURE"]
    assert world.table.statuses(running.job_uuid)[-2:] == ["IN_PROGRESS", "FAILURE"]
    assert world.table.job(queued).reason_code == "document_missing"
    assert not world.table.read(world.table.jobs.still_held, [running])
    assert {found.outcome for found in world.sweep()} <= {Outcome.REPORTED, Outcome.YOUNG, Outcome.REMOVED}
    assert world.table.statuses(queued) == ["QUEUED", "FAILURE"]


def test_finished_job_without_its_folder_is_reported_only(world: World) -> None:
    uuid = world.finish(world.start())
    world.storage.delete(uuid)
    world.wait(1000 * DAY_S)
    (swept,) = world.sweep()
    assert (swept.finding.uuid, swept.finding.kind) == (uuid, Kind.JOB_WITHOUT_DOCUMENT)
    assert swept.outcome is Outcome.REPORTED
    assert world.table.job(uuid).status == JobStatus.FINISHED


@pytest.mark.parametrize("name", ["pages/0001.json", "result.txt"])
def test_finished_job_without_a_file_of_its_result_is_reported_only(world: World, name: str) -> None:
    claim = world.start()
    uuid = world.finish(claim)
    world.storage.remove(uuid, f"attempts/{claim.lease.token}/{name}")
    (swept,) = world.sweep(0.0)
    assert swept == Swept(
        Finding(Kind.RESULT_MISSING, uuid, f"attempts/{claim.lease.token}/{name}", 0.0, 0), Outcome.REPORTED
    )


def test_volume_that_is_not_mounted_ends_no_job(world: World) -> None:
    world.root.rename(world.root.with_name("unmounted"))
    world.storage.prepare()
    world.wait(1000 * DAY_S)
    swept = world.sweep()
    assert seen(swept) == [(Kind.JOB_WITHOUT_DOCUMENT, Outcome.REPORTED)] * 3
    assert sum("volume" in found.detail for found in swept) == 2  # the finished one is reported anyway


def test_database_that_knows_few_of_the_folders_removes_none_unless_forced(world: World) -> None:
    """An empty database by mistake must not cost every document."""
    for _ in range(4):
        folder_without_job(world)
    before = world.files()
    world.wait(1000 * DAY_S)
    swept = world.sweep()
    assert seen(swept) == [(Kind.FOLDER_WITHOUT_JOB, Outcome.REPORTED)] * 4
    assert "--force" in swept[0].detail
    assert world.files() == before
    assert seen(world.sweep(is_forced=True)) == [(Kind.FOLDER_WITHOUT_JOB, Outcome.REMOVED)] * 4


def test_file_that_resists_is_reported_and_the_rest_is_swept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    deletion_with_files(world)
    broken_off_upload(world)

    def refuse(*_: object) -> None:
        raise StorageUnavailable("The File Storage cannot be used: Input/output error.")

    monkeypatch.setattr(VolumeStorage, "delete", refuse)
    swept = world.sweep(0.0)
    assert seen(swept) == [(Kind.DELETED_JOB, Outcome.RESISTED), (Kind.UPLOAD, Outcome.REMOVED)]
    assert "Input/output error" in swept[0].detail


def test_folder_that_cannot_be_looked_into_is_reported_and_the_rest_is_swept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid, real = world.submit(), VolumeStorage.contents
    broken_off_upload(world)

    def refuse(storage: VolumeStorage, asked: str) -> object:
        if asked == uuid:
            raise StorageUnavailable("The File Storage cannot be used: Permission denied.")
        return real(storage, asked)

    monkeypatch.setattr(VolumeStorage, "contents", refuse)
    assert seen(world.sweep(0.0)) == [(Kind.UNREADABLE, Outcome.RESISTED), (Kind.UPLOAD, Outcome.REMOVED)]


@pytest.mark.sqlite_alone
def test_busy_database_is_reported_and_keeps_the_folder(world: World, engine: Engine) -> None:
    folder_without_job(world)
    before = world.files()
    impatient = connect(str(engine.url), busy_timeout_s=0.01)
    world.table.sessions.configure(bind=impatient)
    other = engine.connect().execution_options(recto_begin=Begin.WRITE)
    with other, other.begin():
        assert seen(world.sweep(0.0)) == [(Kind.FOLDER_WITHOUT_JOB, Outcome.RESISTED)]
    impatient.dispose()
    assert world.files() == before


def test_two_sweepers_at_once_remove_everything_once(world: World) -> None:
    for leave in LEFT_BEHIND:
        leave(world)
    outcomes: list[Swept] = []
    threads = [threading.Thread(target=lambda: outcomes.extend(world.sweep(0.0))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert world.sweep(0.0) == []
    assert {found.outcome for found in outcomes} <= {Outcome.REMOVED, Outcome.IN_USE}


@dataclass
class Sweeps:
    """Counts how often it was asked to sweep, and answers as the test says."""

    answer: Callable[[], Iterator[Swept]]
    count: int = 0

    def __call__(self) -> Iterator[Swept]:
        self.count += 1
        return self.answer()


def findings() -> Iterator[Swept]:
    upload = Finding(Kind.UPLOAD, None, ".incoming/upload-a", 1e5, 1000)
    yield Swept(upload, Outcome.REMOVED)
    yield Swept(upload, Outcome.REMOVED)
    yield Swept(upload, Outcome.YOUNG)


def test_sweep_forgets_the_events_of_jobs_that_ended_long_ago(engine: Engine, tmp_path: Path) -> None:
    sessions, jobs = sessionmaker(engine), Jobs(POLICY)
    table = JobTable(engine, SetClock())
    user_id = table.add_user("ann")
    submission = new_submission(user_id)
    table.do(jobs.submit, submission)
    table.do(jobs.cancel, user_id, submission.uuid)

    storage = VolumeStorage(tmp_path / "storage")
    storage.prepare()

    def swept(lifetime_s: float, *, is_dry_run: bool = False) -> list[str]:
        sweeper = Sweeper(sessions, jobs, storage, DAY_S, is_dry_run=is_dry_run, event_lifetime_s=lifetime_s)
        assert [found.outcome for found in sweeper.sweep()] == [Outcome.REPORTED]  # a job without its document
        return [event.kind.value for event in table.read(events_after, user_id, None, 0, 10)]

    time.sleep(0.01)
    assert swept(3600.0) == swept(0.0, is_dry_run=True) == ["status", "end"]
    assert swept(0.0) == ["end"]


def test_thread_logs_one_line_with_the_counts_of_each_sweep() -> None:
    with capture_logs() as lines:
        SweepingThread(findings, 3600.0).sweep_once()
    assert lines == [
        {"event": "swept", "log_level": "info", "found": 3, "freed_bytes": 2000, "removed": 2, "too_young": 1}
    ]


def busy() -> Iterator[Swept]:
    raise DatabaseBusy("The database is busy.")


@pytest.mark.parametrize("answer", [findings, busy])
def test_thread_sweeps_again_and_again_until_it_is_stopped(answer: Callable[[], Iterator[Swept]]) -> None:
    sweeps = Sweeps(answer)
    thread = SweepingThread(sweeps, 0.01)
    thread.start()
    wait_until(lambda: sweeps.count >= 3)
    thread.stop()
    count = sweeps.count
    time.sleep(0.05)
    assert sweeps.count == count


def test_thread_without_an_interval_never_sweeps() -> None:
    sweeps = Sweeps(findings)
    thread = SweepingThread(sweeps, 0.0)
    thread.start()
    thread.stop()
    assert sweeps.count == 0


def test_thread_that_is_stopped_leaves_its_sweep() -> None:
    begun = threading.Event()

    def endless() -> Iterator[Swept]:
        while True:
            begun.set()
            yield from findings()

    thread = SweepingThread(endless, 0.01)
    thread.start()
    assert begun.wait(10)
    thread.stop()


def test_sweep_that_is_stopped_concludes_nothing_from_folders_that_it_has_not_seen(world: World) -> None:
    world.keep(str(uuid4()))
    world.finish(world.start())
    before = world.files()
    world.wait(1000 * DAY_S)
    pace = Pace(1.0)
    pace.stopping.set()
    assert world.sweep(is_forced=True, pace=pace) == []
    assert world.files() == before


def test_thread_that_is_stopped_leaves_a_sweep_that_finds_nothing() -> None:
    pace, begun = Pace(1.0), threading.Event()

    def sound() -> Iterator[Swept]:
        pace.begin()
        begun.set()
        while pace.rest():
            pass
        yield from ()

    thread = SweepingThread(sound, 0.01, pace=pace)
    thread.start()
    assert begun.wait(10)
    thread.stop()
