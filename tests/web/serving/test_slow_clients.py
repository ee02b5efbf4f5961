"""Clients that send slowly, or lie about how much: on pairs of sockets, and against the real Backend."""

import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import requests

from recto.web.serving import slow_clients
from recto.web.serving.slow_clients import ClientReader, Patience
from tests.web.clients import PASSWORD, PDF
from tests.web.conftest import nothing_stored
from tests.web.hand_worker import HandWorker
from tests.web.live_server import LiveServer
from tests.web.serving.test_server import chunked, form, post, send

QUICK = Patience(header_timeout_s=0.3, body_timeout_s=0.3, min_body_bytes_per_s=100)
PATIENCE = {
    "RECTO_LIMITS_HEADER_TIMEOUT_S": "0.5",
    "RECTO_LIMITS_BODY_TIMEOUT_S": "0.5",
    "RECTO_LIMITS_MIN_BODY_BYTES_PER_S": "1000",
}


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, io.BufferedReader, ClientReader]]:
    """A client's socket, and how the server reads from it."""
    client, server = socket.socketpair()
    reader = ClientReader(server, QUICK)
    with client, server:
        yield client, io.BufferedReader(reader), reader


def drip(client: socket.socket, content: bytes, pause_s: float) -> threading.Thread:
    """Send a byte at a time."""

    def send_slowly() -> None:
        with suppress(OSError):
            for byte in content:
                client.sendall(bytes([byte]))
                time.sleep(pause_s)

    thread = threading.Thread(target=send_slowly, daemon=True)
    thread.start()
    return thread


def test_headers_that_drip_are_given_up_in_time(pair: Any) -> None:
    client, file, reader = pair
    drip(client, b"GET / HTTP/1.1\r\n" * 10, 0.02)
    began_s = time.monotonic()
    with pytest.raises(TimeoutError):
        file.read(160)
    assert 0.25 < time.monotonic() - began_s < 1.0
    assert reader.is_overdue


def test_request_may_take_its_time_to_begin(pair: Any) -> None:
    client, file, _ = pair
    timer = threading.Timer(0.6, client.sendall, [b"GET / HTTP/1.1\r\n"])
    timer.start()
    assert file.readline() == b"GET / HTTP/1.1\r\n"
    timer.join()


def test_silent_connection_is_given_up(pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_clients, "SILENCE_S", 0.2)
    _, file, _ = pair
    with pytest.raises(TimeoutError):
        file.readline()


def test_body_below_the_least_speed_is_given_up(pair: Any) -> None:
    client, file, reader = pair
    reader.await_body()
    drip(client, b"x" * 1000, 0.02)  # 50 bytes a second
    began_s = time.monotonic()
    with pytest.raises(TimeoutError):
        file.read(1000)
    assert 0.25 < time.monotonic() - began_s < 1.0


def test_body_above_the_least_speed_takes_as_long_as_it_takes(pair: Any) -> None:
    client, file, reader = pair
    reader.await_body()
    drip(client, b"x" * 200, 0.005)  # at most 200 bytes a second
    assert file.read(200) == b"x" * 200
    assert not reader.is_overdue


def test_bytes_that_came_quickly_are_no_credit_for_later(pair: Any) -> None:
    client, file, reader = pair
    reader.await_body()
    thread = threading.Thread(target=client.sendall, args=(b"x" * 500_000,))
    thread.start()
    assert len(file.read(500_000)) == 500_000
    thread.join()
    drip(client, b"x" * 100, 0.05)
    began_s = time.monotonic()
    with pytest.raises(TimeoutError):
        file.read(100)
    assert time.monotonic() - began_s < 1.5


def test_time_of_the_application_is_not_held_against_the_client(pair: Any) -> None:
    client, file, reader = pair
    reader.await_body()
    client.sendall(b"x" * 20)
    assert file.read(10) == b"x" * 10
    time.sleep(0.7)  # a slow disk
    client.sendall(b"y" * 10)
    assert file.read(20) == b"x" * 10 + b"y" * 10


def test_rest_of_an_answered_body_is_taken_for_a_moment_only(pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_clients, "LINGER_S", 0.3)
    client, file, reader = pair
    reader.await_body()
    reader.linger()
    drip(client, b"x" * 1000, 0.001)  # fast enough for a body
    with pytest.raises(TimeoutError):
        file.read(100_000)


def test_nothing_more_is_read_from_who_was_too_slow() -> None:
    client, server = socket.socketpair()
    with client, server:
        reader = ClientReader(server, QUICK)
        file = io.BufferedReader(reader)
        reader.await_body()
        with pytest.raises(TimeoutError):
            file.read(10)
        client.sendall(b"x" * 10)
        reader.linger()
        began_s = time.monotonic()
        with pytest.raises(TimeoutError):
            file.read(10)
        assert time.monotonic() - began_s < 0.1
        assert server.recv(100) == b"x" * 10


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The real Backend, with little patience."""
    folder = tmp_path_factory.mktemp("strict") / "storage"
    own = {"RECTO_ADMIN_PASSWORD": PASSWORD, "RECTO_SERVER_MAX_UPLOAD_BYTES": "100000"}
    server = LiveServer(folder, own | PATIENCE)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def token(strict: LiveServer) -> str:
    worker = HandWorker(strict.folder)
    token = worker.token_of("admin")
    worker.close()
    return token


@pytest.fixture
def nothing_left(strict: LiveServer) -> Iterator[None]:
    """Checks that the test leaves nothing behind."""
    with nothing_stored(strict.folder):
        yield


def answer_to_drip(server: LiveServer, head: bytes, slow: bytes, pause_s: float) -> tuple[bytes, float]:
    """All that is answered to `head`, sent at once, and `slow`, a byte at a time; and the seconds until the end of the connection."""
    began_s = time.monotonic()
    answer = b""
    with socket.create_connection((server.host, server.port), timeout=15) as connection:
        connection.sendall(head)
        thread = drip(connection, slow, pause_s)
        with suppress(ConnectionError):
            while chunk := connection.recv(65536):
                answer += chunk
    took_s = time.monotonic() - began_s
    thread.join(10)
    return answer, took_s


def test_slowloris_on_the_request_line_is_closed(strict: LiveServer) -> None:
    answer, took_s = answer_to_drip(strict, b"GET /hea", b"lthz" + b"x" * 1000, 0.1)
    assert answer == b""
    assert took_s < 4


def test_slowloris_on_headers_answers_408_and_is_closed(strict: LiveServer) -> None:
    answer, took_s = answer_to_drip(strict, b"GET /healthz HTTP/1.1\r\nHost: recto\r\nX-a: ", b"b" * 1000, 0.1)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert answer.count(b"HTTP/1.1") == 1
    assert took_s < 4


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Length: 5000"],
        ["Transfer-Encoding: chunked"],
        ["Content-Type: multipart/form-data; boundary=b", "Content-Length: 5000"],
    ],
    ids=["raw", "chunked", "form"],
)
def test_slowloris_on_a_body_answers_408_and_is_closed(strict: LiveServer, token: str, headers: list[str]) -> None:
    body = {"T": chunked(PDF), "C": PDF}[headers[0][0]] if len(headers) == 1 else form(b"scan.pdf")
    answer, took_s = answer_to_drip(strict, post(token, *headers) + body[:40], body[40:], 0.1)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"request_too_slow"' in answer
    assert answer.count(b"HTTP/1.1") == 1
    assert took_s < 5


def test_slowloris_on_another_form_is_given_up_too(strict: LiveServer) -> None:
    head = (
        b"POST /sign-in HTTP/1.1\r\nHost: recto\r\nContent-Length: 5000\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\nname="
    )
    answer, took_s = answer_to_drip(strict, head, b"a" * 1000, 0.1)
    assert answer.startswith((b"HTTP/1.1 408 ", b"HTTP/1.1 400 "))
    assert took_s < 5


def test_many_slow_clients_hold_up_nobody_and_are_all_let_go(strict: LiveServer) -> None:
    connections = [socket.create_connection((strict.host, strict.port), timeout=15) for _ in range(100)]
    try:
        for connection in connections:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nX-a: b")
        began_s = time.monotonic()
        assert requests.get(f"{strict.address}/healthz", timeout=5).status_code == 200
        assert time.monotonic() - began_s < 1
        for connection in connections:
            assert connection.recv(100).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began_s < 5
    finally:
        for connection in connections:
            connection.close()


@pytest.mark.usefixtures("nothing_left")
def test_body_that_is_shorter_than_it_says_is_refused(strict: LiveServer, token: str) -> None:
    began_s = time.monotonic()
    status, members, _ = send(strict, post(token, "Content-Length: 5000"), PDF, end=False)
    assert (status, members["code"]) == (408, "request_too_slow")
    assert time.monotonic() - began_s < 4
    status, members, _ = send(strict, post(token, "Content-Length: 5000"), PDF)
    assert (status, members["code"]) == (400, "upload_incomplete")


@pytest.mark.usefixtures("nothing_left")
def test_form_that_is_longer_than_it_says_is_refused(strict: LiveServer, token: str) -> None:
    body = form(b"scan.pdf")
    head = post(token, "Content-Type: multipart/form-data; boundary=b", f"Content-Length: {len(body) - 30}")
    status, members, answer = send(strict, head, body)
    assert (status, members["code"]) == (400, "upload_empty")
    assert answer.count(b"HTTP/1.1") == 2
    assert b"HTTP/1.1 400 Bad Request" in answer


def test_bytes_after_a_raw_body_are_no_part_of_it_and_no_request(strict: LiveServer, token: str) -> None:
    status, job, answer = send(strict, post(token, f"Content-Length: {len(PDF)}"), PDF + b"more that was not announced")
    assert (status, job["size_bytes"]) == (202, len(PDF))
    assert (strict.folder / job["uuid"] / "document").read_bytes() == PDF
    assert answer.count(b"HTTP/1.1 202") == 1


@pytest.mark.usefixtures("nothing_left")
def test_chunks_without_an_end_are_refused_at_the_limit(strict: LiveServer, token: str) -> None:
    endless = b"4000\r\n" + b"x" * 16384 + b"\r\n"
    status, members, _ = send(strict, post(token, "Transfer-Encoding: chunked"), endless * 50, end=False)
    assert (status, members["code"], members["limit_bytes"]) == (413, "upload_too_large", 100_000)


def test_clients_that_were_let_go_leave_no_fault_in_the_log(strict: LiveServer) -> None:
    assert "Traceback" not in strict.log.read_text()
    assert not [event for event in strict.events() if event["event"] == "request_crashed"]
