"""Whose page the Worker's loop hands out next, and how it keeps its processes busy."""

import time
from itertools import count
from typing import Any

import pytest
from sqlalchemy.orm import Session

from models import JobStatus
from recto.ocr.documents import DocumentInfo
from recto.working.page_tasks import checkpoint_page, inspect_document, write_results
from tests.conftest import JobTable
from tests.worker_loop import Loop, end, read_all

pytestmark = pytest.mark.each_database


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
