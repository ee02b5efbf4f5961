"""The Worker's loop on a real database; the pages run in a double whose futures the tests complete."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, TypeVar, cast

import pytest
from pebble import ProcessExpired
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from models import JobStatus
from recto import worker as worker_module
from recto.database.connections import connect
from recto.errors import (
    DatabaseBusy,
    DocumentEncrypted,
    EngineMissing,
    LanguageNotInstalled,
    PageDamaged,
    ResultNotMade,
    StorageFull,
    StorageUnavailable,
)
from recto.jobs import Jobs, Lease
from recto.ocr.documents import DocumentInfo
from recto.ocr.options import Options
from recto.ocr.page import Document, ResultWarning, Step
from recto.records import derivations, meters
from recto.records.meters import Metered
from recto.records.meters import read_all as read_all_meters
from recto.stage_labels import Stage
from recto.time_limits import TimeLimits
from recto.tracing.spans import Tracing
from recto.views.jobs import checkpoints, page_failures, pages_read
from recto.worker import Worker
from recto.working.heartbeat import Heartbeat
from recto.working.page_tasks import (
    EngineReport,
    FormatFailure,
    PageWithoutText,
    checkpoint_page,
    inspect_document,
    write_results,
)
from tests.conftest import JobTable, writing_elsewhere
from tests.patience import wait_until

pytestmark = pytest.mark.each_database

_T = TypeVar("_T")
LIMITS = TimeLimits(
    page_timeout_s=30.0, page_timeout_s_per_megapixel=2.0, job_timeout_s=3600.0, job_timeout_s_per_page=60.0
)


@dataclass(frozen=True)
class Task:
    """One call that the loop handed out."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    future: "Future[Any]"
    timeout_s: float

    @property
    def uuid(self) -> str:
        return cast(str, self.args[0])

    @property
    def page(self) -> int:
        """The page's number; 0 for opening and writing."""
        return cast(int, self.args[2]) if self.function is checkpoint_page else 0


class ScriptedExecutor:
    """An Executor that runs nothing: tests look at the tasks and end them."""

    def __init__(self, capacity: int = 2) -> None:
        self.capacity = capacity
        self.tasks: list[Task] = []

    def submit(self, task: Callable[[], _T], timeout_s: float) -> "Future[_T]":
        assert isinstance(task, partial)
        future: Future[_T] = Future()
        self.tasks.append(Task(task.func, task.args, future, timeout_s))
        return future

    def stop(self) -> None:
        for task in self.tasks:
            task.future.cancel()

    @property
    def running(self) -> list[Task]:
        return [task for task in self.tasks if not task.future.done()]


Answer = Callable[[Task], Any]


class Loop:
    """A Worker that is stepped by hand."""

    def __init__(
        self,
        table: JobTable,
        capacity: int = 2,
        limits: TimeLimits = LIMITS,
        name: str = "one",
        poll_interval_s: float = 0.01,
        tracing: Tracing | None = None,
    ) -> None:
        self.table = table
        self.executor = ScriptedExecutor(capacity)
        report = EngineReport("double 1.0", ("eng",), "Recto 1, double 1.0")
        self.heartbeat = Heartbeat(name, table.sessions, table.jobs, report, lambda: capacity)
        self.worker = Worker(
            name, table.engine, table.jobs, self.executor, self.heartbeat, limits, poll_interval_s, tracing
        )

    def step(self) -> None:
        self.worker.step()

    def run_until_idle(self, answer: Answer) -> None:
        """Step and answer every task until none is left. An exception as the answer is what the task ends with."""
        for _ in range(1000):
            self.step()
            if not self.executor.running:
                return
            for task in self.executor.running:
                end(task, answer(task))
        raise AssertionError("the loop never came to rest")

    def started(self, function: Callable[..., Any]) -> list[Task]:
        return [task for task in self.executor.tasks if task.function is function]

    def pages_started(self) -> list[int]:
        return [task.page for task in self.started(checkpoint_page)]


def end(task: Task, outcome: Any) -> None:
    """None for a page stands for one that was read."""
    if isinstance(outcome, BaseException):
        task.future.set_exception(outcome)
    else:
        task.future.set_result(page_read(task.page) if task.page and outcome is None else outcome)


def page_read(number: int, steps: tuple[Step, ...] = ()) -> PageWithoutText:
    took_s: tuple[tuple[Stage, float], ...] = (("prepare", 0.2), ("recognise", 2.0), ("store", 0.01))
    return PageWithoutText(number, 60, 40, 300.0, ("eng",), "hand 1", steps, (), took_s=took_s)


def read_all(page_count: int, outcomes: dict[int, Any] | None = None) -> Answer:
    """A document whose pages are read, but for those with an outcome of their own."""

    def answer(task: Task) -> Any:
        if task.function is inspect_document:
            return DocumentInfo("application/pdf", page_count)
        if task.function is write_results:
            return ()
        return (outcomes or {}).get(task.page)

    return answer


def once(outcome: BaseException, page: int, page_count: int) -> Answer:
    """The page ends so the first time and is read the second."""
    left = [outcome]

    def answer(task: Task) -> Any:
        if task.page == page and left:
            return left.pop()
        return read_all(page_count)(task)

    return answer


def crash() -> ProcessExpired:
    return ProcessExpired("Abnormal termination")  # type: ignore[no-untyped-call]


def failures(table: JobTable, uuid: str) -> list[tuple[int | None, str]]:
    return [(failure.page, failure.code) for failure in table.read(page_failures, uuid)]


@pytest.fixture
def loop(table: JobTable) -> Loop:
    return Loop(table)


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


def test_small_job_of_another_user_is_read_amid_a_large_one(table: JobTable, ann: int, bob: int, loop: Loop) -> None:
    large = table.submit(ann)
    table.clock.move(1)
    answer = {large: read_all(300)}
    small = ""
    for _ in range(1000):
        loop.step()
        if len(loop.pages_started()) > 20 and not small:
            small = table.submit(bob)
        if small and table.job(small).status == JobStatus.FINISHED:
            break
        for task in loop.executor.running[:1]:
            end(task, answer.get(task.uuid, read_all(1))(task))
    assert table.job(small).status == JobStatus.FINISHED
    assert table.job(large).pages_done < 60


def test_users_take_turns_page_by_page(table: JobTable, ann: int, bob: int, loop: Loop) -> None:
    first, second = table.submit(ann), table.submit(bob)
    loop.run_until_idle(read_all(30))
    order = [task.uuid for task in loop.started(checkpoint_page)]
    assert {order[:30].count(first), order[:30].count(second)} <= set(range(12, 19))


def test_processes_are_kept_busy(table: JobTable, ann: int, loop: Loop) -> None:
    for _ in range(10):
        table.submit(ann)
    loop.step()
    assert len(loop.executor.running) == loop.executor.capacity


@pytest.mark.parametrize(("page_s", "ready"), [(0.001, 1), (1.0, 0)])
def test_one_more_piece_lies_ready_where_pages_are_short(
    table: JobTable, ann: int, loop: Loop, monkeypatch: pytest.MonkeyPatch, page_s: float, ready: int
) -> None:
    now_s = [time.monotonic()]
    monkeypatch.setattr("recto.worker.time.monotonic", lambda: now_s[0])
    table.submit(ann)
    loop.step()
    end(loop.executor.running[0], DocumentInfo("application/pdf", 100))
    for _ in range(20):
        loop.step()
        now_s[0] += page_s
        end(loop.executor.running[0], None)
    loop.step()
    assert len(loop.executor.running) == loop.executor.capacity + ready


@pytest.fixture
def _pages_of_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = count()
    monkeypatch.setattr("recto.worker.time.monotonic", lambda: float(next(seconds)))


@pytest.mark.usefixtures("_pages_of_a_second")
def test_process_goes_on_with_the_next_page_before_the_last_is_recorded(table: JobTable, ann: int, loop: Loop) -> None:
    uuid = table.submit(ann)
    loop.step()
    end(loop.executor.running[0], DocumentInfo("application/pdf", 9))
    loop.step()
    started_when_recorded = []
    adopt_page = table.jobs.adopt_page

    def adopt(session: Session, *given: Any, **named: Any) -> None:
        started_when_recorded.append(len(loop.pages_started()))
        adopt_page(session, *given, **named)

    table.jobs.adopt_page = adopt  # type: ignore[method-assign]
    end(loop.executor.running[0], None)
    loop.step()
    assert (started_when_recorded, table.job(uuid).pages_done) == ([3], 1)


@pytest.mark.usefixtures("_pages_of_a_second")
def test_one_page_of_another_user_waits_for_no_more_than_the_page_that_is_read(
    table: JobTable, ann: int, bob: int, loop: Loop
) -> None:
    table.submit(ann)
    loop.step()
    end(loop.executor.running[0], DocumentInfo("application/pdf", 300))
    loop.step()
    short = table.submit(bob)
    loop.step()  # the Worker hears of it
    end(loop.executor.running[0], None)
    for function, result in (
        (inspect_document, DocumentInfo("application/pdf", 1)),
        (checkpoint_page, None),
        (write_results, ()),
    ):
        loop.step()
        (task,) = [task for task in loop.executor.running if task.uuid == short]
        assert task.function is function
        end(task, result)
    loop.step()
    assert table.job(short).status == JobStatus.FINISHED


def test_jobs_in_hand_stay_few_however_many_users_wait(table: JobTable, loop: Loop) -> None:
    for number in range(20):
        table.submit(table.add_user(f"user{number}"))
    for _ in range(20):
        loop.step()
    claimed = sum(table.statuses(task.uuid)[-1] == "IN_PROGRESS" for task in loop.executor.tasks)
    assert claimed <= 2 * loop.executor.capacity + 1


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


def test_format_that_could_not_be_made_is_recorded_with_the_finish(table: JobTable, ann: int, loop: Loop) -> None:
    uuid = table.submit(ann, {"languages": "eng", "formats": "txt+pdf"})
    problem = FormatFailure("pdf", ResultNotMade("The PDF is damaged.", reason="document_damaged"), "Traceback …")

    def answer(task: Task) -> Any:
        return (problem,) if task.function is write_results else read_all(1)(task)

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


@pytest.mark.parametrize(("languages", "status"), [("auto", JobStatus.FINISHED), ("tha", JobStatus.FAILURE)])
def test_language_that_is_missing_ends_the_job_where_it_was_named_and_the_page_where_it_was_found_out(
    table: JobTable, ann: int, loop: Loop, languages: str, status: JobStatus
) -> None:
    uuid = table.submit(ann, {"languages": languages})
    loop.run_until_idle(read_all(2, {1: LanguageNotInstalled("Nothing reads Thai.")}))
    assert table.job(uuid).status == status


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
