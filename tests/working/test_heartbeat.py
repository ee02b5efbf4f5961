"""The second thread of the Worker, on a real database with the database's own clock."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from models import JobStatus
from recto.errors import StorageFull
from recto.jobs import Jobs
from recto.workers import list_workers
from recto.working.heartbeat import Heartbeat
from recto.working.page_tasks import EngineReport
from recto.working.presence import Presence
from tests.conftest import POLICY, JobTable

pytestmark = pytest.mark.each_database(long=True)

QUICK = replace(POLICY, lease_s=0.2, renew_s=0.05)
REPORT = EngineReport("double 1.0", ("deu", "eng"), "Recto 1, double 1.0")


@pytest.fixture
def live(table: JobTable) -> JobTable:
    """Short leases under the database's clock."""
    table.jobs = Jobs(QUICK)
    return table


@pytest.fixture
def heartbeat(live: JobTable) -> Heartbeat:
    return Heartbeat("one", live.sessions, live.jobs, REPORT, lambda: 2)


@pytest.fixture
def beating(heartbeat: Heartbeat) -> Iterator[Heartbeat]:
    heartbeat.start()
    yield heartbeat
    heartbeat.stop()


def test_beat_reports_the_worker_with_what_it_has(live: JobTable, heartbeat: Heartbeat) -> None:
    heartbeat.beat(0.0)
    (worker,) = live.read(list_workers)
    assert (worker.name, worker.engine, worker.languages) == ("one", "double 1.0", ("deu", "eng"))
    assert (worker.processes, worker.is_alive) == (2, True)


def test_beat_prolongs_the_leases_that_are_held(live: JobTable, ann: int, heartbeat: Heartbeat) -> None:
    live.submit(ann)
    live.submit(ann)
    held, left = live.claim().lease, live.claim().lease
    before = live.job(held.job_uuid).lease_expires_us or 0
    heartbeat.hold(held)
    heartbeat.hold(left)
    heartbeat.release(left)
    until_left = live.job(left.job_uuid).lease_expires_us
    time.sleep(0.02)
    heartbeat.beat(0.0)
    assert (live.job(held.job_uuid).lease_expires_us or 0) > before
    assert live.job(left.job_uuid).lease_expires_us == until_left


def test_beat_requeues_what_a_dead_worker_left_after_one_more_period(
    live: JobTable, ann: int, heartbeat: Heartbeat
) -> None:
    uuid = live.submit(ann)
    live.claim("dead")
    time.sleep(QUICK.lease_s + 0.05)
    heartbeat.beat(0.0)
    assert live.job(uuid).status == JobStatus.IN_PROGRESS
    heartbeat.beat(QUICK.renew_s)
    assert live.job(uuid).status == JobStatus.QUEUED
    assert live.log(uuid)[-1].reason_code == "worker_lost"


class Deaths(Presence):
    """A Presence that knows of one death."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "one")
        self.forgotten: frozenset[str] = frozenset()

    def dead(self) -> frozenset[str]:
        return frozenset({"dead"}) - self.forgotten

    def forget(self, names: frozenset[str]) -> None:
        self.forgotten |= names


def test_beat_requeues_at_once_what_a_dead_worker_held(live: JobTable, ann: int, tmp_path: Path) -> None:
    deaths = Deaths(tmp_path)
    heartbeat = Heartbeat(deaths.name, live.sessions, live.jobs, REPORT, lambda: 2, deaths)
    for _ in range(2):
        live.submit(ann)
    lost, kept = live.claim("dead").lease, live.claim("living").lease
    heartbeat.beat(0.0)
    assert live.statuses(lost.job_uuid) == ["QUEUED", "IN_PROGRESS", "QUEUED"]
    assert live.log(lost.job_uuid)[-1].reason_detail == "The Worker dead died while it read this document."
    assert live.statuses(kept.job_uuid) == ["QUEUED", "IN_PROGRESS"]
    assert deaths.forgotten == {"dead"}


def test_dead_worker_is_not_forgotten_before_its_jobs_are_requeued(
    live: JobTable, ann: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageFull("The disk of the database is full.")

    deaths = Deaths(tmp_path)
    live.submit(ann)
    live.claim("dead")
    monkeypatch.setattr(Jobs, "requeue_of_dead", full)
    with pytest.raises(StorageFull):
        Heartbeat(deaths.name, live.sessions, live.jobs, REPORT, lambda: 2, deaths).beat(0.0)
    assert deaths.forgotten == frozenset()


def test_thread_keeps_a_lease_alive_far_beyond_its_length(live: JobTable, ann: int, beating: Heartbeat) -> None:
    uuid = live.submit(ann)
    beating.hold(live.claim().lease)
    watcher = Heartbeat("two", live.sessions, live.jobs, REPORT, lambda: 1)
    watcher.start()
    time.sleep(5 * QUICK.lease_s)
    watcher.stop()
    assert live.statuses(uuid) == ["QUEUED", "IN_PROGRESS"]


def test_lease_that_was_lost_is_renewed_no_more(live: JobTable, ann: int, heartbeat: Heartbeat) -> None:
    uuid = live.submit(ann)
    heartbeat.hold(live.claim().lease)
    live.do(live.jobs.cancel, ann, uuid)
    heartbeat.beat(0.0)
    heartbeat.beat(1.0)
    assert live.job(uuid).status == JobStatus.FAILURE


def test_stop_signs_the_worker_off(live: JobTable, heartbeat: Heartbeat) -> None:
    heartbeat.start()
    heartbeat.stop()
    assert [worker.is_alive for worker in live.read(list_workers)] == [False]


def test_thread_goes_on_after_a_beat_that_failed(
    live: JobTable, ann: int, heartbeat: Heartbeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    troubles = [StorageFull("The disk of the database is full.")]
    beaten = threading.Event()
    real = Jobs.heartbeat

    def full_once(self: Jobs, *args: object) -> object:
        if troubles:
            raise troubles.pop()
        beaten.set()
        return real(self, *args)  # type: ignore[arg-type]

    heartbeat.start()
    monkeypatch.setattr(Jobs, "heartbeat", full_once)
    assert beaten.wait(5.0)
    heartbeat.stop()
    assert troubles == []
