"""The Worker's loop, stepped by hand: its pages run in a double whose futures the tests complete."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast

from pebble import ProcessExpired

from recto.ocr.documents import DocumentInfo
from recto.ocr.page import Step
from recto.stage_labels import Stage
from recto.time_limits import TimeLimits
from recto.tracing.spans import Tracing
from recto.views.jobs import page_failures
from recto.worker import Worker
from recto.working.heartbeat import Heartbeat
from recto.working.page_tasks import (
    EngineReport,
    PageWithoutText,
    WholeDocument,
    Written,
    checkpoint_page,
    inspect_document,
    read_whole_document,
    write_results,
)
from tests.conftest import JobTable

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


def read_whole(task: Task) -> Any:
    """Of a document of one page, all of it; of other work what `read_all` gives."""
    if task.function is not read_whole_document:
        return read_all(1)(task)
    page = page_read(1)
    return WholeDocument(DocumentInfo("image/png", 1), page, Written(), (("open", 0.01), *page.took_s, ("write", 0.02)))


def read_all(page_count: int, outcomes: dict[int, Any] | None = None) -> Answer:
    """A document whose pages are read, but for those with an outcome of their own."""

    def answer(task: Task) -> Any:
        if task.function is inspect_document:
            return DocumentInfo("application/pdf", page_count)
        if task.function is write_results:
            return Written()
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
