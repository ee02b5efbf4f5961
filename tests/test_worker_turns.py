"""Whose page the Worker's loop hands out next, and how it keeps its processes busy."""

import threading
import time
from itertools import count
from typing import Any

import pytest
from sqlalchemy.orm import Session

from models import JobStatus
from recto.ocr.documents import DocumentInfo
from recto.working.page_tasks import Written, checkpoint_page, inspect_document, write_results
from tests.conftest import JobTable
from tests.patience import wait_until
from tests.worker_loop import Loop, end, read_all, read_whole

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


def images(table: JobTable, user_id: int, count: int) -> list[str]:
    """Documents of one page, the oldest first."""
    uuids = []
    for _ in range(count):
        uuids.append(table.submit(user_id, media_type="image/png"))
        table.clock.move(1)
    return uuids


def test_job_that_still_waits_a_little_later_lies_ready_for_the_process_that_is_free_next(
    table: JobTable, ann: int, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = [time.monotonic()]
    monkeypatch.setattr("recto.worker.time.monotonic", lambda: now_s[0])
    first, _, third, fourth = images(table, ann, 4)
    now_s[0] += 60.0  # the last start was long ago
    loop.step()
    loop.step()
    assert table.job(third).status == JobStatus.QUEUED  # a Worker that is idle would have taken it
    now_s[0] += 0.2
    loop.step()
    assert [table.job(uuid).status for uuid in (third, fourth)] == [JobStatus.IN_PROGRESS, JobStatus.QUEUED]
    assert len(loop.executor.running) == loop.executor.capacity
    started_when_recorded = []
    finish = table.jobs.finish

    def record(session: Session, *given: Any, **named: Any) -> None:
        started_when_recorded.append([task.uuid for task in loop.executor.running])
        finish(session, *given, **named)

    table.jobs.finish = record  # type: ignore[method-assign]
    end(loop.executor.running[0], read_whole(loop.executor.running[0]))
    loop.step()
    assert table.job(first).status == JobStatus.FINISHED
    assert third in started_when_recorded[0]


def test_worker_wakes_for_what_is_to_lie_ready(table: JobTable, ann: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recto.worker._GLANCE_WHEN_FULL_S", 60.0)
    loop = Loop(table, poll_interval_s=60.0)
    uuids = images(table, ann, 3)
    stopping = threading.Event()
    running = threading.Thread(target=loop.worker.run, args=(stopping,))
    running.start()
    try:
        wait_until(lambda: table.job(uuids[2]).status == JobStatus.IN_PROGRESS, 5.0)
    finally:
        stopping.set()
        end(loop.executor.running[0], read_whole(loop.executor.running[0]))  # wakes it
        running.join()
    assert len(loop.executor.tasks) == loop.executor.capacity
    assert table.job(uuids[2]).status == JobStatus.QUEUED  # handed back


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
        (write_results, Written()),
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
