"""Recto as `make run` serves it, or its Backend alone, on a storage and a folder for temporary files of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from secrets import token_urlsafe
from typing import Final

import requests

from tests.patience import wait_until
from tests.ports import free_port

PROJECT: Final = Path(__file__).resolve().parents[1]
_START_S: Final = 60.0
_STOP_S: Final = 60.0


class Service:
    """Runs until `stop`. `address` is its root, without a slash at the end."""

    def __init__(self, folder: Path, processes: int, *program: str, **variables: str) -> None:
        """`program`: what runs instead of Backend and Worker under their supervisor. `variables` of its environment."""
        self.storage, self.temporary, self.log = folder / "storage", folder / "tmp", folder / "log"
        self.temporary.mkdir()
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        outer = {name: value for name, value in os.environ.items() if not name.startswith("RECTO_")}
        self._environ = outer | {
            "RECTO_FILE_STORAGE_PATH": str(self.storage),
            "RECTO_FILE_STORAGE_MIN_FREE_BYTES": "0",
            "RECTO_SERVER_PORT": str(port),
            "RECTO_WORKER_PROCESSES": str(processes),
            "RECTO_ADMIN_PASSWORD": token_urlsafe(),
            "TMPDIR": str(self.temporary),
            **variables,
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *(program or ("-m", "recto.supervise"))],
                cwd=PROJECT,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._wait_until_ready()

    def wait_for_worker(self) -> None:
        """Until the page processes have started as well: the service answers, and takes documents, before that."""
        wait_until(self._has_worker, _START_S, "the Worker", told=self._said, pause_s=0.1)

    def _has_worker(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"Recto ended: {self._said()}")
        return "worker_ready" in self._said()

    def _said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def new_token(self, user: str = "admin") -> str:
        """A token of this user's, made as an administrator makes one."""
        return self._command("tokens", "create", user, "--name", "measuring").strip()

    def new_user(self, name: str) -> str:
        """Another user; gives the name."""
        self._command("users", "add", name, "--password-stdin", given=token_urlsafe())
        return name

    def _command(self, *arguments: str, given: str = "") -> str:
        command = [sys.executable, "ocr_worker.py", *arguments]
        made = subprocess.run(
            command,
            cwd=PROJECT,
            env=self._environ,
            input=given,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=_START_S,
        )
        return made.stdout

    def temporary_files(self) -> list[str]:
        """What lies where only unfinished work has anything: uploads, parts of files, the system's folder for temporary files.

        A page process that lives has an empty folder for its own, which does not count.
        """
        incoming = self.storage / ".incoming"
        found = {*self.temporary.rglob("*"), *incoming.rglob("*"), *self.storage.rglob("*.part")}
        if self.process.poll() is None:
            found -= {path for path in incoming.glob("scratch-*") if not any(path.iterdir())}
        return sorted(map(str, found))

    def stop(self) -> int:
        """End it as an administrator would; gives the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + _START_S
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if requests.get(f"{self.address}/readyz", timeout=5).ok:
                    return
            except requests.ConnectionError:
                time.sleep(0.05)
        self.stop()
        raise AssertionError(f"Recto did not start: {self._said()}")
