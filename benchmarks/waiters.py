"""What many blocked long-poll clients cost the others, and how soon they are woken.

    python -m benchmarks.waiters [CLIENTS] [--json FILE]

Starts the real Backend (`python app.py`) on a free port of this machine and a temporary folder, and lets CLIENTS connections (500)
wait for jobs, from a process of their own. Meanwhile one thread uploads small documents and another makes small requests, both
over kept connections: first while the clients arrive, then while they wait and are woken. Then the jobs are ended from outside, by Jobs.finish on a database connection of this process:

one by one   the clients wait for 100 jobs, which end one after another
all at once  all clients wait for one job

Then 20 and as many clients again wait on a Backend that counts what it asks its database, while every tenth of a second one of the jobs
that they wait for gets on: one look for each change, however many wait.

The peer is what gevent and Flask cost by themselves: a handler that waits for an event, with no database, no sign-in and no
files. It gets the same clients and small requests in the same run. Times in milliseconds; a wake-up runs from the commit (peer:
from setting the event) to the last byte of the answer in the client. Memory is the Backend's resident set. 500 clients take about a
minute, 2,000 two. The aims are judged by the 99th percentiles.
"""

import argparse
import http.client
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from benchmarks.counted_backend import counted
from benchmarks.server_processes import resident_bytes, running, start, stop, until_idle
from recto import accounts
from recto.database.connections import Begin, connect, transaction
from recto.jobs import Claim, Jobs, QueuePolicy

HOST: Final = "127.0.0.1"
AIM_MS: Final = 250.0
OTHERS_AIM_MS: Final = 100.0
FEW_CLIENTS: Final = 20
COUNTED_S: Final = 5.0
CHANGE_EVERY_S: Final = 0.1
JOBS: Final = 100
ARRIVAL_S: Final = 2.0
BLOCKED_S: Final = 4.0
SLOWEST: Final = "slowest other request while they wait"
OTHERS_P99: Final = "other requests while they wait p99"
AIMS_MS: Final = {
    "woken one by one p99": AIM_MS,
    "woken all at once p99": AIM_MS,
    OTHERS_P99: OTHERS_AIM_MS,
}
DOCUMENT: Final = b"%PDF-1.7\n" + b"scan " * 4000


@dataclass
class Requests:
    """Seconds that each request took, by kind; kept over the time that they were made in."""

    took_s: dict[str, list[float]] = field(default_factory=dict)

    def at_ms(self, share: float) -> float:
        """The quantile over all kinds; share 1 is the slowest."""
        return quantile_ms([took for kind in self.took_s.values() for took in kind], share)


@dataclass
class Woken:
    """One ending of jobs: how long after it each waiting client had its answer, in seconds."""

    after_s: list[float]

    def at_ms(self, share: float) -> float:
        """The quantile; share 1 is the latest."""
        return quantile_ms(self.after_s, share)


def quantile_ms(seconds: list[float], share: float) -> float:
    """The value below which this share of them lies, in milliseconds."""
    ordered = sorted(seconds)
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass
class Measured:
    """What one server gave."""

    arriving: Requests
    blocked: Requests
    memory_bytes: float
    woken: dict[str, Woken]

    def values(self) -> dict[str, float]:
        """Everything by name, for the table and the file."""
        found = {f"slowest {kind} while they wait": 1000 * max(took) for kind, took in self.blocked.took_s.items()}
        found[SLOWEST] = self.blocked.at_ms(1.0)
        found[OTHERS_P99] = self.blocked.at_ms(0.99)
        found["slowest other request while they arrive"] = self.arriving.at_ms(1.0)
        for name, woken in self.woken.items():
            for share, label in ((0.5, "p50"), (0.99, "p99"), (1.0, "max")):
                found[f"woken {name} {label}"] = woken.at_ms(share)
        found["memory per client, KiB"] = self.memory_bytes / 1024
        return found


class Clients:
    """Connections that wait, held by a process of its own so that they cost this one nothing."""

    def __init__(self, port: int, paths: Sequence[str], token: str) -> None:
        self._process = start([sys.executable, "-m", "benchmarks.waiters", "--role", "clients"], stdin=True)
        order = {"port": port, "paths": paths, "token": token}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "sent\n", "the clients could not connect"

    def ended(self) -> list[float]:
        """When each had its answer, on the clock of time.monotonic, which the processes of a machine share."""
        ended, _ = self._process.communicate(timeout=60)
        answers = json.loads(ended)
        assert all(status == 200 for _, status in answers), f"answers: {sorted({status for _, status in answers})}"
        return [moment for moment, _ in answers]

    def stop(self) -> None:
        """End the process, whatever it waits for."""
        stop(self._process)


def backend_settings(folder: str) -> dict[str, str]:
    return {
        "RECTO_FILE_STORAGE_PATH": folder,
        "RECTO_FILE_STORAGE_MIN_FREE_BYTES": "0",
        "RECTO_SERVER_PORT": "0",
        "RECTO_ADMIN_PASSWORD": "a password for benchmarks",
        "RECTO_QUEUE_LEASE_S": "600",
        "RECTO_LIMITS_UPLOADS_PER_MINUTE": "0",
    }


def measure_recto(clients: int) -> Measured:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        port, pid = stack.enter_context(running([sys.executable, "app.py"], backend_settings(folder)))
        engine = connect(f"sqlite:///{Path(folder) / 'recto.db'}", 10.0)
        stack.callback(engine.dispose)
        token = new_token(engine)
        uuids = [upload(port, token) for _ in range(min(JOBS, clients))]
        claims = claim_all(engine, len(uuids))
        paths = [f"/api/v1/jobs/{uuids[number % len(uuids)]}?wait=60" for number in range(clients)]
        before_bytes = resident_bytes(pid)
        others = {"upload": lambda: upload(port, token), "list": lambda: get(port, "/api/v1/jobs?limit=10", token)}
        others["healthz"] = lambda: get(port, "/healthz", token)
        with other_requests(others) as arriving:
            crowd = Clients(port, paths, token)
            stack.callback(crowd.stop)
            time.sleep(ARRIVAL_S)
        until_idle(pid)
        with other_requests(others) as blocked:
            time.sleep(BLOCKED_S)
            memory_bytes = (resident_bytes(pid) - before_bytes) / clients
            committed_s = {}
            for claim in claims:
                committed_s[claim.lease.job_uuid] = finish(engine, claim)
                time.sleep(0.03)
            ended = crowd.ended()
        one_by_one = [moment - committed_s[uuids[number % len(uuids)]] for number, moment in enumerate(ended)]
        alone = upload(port, token)
        claim = next(claim for claim in claim_all(engine, None) if claim.lease.job_uuid == alone)
        crowd = Clients(port, [f"/api/v1/jobs/{alone}?wait=60"] * clients, token)
        stack.callback(crowd.stop)
        until_idle(pid)
        finished_s = finish(engine, claim)
        at_once = [moment - finished_s for moment in crowd.ended()]
        return Measured(
            arriving, blocked, memory_bytes, {"one by one": Woken(one_by_one), "all at once": Woken(at_once)}
        )


def database_load(clients: int) -> dict[str, float]:
    """What the Backend asks its database each second while so many wait for jobs that get on but do not end."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        file = Path(folder) / "counted"
        command = [sys.executable, "-m", "benchmarks.counted_backend", str(file)]
        port, pid = stack.enter_context(running(command, backend_settings(folder)))
        engine = connect(f"sqlite:///{Path(folder) / 'recto.db'}", 10.0)
        stack.callback(engine.dispose)
        token = new_token(engine)
        uuids = [upload(port, token) for _ in range(FEW_CLIENTS)]
        claims = claim_all(engine, FEW_CLIENTS)
        crowd = Clients(
            port, [f"/api/v1/jobs/{uuids[number % FEW_CLIENTS]}?wait=60" for number in range(clients)], token
        )
        stack.callback(crowd.stop)
        until_idle(pid)
        before, began_s = counted(file), time.monotonic()
        for number in range(round(COUNTED_S / CHANGE_EVERY_S)):
            with transaction(Session(engine), Begin.WRITE) as session:
                _jobs.set_page_count(session, claims[number % FEW_CLIENTS].lease, 1 + number)
            time.sleep(CHANGE_EVERY_S)
        took_s = time.monotonic() - began_s
        statements, glances = ((now - then) / took_s for now, then in zip(counted(file), before, strict=True))
    return {"statements": statements, "glances": glances}


def measure_peer(clients: int) -> Measured:
    with ExitStack() as stack:
        port, pid = stack.enter_context(running([sys.executable, "-m", "benchmarks.waiters", "--role", "peer"], {}))
        get(port, "/other", "")
        before_bytes = resident_bytes(pid)
        events = min(JOBS, clients)
        others = {"healthz": lambda: get(port, "/other", "")}
        with other_requests(others) as arriving:
            crowd = Clients(port, [f"/wait/{number % events}" for number in range(clients)], "")
            stack.callback(crowd.stop)
            time.sleep(ARRIVAL_S)
        until_idle(pid)
        with other_requests(others) as blocked:
            time.sleep(1.0)
            memory_bytes = (resident_bytes(pid) - before_bytes) / clients
            set_s = []
            for number in range(events):
                set_s.append(float(get(port, f"/set/{number}", "")))
                time.sleep(0.03)
            ended = crowd.ended()
        one_by_one = [moment - set_s[number % events] for number, moment in enumerate(ended)]
        crowd = Clients(port, ["/wait/all"] * clients, "")
        stack.callback(crowd.stop)
        until_idle(pid)
        all_s = float(get(port, "/set/all", ""))
        at_once = [moment - all_s for moment in crowd.ended()]
        return Measured(
            arriving, blocked, memory_bytes, {"one by one": Woken(one_by_one), "all at once": Woken(at_once)}
        )


@contextmanager
def other_requests(kinds: Mapping[str, Callable[[], object]]) -> Iterator[Requests]:
    """One thread for each kind of request, which makes them until the block ends, with a short pause between two."""
    made, done = Requests(), threading.Event()

    def repeat(kind: str, request: Callable[[], object]) -> None:
        while not done.is_set():
            began_s = time.monotonic()
            request()
            made.took_s.setdefault(kind, []).append(time.monotonic() - began_s)
            done.wait(0.02)

    threads = [threading.Thread(target=repeat, args=item) for item in kinds.items()]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        done.set()
        for thread in threads:
            thread.join()


_connections = threading.local()


def call(port: int, method: str, path: str, token: str, body: bytes | None = None) -> str:
    """One request over the kept connection of this thread."""
    kept: dict[int, http.client.HTTPConnection] = _connections.__dict__.setdefault("by_port", {})
    connection = kept.setdefault(port, http.client.HTTPConnection(HOST, port, timeout=30))
    connection.request(method, path, body, {"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    content = answer.read().decode()
    assert answer.status in (200, 202), f"{method} {path}: {answer.status} {content}"
    return content


def get(port: int, path: str, token: str) -> str:
    return call(port, "GET", path, token)


def upload(port: int, token: str) -> str:
    return str(json.loads(call(port, "POST", "/api/v1/jobs", token, DOCUMENT))["uuid"])


_jobs = Jobs(QueuePolicy(600.0, 60.0, 3, 1.0, 100_000, 100_000))


def new_token(engine: Engine) -> str:
    with transaction(Session(engine), Begin.WRITE) as session:
        return accounts.create_token(session, accounts.find_user(session, "admin").id, "benchmark")


def claim_all(engine: Engine, count: int | None) -> list[Claim]:
    """Claim `count` jobs, or all there are."""
    claims: list[Claim] = []
    while count is None or len(claims) < count:
        with transaction(Session(engine), Begin.CLAIM) as session:
            claim = _jobs.claim_next(session, "benchmark")
        if claim is None:
            break
        claims.append(claim)
    return claims


def finish(engine: Engine, claim: Claim) -> float:
    """End the job; gives the moment at which the commit was done."""
    with transaction(Session(engine), Begin.WRITE) as session:
        _jobs.finish(session, claim.lease)
    return time.monotonic()


def be_clients() -> None:
    """The waiting connections: says `sent` when every request is on its way, and at the end when each was answered."""
    import gevent
    from gevent import socket

    order = json.loads(sys.stdin.readline())
    sockets = []
    for path in order["paths"]:
        connection = socket.create_connection((HOST, order["port"]))
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {order['token']}\r\n\r\n"
        connection.sendall(head.encode())
        sockets.append(connection)

    def read(connection: Any) -> tuple[float, int]:
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        return time.monotonic(), int(answer.split()[1])

    sys.stdout.write("sent\n")
    sys.stdout.flush()
    readers = [gevent.spawn(read, connection) for connection in sockets]
    gevent.joinall(readers, raise_error=True)
    sys.stdout.write(json.dumps([reader.value for reader in readers]))


def be_peer() -> None:
    """Flask on gevent and nothing else."""
    from gevent import monkey

    monkey.patch_all()
    from collections import defaultdict

    from flask import Flask
    from gevent.event import Event
    from gevent.pywsgi import WSGIServer

    app = Flask("peer")
    events: defaultdict[str, Event] = defaultdict(Event)

    @app.get("/wait/<name>")
    def wait(name: str) -> dict[str, str]:
        events[name].wait(60)
        return {"status": "FINISHED"}

    @app.get("/set/<name>")
    def set_event(name: str) -> str:
        events[name].set()
        return repr(time.monotonic())

    @app.get("/other")
    def other() -> dict[str, str]:
        return {"status": "ok"}

    server = WSGIServer((HOST, 0), app, log=None)
    server.start()
    sys.stderr.write(f"ready http://{HOST}:{server.server_port}/\n")
    sys.stderr.flush()
    server.serve_forever()


def table(recto: dict[str, float], peer: dict[str, float]) -> Iterator[str]:
    yield "| | Recto | peer | ratio |\n|---|---:|---:|---:|"
    for name, value in recto.items():
        beside = peer.get(name)
        ratio = f"{beside:.1f} | {value / beside:.1f}" if beside else "- | -"
        yield f"| {name} | {value:.1f} | {ratio} |"


def verdicts(recto: dict[str, float], peer: dict[str, float]) -> Iterator[str]:
    """Each aim with what was measured, and the peer where it misses the aim too."""
    for name, aim_ms in AIMS_MS.items():
        verdict = "met" if recto[name] <= aim_ms else "missed"
        beside = (
            f"; the peer misses it too, at {peer[name]:.0f} ms" if verdict == "missed" and peer[name] > aim_ms else ""
        )
        yield f"- {name}: {recto[name]:.0f} ms, aim {aim_ms:.0f} ms: {verdict}{beside}."


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clients", type=int, nargs="?", default=500)
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    parser.add_argument("--role", choices=["clients", "peer"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role:
        be_clients() if options.role == "clients" else be_peer()
        return 0
    began_s = time.monotonic()
    recto = measure_recto(options.clients).values()
    peer = measure_peer(options.clients).values()
    load = {clients: database_load(clients) for clients in (FEW_CLIENTS, options.clients)}
    print(
        f"{options.clients} blocked clients, {time.monotonic() - began_s:.0f} s; milliseconds where no unit is named\n"
    )
    print("\n".join(table(recto, peer)))
    print(f"\n| of the database each second | {FEW_CLIENTS} clients | {options.clients} clients |\n|---|---:|---:|")
    for name in ("statements", "glances"):
        print(f"| {name} | {load[FEW_CLIENTS][name]:.1f} | {load[options.clients][name]:.1f} |")
    print("\n" + "\n".join(verdicts(recto, peer)))
    if options.json:
        result = {"clients": options.clients, "aims_ms": AIMS_MS, "recto": recto, "peer": peer, "database": load}
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
