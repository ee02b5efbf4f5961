"""Requests that ask the same and are woken by the same news: one is answered by the application, all get what it got."""

import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from typing import Any, Final

import pytest
import requests

from recto.web.waiting.twins import Twins
from tests.patience import wait_until
from tests.web.clients import PASSWORD, PDF
from tests.web.hand_worker import HandWorker
from tests.web.live_server import LiveServer

JOBS: Final = "/api/v1/jobs"
COUNT: Final = 12


class Waiter:
    """A connection with one request that waits."""

    def __init__(self, server: LiveServer, path: str, token: str, *headers: str, version: str = "1.1") -> None:
        self._socket = socket.create_connection((server.host, server.port), timeout=20)
        self.ask(path, token, *headers, version=version)

    def ask(self, path: str, token: str, *headers: str, version: str = "1.1") -> None:
        lines = [f"GET {path} HTTP/{version}", "Host: recto", f"Authorization: Bearer {token}", *headers]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers by their small names, and body."""
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._receive()
        head, _, body = received.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        while len(body) < int(headers.get("content-length", 0)):
            body += self._receive()
        return int(first.split()[1]), headers, body

    def close(self) -> None:
        self._socket.close()

    def give_up(self) -> None:
        """As a program that dies: what comes is refused."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def has_ended(self) -> bool:
        return self._socket.recv(1) == b""

    def _receive(self) -> bytes:
        chunk = self._socket.recv(65536)
        assert chunk, "the connection was closed"
        return chunk


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A Backend that logs what it does."""
    folder = tmp_path_factory.mktemp("twins") / "storage"
    running = LiveServer(folder, {"RECTO_ADMIN_PASSWORD": PASSWORD, "RECTO_LOG_LEVEL": "debug"})
    yield running
    running.stop()


@pytest.fixture
def hand(server: LiveServer) -> Iterator[HandWorker]:
    worker = HandWorker(server.folder)
    yield worker
    worker.close()


@pytest.fixture
def token(hand: HandWorker) -> str:
    return hand.token_of("admin")


def metric(server: LiveServer, token: str, name: str) -> float:
    """Its value; 0 before there is any."""
    said = requests.get(f"{server.address}/metrics", headers={"Authorization": f"Bearer {token}"}, timeout=10).text
    return float(next((line.split()[-1] for line in said.splitlines() if line.startswith(name)), 0))


@pytest.fixture
def ask(server: LiveServer) -> Iterator[Callable[..., Waiter]]:
    """Makes connections with a request, and closes them at the end."""
    with ExitStack() as stack:
        yield lambda *args, **named: stack.enter_context(closing(Waiter(server, *args, **named)))


def woken(
    server: LiveServer, hand: HandWorker, token: str, make: Callable[[str, int], Waiter]
) -> tuple[list[Waiter], int]:
    """COUNT requests that wait for one job, after its end, and how many of them were answered as twins."""
    before = twins_in(server)
    uuid = server.submit(token, PDF, dedupe="false")
    waiters = [make(uuid, number) for number in range(COUNT)]
    wait_until(lambda: metric(server, token, "recto_waiters") == COUNT, what="all requests to wait")
    time.sleep(0.2)
    hand.finish(hand.claim())
    wait_until(lambda: metric(server, token, "recto_waiters") == 0, what="all requests to be answered")
    return waiters, twins_in(server) - before


def twins_in(server: LiveServer) -> int:
    return sum(event["event"] == "answered_as_twin" for event in server.events())


@pytest.mark.parametrize("what", ["?wait=20", "/result?wait=20"])
def test_all_get_the_same_each_under_its_own_name(
    server: LiveServer, hand: HandWorker, token: str, ask: Callable[..., Waiter], what: str
) -> None:
    waiters, twins = woken(
        server,
        hand,
        token,
        lambda uuid, number: ask(f"{JOBS}/{uuid}{what}", token, f"X-Request-Id: mine-{number}"),
    )
    answers = [waiter.answer() for waiter in waiters]
    assert twins == COUNT - 1
    assert [headers.pop("x-request-id") for _, headers, _ in answers] == [f"mine-{number}" for number in range(COUNT)]
    for _, headers, _ in answers:
        assert headers.pop("date").endswith("GMT")
    assert all(answer == answers[0] for answer in answers)
    status, headers, body = answers[0]
    assert status == (302 if "result" in what else 200)
    assert body
    assert "content-security-policy" in headers


def test_connections_go_on_after_the_answer_and_end_where_that_was_asked_for(
    server: LiveServer, hand: HandWorker, token: str, ask: Callable[..., Waiter]
) -> None:
    waiters, twins = woken(
        server,
        hand,
        token,
        lambda uuid, number: ask(f"{JOBS}/{uuid}?wait=20", token, *(["Connection: close"] * (number % 2))),
    )
    assert twins == COUNT - 2  # two questions: the header is one of those that they differ in
    for number, waiter in enumerate(waiters):
        assert waiter.answer()[0] == 200
        if number % 2:
            assert waiter.has_ended()
        else:
            waiter.ask(f"{JOBS}?limit=1", token)
            assert waiter.answer()[0] == 200


def test_client_that_has_gone_holds_up_no_twin_and_is_no_fault(
    server: LiveServer, hand: HandWorker, token: str, ask: Callable[..., Waiter]
) -> None:
    def make(uuid: str, number: int) -> Waiter:
        waiter = ask(f"{JOBS}/{uuid}?wait=20", token)
        if number % 2:
            waiter.give_up()
        return waiter

    waiters, twins = woken(server, hand, token, make)
    assert [waiter.answer()[0] for waiter in waiters[::2]] == [200] * (COUNT // 2)
    assert twins == COUNT - 1
    assert [event for event in server.events() if event["level"] in ("error", "critical")] == []


def test_every_answer_is_counted(server: LiveServer, hand: HandWorker, token: str, ask: Callable[..., Waiter]) -> None:
    name = 'recto_http_requests_total{method="GET",route="/api/v1/jobs/<uuid:uuid>",status="200"}'
    before = metric(server, token, name)
    waiters, twins = woken(server, hand, token, lambda uuid, _: ask(f"{JOBS}/{uuid}?wait=20", token))
    assert [waiter.answer()[0] for waiter in waiters] == [200] * COUNT
    assert twins == COUNT - 1
    wait_until(lambda: metric(server, token, name) == before + COUNT, what="all answers to be counted")


def test_who_asks_otherwise_gets_an_answer_of_their_own(
    server: LiveServer, hand: HandWorker, token: str, ask: Callable[..., Waiter]
) -> None:
    others = [hand.token_of("admin") for _ in range(3)]
    headers = ["Accept: application/json", "Accept-Encoding: gzip", "Accept-Language: de", "X-Forwarded-For: 10.0.0.1"]

    def make(uuid: str, number: int) -> Waiter:
        if number < len(headers):
            return ask(f"{JOBS}/{uuid}?wait=20", token, headers[number])
        if number < 7:
            return ask(f"{JOBS}/{uuid}?wait=20", others[number - 4])
        if number < 10:
            return ask(f"{JOBS}/{uuid}?wait=2{number}", token)
        return ask(f"{JOBS}/{uuid}?wait=20", token, version="1.0")

    waiters, twins = woken(server, hand, token, make)
    assert twins == 0
    assert {waiter.answer()[0] for waiter in waiters} == {200}


def test_news_reach_no_twin_of_a_token_that_was_revoked(
    server: LiveServer, hand: HandWorker, token: str, ask: Callable[..., Waiter]
) -> None:
    guest = hand.token_of("admin")
    uuid = server.submit(token, PDF, dedupe="false")
    waiters = [ask(f"{JOBS}/{uuid}?wait=20", guest) for _ in range(COUNT)]
    wait_until(lambda: metric(server, token, "recto_waiters") == COUNT, what="all requests to wait")
    time.sleep(1.1)  # what was held for longer than a second is asked about again
    headers = {"Authorization": f"Bearer {guest}"}
    requests.delete(f"{server.address}/api/v1/token", headers=headers, timeout=10).raise_for_status()
    hand.finish(hand.claim())
    assert [waiter.answer()[0] for waiter in waiters] == [401] * COUNT


def first_and_second(app: Callable[..., Any]) -> Any:
    """What a second request finds that asks the same as one which the application answers like that."""
    environ: dict[str, Any] = {}
    twins = Twins(lambda given, start: app(given, start))
    assert twins.first(("q",), environ) is None
    found = twins.first(("q",), {})
    assert found is not None
    with suppress(ZeroDivisionError):
        list(twins(environ, lambda *_: lambda _: None))
    return found.get(timeout=1)


@pytest.mark.parametrize(
    ("status", "headers", "is_shared"),
    [
        ("200 OK", [("Content-Length", "2")], True),
        ("404 NOT FOUND", [("Content-Length", "2")], True),
        ("503 SERVICE UNAVAILABLE", [("Content-Length", "2")], False),
        ("200 OK", [], False),
        ("200 OK", [("Content-Length", str(10**6))], False),
        ("200 OK", [("Content-Length", "2"), ("Set-Cookie", "a=b")], False),
    ],
)
def test_answers_are_shared_that_are_short_and_for_everybody(
    status: str, headers: list[tuple[str, str]], is_shared: bool
) -> None:
    def app(_: Any, start: Any) -> list[bytes]:
        start(status, headers)
        return [b"{", b"}"]

    found = first_and_second(app)
    assert (found is not None) is is_shared
    if found is not None:
        assert found.named("r-1").endswith(b"\r\nX-Request-Id: r-1\r\n\r\n{}")
        assert found.named("r-1").startswith(f"HTTP/1.1 {status}\r\nContent-Length: 2\r\n".encode())


def test_twins_of_a_request_that_failed_are_let_go() -> None:
    def app(_: Any, __: Any) -> list[bytes]:
        raise ZeroDivisionError

    assert first_and_second(app) is None


def test_answers_are_forgotten_after_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [100.0]
    monkeypatch.setattr("recto.web.waiting.twins.time.monotonic", lambda: now_s[0])
    twins = Twins(lambda *_: [])
    assert twins.first(("q",), {}) is None
    assert twins.first(("q",), {}) is not None
    now_s[0] += 0.6
    assert twins.first(("q",), {}) is None
