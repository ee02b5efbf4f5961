"""The real Backend in a process of its own: `python app.py` on a free port of this machine."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urlsplit

_PROJECT: Final = Path(__file__).resolve().parents[2]
_START_S: Final = 40.0


class LiveServer:
    """Runs until `stop`. `address` is its root, without a slash at the end."""

    def __init__(self, folder: Path, environ: dict[str, str] | None = None, name: str = "") -> None:
        """A `name` tells apart several on one folder."""
        self.folder = folder
        self.log = folder.with_name(f"{folder.name}{name}.log")
        own = {
            "RECTO_FILE_STORAGE_PATH": str(folder),
            "RECTO_SERVER_PORT": "0",
            "RECTO_LOG_FORMAT": "json",
            "RECTO_FILE_STORAGE_MIN_FREE_BYTES": "0",
            **(environ or {}),
        }
        outer = {name: value for name, value in os.environ.items() if not name.startswith("RECTO_")}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "app.py"],
                cwd=_PROJECT,
                env=outer | own,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.address = self._wait_until_ready().rstrip("/")
        parts = urlsplit(self.address)
        self.host, self.port = str(parts.hostname), int(parts.port or 0)

    def events(self) -> list[dict[str, object]]:
        """What it has logged."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def submit(self, token: str, content: bytes, media_type: str = "application/pdf", **query: str) -> str:
        """Send a document in the name of the token's user; gives the job's uuid."""
        return self.job_from(token, f"jobs?{urlencode(query)}", content, media_type)

    def job_from(self, token: str, path: str, body: bytes, media_type: str) -> str:
        """Post to an address below /api/v1/; gives the uuid of the job that it makes."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": media_type}
        request = urllib.request.Request(f"{self.address}/api/v1/{path}", body, headers)  # noqa: S310 - our own address
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return str(json.load(answer)["uuid"])

    def stop(self) -> int:
        """End it as an administrator would; gives the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def _wait_until_ready(self) -> str:
        until = time.monotonic() + _START_S
        while time.monotonic() < until and self.process.poll() is None:
            for event in self.events():
                if event["event"] == "backend_ready":
                    return str(event["address"])
            time.sleep(0.05)
        if self.process.poll() is None:
            self.stop()
        raise AssertionError(f"The Backend did not start: {self.log.read_text(encoding='utf-8')}")
