"""The containers' health checks: `python -m deploy.health backend|worker`. Exit status 0 where the service of this container works.

They run every few seconds and so import the standard library only, 0.1 s of CPU; recto's settings and database take 1.1 s.
"""

import os
import socket
import sqlite3
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

_TIMEOUT_S = 5.0
_SEEN_WITHIN_S = 30.0  # as in recto/workers.py


def backend_works() -> bool:
    """Whether the Backend answers."""
    port = os.environ.get("RECTO_SERVER_PORT", "8080")
    path = os.environ.get("RECTO_SERVER_BASE_PATH", "").rstrip("/")
    try:
        with urllib.request.urlopen(  # nosec B310 # our own address
            f"http://127.0.0.1:{port}{path}/healthz", timeout=_TIMEOUT_S
        ):
            return True
    except urllib.error.HTTPError as error:
        # A sub-path that is set elsewhere than in the environment makes this a 404, which only a Backend that works can send.
        return error.code < 500


def worker_works() -> bool:
    """Whether this container's Worker reported to the database lately; its heartbeat does, every few seconds."""
    database = Path(os.environ["RECTO_FILE_STORAGE_PATH"], "recto.db")
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=_TIMEOUT_S)) as connection:
        row = connection.execute(
            "SELECT max(seen_us) FROM worker WHERE instr(name, ?) > 0", (socket.gethostname(),)
        ).fetchone()
    return time.time() - (row[0] or 0) / 1_000_000 < _SEEN_WITHIN_S


if __name__ == "__main__":
    sys.exit(not {"backend": backend_works, "worker": worker_works}[sys.argv[1]]())
