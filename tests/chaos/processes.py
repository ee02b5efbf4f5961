"""The programs of a chaos run: a Backend and some Workers, started again when they have ended; and what Linux tells of their processes."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from uuid import uuid4

_PROJECT: Final = Path(__file__).resolve().parents[2]
_MARK: Final = "CHAOS_RUN"
_PROC: Final = Path("/proc")
SETTINGS: Final = {
    "RECTO_FILE_STORAGE_MIN_FREE_BYTES": "0",
    "RECTO_DATABASE_BUSY_TIMEOUT_S": "1",
    "RECTO_QUEUE_LEASE_S": "3",
    "RECTO_QUEUE_RENEW_S": "0.7",
    "RECTO_QUEUE_RETRY_DELAY_S": "0.1",
    "RECTO_QUEUE_MAX_ATTEMPTS": "50",
    "RECTO_WORKER_PAGE_TIMEOUT_S": "20",
    "RECTO_WORKER_NICENESS": "0",
    "RECTO_ADMIN_PASSWORD": "a password for chaos",
    "RECTO_OCR_ENGINE": "auto",
}
"""Short leases, so that what was killed goes on soon; many attempts, since here a job that is given up shows nothing."""


class Program:
    """One program of the run, whichever process it is at the moment."""

    process: "subprocess.Popen[bytes]"

    def __init__(self, command: tuple[str, ...], environ: dict[str, str], log: Path) -> None:
        self.starts = 0
        self.is_stopped = False
        """Whether it was sent SIGSTOP and not yet SIGCONT."""
        self._command = command
        self._environ = environ
        self._log = log

    def start(self) -> None:
        """Start the process."""
        self.starts += 1
        self.is_stopped = False
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self._command],
                cwd=_PROJECT,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def has_ended(self) -> bool:
        """Whether it is to be started again."""
        return self.starts == 0 or self.process.poll() is not None

    def send(self, number: signal.Signals) -> None:
        """Send its process a signal."""
        self.process.send_signal(number)
        self.is_stopped = number == signal.SIGSTOP


class Fleet:
    """A Backend and Workers on `folder`, each with one page process."""

    def __init__(self, folder: Path, workers: int) -> None:
        self.storage = folder / "storage"
        self.log = folder / "programs.log"
        self.port = _free_port()
        self.clock = folder / "clock"
        """Seconds by which the clock of its processes is ahead of the machine's."""
        self.clock.write_text("0", encoding="ascii")
        self._mark = uuid4().hex
        outer = {name: value for name, value in os.environ.items() if not name.startswith("RECTO_")}
        own = {"RECTO_FILE_STORAGE_PATH": str(self.storage), "RECTO_SERVER_PORT": str(self.port), _MARK: self._mark}
        self._environ = outer | SETTINGS | own | _clock_environ(self.clock)
        command = ("ocr_worker.py", "run", "--processes", "1")
        self.backend = Program(("app.py",), self._environ, self.log)
        self.workers = [Program(command, self._environ, self.log) for _ in range(workers)]

    def start(self) -> None:
        """The Backend first: it makes the database and its first user."""
        self.backend.start()
        wait_until(lambda: b"backend_ready" in self.log.read_bytes(), 60.0, "the Backend is ready")
        for program in self.workers:
            program.start()

    @property
    def programs(self) -> list[Program]:
        """All of them."""
        return [self.backend, *self.workers]

    def stop(self) -> None:
        """End everything as an administrator would."""
        for program in self.programs:
            if not program.has_ended:
                program.send(signal.SIGCONT)
                program.send(signal.SIGTERM)
        for program in self.programs:
            try:
                program.process.wait(60)
            except subprocess.TimeoutExpired:
                program.process.kill()
                program.process.wait()
                raise

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Call a command of ocr_worker.py on the same storage."""
        command = [sys.executable, "ocr_worker.py", *arguments]
        return subprocess.run(command, cwd=_PROJECT, env=self._environ, capture_output=True, text=True, check=False)

    def processes(self) -> dict[int, str]:
        """Every process that any program of this run has started and that still is there, by its command; zombies have none."""
        mark = f"{_MARK}={self._mark}".encode()
        found = {}
        for folder in _PROC.iterdir():
            if folder.name.isdecimal() and mark in _read(folder / "environ").split(b"\0"):
                found[int(folder.name)] = _command(int(folder.name))
        return found


def page_processes(worker: int) -> list[int]:
    """The page processes of a Worker; without multiprocessing's resource tracker."""
    return [pid for pid in children(worker) if "spawn_main" in _command(pid)]


def children(pid: int) -> list[int]:
    """The children of a process, whichever thread of it has started them."""
    tasks = _PROC / str(pid) / "task"
    try:
        threads = list(tasks.iterdir())
    except OSError:
        return []  # it has ended
    return [int(child) for thread in threads for child in _read(thread / "children").split()]


def lives(pid: int) -> bool:
    """Whether there is such a process and it is no zombie."""
    state = _read(_PROC / str(pid) / "stat").rpartition(b")")[2].split()
    return bool(state) and state[0] not in (b"Z", b"X")


def wait_until(condition: Callable[[], bool], patience_s: float, what: str) -> None:
    """AssertionError where it takes longer."""
    until = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < until, f"waited {patience_s:g} s in vain until {what}"
        time.sleep(0.02)


def _command(pid: int) -> str:
    return _read(_PROC / str(pid) / "cmdline").replace(b"\0", b" ").decode(errors="replace").strip()


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""  # the process has ended, or is somebody else's


def _clock_environ(clock: Path) -> dict[str, str]:
    folders = [str(Path(__file__).with_name("clock")), os.environ.get("PYTHONPATH", "")]
    return {"CHAOS_CLOCK": str(clock), "PYTHONPATH": os.pathsep.join(filter(None, folders))}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
