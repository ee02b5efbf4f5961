"""Documents of 100 KB a second that the Backend accepts durably, against a handler that only writes and flushes the same file.

    python -m benchmarks.uploads [--documents N] [--clients N] [--rounds N] [--json FILE]

The peer is Flask on gevent's server, as Recto is: it writes the body to a file, calls fsync on file and folder, renames it, and answers 202. It
knows no users, no database, and does not look at what it gets. No Worker reads meanwhile, but one has said what it can read, as where
documents are sent to be read. The same clients send the same documents to both in turns, each client over a connection of its own; the
table has medians.
"""

import argparse
import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from benchmarks.service import PROJECT, Service
from recto.database.connections import Begin, connect, transaction
from recto.workers import report

_SIZE_BYTES: Final = 100_000
_START_S: Final = 30.0
_PATH: Final = "/api/v1/jobs?languages=eng"


def be_peer(port: int, folder: Path) -> None:
    """Serve until SIGTERM."""
    from gevent import monkey

    monkey.patch_all()
    import gevent
    from flask import Flask, request
    from gevent.pywsgi import WSGIServer

    app = Flask("peer")

    def keep(content: bytes, number: int) -> None:
        part = folder / f"{number}.part"
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.rename(folder / str(number))
        descriptor = os.open(folder, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)

    numbers = iter(range(1_000_000_000))

    @app.post("/api/v1/jobs")
    def accept() -> tuple[dict[str, str], int]:
        gevent.get_hub().threadpool.apply(keep, (request.get_data(), next(numbers)))
        return {"status": "QUEUED"}, 202

    server = WSGIServer(("127.0.0.1", port), app, log=None)
    gevent.signal_handler(signal.SIGTERM, server.stop)
    server.serve_forever()


def documents_a_second(address: str, token: str, count: int, clients: int) -> float:
    """So many were accepted each second."""
    began_s = time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(lambda share: _send(address, token, share), [count // clients] * clients))
    return count // clients * clients / (time.monotonic() - began_s)


def _send(address: str, token: str, count: int) -> None:
    connection = http.client.HTTPConnection(urlsplit(address).netloc)
    content = b"%PDF-1.7\n" + bytes(_SIZE_BYTES - 9)
    for _ in range(count):
        connection.request(
            "POST", _PATH, content, {"Authorization": f"Bearer {token}", "Content-Type": "application/pdf"}
        )
        response = connection.getresponse()
        assert response.status == 202, response.read()
        response.read()
    connection.close()


def measure(folder: Path, count: int, clients: int, rounds: int) -> dict[str, list[float]]:
    """Documents a second of each round."""
    found: dict[str, list[float]] = {"Recto": [], "peer": []}
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    (folder / "peer").mkdir()
    command = [sys.executable, "-m", "benchmarks.uploads", "--be-peer", str(port), str(folder / "peer")]
    peer = subprocess.Popen(command, cwd=PROJECT)
    service = Service(
        folder,
        1,
        "app.py",
        RECTO_QUEUE_MAX_UNFINISHED_PER_USER="1000000",
        RECTO_QUEUE_MAX_UNFINISHED="1000000",
        RECTO_LIMITS_UPLOADS_PER_MINUTE="1000000",
    )
    try:
        _report_a_worker(service.storage)
        addresses = {"Recto": (service.address, service.new_token()), "peer": (f"http://127.0.0.1:{port}", "-")}
        _wait_for(port)
        for number in range(-1, rounds):  # the first one warms up
            for name, (address, token) in addresses.items():
                found[name] += [documents_a_second(address, token, count, clients)] if number >= 0 else []
    finally:
        service.stop()
        peer.terminate()
        peer.wait()
    return found


def _report_a_worker(storage: Path) -> None:
    engine = connect(f"sqlite:///{storage / 'recto.db'}", _START_S)
    with transaction(Session(engine), Begin.WRITE) as session:
        report(session, "benchmark", "0", "none", ["eng"], 1)
    engine.dispose()


def _wait_for(port: int) -> None:
    until = time.monotonic() + _START_S
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The peer did not start.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=400)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--be-peer", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.be_peer:
        be_peer(int(given.be_peer[0]), Path(given.be_peer[1]))
        return
    with tempfile.TemporaryDirectory(prefix="recto-bench-", dir=PROJECT / "storage") as folder:
        found = measure(Path(folder), given.documents, given.clients, given.rounds)
    medians = {name: statistics.median(values) for name, values in found.items()}
    print("| uploads of 100 KB | documents a second |\n|---|---:|")
    for name, value in medians.items():
        print(f"| {name} | {value:.0f} |")
    print(f"\nRecto / peer: {medians['Recto'] / medians['peer']:.2f} (aim: 0.6)")
    if given.json:
        given.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
