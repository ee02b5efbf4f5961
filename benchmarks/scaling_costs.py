"""What single steps cost: transactions of a job, being told of one, a task through Dask's scheduler, a page's requests to an object store.

Counted where it can be (statements, ways to the server while others wait, requests), else processor time of both sides: both hold on a busy machine.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from botocore.client import BaseClient
from sqlalchemy import event
from sqlalchemy.orm import Session

from benchmarks.cluster import nodes, scheduler
from benchmarks.process_memory import family
from benchmarks.processor_times import command, scheduled
from benchmarks.scaling_model import Operation, StoreTraffic
from benchmarks.server_processes import stop
from models import User
from recto import workers
from recto.cluster.executor import DaskExecutor
from recto.commands.page_processes import page_process_setup
from recto.database.commits import Notifications
from recto.database.connections import Begin, connect, transaction, upgrade_schema
from recto.file_storage.base import DOCUMENT, checkpoint_name
from recto.file_storage.opening import prepare_storage
from recto.jobs import Jobs, Lease, QueuePolicy, Submission
from recto.ocr.options import Options
from recto.settings import load_settings
from recto.storage_setup import S3Place, StorageSetup
from recto.working.page_tasks import (
    checkpoint_page,
    describe_result,
    inspect_document,
    prepare_this_process,
    write_results,
)
from tests.cluster.processes import own_engine

_LISTENERS: Final = 8
_IDLE_S: Final = 5.0
_CHECKPOINTS: Final = Path(checkpoint_name("token", 1)).parent.name


@dataclass(frozen=True, slots=True)
class Request:
    """A request to an object store: the name of its operation, and of the object if it is of one."""

    name: str
    key: str = ""


@dataclass(slots=True)
class _Took:
    """Of one operation, each time that it was run."""

    statements: int = 0
    held_steps: int = 0
    took_s: list[float] = field(default_factory=list)
    client_s: float = 0.0
    server_s: float = 0.0


class Bench:
    """Runs the transactions of a job's life on a database and takes note of what they cost."""

    def __init__(self, url: str, server: int = 0) -> None:
        """`server`: the process id of PostgreSQL, 0 for SQLite."""
        self.engine = connect(url, 30.0)
        upgrade_schema(self.engine)
        self._server = server
        self._jobs = Jobs(QueuePolicy(**load_settings({}).queue.model_dump()))
        self._took: dict[str, _Took] = {}
        self._statements: list[str] = []
        event.listen(self.engine, "before_cursor_execute", lambda *given: self._statements.append(given[2]))
        with transaction(Session(self.engine), Begin.WRITE) as session:
            session.add(User(name="bench", password_hash="-", is_admin=False, created_us=0))  # noqa: S106 - no password
        self._life()  # the first time, connections are made and statements are built
        self._took.clear()

    def measure(self, repeats: int) -> dict[str, Operation]:
        """Of each operation, the means; of the clock the median."""
        for _ in range(repeats):
            self._life()
        return {name: self._operation(took) for name, took in self._took.items()}

    def _operation(self, took: _Took) -> Operation:
        count = len(took.took_s)
        return Operation(
            took.statements,
            took.held_steps,
            1000 * statistics.median(took.took_s),
            1000 * took.client_s / count,
            1000 * took.server_s / count,
        )

    def _life(self) -> None:
        """A document of one page, from its submission to its end, and what a Worker asks meanwhile."""
        jobs, uuid = self._jobs, str(uuid4())
        self._do("submit", jobs.submit, Submission(uuid, 1, "letter.png", "image/png", 100_000, {"languages": "eng"}))
        self._do("look", jobs.has_claimable, [], begin=Begin.READ)
        lease: Lease = self._do("claim", jobs.claim_next, "bench", begin=Begin.CLAIM).lease
        self._do("opened", jobs.set_page_count, lease, 1)
        self._do("page", jobs.adopt_page, lease, 1)
        self._do("held", jobs.still_held, [lease], begin=Begin.READ)
        self._do("beat", self._beat, lease)
        self._do("finish", jobs.finish, lease)

    def _beat(self, session: Session, lease: Lease) -> None:
        """Without what is left behind by others: it looks for that as well."""
        self._jobs.heartbeat(session, [lease])
        workers.report(session, "bench", "0", "tesseract", ["eng"], 8)

    def _do(self, name: str, operation: Callable[..., Any], *arguments: Any, begin: Begin = Begin.WRITE) -> Any:
        took = self._took.setdefault(name, _Took())
        self._statements.clear()
        server_s, client_s, began_s = self._server_s(), time.process_time(), time.perf_counter()
        with transaction(Session(self.engine), begin) as session:
            answer = operation(session, *arguments)
        took.took_s.append(time.perf_counter() - began_s)
        took.client_s += time.process_time() - client_s
        took.server_s += self._server_s() - server_s
        took.statements = len(self._statements)
        took.held_steps = held_steps(self._statements)
        return answer

    def _server_s(self) -> float:
        """Of those of its processes that serve a connection: the others come and go."""
        if not self._server:
            return 0.0
        return sum(scheduled(pid).cpu_s for pid in family(self._server) if "postgres: recto" in command(pid))

    def told(self, changes: int) -> tuple[float, float]:
        """Milliseconds of processor time, PostgreSQL's and the listener's, for one listener that hears of one change. As Workers and Backends listen."""
        alone = self._changes(changes)
        listening = [Notifications(self.engine) for _ in range(_LISTENERS)]
        for each in listening:
            each.start()
        time.sleep(2.0)  # until all listen
        together = self._changes(changes)
        for each in listening:
            each.close()
        server_ms, client_ms = (
            max(0.0, 1000 * (with_them - without) / changes / _LISTENERS)
            for with_them, without in zip(together, alone, strict=True)
        )
        return server_ms, client_ms

    def _changes(self, count: int) -> tuple[float, float]:
        """Processor time of server and client for so many changes, each after the one before was told."""
        server_s, client_s = self._server_s(), time.process_time()
        for _ in range(count):
            with transaction(Session(self.engine), Begin.WRITE) as session:
                submission = Submission(str(uuid4()), 1, "letter.png", "image/png", 100, {"languages": "eng"})
                self._jobs.submit(session, submission)
            time.sleep(0.02)
        return self._server_s() - server_s, time.process_time() - client_s


def held_steps(statements: list[str]) -> int:
    """From the first that takes a number of a change to the commit; 0 where none does."""
    for number, statement in enumerate(statements):
        if "change_counter" in statement and "UPDATE" in statement:
            return len(statements) - number + 1
    return 0


def task_ms(folder: Path, count: int) -> tuple[float, float]:
    """Milliseconds of processor time that one task takes of Dask's scheduler, and of the process that has sent it."""
    folder.mkdir()
    settings = {"RECTO_LOG_LEVEL": "warning", "RECTO_FILE_STORAGE_PATH": str(folder)}
    processes, address = scheduler(folder)
    processes += nodes(address, settings, 1)
    executor = DaskExecutor(address, own_engine())
    try:
        while executor.capacity < 1:
            time.sleep(0.1)
        _some_tasks(executor, 16)
        idle = _used(processes[0].pid, lambda: time.sleep(_IDLE_S))
        busy = _used(processes[0].pid, lambda: _some_tasks(executor, count))
        # What they use while nothing happens goes by the clock, and has nothing to do with tasks.
        scheduler_s, client_s = (
            used - meanwhile * busy.took_s / idle.took_s
            for used, meanwhile in ((busy.server_s, idle.server_s), (busy.client_s, idle.client_s))
        )
        return max(0.0, 1000 * scheduler_s / count), max(0.0, 1000 * client_s / count)
    finally:
        executor.stop()
        for process in reversed(processes):
            stop(process)


@dataclass(frozen=True, slots=True)
class _Used:
    """Seconds by the clock, and of processor time: a server's, and this process's."""

    took_s: float
    server_s: float
    client_s: float


def _used(server: int, action: Callable[[], object]) -> _Used:
    began_s, server_s, client_s = time.monotonic(), scheduled(server).cpu_s, time.process_time()
    action()
    return _Used(time.monotonic() - began_s, scheduled(server).cpu_s - server_s, time.process_time() - client_s)


def _some_tasks(executor: DaskExecutor, count: int) -> None:
    """As many on their way as a dispatcher has for a node of eight processes."""
    for _ in range(0, count, 8):
        for future in [executor.submit(_nothing, 60.0) for _ in range(8)]:
            future.result()


def _nothing() -> None:
    """A task."""


def store_traffic(place: S3Place, document: Path, page_count: int) -> StoreTraffic:
    """Of a document of `page_count` pages, all read by one process: one of its own, since page processes keep their temporary files apart."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_store_traffic, (place, document, page_count))


def _store_traffic(place: S3Place, document: Path, page_count: int) -> StoreTraffic:
    """Its bytes are those of what lies in the store at the end."""
    uuid, token, options = str(uuid4()), "0" * 32, Options(languages=("eng",), mode="force")
    pages = range(1, page_count + 1)
    with tempfile.TemporaryDirectory() as name:
        setup = StorageSetup(Path(name), s3=place)
        storage = prepare_storage(setup)
        prepare_this_process(replace(page_process_setup(load_settings({}), with_storage=False), storage=setup))
        with _requests() as opening:
            incoming = storage.incoming()
            incoming.file.write(document.read_bytes())
            incoming.keep(uuid, DOCUMENT)
            inspect_document(uuid)
        with _requests() as reading:
            for number in pages:
                checkpoint_page(uuid, token, number, options)
        with _requests() as writing:
            result = describe_result(page_count, (), datetime.now(UTC), options)
            write_results(uuid, token, [(number, token) for number in pages], result, options)
        written_bytes = sum(file.size_bytes for file in storage.contents(uuid) if file.name != DOCUMENT)
    return traffic_of((opening, reading, writing), page_count, document.stat().st_size, written_bytes)


def traffic_of(
    stages: tuple[list[Request], list[Request], list[Request]], page_count: int, document_bytes: int, written_bytes: int
) -> StoreTraffic:
    """From the requests for one document while it was sent and opened, read, and written. It was fetched once."""
    made = [request for stage in stages for request in stage]
    fetches = [request for request in made if request.name == "GetObject" and request.key.endswith(f"/{DOCUMENT}")]
    of_pages = [request for request in stages[1] if request not in fetches]
    of_pages += [request for request in stages[2] if f"/{_CHECKPOINTS}/" in request.key]
    puts, puts_of_pages = _puts(made), _puts(of_pages)
    gets, gets_of_pages = _gets(made), _gets(of_pages)
    return StoreTraffic(
        puts_a_page=puts_of_pages / page_count,
        gets_a_page=gets_of_pages / page_count,
        puts_a_document=puts - puts_of_pages,
        gets_a_document=gets - gets_of_pages - len(fetches),
        gets_a_page_fetched=len(fetches) / page_count,
        document_bytes_a_page=document_bytes / page_count,
        written_bytes_a_page=written_bytes / page_count,
    )


def _puts(requests: list[Request]) -> int:
    """What is billed as writing: lists are as well."""
    return sum(not request.name.startswith(("Get", "Head", "Delete")) for request in requests)


def _gets(requests: list[Request]) -> int:
    """What is billed as reading. Deletions are not billed."""
    return sum(request.name.startswith(("Get", "Head")) for request in requests)


@contextmanager
def _requests() -> Iterator[list[Request]]:
    """Those that boto3 makes in this process meanwhile; repetitions of failed ones count once."""
    made: list[Request] = []
    call = BaseClient._make_api_call  # noqa: SLF001 - all clients pass here, and the File Storage makes its own

    def counted(client: Any, operation: str, arguments: Any) -> Any:
        made.append(Request(operation, arguments.get("Key", "")))
        return call(client, operation, arguments)

    BaseClient._make_api_call = counted  # noqa: SLF001
    try:
        yield made
    finally:
        BaseClient._make_api_call = call  # noqa: SLF001
