"""Real runs of the service on one machine: pages a second, and what a page takes of page processes, Worker and database.

Other programs disturb the clock but hardly what is counted here: processor time, the time for which a page process neither runs nor waits for a core,
and the cores that the others had meanwhile, which the prediction is told.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from benchmarks.cluster import Store
from benchmarks.process_memory import family
from benchmarks.processor_times import Scheduled, command, machine_busy_s, scheduled, used_with_children_s
from benchmarks.scaling_model import PageCosts
from benchmarks.server_processes import start, stop
from models import JobEvent, Worker
from recto.commands.page_processes import core_count

_POLL_S: Final = 0.1
_PATIENCE_S: Final = 120.0
_IDLE_S: Final = 10.0
"""Two renewals of leases."""


@dataclass(frozen=True, slots=True)
class Run:
    """What was measured of some Workers, each with so many page processes. `cores_left`: what other programs did not have."""

    name: str
    workers: int
    processes_each: int
    pages: int
    pages_a_second: float
    cores_left: float
    costs: PageCosts
    changes_a_page: float

    @property
    def processes(self) -> int:
        """Page processes of all Workers."""
        return self.workers * self.processes_each


@dataclass(frozen=True, slots=True)
class _Moment:
    """What processes and machine had used at a time, in seconds since 1970 as the database has it."""

    at_s: float
    page_processes: dict[int, Scheduled]
    workers_s: float
    database_s: float
    machine_s: float
    changes: int

    @property
    def reading_s(self) -> float:
        """The page processes' processor time."""
        return sum(process.cpu_s for process in self.page_processes.values())

    @property
    def own_s(self) -> float:
        """That of all that takes part."""
        return self.reading_s + self.workers_s + self.database_s


def run(
    name: str,
    folder: Path,
    documents: Sequence[Path],
    workers: int,
    processes_each: int,
    url: str = "",
    server: int = 0,
) -> Run:
    """`url` of an empty database of PostgreSQL's and the process id of its `server`; SQLite without them. The Workers are ready before the first document comes."""
    store = Store(folder, url)
    asked = [sys.executable, "ocr_worker.py", "run", "--processes", str(processes_each)]
    programs = [start(asked, store.settings) for _ in range(workers)]
    try:
        _wait_for_workers(store.engine, workers)
        pids = [pid for program in programs for pid in family(program.pid)]
        idle = _moment(store.engine, pids, server)
        time.sleep(_IDLE_S)
        moments = [_moment(store.engine, pids, server)]
        store.submit(list(documents))
        store.wait_for_the_end(lambda: moments.append(_moment(store.engine, pids, server)))
        ends_s = _page_ends_s(store.engine)
    finally:
        for program in programs:
            stop(program)
        store.engine.dispose()
    processes = workers * processes_each
    before, after = moments[0], moments[-1]
    idle_cores = (before.workers_s - idle.workers_s) / (before.at_s - idle.at_s) / workers
    changes = (after.changes - before.changes) / len(ends_s)
    return Run(
        name,
        workers,
        processes_each,
        len(ends_s),
        steady_rate(ends_s, processes),
        _cores_left(_nearest(moments, ends_s[0]), _nearest(moments, ends_s[-processes])),
        _costs(before, after, len(ends_s), workers, idle_cores),
        changes,
    )


def steady_rate(ends_s: Sequence[float], processes: int) -> float:
    """Pages a second between the first end of a page and the last one at which all processes had something to read."""
    last = len(ends_s) - processes
    return last / (ends_s[last] - ends_s[0])


def _costs(before: _Moment, after: _Moment, pages: int, workers: int, idle_cores: float) -> PageCosts:
    """Of a page. `idle_cores`: of one Worker that has nothing to read."""
    took_s = after.at_s - before.at_s
    reading_s = after.reading_s - before.reading_s
    waited_s = sum(now.waited_s - before.page_processes[pid].waited_s for pid, now in after.page_processes.items())
    pause_s = max(0.0, len(after.page_processes) * took_s - reading_s - waited_s)
    loop_s = max(0.0, after.workers_s - before.workers_s - workers * idle_cores * took_s)
    database_s = after.database_s - before.database_s
    return PageCosts(reading_s / pages, loop_s / pages, database_s / pages, pause_s / pages, idle_cores)


def _cores_left(before: _Moment, after: _Moment) -> float:
    """Cores that other programs had not."""
    others_s = (after.machine_s - after.own_s) - (before.machine_s - before.own_s)
    return core_count() - max(0.0, others_s) / (after.at_s - before.at_s)


def _nearest(moments: Sequence[_Moment], at_s: float) -> _Moment:
    return min(moments, key=lambda moment: abs(moment.at_s - at_s))


def _moment(engine: Engine, pids: Sequence[int], server: int) -> _Moment:
    readers = {pid: scheduled(pid) for pid in pids if "spawn_main" in command(pid)}
    others_s = sum(scheduled(pid).cpu_s for pid in pids if pid not in readers)
    database_s = sum(map(used_with_children_s, family(server))) if server else 0.0
    with engine.connect() as connection:
        changes = connection.scalar(text("SELECT value FROM change_counter")) or 0
    return _Moment(time.time(), readers, others_s, database_s, machine_busy_s(), changes)


def _wait_for_workers(engine: Engine, count: int) -> None:
    deadline_s = time.monotonic() + _PATIENCE_S
    while True:
        with Session(engine) as session:
            if session.scalar(select(func.count()).select_from(Worker)) == count:
                return
        if time.monotonic() > deadline_s:
            raise SystemExit(f"{count} Workers were not ready after {_PATIENCE_S:g} s.")
        time.sleep(_POLL_S)


def _page_ends_s(engine: Engine) -> list[float]:
    ends = select(JobEvent.timestamp_us).where(JobEvent.kind == "page").order_by(JobEvent.timestamp_us)
    with Session(engine) as session:
        return [end_us / 1e6 for end_us in session.scalars(ends)]
