"""The Worker's loop on a real database, from the claim to the end of a job: what is recorded, lost, handed back and gone on with."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from models import JobStatus
from recto import worker as worker_module
from recto.database.connections import connect, utc
from recto.errors import DatabaseBusy, PageUnreadable, StorageFull, StorageUnavailable
from recto.jobs import Jobs, Lease
from recto.ocr.documents import DocumentInfo
from recto.ocr.options import Options
from recto.ocr.page import Document, ResultWarning, Step
from recto.records import meters
from recto.records.meters import Metered
from recto.records.meters import read_all as read_all_meters
from recto.search import found_pages, is_behind
from recto.stage_labels import STAGES
from recto.text_search.words import parse_query
from recto.views.jobs import checkpoints, pages_read
from recto.working.page_tasks import Written, checkpoint_page, inspect_document, read_whole_document, write_results
from tests.conftest import JobTable, writing_elsewhere
from tests.patience import wait_until
from tests.worker_loop import LIMITS, Loop, Task, crash, end, page_read, read_all, read_whole

pytestmark = pytest.mark.each_database


def test_job_is_opened_read_written_and_finished(table: JobTable, ann: int, loop: Loop) -> None:
    uuid = table.submit(ann, {"languages": "deu+eng"})
    loop.run_until_idle(read_all(3))
    job, options = table.job(uuid), Options(languages=("deu", "eng"))
    assert (job.status, job.page_count, job.pages_done, job.pages_failed) == (JobStatus.FINISHED, 3, 3, 0)
    assert table.statuses(uuid) == ["QUEUED", "IN_PROGRESS", "FINISHED"]
    assert [task.args for task in loop.started(inspect_document)] == [(uuid, None)]
    assert [task.args for task in loop.started(checkpoint_page)] == [
        (uuid, job.result_token, number, options) for number in (1, 2, 3)
    ]
    (written,) = loop.started(write_results)
    _, token, pages, document, asked = written.args
    assert asked == options
    assert token == job.result_token
    assert pages == [(number, token) for number in (1, 2, 3)]
    assert isinstance(document, Document)
    assert (document.page_count, document.warnings) == (3, ())
    assert document.created.endswith("Z")


def test_image_is_opened_read_and_written_in_one_piece_and_recorded_as_if_it_had_not_been(
    table: JobTable, ann: int, loop: Loop
) -> None:
    uuids = [table.submit(ann, media_type=media_type) for media_type in ("image/png", "application/pdf")]
    loop.run_until_idle(read_whole)
    whole, by_parts = (table.job(uuid) for uuid in uuids)
    (task,) = loop.started(read_whole_document)
    assert task.args == (whole.uuid, whole.result_token, utc(whole.created_us), Options(languages=("eng",)))
    assert task.timeout_s == LIMITS.page_timeout_s
    assert [task.uuid for task in loop.started(inspect_document)] == [by_parts.uuid]
    for job in (whole, by_parts):
        assert (job.status, job.page_count, job.pages_done, job.pages_failed) == (JobStatus.FINISHED, 1, 1, 0)
        assert table.statuses(job.uuid) == ["QUEUED", "IN_PROGRESS", "FINISHED"]
    assert whole.result_version == by_parts.result_version is not None
    with table.sessions() as session:
        pages = [checkpoints(session, uuid) for uuid in uuids]
    assert pages == [[(1, job.result_token)] for job in (whole, by_parts)]
    taken = loop.heartbeat.stage_times.take()
    assert set(taken.total_us) == set(STAGES)
    assert sum(taken.times.values()) == 2 * len(STAGES)


@pytest.mark.parametrize("outcome", [crash(), TimeoutError(), PageUnreadable("Not to be read."), ZeroDivisionError()])
def test_image_that_cannot_be_done_in_one_piece_is_done_part_by_part(
    table: JobTable, ann: int, loop: Loop, outcome: BaseException
) -> None:
    uuid = table.submit(ann, media_type="image/png")
    loop.run_until_idle(lambda task: outcome if task.function is read_whole_document else read_all(1)(task))
    assert [task.function for task in loop.executor.tasks] == [
        read_whole_document,
        inspect_document,
        checkpoint_page,
        write_results,
    ]
    job = table.job(uuid)
    assert (job.status, job.attempt, job.page_count, job.pages_done) == (JobStatus.FINISHED, 1, 1, 1)


def test_image_whose_piece_the_pool_dropped_is_done_in_one_piece_again(table: JobTable, ann: int, loop: Loop) -> None:
    uuid = table.submit(ann, media_type="image/png")
    loop.step()
    loop.executor.running[0].future.cancel()
    loop.run_until_idle(read_whole)
    assert len(loop.started(read_whole_document)) == 2
    assert table.job(uuid).status == JobStatus.FINISHED


def test_nothing_is_claimed_or_started_while_nothing_can_run(table: JobTable, ann: int, loop: Loop) -> None:
    """A cluster whose nodes, or whose scheduler, went away: what it had ends as cancelled, and waits until some are back."""
    uuids = [table.submit(ann) for _ in range(4)]
    loop.step()
    begun = len(loop.executor.tasks)
    loop.executor.capacity = 0
    loop.executor.stop()
    loop.step()
    assert len(loop.executor.tasks) == begun < 4
    assert [table.job(uuid).status for uuid in uuids].count(JobStatus.QUEUED) == 4 - begun
    loop.executor.capacity = 2
    loop.run_until_idle(read_all(2))
    assert [(table.job(uuid).status, table.job(uuid).attempt) for uuid in uuids] == [(JobStatus.FINISHED, 1)] * 4


@pytest.mark.parametrize("media_type", ["image/png", "application/pdf"])
@pytest.mark.parametrize("texts", [{1: "a goat"}, None])
def test_text_is_found_as_soon_as_its_job_has_ended_unless_it_is_too_much_to_be_handed_over(
    table: JobTable, ann: int, loop: Loop, media_type: str, texts: dict[int, str] | None
) -> None:
    uuid = table.submit(ann, media_type=media_type)
    written = Written((), texts)

    def answer(task: Task) -> Any:
        if task.function is read_whole_document:
            return replace(read_whole(task), written=written)
        return written if task.function is write_results else read_all(1)(task)

    loop.run_until_idle(answer)
    assert table.read(found_pages, ann, uuid, parse_query("goat")) == ((1,) if texts else ())
    assert table.read(is_behind, ann) is (texts is None)


def test_only_the_pages_that_were_asked_for_are_read(table: JobTable, ann: int, loop: Loop) -> None:
    uuid = table.submit(ann, {"languages": "eng", "pages": "2-3"})
    loop.run_until_idle(read_all(5))
    assert loop.pages_started() == [2, 3]
    assert table.job(uuid).page_count == 2
    assert loop.started(write_results)[0].args[3].page_count == 5


def test_pages_that_the_document_does_not_have_fail_the_job(table: JobTable, ann: int, loop: Loop) -> None:
    uuid = table.submit(ann, {"languages": "eng", "pages": "7"})
    loop.run_until_idle(read_all(5))
    assert table.job(uuid).reason_code == "page_not_in_document"


def test_finished_page_is_recorded_before_the_others_end(table: JobTable, ann: int, loop: Loop) -> None:
    uuid = table.submit(ann)
    loop.step()
    end(loop.executor.running[0], DocumentInfo("application/pdf", 3))
    loop.step()
    second = loop.started(checkpoint_page)[1]
    end(second, None)
    loop.step()
    assert table.job(uuid).pages_done == 1
    assert [number for number, _ in table.read(checkpoints, uuid)] == [2]


def lose_by_cancel(table: JobTable, uuid: str) -> None:
    table.do(table.jobs.cancel, table.job(uuid).user_id, uuid)


def lose_by_delete(table: JobTable, uuid: str) -> None:
    table.do(table.jobs.delete, table.job(uuid).user_id, uuid)


def lose_by_expiry(table: JobTable, uuid: str) -> None:
    job = table.job(uuid)
    table.do(table.jobs.requeue_expired, [Lease(uuid, job.lease_token or "", job.lease_worker or "")])


@pytest.mark.parametrize("lose", [lose_by_cancel, lose_by_delete, lose_by_expiry])
def test_lost_job_has_its_pages_stopped_and_nothing_written(
    table: JobTable, ann: int, loop: Loop, lose: Callable[[JobTable, str], None]
) -> None:
    uuid = table.submit(ann)
    loop.step()
    end(loop.executor.running[0], DocumentInfo("application/pdf", 9))
    loop.step()
    one, *others = loop.executor.running
    lose(table, uuid)
    log, row = table.statuses(uuid), table.row(uuid)
    end(one, None)  # it had been read when the job was lost
    loop.step()
    assert [task.future.cancelled() for task in others] == [True] * len(others)
    assert loop.executor.running == []
    assert table.statuses(uuid) == log
    assert table.read(checkpoints, uuid) == []
    if row is not None:
        assert table.job(uuid).change == row.change


def test_time_of_work_follows_the_size_of_what_it_is_about(table: JobTable, ann: int, loop: Loop) -> None:
    table.submit(ann)
    small_and_large = DocumentInfo("image/tiff", 2, (), (1_000_000, 35_000_000))
    loop.run_until_idle(lambda task: small_and_large if task.function is inspect_document else read_all(2)(task))
    times = {(task.function, task.page): task.timeout_s for task in loop.executor.tasks}
    assert times == {
        (inspect_document, 0): 30.0,
        (checkpoint_page, 1): 32.0,
        (checkpoint_page, 2): 100.0,
        (write_results, 0): LIMITS.writing_s(2),
    }


def test_idle_worker_hears_of_a_job_long_before_it_would_look(table: JobTable, ann: int) -> None:
    loop = Loop(table, poll_interval_s=3600.0)
    stopping = threading.Event()
    thread = threading.Thread(target=loop.worker.run, args=(stopping,))
    thread.start()
    time.sleep(0.1)
    table.submit(ann)
    wait_until(lambda: bool(loop.executor.running))
    stopping.set()
    end(loop.executor.running[0], DocumentInfo("application/pdf", 9))
    thread.join(10.0)
    assert not thread.is_alive()


def test_stop_hands_jobs_back_without_costing_an_attempt(table: JobTable, ann: int, loop: Loop) -> None:
    uuid = table.submit(ann)
    stopping = threading.Event()
    thread = threading.Thread(target=loop.worker.run, args=(stopping,))
    thread.start()
    wait_until(lambda: bool(loop.executor.running))
    end(loop.executor.running[0], DocumentInfo("application/pdf", 9))
    wait_until(lambda: len(loop.pages_started()) >= 2)
    end(loop.started(checkpoint_page)[0], None)
    wait_until(lambda: table.job(uuid).pages_done == 1)
    stopping.set()
    thread.join(10.0)
    job = table.job(uuid)
    assert (job.status, job.attempt, job.pages_done) == (JobStatus.QUEUED, 0, 1)
    assert loop.executor.running == []


def test_next_attempt_goes_on_from_the_last_finished_page(table: JobTable, ann: int, loop: Loop) -> None:
    uuid = table.submit(ann)
    loop.step()
    end(loop.executor.running[0], DocumentInfo("application/pdf", 4))
    loop.step()
    dead = table.job(uuid).lease_token or ""
    for task in loop.started(checkpoint_page)[:2]:
        end(task, None)
    loop.step()
    lose_by_expiry(table, uuid)
    table.clock.move(60)
    other = Loop(table, name="two")
    other.run_until_idle(read_all(4))
    job = table.job(uuid)
    assert (job.status, job.attempt, job.pages_done) == (JobStatus.FINISHED, 2, 4)
    assert other.pages_started() == [3, 4]
    assert other.started(write_results)[0].args[2] == [
        (1, dead),
        (2, dead),
        (3, job.result_token),
        (4, job.result_token),
    ]


@pytest.fixture
def impatient(database_url: str, table: JobTable) -> Iterator[JobTable]:
    """The same database through connections that wait for no lock."""
    engine = connect(database_url, busy_timeout_s=0.0)
    yield JobTable(engine, table.clock)
    engine.dispose()


def test_finished_page_is_recorded_once_the_database_is_free_again(
    table: JobTable, ann: int, impatient: JobTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "_BUSY_PAUSE_S", 0.01)
    loop = Loop(impatient)
    uuid = table.submit(ann)
    loop.step()
    end(loop.executor.running[0], DocumentInfo("application/pdf", 1))
    loop.step()
    end(loop.executor.running[0], None)
    with writing_elsewhere(table.engine) as other:
        timer = threading.Timer(0.1, other.rollback)
        timer.start()
        loop.run_until_idle(read_all(1))
        timer.join()
    assert table.job(uuid).status == JobStatus.FINISHED


@pytest.mark.parametrize("error", [StorageFull("The disk is full."), StorageUnavailable("The disk is read-only.")])
def test_finished_page_is_recorded_once_the_database_can_be_written_again(
    table: JobTable, ann: int, loop: Loop, monkeypatch: pytest.MonkeyPatch, error: StorageFull | StorageUnavailable
) -> None:
    monkeypatch.setattr(worker_module, "_BUSY_PAUSE_S", 0.01)
    uuid = table.submit(ann)
    adopt_page, troubles = Jobs.adopt_page, [error]

    def full_once(self: Jobs, session: Session, lease: Lease, number: int, page: Any = None) -> None:
        if troubles:
            raise troubles.pop()
        adopt_page(self, session, lease, number, page=page)

    monkeypatch.setattr(Jobs, "adopt_page", full_once)
    loop.run_until_idle(read_all(1))
    assert table.job(uuid).status == JobStatus.FINISHED


def test_page_that_was_read_leaves_word_of_its_preprocessing(table: JobTable, ann: int, loop: Loop) -> None:
    uuid = table.submit(ann)
    loop.run_until_idle(read_all(1, {1: page_read(1, (Step("polarity", {}),))}))
    (read,) = table.read(pages_read, uuid)
    assert [step.sentence for step in read.steps] == ["Turned light text on dark into dark text on light."]


def test_claim_that_meets_a_busy_database_is_tried_in_the_next_round(
    table: JobTable, ann: int, impatient: JobTable
) -> None:
    table.submit(ann)
    loop = Loop(impatient)
    with writing_elsewhere(table.engine):
        loop.step()
        assert loop.executor.tasks == []
    loop.step()
    assert len(loop.executor.tasks) == 1


def test_idle_worker_takes_no_writers_lock(table: JobTable) -> None:
    loop = Loop(table)
    with writing_elsewhere(table.engine):
        start_s = time.monotonic()
        loop.step()
        assert time.monotonic() - start_s < 5.0  # the engine would wait 10 s for it


def test_warnings_about_the_document_reach_the_job_and_its_result(table: JobTable, ann: int, loop: Loop) -> None:
    uuid = table.submit(ann)
    signed = ResultWarning(None, "signature_ends", "The PDF is signed.")

    def answer(task: Task) -> Any:
        if task.function is inspect_document:
            return DocumentInfo("application/pdf", 1, (signed,))
        return read_all(1)(task)

    loop.run_until_idle(answer)
    assert table.job(uuid).warnings == [{"code": "signature_ends", "detail": "The PDF is signed."}]
    assert loop.started(write_results)[0].args[3].warnings == (signed,)


def test_password_opens_the_document_and_is_not_in_the_result(table: JobTable, ann: int, loop: Loop) -> None:
    table.submit(ann, Options.model_validate({"password": "sesame"}).stored())
    loop.run_until_idle(read_all(1))
    assert loop.started(inspect_document)[0].args[1] == "sesame"
    assert loop.started(checkpoint_page)[0].args[3].plain_password == "sesame"
    assert "sesame" not in repr(loop.started(write_results)[0].args[3])


def test_times_of_stages_are_counted_on_with_the_heartbeat(table: JobTable, ann: int, loop: Loop) -> None:
    table.submit(ann)
    loop.run_until_idle(read_all(2))
    assert table.read(read_all_meters)[Metered.STAGE_TIMES] == {}
    loop.heartbeat.beat(0.0)
    times = table.read(read_all_meters)
    assert {label.split()[0]: count for label, count in times[Metered.STAGE_TIMES].items()} == {
        "open": 1,
        "prepare": 2,
        "recognise": 2,
        "store": 2,
        "write": 1,
    }
    assert times[Metered.STAGE_US]["recognise"] == 4_000_000


def test_times_that_could_not_be_counted_on_are_kept_for_the_next_beat(
    table: JobTable, ann: int, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise DatabaseBusy("The database is busy.")

    table.submit(ann)
    loop.run_until_idle(read_all(1))
    with monkeypatch.context() as patched:
        patched.setattr(meters, "add_stage_times", busy)
        with pytest.raises(DatabaseBusy):
            loop.heartbeat._count_times()
    loop.heartbeat.beat(0.0)
    assert sum(table.read(read_all_meters)[Metered.STAGE_TIMES].values()) == 5


def test_lines_about_a_job_name_it_and_the_request_that_it_came_with(table: JobTable, ann: int, loop: Loop) -> None:
    uuid = table.submit(ann, request_id="upload-1")
    with capture_logs() as lines:
        loop.run_until_idle(read_all(1))
    assert [line["event"] for line in lines] == ["job_claimed", "job_finished"]
    assert {(line["job"], line["request_id"]) for line in lines} == {(uuid, "upload-1")}
