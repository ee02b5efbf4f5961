"""The real server on real sockets: broken, lying and hostile clients, a graceful stop, a first start without a terminal."""

import json
import signal
import socket
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from recto.web.serving.server import check_framing
from tests.web.clients import PASSWORD, PDF
from tests.web.conftest import nothing_stored
from tests.web.hand_worker import HandWorker
from tests.web.live_server import LiveServer

JOBS = "/api/v1/jobs"


def send(server: LiveServer, *parts: bytes, end: bool = True) -> tuple[int, dict[str, Any], bytes]:
    """(status, problem or job, everything) of the first answer to raw bytes. `end`: nothing more will come."""
    with socket.create_connection((server.host, server.port), timeout=10) as connection:
        with suppress(OSError):  # the server may have answered and gone by now
            for part in parts:
                connection.sendall(part)
            if end:
                connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
            if not end and answer.endswith(b"}\n"):
                break
    head, _, body = answer.partition(b"\r\n\r\n")
    members: dict[str, Any] = json.JSONDecoder().raw_decode(body.decode())[0] if body.startswith(b"{") else {}
    return int(head.split()[1]), members, answer


def post(token: str, *headers: str) -> bytes:
    lines = ["POST /api/v1/jobs HTTP/1.1", "Host: recto", f"Authorization: Bearer {token}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def form(name: bytes, content: bytes = PDF, end: bytes = b"\r\n--b--\r\n") -> bytes:
    return b'--b\r\nContent-Disposition: form-data; name="document"; filename="' + name + b'"\r\n\r\n' + content + end


def chunked(content: bytes, size: int = 16384) -> bytes:
    pieces = (content[start : start + size] for start in range(0, len(content), size))
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@pytest.fixture
def nothing_left(live: LiveServer) -> Iterator[None]:
    """Checks that the test leaves no document behind."""
    with nothing_stored(live.folder):
        yield


def test_chunked_document_without_a_length_is_accepted(live: LiveServer, live_token: str) -> None:
    status, job, _ = send(live, post(live_token, "Transfer-Encoding: chunked"), chunked(PDF, 7))
    assert (status, job["size_bytes"]) == (202, len(PDF))
    assert (live.folder / job["uuid"] / "document").read_bytes() == PDF


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("length", [100_001, 700_000])
def test_chunked_document_above_the_limit_answers_413(live: LiveServer, live_token: str, length: int) -> None:
    body = chunked(PDF.ljust(length, b"x"))
    status, members, _ = send(live, post(live_token, "Transfer-Encoding: chunked"), body)
    assert (status, members["code"], members["limit_bytes"]) == (413, "upload_too_large", 100_000)


@pytest.mark.usefixtures("nothing_left")
def test_announced_document_above_the_limit_answers_413_before_it_is_sent(live: LiveServer, live_token: str) -> None:
    head = post(live_token, "Content-Length: 99999999999", "Expect: 100-continue")
    status, members, _ = send(live, head, end=False)
    assert (status, members["code"]) == (413, "upload_too_large")


@pytest.mark.usefixtures("nothing_left")
def test_upload_that_breaks_off_answers_400_and_leaves_nothing(live: LiveServer, live_token: str) -> None:
    whole_form = form(b"scan.pdf")
    for headers, body in (
        (["Content-Length: 5000"], PDF),
        (["Transfer-Encoding: chunked"], chunked(PDF)[:-20]),
        (["Transfer-Encoding: chunked"], b"zz\r\n" + PDF),
        (["Content-Type: multipart/form-data; boundary=b", "Content-Length: 5000"], whole_form),
    ):
        status, members, _ = send(live, post(live_token, *headers), body)
        assert (status, members["code"]) == (400, "upload_incomplete")


@pytest.mark.usefixtures("nothing_left")
def test_client_that_vanishes_leaves_nothing(live: LiveServer, live_token: str) -> None:
    connection = socket.create_connection((live.host, live.port), timeout=10)
    connection.sendall(post(live_token, "Content-Length: 5000") + PDF)
    time.sleep(0.2)
    connection.close()


@pytest.mark.usefixtures("nothing_left")
def test_form_that_stops_before_its_closing_boundary_is_refused(live: LiveServer, live_token: str) -> None:
    body = form(b"scan.pdf", end=b"")
    head = post(live_token, "Content-Type: multipart/form-data; boundary=b", f"Content-Length: {len(body)}")
    status, members, _ = send(live, head, body)
    assert (status, members["code"]) == (400, "upload_empty")


@pytest.mark.parametrize(
    "name", [b"a\nSet-Cookie: x=1.pdf", b"a\x00b.pdf", b"\xff\xfe.pdf", b"x" * 5000 + b".pdf", b"\x1b[2J.pdf"]
)
def test_hostile_name_in_a_form_reaches_neither_header_nor_path(live: LiveServer, live_token: str, name: bytes) -> None:
    body = form(name)
    head = post(live_token, "Content-Type: multipart/form-data; boundary=b", f"Content-Length: {len(body)}")
    status, job, answer = send(live, head, body)
    assert status in (202, 400)
    assert b"\r\nSet-Cookie" not in answer
    if status == 202:
        assert job["file_name"].isprintable()
        assert len(job["file_name"]) <= 255


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Length: 8", "Content-Length: 9"],
        ["Content-Length: 8", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
        ["Transfer-Encoding: gzip, chunked"],
        ["Content-Length: -1"],
        ["Content-Length: +8"],
        ["Content-Length: 8_0"],
        ["Content-Length: 0x8"],
        ["Content-Length: 9" + "9" * 40],
        [f"X-{number}: x" for number in range(200)],
        ["X: " + "x" * 70_000],
    ],
    ids=lambda headers: headers[0][:40],
)
def test_ambiguous_or_endless_headers_answer_400_and_end_the_connection(
    live: LiveServer, live_token: str, headers: list[str]
) -> None:
    status, _, answer = send(live, post(live_token, *headers), b"8\r\n%PDF-1.7\r\n0\r\n\r\n")
    assert status == 400
    assert answer.count(b"HTTP/1.1") == 1


def test_framing_of_one_length_or_chunks_or_neither_is_taken() -> None:
    check_framing([], [])
    check_framing([" 12 "], [])
    check_framing([], ["Chunked"])


def test_request_line_that_is_no_http_does_not_stop_the_server(live: LiveServer) -> None:
    for nonsense in (b"\x16\x03\x01\x02\r\n\r\n", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", b"\r\n\r\n"):
        with socket.create_connection((live.host, live.port), timeout=10) as connection:
            connection.sendall(nonsense)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(100)
    assert requests.get(f"{live.address}/healthz", timeout=10).status_code == 200


@pytest.mark.parametrize(
    "path", ["/api/v1/jobs/\x00", "/%00", "/\xff\xfe", "/api/v1/jobs?after=%ff", "/sign-in?next=%00%ff"]
)
def test_bytes_that_are_no_text_are_answered(live: LiveServer, live_token: str, path: str) -> None:
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {live_token}\r\n\r\n"
    assert send(live, head.encode("latin-1"))[0] in (200, 302, 404, 422)


def test_wait_on_a_real_socket_ends_with_the_job(live: LiveServer, live_token: str, live_worker: HandWorker) -> None:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {live_token}"
    live_worker.end_waiting()
    answers: list[requests.Response] = []
    client = threading.Thread(
        target=lambda: answers.append(
            session.post(f"{live.address}{JOBS}", data=PDF, headers={"Prefer": "wait=30"}, timeout=40)
        )
    )
    client.start()
    claim = live_worker.claim_when_there()
    time.sleep(0.2)
    live_worker.write_results(claim, "text")
    live_worker.commit_finish(claim)
    committed_s = time.monotonic()
    client.join(10)
    assert time.monotonic() - committed_s < 1.0
    assert answers[0].status_code == 200
    link = session.get(f"{live.address}{JOBS}/{claim.lease.job_uuid}/result", allow_redirects=False)
    assert requests.get(live.address + link.headers["Location"], timeout=10).text == "text"


def test_stop_lets_waiting_requests_end_first(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "storage", {"RECTO_ADMIN_PASSWORD": PASSWORD})
    try:
        worker = HandWorker(server.folder)
        token = worker.token_of("admin")
        worker.close()
        headers = {"Authorization": f"Bearer {token}"}
        uuid = requests.post(server.address + JOBS, data=PDF, headers=headers, timeout=10).json()["uuid"]
        answers: list[int] = []
        client = threading.Thread(
            target=lambda: answers.append(
                requests.get(f"{server.address}{JOBS}/{uuid}?wait=50", headers=headers, timeout=60).status_code
            )
        )
        client.start()
        time.sleep(0.5)
        began_s = time.monotonic()
    finally:
        status = server.stop()
    client.join(10)
    assert (status, answers) == (0, [200])
    assert time.monotonic() - began_s < 5
    assert server.events()[-1]["event"] != "request_crashed"


def test_stop_lets_an_upload_that_is_arriving_end_first(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "storage", {"RECTO_ADMIN_PASSWORD": PASSWORD})
    worker = HandWorker(server.folder)
    request = post(worker.token_of("admin"), f"Content-Length: {len(PDF)}", "Connection: close")
    worker.close()
    with socket.create_connection((server.host, server.port), timeout=20) as connection:
        connection.sendall(request + PDF[:50])
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        connection.sendall(PDF[50:])
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 202 ")
    assert server.stop() == 0


def test_idle_connection_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "storage", {"RECTO_ADMIN_PASSWORD": PASSWORD})
    with requests.Session() as session:
        assert session.get(f"{server.address}/healthz", timeout=10).status_code == 200
        began_s = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began_s < 3


def test_first_start_without_a_terminal_writes_the_password_for_its_owner_only(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "storage")
    try:
        file = server.folder / "first_password"
        password = file.read_text().strip()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert password not in server.log.read_text()
        created = [event for event in server.events() if event["event"] == "first_user_created"]
        assert created[0]["password_in_file"] == str(file)
        session = requests.Session()
        page = session.get(f"{server.address}/sign-in", timeout=10).text
        csrf_token = page.partition('name="csrf-token" content="')[2].partition('"')[0]
        answer = session.post(
            f"{server.address}/sign-in",
            data={"csrf_token": csrf_token, "name": "admin", "password": password},
            headers={"Accept": "text/html"},
            timeout=10,
        )
        assert answer.status_code == 200
        assert "Read a document" in answer.text
        assert not file.exists()
    finally:
        assert server.stop() == 0


def test_port_that_is_taken_stops_the_start_with_the_next_step(live: LiveServer, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="RECTO_SERVER_PORT"):
        LiveServer(tmp_path / "storage", {"RECTO_SERVER_PORT": str(live.port)})
