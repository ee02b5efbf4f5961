"""The programs of a chaos run: a Backend and some Workers, started again when they have ended."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final
from uuid import uuid4

from tests.patience import wait_until
from tests.ports import free_port
from tests.process_tree import command_of, environ_of

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
        self.port = free_port()
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
        wait_until(lambda: b"backend_ready" in self.log.read_bytes(), 60.0, "the Backend to be ready")
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
            if folder.name.isdecimal() and mark in environ_of(int(folder.name)):
                found[int(folder.name)] = command_of(int(folder.name))
        return found


def _clock_environ(clock: Path) -> dict[str, str]:
    folders = [str(Path(__file__).with_name("clock")), os.environ.get("PYTHONPATH", "")]
    return {"CHAOS_CLOCK": str(clock), "PYTHONPATH": os.pathsep.join(filter(None, folders))}
