"""Where pages run: in local processes that can be killed one by one.

The pool is pebble's: each task has a time limit after which its process is killed, a cancelled task's process is killed too, and
a process that dies costs only the task it had.
"""

import os
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, Final, Protocol, TypeVar
from weakref import WeakSet

from pebble import CONSTS, ProcessExpired, ProcessPool

from recto.errors import EngineMissing
from recto.logs import get_logger
from recto.working.page_tasks import EngineReport, PageProcessSetup, describe_engine, start_page_process

_log = get_logger(__name__)
_T = TypeVar("_T")
_START_TIMEOUT_S: Final = 120.0

CONSTS.sleep_unit = 0.25
"""Seconds between two looks of the pool at its processes, for one that died, a time limit, or what was cancelled. Pebble's own 0.1 woke an idle Worker twice as often."""

PROCESS_DIED = (ProcessExpired, BrokenProcessPool)
"""What a future raises whose process ended under it."""


class Executor(Protocol):
    """Runs tasks of recto/working/page_tasks.py. `capacity` is how many run at once; it may change, and 0 says that nothing can run now."""

    capacity: int

    def submit(self, task: Callable[[], _T], timeout_s: float) -> "Future[_T]":
        """Start a picklable task. Its future raises TimeoutError after `timeout_s` of running, or one of PROCESS_DIED; cancelling kills.

        A future that ends as cancelled by itself was lost through no fault of its task.
        """

    def stop(self) -> None:
        """Kill what runs. Every future has ended then; what ran on another machine is gone two seconds later at most."""


class LocalProcesses:
    """Implements Executor with `processes` page processes, each replaced after `pages_per_process` tasks."""

    def __init__(self, processes: int, pages_per_process: int, setup: PageProcessSetup) -> None:
        self.capacity = processes
        self._pages_per_process = pages_per_process
        self._setup = setup
        self._pool = self._new_pool()
        self._futures: WeakSet[Future[Any]] = WeakSet()

    def submit(self, task: Callable[[], _T], timeout_s: float) -> "Future[_T]":
        """See Executor."""
        try:
            future: Future[_T] = self._pool.schedule(task, timeout=timeout_s)
        except RuntimeError:
            # A process was killed while it had no task, or while it held the pool's channel, and the pool takes nothing more
            # (pebble says so with a bare RuntimeError): what it had is lost, a new one serves the rest.
            _log.warning("process_pool_replaced")
            self.stop()
            self._pool = self._new_pool()
            future = self._pool.schedule(task, timeout=timeout_s)
        self._futures.add(future)
        return future

    def stop(self) -> None:
        """See Executor."""
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()
        for future in list(self._futures):
            future.cancel()  # pebble may leave it pending, and who waits for it would wait for ever

    def _new_pool(self) -> ProcessPool:
        # spawn: a fork would copy the database connection and the threads of the loop.
        return ProcessPool(
            max_workers=self.capacity,
            max_tasks=self._pages_per_process,
            initializer=start_page_process,
            initargs=(self._setup, os.getpid()),
            context=get_context("spawn"),
        )


def start_engines(processes: LocalProcesses) -> EngineReport:
    """Start every page process and learn from one what it can read. EngineMissing."""
    reports = [processes.submit(describe_engine, _START_TIMEOUT_S) for _ in range(processes.capacity)]
    try:
        return [report.result() for report in reports][-1]
    except (*PROCESS_DIED, CancelledError) as error:
        raise EngineMissing("The page processes cannot start. `ocr_worker.py doctor` says what is missing.") from error
