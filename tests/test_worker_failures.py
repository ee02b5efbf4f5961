"""What the Worker's loop makes of pages, documents and formats that fail, die or take too long."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from models import JobStatus
from recto.errors import DocumentEncrypted, EngineMissing, LanguageNotInstalled, PageDamaged, ResultNotMade, StorageFull
from recto.jobs import Jobs, Lease
from recto.ocr.documents import DocumentInfo
from recto.records import derivations
from recto.views.jobs import page_failures
from recto.working.page_tasks import FormatFailure, Written, checkpoint_page, inspect_document, write_results
from tests.conftest import JobTable
from tests.worker_loop import Loop, Task, crash, end, failures, once, read_all

pytestmark = pytest.mark.each_database


def test_page_that_fails_is_a_warning_and_the_others_survive(table: JobTable, ann: int, loop: Loop) -> None:
    uuid = table.submit(ann)
    loop.run_until_idle(read_all(3, {2: PageDamaged("Page 2 is damaged.")}))
    job = table.job(uuid)
    assert (job.status, job.pages_done, job.pages_failed) == (JobStatus.FINISHED, 3, 1)
    (written,) = loop.started(write_results)
    assert [number for number, _ in written.args[2]] == [1, 3]
    (warning,) = written.args[3].warnings
    assert (warning.page, warning.code, warning.detail) == (2, "page_damaged", "Page 2 is damaged.")


def test_job_whose_pages_all_fail_fails_with_the_last_reason(table: JobTable, ann: int, loop: Loop) -> None:
    uuid = table.submit(ann)
    loop.run_until_idle(read_all(2, {1: PageDamaged("One."), 2: PageDamaged("Two.")}))
    job = table.job(uuid)
    assert (job.status, job.reason_code) == (JobStatus.FAILURE, "page_damaged")
    assert failures(table, uuid) == [(1, "page_damaged"), (2, "page_damaged")]
    assert loop.started(write_results) == []


def test_last_failing_page_is_recorded_together_with_the_failure(
    table: JobTable, ann: int, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the two, a Worker that dies would leave a job that nobody could finish honestly."""
    uuid = table.submit(ann)
    seen: list[tuple[int | None, str]] = []
    fail = Jobs.fail

    def look(self: Jobs, session: Session, lease: Lease, error: Any) -> None:
        seen.extend(failures(table, uuid))
        fail(self, session, lease, error)

    monkeypatch.setattr(Jobs, "fail", look)
    loop.run_until_idle(read_all(1, {1: PageDamaged("Damaged.")}))
    assert seen == []
    assert failures(table, uuid) == [(1, "page_damaged")]


def test_pages_that_end_together_after_the_job_was_dropped_are_let_go(table: JobTable, ann: int, loop: Loop) -> None:
    uuid = table.submit(ann)
    loop.step()
    end(loop.executor.running[0], DocumentInfo("application/pdf", 9))
    loop.step()
    for task in loop.executor.running:
        end(task, EngineMissing("No Tesseract."))
    loop.step()
    assert table.statuses(uuid) == ["QUEUED", "IN_PROGRESS", "FAILURE"]


def test_document_that_does_not_open_fails_the_job_for_good(table: JobTable, ann: int, loop: Loop) -> None:
    uuid = table.submit(ann)
    loop.run_until_idle(lambda task: DocumentEncrypted("It needs a password."))
    job = table.job(uuid)
    assert (job.status, job.reason_code, job.attempt) == (JobStatus.FAILURE, "document_encrypted", 1)


@pytest.mark.parametrize("error", [LanguageNotInstalled("No data for xyz."), EngineMissing("No Tesseract.")])
def test_error_that_concerns_every_page_fails_the_job_at_once(
    table: JobTable, ann: int, loop: Loop, error: LanguageNotInstalled | EngineMissing
) -> None:
    uuid = table.submit(ann)
    loop.run_until_idle(read_all(50, {1: error}))
    assert table.job(uuid).reason_code == error.code
    assert len(loop.pages_started()) <= 2 * loop.executor.capacity + 1


@pytest.mark.parametrize("outcome", [crash(), TimeoutError()])
def test_page_that_dies_once_is_tried_again_and_read(
    table: JobTable, ann: int, loop: Loop, outcome: BaseException
) -> None:
    uuid = table.submit(ann)
    loop.run_until_idle(once(outcome, page=1, page_count=3))
    assert (table.job(uuid).status, table.job(uuid).pages_failed) == (JobStatus.FINISHED, 0)
    assert sorted(loop.pages_started()) == [1, 1, 2, 3]


@pytest.mark.parametrize(("outcome", "code"), [(crash(), "page_crashed"), (TimeoutError(), "page_timeout")])
def test_page_that_dies_twice_is_named_and_the_others_survive(
    table: JobTable, ann: int, loop: Loop, outcome: BaseException, code: str
) -> None:
    uuid = table.submit(ann)
    loop.run_until_idle(read_all(3, {2: outcome}))
    assert table.job(uuid).status == JobStatus.FINISHED
    assert failures(table, uuid) == [(2, code)]
    assert sorted(loop.pages_started()) == [1, 2, 2, 3]
    (warning,) = loop.started(write_results)[0].args[3].warnings
    assert "Page 2" in warning.detail
    assert "twice" in warning.detail


@pytest.mark.parametrize(("outcome", "code"), [(crash(), "page_crashed"), (TimeoutError(), "page_timeout")])
def test_opening_that_dies_twice_fails_the_job(
    table: JobTable, ann: int, loop: Loop, outcome: BaseException, code: str
) -> None:
    uuid = table.submit(ann)
    loop.run_until_idle(lambda task: outcome)
    assert table.job(uuid).reason_code == code
    assert "Opening the document" in (table.job(uuid).reason_detail or "")
    assert len(loop.started(inspect_document)) == 2


def test_bug_in_a_page_costs_the_page_and_not_the_worker(table: JobTable, ann: int, loop: Loop) -> None:
    uuid = table.submit(ann)
    loop.run_until_idle(read_all(2, {1: ZeroDivisionError()}))
    assert table.job(uuid).status == JobStatus.FINISHED
    assert failures(table, uuid) == [(1, "page_unreadable")]


def test_task_that_the_pool_dropped_runs_again(table: JobTable, ann: int, loop: Loop) -> None:
    uuid = table.submit(ann)
    loop.step()
    loop.executor.running[0].future.cancel()
    loop.run_until_idle(read_all(1))
    assert table.job(uuid).status == JobStatus.FINISHED


@pytest.mark.parametrize("function", [inspect_document, checkpoint_page, write_results])
def test_full_storage_gives_the_job_back_for_later(
    table: JobTable, ann: int, loop: Loop, function: Callable[..., Any]
) -> None:
    uuid = table.submit(ann)

    def answer(task: Task) -> Any:
        return StorageFull("The File Storage is full.") if task.function is function else read_all(2)(task)

    loop.run_until_idle(answer)
    job = table.job(uuid)
    assert (job.status, job.attempt) == (JobStatus.QUEUED, 1)
    assert job.not_before_us > table.clock.now_us
    table.clock.move(60)
    loop.run_until_idle(read_all(2))
    assert (table.job(uuid).status, table.job(uuid).attempt) == (JobStatus.FINISHED, 2)


def test_page_that_takes_too_long_is_named_with_its_limit_and_its_size(table: JobTable, ann: int, loop: Loop) -> None:
    uuid = table.submit(ann)
    sizes = DocumentInfo("image/tiff", 2, (), (1_000_000, 35_000_000))
    late = read_all(2, {2: TimeoutError()})
    loop.run_until_idle(lambda task: sizes if task.function is inspect_document else late(task))
    (failure,) = table.read(page_failures, uuid)
    assert (failure.page, failure.code) == (2, "page_timeout")
    assert failure.detail.startswith("Page 2 (35.0 megapixels) took longer than 100 s, twice.")


def test_job_that_takes_too_long_is_stopped_with_the_reason(
    table: JobTable, ann: int, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = table.submit(ann)
    loop.step()
    end(loop.executor.running[0], DocumentInfo("application/pdf", 3))
    loop.step()
    now_s = time.monotonic()
    monkeypatch.setattr("recto.worker.time.monotonic", lambda: now_s + 3600.0 + 3 * 60.0 - 1.0)
    loop.step()
    assert table.job(uuid).ended_us is None
    monkeypatch.setattr("recto.worker.time.monotonic", lambda: now_s + 3600.0 + 3 * 60.0 + 1.0)
    loop.step()
    job = table.job(uuid)
    assert (job.reason_code, loop.executor.running) == ("job_timeout", [])
    assert "longer than 3780 s, the limit for its 3 pages" in (job.reason_detail or "")


def test_format_that_could_not_be_made_is_recorded_with_the_finish(table: JobTable, ann: int, loop: Loop) -> None:
    uuid = table.submit(ann, {"languages": "eng", "formats": "txt+pdf"})
    problem = FormatFailure("pdf", ResultNotMade("The PDF is damaged.", reason="document_damaged"), "Traceback …")

    def answer(task: Task) -> Any:
        return Written((problem,)) if task.function is write_results else read_all(1)(task)

    loop.run_until_idle(answer)
    assert table.job(uuid).status == JobStatus.FINISHED
    found = table.read(derivations.find, uuid, "pdf")
    assert found is not None
    assert (found.error_code, found.error_detail) == ("document_damaged", "The PDF is damaged.")


def test_writing_that_dies_once_is_tried_again_with_the_text_alone(table: JobTable, ann: int, loop: Loop) -> None:
    uuid = table.submit(ann, {"languages": "eng", "formats": "txt+pdf"})
    deaths = [crash()]

    def answer(task: Task) -> Any:
        return deaths.pop() if task.function is write_results and deaths else read_all(1)(task)

    loop.run_until_idle(answer)
    assert table.job(uuid).status == JobStatus.FINISHED
    assert [task.args[4].formats for task in loop.started(write_results)] == [("txt", "pdf"), ("txt",)]


@pytest.mark.parametrize(("languages", "status"), [("auto", JobStatus.FINISHED), ("tha", JobStatus.FAILURE)])
def test_language_that_is_missing_ends_the_job_where_it_was_named_and_the_page_where_it_was_found_out(
    table: JobTable, ann: int, loop: Loop, languages: str, status: JobStatus
) -> None:
    uuid = table.submit(ann, {"languages": languages})
    loop.run_until_idle(read_all(2, {1: LanguageNotInstalled("Nothing reads Thai.")}))
    assert table.job(uuid).status == status
