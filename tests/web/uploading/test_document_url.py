"""POST /api/v1/jobs with `document_url`: the document is fetched, under the guard of outgoing requests and the limits of uploads."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.outbound.receiver import Receiver, head
from tests.web.clients import PDF, Program, problem
from tests.web.conftest import MakeApp, add_user, left_behind

JOBS = "/api/v1/jobs"
LIMIT_BYTES = 100_000


@pytest.fixture
def host() -> Iterator[Receiver]:
    with Receiver() as host:
        host.behaviours |= {
            "letter%20one.pdf": lambda handler: handler.send(head(200, f"Content-Length: {len(PDF)}") + PDF),
            "chunked": lambda handler: handler.send(
                head(200, "Transfer-Encoding: chunked") + f"{len(PDF):x}\r\n".encode() + PDF + b"\r\n0\r\n\r\n"
            ),
            "short": lambda handler: handler.send(head(200, f"Content-Length: {len(PDF) + 1}") + PDF),
            "short-chunk": lambda handler: handler.send(head(200, "Transfer-Encoding: chunked") + b"ff\r\n" + PDF[:9]),
            "empty": lambda handler: handler.send(head(200, "Content-Length: 0")),
            "text": lambda handler: handler.send(head(200) + b"no scan"),
        }
        yield host


@pytest.fixture
def fetching(make_app: MakeApp) -> Program:
    """A program of a Recto that fetches from this machine."""
    app = make_app(
        RECTO_OUTBOUND_DOCUMENT_URLS="true",
        RECTO_OUTBOUND_ALLOWED_HOSTS="127.0.0.1",
        RECTO_OUTBOUND_DOCUMENT_TIMEOUT_S="0.6",
        RECTO_SERVER_MAX_UPLOAD_BYTES=str(LIMIT_BYTES),
    )
    return Program(app, add_user(app, "cid").token)


def fetch(program: Program, url: str, **fields: Any) -> TestResponse:
    return program.post(JOBS, data={"document_url": url, **fields})


def test_document_is_fetched_as_if_it_had_been_sent(fetching: Program, host: Receiver, folder: Path) -> None:
    response = fetch(fetching, host.url("letter%20one.pdf?key=1"), pages="1")
    job = response.get_json()
    assert (response.status_code, job["file_name"], job["size_bytes"]) == (202, "letter one.pdf", len(PDF))
    assert job["options"]["pages"] == "1"
    assert (folder / job["uuid"] / "document").read_bytes() == PDF
    assert "key=1" not in (folder / job["uuid"] / "metadata.json").read_text(encoding="utf-8")
    (request,) = host.requests
    assert request.startswith(b"GET /letter%20one.pdf?key=1 HTTP/1.1\r\n")
    assert b"uthorization" not in request


def test_address_may_stand_in_the_query(fetching: Program, host: Receiver) -> None:
    response = fetching.post(JOBS, query_string={"document_url": host.url("chunked"), "filename": "mine.pdf"})
    assert (response.status_code, response.get_json()["file_name"]) == (202, "mine.pdf")


@pytest.mark.parametrize(
    ("behaviour", "status", "code"),
    [
        ("fail", 422, "document_not_fetched"),
        ("missing", 422, "document_not_fetched"),
        ("redirect", 422, "document_not_fetched"),
        ("short", 422, "document_not_fetched"),
        ("short-chunk", 502, "no_answer"),
        ("hang", 502, "no_answer"),
        ("drip-body", 502, "no_answer"),
        ("nonsense", 502, "no_answer"),
        ("endless", 413, "upload_too_large"),
        ("empty", 400, "upload_empty"),
        ("text", 415, "upload_unsupported"),
    ],
)
def test_host_that_gives_no_document_is_a_problem_and_nothing_is_left(
    fetching: Program, host: Receiver, folder: Path, behaviour: str, status: int, code: str
) -> None:
    problem(fetch(fetching, host.url(behaviour)), status, code)
    assert left_behind(folder) == []


def test_status_of_the_host_is_in_the_problem(fetching: Program, host: Receiver) -> None:
    assert problem(fetch(fetching, host.url("redirect")), 422, "document_not_fetched")["answered"] == 302
    assert len(host.requests) == 1


@pytest.mark.parametrize(
    "url", ["http://127.0.0.2/x.pdf", "http://169.254.169.254/", "file:///etc/passwd", "http://[::1]/"]
)
def test_address_that_is_not_called_is_refused(fetching: Program, folder: Path, url: str) -> None:
    problem(fetch(fetching, url), 422, "address_refused")
    assert left_behind(folder) == []


def test_document_beside_its_address_is_refused(fetching: Program, host: Receiver) -> None:
    url = host.url("chunked")
    problem(fetching.send_form(document_url=url), 422, "option_invalid")
    problem(fetching.post(JOBS, query_string={"document_url": url}, data=PDF), 422, "option_invalid")
    assert host.requests == []


def test_recto_fetches_nothing_unless_it_is_told_to(program: Program, host: Receiver) -> None:
    detail = problem(fetch(program, host.url("chunked")), 403, "document_urls_off")["detail"]
    assert "outbound.document_urls" in detail
    assert host.requests == []


def test_batch_takes_no_address(fetching: Program) -> None:
    form = {"document": (io.BytesIO(PDF), "scan.pdf"), "document_url": "https://files.example.com/letter.pdf"}
    problem(fetching.post("/api/v1/batches", data=form), 422, "option_invalid")
