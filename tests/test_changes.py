"""The feed that wakes waiters, with real threads on a real database."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event

from models import JobStatus
from recto.changes import ChangeFeed, Deleted, News, Subscription
from recto.errors import DatabaseBusy
from recto.views.jobs import JobView
from tests.conftest import JobTable

pytestmark = pytest.mark.each_database

PATIENCE_S = 10.0
NOT_YET_S = 0.15


def call(work: Callable[[], Any]) -> Any:
    return work()


@pytest.fixture
def feed(engine: Engine) -> Iterator[ChangeFeed]:
    feed = ChangeFeed(engine, interval_s=0.005, call=call)
    yield feed
    feed.stop()


def view(news: News | None) -> JobView:
    assert isinstance(news, JobView)
    return news


def wait_for(subscription: Subscription, is_it: Callable[[JobView], bool]) -> JobView:
    """The first news that fits; a feed may tell the state that was there already first."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        news = subscription.wait(PATIENCE_S)
        if isinstance(news, JobView) and is_it(news):
            return news
    raise AssertionError("no such news")


def test_waiter_learns_of_its_job_with_the_whole_log(table: JobTable, ann: int, feed: ChangeFeed) -> None:
    uuid = table.submit(ann)
    with feed.job(uuid) as subscription:
        table.do(table.jobs.finish, table.claim().lease)
        news = wait_for(subscription, lambda job: job.status is JobStatus.FINISHED)
    assert news.uuid == uuid
    assert [entry.status.value for entry in news.transitions] == ["QUEUED", "IN_PROGRESS", "FINISHED"]


def test_waiter_hears_nothing_of_other_jobs(table: JobTable, ann: int, feed: ChangeFeed) -> None:
    uuid, other = table.submit(ann), table.submit(ann)
    with feed.job(uuid) as subscription:
        subscription.wait(PATIENCE_S)  # what the first look finds
        table.do(table.jobs.cancel, ann, other)
        assert subscription.wait(NOT_YET_S) is None


def test_waiter_for_a_user_learns_of_each_of_their_jobs_alone(
    table: JobTable, ann: int, bob: int, feed: ChangeFeed
) -> None:
    with feed.user(ann) as subscription:
        assert subscription.wait(NOT_YET_S) is None
        table.submit(bob)
        assert subscription.wait(NOT_YET_S) is None
        uuid = table.submit(ann)
        assert view(subscription.wait(PATIENCE_S)).uuid == uuid


def test_waiter_learns_that_its_job_was_deleted(table: JobTable, ann: int, feed: ChangeFeed) -> None:
    uuid = table.submit(ann)
    with feed.job(uuid) as subscription:
        subscription.wait(PATIENCE_S)
        table.do(table.jobs.delete, ann, uuid)
        assert subscription.wait(PATIENCE_S) == Deleted()


def test_wait_without_a_change_ends_when_the_time_is_up(table: JobTable, ann: int, feed: ChangeFeed) -> None:
    uuid = table.submit(ann)
    with feed.job(uuid) as subscription:
        subscription.wait(PATIENCE_S)
        start_s = time.monotonic()
        assert subscription.wait(0.1) is None
        assert time.monotonic() - start_s >= 0.1


def test_every_waiter_of_a_job_is_woken(table: JobTable, ann: int, feed: ChangeFeed) -> None:
    uuid = table.submit(ann)
    woken: list[str] = []
    ready = threading.Barrier(21)

    def wait() -> None:
        with feed.job(uuid) as subscription:
            ready.wait()
            woken.append(wait_for(subscription, lambda job: job.status.is_final).uuid)

    threads = [threading.Thread(target=wait) for _ in range(20)]
    for thread in threads:
        thread.start()
    ready.wait()
    table.do(table.jobs.cancel, ann, uuid)
    for thread in threads:
        thread.join(PATIENCE_S)
    assert woken == [uuid] * 20
    assert feed.waiter_count == 0


def test_stop_wakes_everybody_with_nothing(table: JobTable, ann: int, feed: ChangeFeed) -> None:
    with feed.job(table.submit(ann)) as one, feed.user(ann) as two:
        one.wait(PATIENCE_S)
        two.wait(PATIENCE_S)
        feed.stop()
        start_s = time.monotonic()
        assert (one.wait(PATIENCE_S), two.wait(PATIENCE_S)) == (None, None)
        assert time.monotonic() - start_s < PATIENCE_S / 2


def test_feed_without_waiters_looks_at_nothing(table: JobTable, ann: int, feed: ChangeFeed, engine: Engine) -> None:
    with feed.job(table.submit(ann)) as subscription:
        subscription.wait(PATIENCE_S)
    time.sleep(0.05)
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    time.sleep(0.1)
    assert asked == []


def test_waiters_while_nothing_changes_cost_no_query(
    table: JobTable, ann: int, feed: ChangeFeed, engine: Engine
) -> None:
    with feed.job(table.submit(ann)) as subscription:
        subscription.wait(PATIENCE_S)
        assert subscription.wait(NOT_YET_S) is None  # PostgreSQL is looked at once more, when it is listened to
        asked: list[str] = []
        event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
        time.sleep(0.1)
    assert asked == []


def test_waiter_that_comes_after_a_pause_is_woken_too(table: JobTable, ann: int, feed: ChangeFeed) -> None:
    for _ in range(30):
        uuid = table.submit(ann)
        with feed.job(uuid) as subscription:
            table.do(table.jobs.cancel, ann, uuid)
            assert wait_for(subscription, lambda job: job.status.is_final).uuid == uuid


@pytest.mark.sqlite_alone
def test_waiters_that_come_and_go_at_once_are_all_woken(table: JobTable, ann: int, feed: ChangeFeed) -> None:
    """The sets of waiters change while the feed goes through them."""
    stopping = threading.Event()
    failures: list[BaseException] = []

    def come_and_go() -> None:
        try:
            while not stopping.is_set():
                with feed.user(ann), feed.job("0b9e3a52-7f0c-4d3e-9a51-6c1f0e2d4b77"):
                    pass
        except BaseException as failure:  # noqa: BLE001 - told to the test
            failures.append(failure)

    threads = [threading.Thread(target=come_and_go) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(40):
            uuid = table.submit(ann)
            with feed.job(uuid) as subscription:
                table.do(table.jobs.cancel, ann, uuid)
                assert wait_for(subscription, lambda job: job.status.is_final).uuid == uuid
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
    assert failures == []


def test_feed_goes_on_after_the_database_failed(table: JobTable, ann: int, engine: Engine) -> None:
    troubles = [DatabaseBusy("busy"), None]

    def sometimes(work: Callable[[], Any]) -> Any:
        trouble = troubles.pop(0) if troubles else None
        if trouble:
            raise trouble
        return work()

    feed = ChangeFeed(engine, interval_s=0.005, call=sometimes)
    uuid = table.submit(ann)
    with feed.job(uuid) as subscription:
        assert view(subscription.wait(PATIENCE_S)).uuid == uuid
    feed.stop()


def test_watcher_that_finds_nothing_new_reads_nothing(table: JobTable, ann: int, engine: Engine) -> None:
    calls: list[object] = []

    def counted(work: Callable[[], Any]) -> Any:
        calls.append(work)
        return work()

    feed = ChangeFeed(engine, interval_s=0.001, call=counted)
    uuid = table.submit(ann)
    with feed.job(uuid) as subscription:
        assert view(subscription.wait(PATIENCE_S)).uuid == uuid
        assert subscription.wait(NOT_YET_S) is None
        calls.clear()
        assert subscription.wait(NOT_YET_S) is None
        assert calls == []
        table.do(table.jobs.cancel, ann, uuid)
        assert view(subscription.wait(PATIENCE_S)).status is JobStatus.FAILURE
        assert len(calls) == 1
    feed.stop()
