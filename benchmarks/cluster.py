"""Pages a minute through a Dask cluster on this machine, against the Worker alone: what the way over the scheduler costs.

    python -m benchmarks.cluster [--pages N] [--rounds N] [--tasks N] [--json FILE]

worker     `ocr_worker.py run` with a page process for each core
cluster    a Dask scheduler, a one-process `ocr_worker.py node` for each core, and `ocr_worker.py dispatch`

Both read the same drawn pages (300 dpi, English), half of them in documents of six pages and half in documents of one, from the same kind of database and File
Storage; the documents lie there before either starts, and what is measured is from the first claim to the last end. The two take turns, round after round, and
every round begins with fresh processes. The ratio is that of the medians: 1 says that the cluster was as fast. Beside it stands the processor
time that a page took in all processes together. What Dask's processes use while they wait goes by the clock, so that on a machine which other programs use as well, and where pages take
longer, it says too much: the ratio by the clock is what counts, on an idle machine.

Then what one task costs: N tasks that do nothing, one after another, through the scheduler and through local page processes; and the bytes that
one page sends through the scheduler.
"""

import argparse
import json
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker
from tabulate import tabulate

from benchmarks.process_memory import family
from benchmarks.server_processes import cpu_s, start, stop
from benchmarks.throughput import draw_documents
from models import Job, JobStatus, JobStatusTransition, User
from recto.cluster.executor import DaskExecutor
from recto.cluster.node import Ended
from recto.commands.page_processes import core_count, page_process_setup
from recto.database.connections import Begin, connect, transaction, upgrade_schema
from recto.executors import Executor, LocalProcesses, start_engines
from recto.file_storage.base import DOCUMENT
from recto.file_storage.volume import VolumeStorage
from recto.jobs import Jobs, QueuePolicy, Submission
from recto.ocr.document_file import DocumentFile
from recto.ocr.options import Options
from recto.settings import load_settings
from recto.working.page_tasks import EngineReport, checkpoint_page, prepare_this_process, read_page, without_text
from tests.cluster.processes import own_engine
from tests.patience import wait_until

_POLL_S: Final = 0.2
_PATIENCE_S: Final = 600.0
_OPTIONS: Final = {"languages": "eng", "mode": "force"}
_SETTINGS: Final = {"RECTO_LOG_LEVEL": "warning", "RECTO_WORKER_PAGE_TIMEOUT_S": "3600"}
Processes = list["subprocess.Popen[str]"]


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds from the first claim to the last end, the pages that were read in them, and what all processes together used of the processors."""

    took_s: float
    pages: int
    cpu_s: float

    @property
    def pages_a_minute(self) -> float:
        """The speed."""
        return 60 * self.pages / self.took_s


class Store:
    """A database and a File Storage, at first without jobs."""

    def __init__(self, folder: Path, url: str = "") -> None:
        """`url` of an empty database; a file of SQLite's in the folder without it."""
        folder.mkdir()
        self.settings = _SETTINGS | {"RECTO_FILE_STORAGE_PATH": str(folder), "RECTO_DATABASE_URL": url}
        self.engine = connect(url or f"sqlite:///{folder / 'recto.db'}", 30.0)
        upgrade_schema(self.engine)
        self._sessions: sessionmaker[Session] = sessionmaker(self.engine)
        self._storage = VolumeStorage(folder)
        with transaction(self._sessions(), Begin.WRITE) as session:
            user = User(name="bench", password_hash="-", is_admin=False, created_us=0)  # noqa: S106 - no password
            session.add(user)
            session.flush()
            self._user_id = user.id

    def submit(self, documents: list[Path]) -> None:
        """A job for each of them."""
        jobs = Jobs(QueuePolicy(**load_settings({}).queue.model_dump()))
        for number, document in enumerate(documents):
            incoming = self._storage.incoming()
            incoming.file.write(document.read_bytes())
            uuid = f"00000000-0000-4000-8000-{number:012d}"
            incoming.keep(uuid, DOCUMENT)
            media_type = "application/pdf" if document.suffix == ".pdf" else "image/png"
            submission = Submission(uuid, self._user_id, document.name, media_type, document.stat().st_size, _OPTIONS)
            with transaction(self._sessions(), Begin.WRITE) as session:
                jobs.submit(session, submission)

    def measure(self, processes: Processes) -> Run:
        """Wait for the last end."""
        while not self._count(Job.status != JobStatus.QUEUED):
            time.sleep(_POLL_S)
        cpu_before_s = _cpu_s(processes)
        self.wait_for_the_end()
        used_s = _cpu_s(processes) - cpu_before_s
        with self._sessions() as session:
            claimed = select(func.min(JobStatusTransition.timestamp_us)).where(
                JobStatusTransition.status == JobStatus.IN_PROGRESS
            )
            began_us = session.scalars(claimed).one()
            ended_us, pages = session.execute(select(func.max(Job.ended_us), func.sum(Job.pages_done))).one()
        self.engine.dispose()
        return Run(((ended_us or 0) - began_us) / 1_000_000, pages, used_s)

    def wait_for_the_end(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Of the last job. SystemExit where one failed."""
        while self._count(Job.ended_us.is_(None)):
            time.sleep(_POLL_S)
            meanwhile()
        if failed := self._count(Job.status == JobStatus.FAILURE):
            raise SystemExit(f"{failed} documents could not be read.")

    def _count(self, where: Any) -> int:
        with self._sessions() as session:
            return session.scalar(select(func.count()).select_from(Job).where(where)) or 0


def worker(settings: dict[str, str]) -> Processes:
    return [start([sys.executable, "ocr_worker.py", "run", "--processes", str(core_count())], settings)]


def scheduler(folder: Path) -> tuple[Processes, str]:
    file = folder / "scheduler.json"
    where = ["--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(file)]
    process = start([sys.executable, "-m", "distributed.cli.dask_scheduler", *where])
    wait_until(lambda: file.exists() and file.read_text().endswith("}"), _PATIENCE_S, "the scheduler")
    return [process], json.loads(file.read_text())["address"]


def nodes(address: str, settings: dict[str, str], count: int) -> Processes:
    command = [sys.executable, "ocr_worker.py", "node", "--scheduler", address, "--processes", "1"]
    return [start(command, settings) for _ in range(count)]


def through_worker(folder: Path, documents: list[Path]) -> Run:
    store = Store(folder)
    store.submit(documents)
    return _measured(store, worker(store.settings))


def through_cluster(folder: Path, documents: list[Path], engine: EngineReport) -> Run:
    """The dispatcher starts when the nodes are there: it would begin with the first one alone."""
    store = Store(folder)
    store.submit(documents)
    processes, address = scheduler(folder)
    processes += nodes(address, store.settings, core_count())
    waiting = DaskExecutor(address, engine)
    wait_until(lambda: waiting.capacity == core_count(), _PATIENCE_S, "a node for each core")
    waiting.stop()
    processes.append(start([sys.executable, "ocr_worker.py", "dispatch", "--scheduler", address], store.settings))
    return _measured(store, processes)


def _measured(store: Store, processes: Processes) -> Run:
    try:
        return store.measure(processes)
    finally:
        for process in reversed(processes):
            stop(process)


def _cpu_s(processes: Processes) -> float:
    """Of these and all that they have started."""
    return sum(cpu_s(pid) for process in processes for pid in family(process.pid))


def task_ms(executor: Executor, count: int) -> float:
    """Milliseconds that a task takes which does nothing: the median of `count`, one after another."""
    took = []
    for _ in range(count):
        began_s = time.perf_counter()
        _result(executor.submit(partial(time.sleep, 0), 60.0))
        took.append(time.perf_counter() - began_s)
    return 1000 * statistics.median(took)


def tasks_a_second(executor: Executor, count: int) -> float:
    """With as many at once as a dispatcher has in flight on a hundred page processes."""
    began_s = time.perf_counter()
    for begin in range(0, count, 100):
        for future in [executor.submit(partial(time.sleep, 0), 60.0) for _ in range(begin, min(begin + 100, count))]:
            _result(future)
    return count / (time.perf_counter() - began_s)


def _result(future: "Future[Any]") -> None:
    future.result()


def bytes_a_page(document: Path) -> dict[str, int]:
    """What a page sends through the scheduler as Recto's own, there and back; Dask adds its envelope. And the text that it does not send."""
    options = Options(languages=("eng",), mode="force")
    uuid, token = "00000000-0000-4000-8000-000000000000", "0" * 32
    setup = page_process_setup(load_settings({}), with_storage=False)
    prepare_this_process(setup)
    page = read_page(DocumentFile(document), 1, options)
    task = len(pickle.dumps(partial(checkpoint_page, uuid, token, 1, options)))
    return {
        "task": task,
        "answer": len(pickle.dumps(Ended(without_text(page)))),
        "document": document.stat().st_size,
        "page_with_text": len(pickle.dumps(page)),
    }


def overhead(folder: Path, engine: EngineReport, count: int) -> dict[str, float]:
    """Of a task that does nothing: through the scheduler, and in local page processes."""
    # Both at the same priority: the local page processes here are those of `recognise`, which stand back for nobody.
    settings = _SETTINGS | {"RECTO_FILE_STORAGE_PATH": str(folder), "RECTO_WORKER_NICENESS": "0"}
    processes, address = scheduler(folder)
    processes += nodes(address, settings, 1)
    local = LocalProcesses(1, 1_000_000, page_process_setup(load_settings({}), with_storage=False))
    through = DaskExecutor(address, engine)
    try:
        start_engines(local)
        wait_until(lambda: through.capacity >= 1, _PATIENCE_S, "a node")
        return {
            "task_through_scheduler_ms": task_ms(through, count),
            "task_in_local_process_ms": task_ms(local, count),
            "tasks_a_second_through_scheduler": tasks_a_second(through, count),
        }
    finally:
        through.stop()
        local.stop()
        for process in reversed(processes):
            stop(process)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=48, help="drawn pages of a round (48)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each (3)")
    parser.add_argument("--tasks", type=int, default=200, help="tasks that do nothing (200)")
    parser.add_argument("--json", type=Path, help="write what was measured into this file as well")
    asked = parser.parse_args()
    engine = own_engine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        documents = draw_documents(folder / "documents", asked.pages)
        runs: dict[str, list[Run]] = {"worker": [], "cluster": []}
        for number in range(asked.rounds):
            runs["worker"].append(through_worker(folder / f"worker-{number}", documents))
            runs["cluster"].append(through_cluster(folder / f"cluster-{number}", documents, engine))
        (folder / "tasks").mkdir()
        costs = overhead(folder / "tasks", engine, asked.tasks)
        sizes = bytes_a_page(documents[0])
    medians = {name: statistics.median(run.pages_a_minute for run in each) for name, each in runs.items()}
    cpu = {name: statistics.median(run.cpu_s / run.pages for run in each) for name, each in runs.items()}
    report = {
        "cores": core_count(),
        "runs": {name: [asdict(run) for run in each] for name, each in runs.items()},
        "pages_a_minute": medians,
        "ratio": medians["cluster"] / medians["worker"],
        "cpu_s_a_page": cpu,
        **costs,
        "bytes_a_page": sizes,
    }
    print(json.dumps(report))
    rows = [
        [name, *(f"{run.pages_a_minute:.1f}" for run in each), f"{medians[name]:.1f}", f"{cpu[name]:.3f}"]
        for name, each in runs.items()
    ]
    heads = [
        "",
        *(f"round {number + 1}" for number in range(asked.rounds)),
        "median, pages a minute",
        "processor s a page",
    ]
    print(tabulate(rows, heads, disable_numparse=True))
    print(f"cluster / worker: {report['ratio']:.3f}")
    if asked.json:
        asked.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
