"""A Dask scheduler and nodes of Recto as processes on the loopback."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from recto.commands.page_processes import page_process_setup
from recto.executors import LocalProcesses, start_engines
from recto.settings import load_settings
from recto.working.page_tasks import EngineReport
from tests.patience import wait_until

if TYPE_CHECKING:
    from recto.cluster.executor import DaskExecutor

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_S = 300.0


@cache
def own_engine() -> EngineReport:
    processes = LocalProcesses(1, 1, page_process_setup(load_settings({}), with_storage=False))
    try:
        return start_engines(processes)
    finally:
        processes.stop()


class Cluster:
    """Processes with one log, in a folder that is the File Storage of all."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.address = ""
        self.processes: list[subprocess.Popen[bytes]] = []
        outer = {name: value for name, value in os.environ.items() if not name.startswith("RECTO_")}
        self.environ = (
            outer | {"RECTO_FILE_STORAGE_PATH": str(folder), "RECTO_FILE_STORAGE_MIN_FREE_BYTES": "0"} | settings
        )

    def start(self, *arguments: str, **variables: str) -> "subprocess.Popen[bytes]":
        with (self.folder / "processes.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments], cwd=ROOT, env=self.environ | variables, stdout=log, stderr=log
            )
        self.processes.append(process)
        return process

    def scheduler(self, port: int = 0) -> "subprocess.Popen[bytes]":
        """Start it, and wait until it says where it listens."""
        file = self.folder / "scheduler.json"
        file.unlink(missing_ok=True)
        where = [
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--dashboard-address",
            "127.0.0.1:0",
            "--scheduler-file",
            str(file),
        ]
        process = self.start("-m", "distributed.cli.dask_scheduler", *where)
        wait_until(lambda: file.exists() and file.read_text().endswith("}"), PATIENCE_S, told=self.log)
        self.address = json.loads(file.read_text())["address"]
        return process

    def node(self, processes: int = 1, **variables: str) -> "subprocess.Popen[bytes]":
        return self.start(
            "ocr_worker.py", "node", "--scheduler", self.address, "--processes", str(processes), **variables
        )

    def dispatcher(self, **variables: str) -> "subprocess.Popen[bytes]":
        return self.start("ocr_worker.py", "dispatch", "--scheduler", self.address, **variables)

    def log(self) -> str:
        return (self.folder / "processes.log").read_text()[-20_000:]

    def stop(self) -> None:
        """The last first: the scheduler has nobody left then."""
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def cluster(folder: Path, **settings: str) -> Iterator[Cluster]:
    running = Cluster(folder, **settings)
    try:
        running.scheduler()
        yield running
    finally:
        running.stop()


def dask_executor(running: Cluster, processes: int = 1) -> "DaskExecutor":
    """One that has found so many page processes."""
    from recto.cluster.executor import DaskExecutor  # a second that only those pay who need it

    executor = DaskExecutor(running.address, own_engine())
    wait_until(lambda: executor.capacity == processes, PATIENCE_S, told=running.log)
    return executor
