"""Waiting for changes: woken soon, nothing missed, and no query for each waiter."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import gevent
import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from recto.changes import ChangeFeed, Deleted
from recto.errors import JobNotFound
from recto.views.jobs import JobView, changes_wanted, get_job
from recto.web.serving.database import db, read
from recto.web.waiting import holding as waiting
from tests.patience import wait_until
from tests.web.clients import Program
from tests.web.conftest import Known
from tests.web.hand_worker import HandWorker

pytestmark = pytest.mark.each_database

SOON_S = 1.0


class Waiter(threading.Thread):
    """Calls `wait` in the context of a request, and keeps what came and when."""

    def __init__(self, app: Flask, wait: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._app = app
        self._wait = wait
        self.answer: Any = None
        self.ended_s = 0.0
        self.start()

    def run(self) -> None:
        try:
            with self._app.test_request_context():
                self.answer = self._wait()
        except JobNotFound as error:
            self.answer = error
        self.ended_s = time.monotonic()
        gevent.get_hub().destroy(destroy_loop=True)

    def end(self) -> Any:
        """What it got; fails where it still waits."""
        self.join(10)
        assert not self.is_alive(), "still waiting"
        return self.answer


def feed_of(app: Flask) -> ChangeFeed:
    feed: ChangeFeed = app.extensions["recto"].feed
    return feed


def until_waiting(app: Flask, count: int) -> None:
    """Until that many waiters have subscribed and the watcher has looked once since."""
    wait_until(lambda: feed_of(app).waiter_count == count, told=lambda: f"{feed_of(app).waiter_count} of {count} wait.")
    time.sleep(0.3)


@contextmanager
def counted_statements(app: Flask) -> Iterator[list[str]]:
    """What this process asks the database, but for the watcher's look at shared memory."""
    statements: list[str] = []

    def note(*arguments: Any) -> None:
        statements.append(arguments[2])

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_waiter_for_the_end_is_woken_soon_and_by_the_end_only(
    app: Flask, ada: Known, program: Program, worker: HandWorker
) -> None:
    uuid = program.submit()
    waiter = Waiter(app, lambda: waiting.wait_for_end(ada.id, uuid, 30))
    until_waiting(app, 1)
    claim = worker.claim(page_count=2)
    worker.read_page(claim, 1)
    time.sleep(0.2)
    assert waiter.is_alive()
    worker.write_results(claim, "text")
    worker.commit_finish(claim)
    committed_s = time.monotonic()
    job: JobView = waiter.end()
    assert job.status == "FINISHED"
    assert len(job.transitions) == 3
    assert job.page_count == 2
    assert waiter.ended_s - committed_s < SOON_S


def test_every_waiter_of_a_job_is_woken(app: Flask, ada: Known, program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    waiters = [Waiter(app, lambda: waiting.wait_for_end(ada.id, uuid, 30)) for _ in range(10)]
    until_waiting(app, 10)
    worker.finish(worker.claim())
    assert {waiter.end().status for waiter in waiters} == {"FINISHED"}
    assert feed_of(app).waiter_count == 0


def test_job_that_ends_between_subscription_and_reading_is_not_missed(
    app: Flask, ada: Known, program: Program, worker: HandWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = program.submit()
    claim = worker.claim()

    def end_first(*arguments: Any) -> Any:
        worker.finish(claim)
        return read(*arguments)

    monkeypatch.setattr(waiting, "read", end_first)
    assert Waiter(app, lambda: waiting.wait_for_end(ada.id, uuid, 30)).end().status == "FINISHED"


def test_job_that_ends_right_after_the_reading_is_not_missed(
    app: Flask, ada: Known, program: Program, worker: HandWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = program.submit()
    claim = worker.claim()

    def end_then(*arguments: Any) -> Any:
        found = read(*arguments)
        worker.finish(claim)
        return found

    monkeypatch.setattr(waiting, "read", end_then)
    waiter = Waiter(app, lambda: waiting.wait_for_end(ada.id, uuid, 30))
    assert waiter.end().status == "FINISHED"


def test_waiter_that_comes_after_a_pause_is_woken_too(
    app: Flask, ada: Known, program: Program, worker: HandWorker
) -> None:
    for _ in range(3):
        uuid = program.submit()
        waiter = Waiter(app, lambda uuid=uuid: waiting.wait_for_end(ada.id, uuid, 30))  # type: ignore[misc]
        until_waiting(app, 1)
        worker.finish(worker.claim())
        assert waiter.end().uuid == uuid


def test_deletion_wakes_those_who_wait_for_the_end(
    app: Flask, ada: Known, program: Program, worker: HandWorker
) -> None:
    uuid = program.submit()
    waiter = Waiter(app, lambda: waiting.wait_for_end(ada.id, uuid, 30))
    until_waiting(app, 1)
    worker.delete(ada.id, uuid)
    assert isinstance(waiter.end(), JobNotFound)


def test_waiter_for_changes_gets_those_of_its_user_only(
    app: Flask, ada: Known, bob: Known, program: Program, other_program: Program, worker: HandWorker
) -> None:
    uuid = program.submit()
    mine = Waiter(app, lambda: waiting.wait_for_change(ada.id, 1, 30))
    other = Waiter(app, lambda: waiting.wait_for_change(bob.id, 1, 0.8))
    until_waiting(app, 2)
    worker.claim()
    assert [job.uuid for job in mine.end().jobs] == [uuid]
    assert other.end().jobs == ()


def test_stop_wakes_all(app: Flask, ada: Known, program: Program) -> None:
    uuid = program.submit()
    waiters = [Waiter(app, lambda: waiting.wait_for_end(ada.id, uuid, 30)) for _ in range(3)]
    waiters.append(Waiter(app, lambda: waiting.wait_for_change(ada.id, 1, 30)))
    until_waiting(app, 4)
    stopped_s = time.monotonic()
    feed_of(app).stop()
    assert [waiter.end().status for waiter in waiters[:3]] == ["QUEUED"] * 3
    assert waiters[3].end().jobs == ()
    assert max(waiter.ended_s for waiter in waiters) - stopped_s < SOON_S
    late = Waiter(app, lambda: waiting.wait_for_end(ada.id, uuid, 30))
    assert late.end().status == "QUEUED"


def statements_while_waiting(app: Flask, ada: Known, uuid: str, worker: HandWorker, count: int) -> tuple[int, int]:
    """(statements while `count` wait and one foreign job changes, statements for waking all of them)."""
    waiters = [Waiter(app, lambda: waiting.wait_for_end(ada.id, uuid, 60)) for _ in range(count)]
    until_waiting(app, count)
    with counted_statements(app) as quiet:
        time.sleep(0.3)
        claim = worker.claim()
        time.sleep(0.4)
    with counted_statements(app) as waking:
        worker.finish(claim)
        for waiter in waiters:
            assert waiter.end().status == "FINISHED"
    return len(quiet), len(waking)


def test_waiters_cost_no_query_each(app: Flask, ada: Known, program: Program, worker: HandWorker) -> None:
    statements_while_waiting(app, ada, program.submit(), worker, 1)  # once, one begins to listen to PostgreSQL
    few = statements_while_waiting(app, ada, program.submit(), worker, 5)
    many = statements_while_waiting(app, ada, program.submit(), worker, 50)
    assert few == many
    assert max(few) < 10


def test_nobody_waiting_costs_no_query(app: Flask, ada: Known, program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    assert Waiter(app, lambda: waiting.wait_for_end(ada.id, uuid, 0.2)).end().status == "QUEUED"
    time.sleep(0.2)
    with counted_statements(app) as statements:
        worker.claim()
        time.sleep(0.3)
    assert statements == []


def test_watcher_survives_a_database_that_fails_for_a_moment(
    app: Flask, ada: Known, program: Program, worker: HandWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults: list[Exception] = [
        OperationalError("SELECT", {}, Exception("disk I/O error")),
        ValueError("an option that a newer Recto wrote"),
    ]

    def failing(*arguments: Any) -> Any:
        if faults:
            raise faults.pop()
        return changes_wanted(*arguments)

    monkeypatch.setattr("recto.changes._PAUSE_AFTER_FAULT_S", 0.05)
    monkeypatch.setattr("recto.changes.changes_wanted", failing)
    uuid = program.submit()
    waiter = Waiter(app, lambda: waiting.wait_for_end(ada.id, uuid, 30))
    until_waiting(app, 1)
    assert faults == []
    worker.finish(worker.claim())
    assert waiter.end().status == "FINISHED"


def test_more_changes_at_once_than_one_reading_takes_are_all_delivered(
    app: Flask, ada: Known, program: Program, worker: HandWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recto.changes.changes_wanted", partial(changes_wanted, limit=2))
    uuids = [program.submit() for _ in range(5)]
    waiters = [Waiter(app, lambda uuid=uuid: waiting.wait_for_end(ada.id, uuid, 30)) for uuid in uuids]  # type: ignore[misc]
    until_waiting(app, 5)
    for claim in [worker.claim() for _ in uuids]:
        worker.finish(claim)
    assert [waiter.end().uuid for waiter in waiters] == uuids


def test_feed_tells_the_same_as_the_database(app: Flask, ada: Known, program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    with feed_of(app).job(uuid) as subscription:
        worker.finish(worker.claim())
        until = time.monotonic() + 10
        news = None
        while time.monotonic() < until and not (isinstance(news, JobView) and news.status == "FINISHED"):
            news = subscription.wait(0.5)
        with app.app_context():
            assert news == read(get_job, ada.id, uuid)
        worker.delete(ada.id, uuid)
        assert isinstance(subscription.wait(5), Deleted)
