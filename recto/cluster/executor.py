"""The dispatcher's side: an Executor on the nodes of a Dask cluster.

The Database decides who owns a job; the scheduler only runs pieces of work of jobs that were claimed. It gets names and numbers: documents and
what was read go between a node and the File Storage. Where a node is lost, the scheduler runs what it had on another one.
"""

import asyncio
import pickle  # nosec B403
import threading
from collections.abc import Callable, Collection
from concurrent.futures import CancelledError, Future
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Any, Final, TypeVar
from uuid import uuid4
from weakref import WeakSet

from distributed import Client, Security
from distributed.client import FutureCancelledError
from distributed.scheduler import KilledWorker

from recto.cluster.node import Ended, run_on_node
from recto.cluster.nodes import Nodes, sort_nodes, with_storage
from recto.cluster.storage_check import StorageCheck
from recto.file_storage.base import FileStorage
from recto.logs import get_logger
from recto.working.page_tasks import EngineReport

_log = get_logger(__name__)
_T = TypeVar("_T")
_CONNECT_TIMEOUT_S: Final = 5.0
_RETRY_S: Final = 1.0
_LOOK_S: Final = 1.0
"""How often the nodes are looked at. The scheduler tells some kilobytes of each."""


class DaskExecutor:
    """Implements Executor by the scheduler at `address`, on nodes that read as `engine`. Has a thread for what it says to the scheduler.

    `capacity` is 0 while there is no scheduler or no node. Where the scheduler goes away, the futures of what it had end as cancelled.
    """

    def __init__(
        self,
        address: str,
        engine: EngineReport,
        storage: FileStorage | None = None,
        security: Security | None = None,
    ) -> None:
        """Every node has to show that it has this File Storage: one with another would fail all jobs, and quickly. Without it, none is asked."""
        self.capacity = 0
        self.nodes = Nodes()
        self._check = StorageCheck(storage)
        self._address = address
        self._engine = engine
        self._security = security
        self._client: Client | None = None
        self._homes: dict[asyncio.Future[None], frozenset[str]] = {}
        """For each piece of work the nodes that may do it; what it belongs to has a result once none of them is left, or no scheduler.

        Dask would wait for a node that fits, and does not end what was submitted while its connection was breaking.
        """
        self._futures: WeakSet[Future[Any]] = WeakSet()
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="scheduler", daemon=True)
        self._thread.start()
        self._started.wait()

    def submit(self, task: Callable[[], _T], timeout_s: float) -> "Future[_T]":
        """See Executor. The limit holds for the page process, not for waiting or the way."""
        name = task.func.__name__ if isinstance(task, partial) else getattr(task, "__name__", "task")
        # As bytes: Dask would look for other tasks among the arguments.
        running = self._on_a_node(f"{name}-{uuid4().hex}", pickle.dumps(task), timeout_s)
        future: Future[_T] = asyncio.run_coroutine_threadsafe(running, self._loop)
        self._futures.add(future)
        return future

    def stop(self) -> None:
        """See Executor. The nodes kill what runs as soon as they hear of it."""
        for future in list(self._futures):
            future.cancel()
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        self._started.set()
        connection = asyncio.create_task(self._keep_connected())
        await self._stopping.wait()
        connection.cancel()
        await asyncio.wait([connection])

    async def _keep_connected(self) -> None:
        told = ""
        while True:
            try:
                async with self._new_client() as client:
                    self._client, told = client, ""
                    _log.info("scheduler_connected", scheduler=self._address)
                    await self._watch(client)
            except Exception as error:  # noqa: BLE001 - whatever it is, the dispatcher says it once and goes on asking
                if (what := f"{type(error).__name__}: {error}") != told:
                    _log.warning("scheduler_not_reached", scheduler=self._address, error=what)
                    told = what
            finally:
                self._client = None
                self._check.forget()
                self._take_note(Nodes())
            await asyncio.sleep(_RETRY_S)

    def _new_client(self) -> Client:
        return Client(  # type: ignore[no-untyped-call]
            self._address,
            asynchronous=True,
            security=self._security,
            timeout=_CONNECT_TIMEOUT_S,
            set_as_default=False,
            name="recto-dispatcher",
        )

    async def _watch(self, client: Client) -> None:
        """Until the connection is lost. OSError where that shows."""
        while client.status == "running":
            identity = await client.scheduler.identity(n_workers=-1)  # type: ignore[union-attr] # running: there is one
            self._take_note(sort_nodes(identity["workers"], self._engine), client)
            await asyncio.sleep(_LOOK_S)

    def _take_note(self, alike: Nodes, client: Client | None = None) -> None:
        """Of the nodes that are there now. Changes are logged."""
        addresses = [node.address for node in alike.used]
        objections = self._check.objections(client, addresses) if client else {}
        before, self.nodes = self.nodes, with_storage(alike, objections)
        self.capacity = self.nodes.processes
        self._give_up_without({node.address for node in self.nodes.used})
        for address, reason in self.nodes.refused.items():
            if reason != before.refused.get(address):
                _log.warning("node_refused", node=address, reason=reason)
        if self.nodes.processes != before.processes:
            _log.info("nodes_changed", nodes=len(self.nodes.used), processes=self.capacity)

    def _give_up_without(self, addresses: Collection[str]) -> None:
        for given_up, homes in self._homes.items():
            if homes.isdisjoint(addresses) and not given_up.done():
                given_up.set_result(None)

    async def _on_a_node(self, key: str, task: bytes, timeout_s: float) -> Any:
        client, homes = self._client, frozenset(node.address for node in self.nodes.used)
        if client is None or client.status != "running" or not homes:
            raise asyncio.CancelledError  # the loop asks again
        # By name: a node with another File Storage may read alike.
        what = {"key": key, "workers": sorted(homes), "resources": {self._engine.result_version: 1}, "pure": False}
        future: Any = client.submit(run_on_node, task, timeout_s, **what)
        given_up: asyncio.Future[None] = self._loop.create_future()
        self._homes[given_up] = homes
        ending = asyncio.ensure_future(_end_of(future))
        try:
            either: set[asyncio.Future[Any]] = {ending, given_up}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not ending.done():
                raise asyncio.CancelledError
            ended = ending.result()
        except FutureCancelledError as error:
            raise asyncio.CancelledError from error
        except KilledWorker as error:
            # Not its page process alone, but node after node: memory that the kernel had to take back, most likely.
            raise BrokenProcessPool(str(error)) from error
        finally:
            del self._homes[given_up]
            ending.cancel()
            future.release()  # where it still runs, the scheduler has the node stop it
        if isinstance(ended.error, CancelledError):
            raise asyncio.CancelledError
        if ended.error is not None:
            raise ended.error
        return ended.result


async def _end_of(future: Any) -> Ended:
    ended: Ended = await future
    return ended
