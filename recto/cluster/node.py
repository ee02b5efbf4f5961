"""The node's side: a Dask worker that has its tasks run in page processes of its own, which can be killed one by one.

Limits of time and memory hold there as they do on a single machine, and the Dask worker outlives what pages do to their processes.
"""

import asyncio
import pickle  # nosec B403
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from multiprocessing import current_process
from typing import Any, Final

from distributed import Worker, get_worker
from distributed.diagnostics.plugin import WorkerPlugin

from recto.cluster.nodes import NODE, described
from recto.errors import FileNotFound, RectoError, SettingsError
from recto.executors import LocalProcesses, start_engines
from recto.file_storage.base import DOCUMENT
from recto.file_storage.opening import open_storage
from recto.logs import get_logger
from recto.working.page_tasks import PageProcessSetup

_log = get_logger(__name__)
_ENDED: Final = frozenset({"memory", "error"})
_WAITS_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a task has ended in its page process: small, since it goes through the scheduler."""

    result: Any = None
    error: Exception | None = None


def run_on_node(task: bytes, timeout_s: float) -> Ended:
    """What the scheduler has a node call: run a pickled task of recto/working/page_tasks.py in a page process."""
    worker = get_worker()
    node: PageNode = worker.plugins[NODE]  # type: ignore[assignment] # this name is ours
    # Dask itself sends its tasks as pickles over the same connection.
    return node.run(str(worker.get_current_task()), pickle.loads(task), timeout_s)  # nosec B301 # noqa: S301


async def sees_document(uuid: str, dask_worker: Worker) -> bool:
    """What a dispatcher asks a node itself: whether its File Storage holds a document for that job. Raises what kept it from looking."""
    node: PageNode = dask_worker.plugins[NODE]  # type: ignore[assignment] # this name is ours
    return await asyncio.to_thread(node.sees, uuid)


class PageNode(WorkerPlugin):
    """Makes a Dask worker a node: one page process for each of its threads, and tells the scheduler what it can read.

    What a node reads as is a resource of Dask's: tasks name it, and find their node among those that have it.
    """

    name = NODE

    def __init__(self, setup: PageProcessSetup, pages_per_process: int) -> None:
        self._setup = setup
        self._pages_per_process = pages_per_process
        self._lock = threading.Lock()
        self._running: dict[str, Future[Any]] = {}
        self._unwanted: set[str] = set()

    async def setup(self, worker: Worker) -> None:
        """Before the worker registers with the scheduler. SettingsError where it cannot have processes, EngineMissing where they do not start."""
        processes = worker.state.nthreads
        self._processes = LocalProcesses(processes, self._pages_per_process, self._setup)  # started with its first task
        if current_process().daemon:
            raise SettingsError(
                "A Dask nanny started this worker as a daemon, which cannot have page processes. "
                "Start it with --no-nanny, or set DASK_DISTRIBUTED__WORKER__DAEMON=False."
            )
        self._clear_cache()
        try:
            report = await asyncio.to_thread(start_engines, self._processes)
        except BaseException:
            self._processes.stop()
            raise
        worker.state.total_resources[report.result_version] = processes
        worker.state.available_resources[report.result_version] = processes
        worker.startup_information[NODE] = lambda _worker: described(report)
        _log.info("node_ready", node=worker.address, engine=report.engine, processes=processes)

    async def teardown(self, worker: Worker) -> None:  # noqa: ARG002 - Dask's signature
        """The worker stops, or has lost its scheduler: so do its pages."""
        await asyncio.to_thread(self._processes.stop)
        self._clear_cache()

    def sees(self, uuid: str) -> bool:
        """Whether its File Storage holds a document for that job. Not asked of a page process: all may be busy. StorageUnavailable."""
        if self._setup.storage is None:
            return False
        try:
            return open_storage(self._setup.storage).size_bytes(uuid, DOCUMENT) > 0
        except FileNotFound:
            return False

    def _clear_cache(self) -> None:
        """Documents stay on a node no longer than it runs. Another node of this machine goes on with what it reads."""
        if self._setup.document_cache is not None:
            self._setup.document_cache.clear()

    def run(self, key: str, task: Callable[[], Any], timeout_s: float) -> Ended:
        """Run a task and wait for its end. Called in one of the worker's threads."""
        with self._lock:  # the pool may have to be replaced
            future = self._processes.submit(task, timeout_s)
            self._running[key] = future
            if key in self._unwanted:
                future.cancel()
        try:
            return Ended(future.result())
        except Exception as error:  # noqa: BLE001 - the dispatcher gets it, as from a local process
            return Ended(error=error)
        finally:
            with self._lock:
                del self._running[key]
                self._unwanted.discard(key)
                if not self._running:
                    self._unwanted.clear()  # of those that had ended when they were given up

    def transition(self, key: Any, start: str, finish: str, **_more: Any) -> None:
        """Dask tells that a task changes its state: one that nobody wants any more is killed. Dask itself would let its thread go on."""
        if start != "executing" or finish in _ENDED:
            return
        with self._lock:
            self._unwanted.add(str(key))
            future = self._running.get(str(key))
        if future is not None:
            future.cancel()


async def serve(scheduler: str, processes: int, new_plugin: Callable[[], PageNode], stopping: asyncio.Event) -> None:
    """Be a node of that scheduler until `stopping` is set. Where the scheduler goes away, wait for it to come back.

    Raises what `PageNode.setup` raises.
    """
    stop = asyncio.create_task(stopping.wait())
    while not stopping.is_set():
        serving = asyncio.create_task(_serve_once(scheduler, processes, new_plugin()))
        await asyncio.wait([serving, stop], return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            serving.cancel()
        try:
            await serving
        except asyncio.CancelledError:
            continue
        except RuntimeError as error:  # Dask's, for whatever kept the worker from starting
            if isinstance(error.__cause__, RectoError):
                raise error.__cause__ from error
            raise
        _log.warning("scheduler_lost", scheduler=scheduler)
        await asyncio.wait([stop], timeout=_WAITS_S)


async def _serve_once(scheduler: str, processes: int, plugin: PageNode) -> None:
    """Until the scheduler is gone."""
    # Memory is limited in the page processes: this one has none to speak of.
    worker = Worker(scheduler, nthreads=processes, memory_limit=0, plugins=(plugin,))
    async with worker:
        await worker.finished()  # type: ignore[no-untyped-call]
