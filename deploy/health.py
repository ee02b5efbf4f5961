"""The containers' health checks: `python -m deploy.health backend|worker|scheduler|node`. Exit status 0 where the service of this container works.

They run every few seconds and so import the standard library only, 0.1 s of CPU; recto's settings and database take 1.1 s.
A dispatcher is a Worker here.
"""

import os
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final

_TIMEOUT_S: Final = 5.0
_SEEN_WITHIN_S: Final = 30.0  # as in recto/workers.py
_FOLDER: Final = ".workers"  # as in recto/working/presence.py
_SCHEDULER_PORT: Final = 8786
_SCHEDULER_PAGES_PORT: Final = 8787  # what Dask's scheduler answers HTTP on
_CONNECTIONS: Final = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ESTABLISHED: Final = "01"


def backend_works() -> bool:
    """Whether the Backend answers."""
    port = os.environ.get("RECTO_SERVER_PORT", "8080")
    path = os.environ.get("RECTO_SERVER_BASE_PATH", "").rstrip("/")
    # A sub-path that is set elsewhere than in the environment makes this a 404, which only a Backend that works can send.
    return _answers(f"http://127.0.0.1:{port}{path}/healthz")


def worker_works() -> bool:
    """Whether this container's Worker reached the database lately: it notes so by its file, every few seconds, whichever database that is."""
    own = f"{socket.gethostname()}-"
    files = [file for file in _workers_folder().iterdir() if file.name.startswith(own)]
    return any(time.time() - file.stat().st_mtime < _SEEN_WITHIN_S for file in files)


def scheduler_works() -> bool:
    """Whether Dask's scheduler answers."""
    return _answers(f"http://127.0.0.1:{_SCHEDULER_PAGES_PORT}/health")


def node_works() -> bool:
    """Whether this container's node has a connection to the scheduler (proc(5), /proc/net/tcp). While it has none it waits for one."""
    lines = [line for file in _CONNECTIONS if file.exists() for line in file.read_text().splitlines()[1:]]
    fields = [line.split() for line in lines]
    return any(
        remote.endswith(f":{_SCHEDULER_PORT:04X}") and state == _ESTABLISHED for _, _, remote, state, *_ in fields
    )


def _workers_folder() -> Path:
    return Path(os.environ["RECTO_FILE_STORAGE_PATH"], _FOLDER)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT_S):  # nosec B310 # noqa: S310 - our own address
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500


CHECKS: Final = {
    "backend": backend_works,
    "worker": worker_works,
    "scheduler": scheduler_works,
    "node": node_works,
}

if __name__ == "__main__":
    sys.exit(not CHECKS[sys.argv[1]]())
