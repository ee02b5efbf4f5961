"""Requests that nobody thought of, at every address by every method: made by hypothesis from what is valid, hostile and at random.

An answer is one that Recto meant: below 500, or 503 and 507, which say that the service cannot serve now.
"""

import io
import json
import re
import socket
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from recto.ocr.options import Options
from tests.web.authorisation import ENDLESS, Address, addresses
from tests.web.clients import PDF, Browser, Program, multipart
from tests.web.conftest import Known, MakeApp, add_user
from tests.web.hand_worker import HandWorker
from tests.web.live_server import LiveServer
from tests.web.test_hostile_data import HEADERS, HOSTILE, PARAMETERS, in_form_header, readable, spelled

_MARKER: Final = re.compile(r"<(?:[^:>]+:)?(\w+)>")
_NUMBERS: Final = (
    *("0", "-1", "1", "1e999", "NaN", "inf", "-0.0", "1_0", "\u0661", "0x10", "9223372036854775807"),
    *("9223372036854775808", "-9223372036854775809", "9" * 400, "9" * 5000, " 1 ", "+1", "1;drop"),
)
_FIELDS: Final = (
    *(*Options.model_fields, "document", "name", "password", "next", "current", "new", "repeat", "scopes", "days"),
    *("csrf_token", "filename", "unknown"),
)
_TYPES: Final = (
    *(
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b",
        "multipart/form-data",
    ),
    *("application/pdf", "text/plain; charset=no-such", "multipart/form-data; boundary=" + "b" * 300, "/", ""),
)
_MORE_HEADERS: Final = (
    *(
        "If-Modified-Since",
        "If-Range",
        "Content-Encoding",
        "Expect",
        "Origin",
        "Referer",
        "X-CSRFToken",
        "X-HTTP-Method-Override",
    ),
    *(
        "Accept-Language",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded-Prefix",
        "Upgrade",
        "Idempotency-Key",
        "Content-Digest",
        "Host",
    ),
)
_HEADER_VALUES: Final = (
    "bytes=0-",
    "bytes=9-1,-5",
    "bytes=-0",
    "*",
    '"',
    'W/"x"',
    "wait=",
    "wait=9e9",
    "Bearer",
    "Basic Og==",
    "Bearer  ,",
    "a" * 9000,
)
_BODIES: Final = (
    *(
        b"",
        b"{",
        b"[" * 20_000,
        b'{"password": {"a": 1}}',
        b"null",
        b"1e999",
        b"a=%ff&b=%",
        b"&" * 5000,
        b"\xff\xfe\x00",
    ),
    *(b"--b\r\n", b"--b--", b"--b\r\nContent-Disposition: form-data\r\n\r\n\r\n--b--", b"--b\r\n\r\nx\r\n--b--\r\n"),
    b'--b\r\nContent-Disposition: form-data; name="document"\r\n\r\n%PDF-\r\n--b--\r\n',
    b'--b\r\nContent-Disposition: form-data; name="document"; filename="\x00"\r\nContent-Type: \xff\r\n\r\n%PDF-1.7\r\n--b--\r\n',
)

values: Final = st.sampled_from([*HOSTILE.values(), *_NUMBERS]) | st.text(max_size=40)
"""What stands in a path, a query, a form or a header."""


@dataclass(frozen=True)
class HostileRequest:
    """How an address is asked. `by` is one of the callers of Crowd; `filled` has a value for some of the path's parts."""

    by: str
    filled: dict[str, str]
    query: list[tuple[str, str]]
    headers: dict[str, str]
    form: dict[str, str] | None
    file_name: str | None
    body: bytes | None
    body_type: str


def _header_values() -> st.SearchStrategy[str]:
    """As the server takes them: printable, and bytes for Latin-1."""
    return (st.sampled_from(_HEADER_VALUES) | values).map(
        lambda value: "".join(one for one in readable(value) if one.isprintable()).encode().decode("latin-1")
    )


def hostile_requests(address: Address) -> st.SearchStrategy[HostileRequest]:
    """Requests of one address; every part that a path has is left valid in half of them."""
    parts = _MARKER.findall(address.rule)
    return st.builds(
        HostileRequest,
        by=st.sampled_from(("nobody", "program", "browser")),
        filled=st.dictionaries(st.sampled_from(parts), values, max_size=1) if parts else st.just({}),
        query=st.lists(
            st.tuples(st.sampled_from((*PARAMETERS, *Options.model_fields, "")) | values, values), max_size=3
        ),
        headers=st.dictionaries(st.sampled_from((*HEADERS, *_MORE_HEADERS)), _header_values(), max_size=2),
        form=st.none() | st.dictionaries(st.sampled_from(_FIELDS), values.map(readable), max_size=4),
        file_name=st.none() | values.map(in_form_header),
        body=st.none() | st.sampled_from(_BODIES) | st.binary(max_size=200),
        body_type=st.sampled_from(_TYPES),
    )


@dataclass
class Crowd:
    """Those who ask, and a finished job and a token that are the program's."""

    app: Flask
    worker: HandWorker
    owner: Known
    known: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.worker.end_waiting()
        program = Program(self.app, self.owner.token)
        program.request("PUT", "/api/v1/webhook", json={"url": "https://hooks.example.com/"})
        uuid = program.submit()
        claim = self.worker.claim()
        self.worker.read_page(claim, 1)
        self.worker.write_picture(claim, 1, b"a picture")
        self.worker.finish(claim)
        self.browser = Browser(self.app)
        self.browser.sign_in(self.owner.name)
        self.known = {
            "uuid": uuid,
            "token_id": "1",
            "session_id": "0123456789abcdef",
            "user_id": "4711",
            "correction": "1",
            "delivery_id": program.get(f"/api/v1/jobs/{uuid}/webhook-deliveries").get_json()["deliveries"][0]["id"],
            "result_format": "txt",
            "number": "1",
            "stage": "original",
            "filename": "css/base.css",
            "file_name": "result.txt",
        }
        self.program, self.nobody = program, Program(self.app)

    def send(self, address: Address, asked: HostileRequest) -> TestResponse:
        """The answer."""
        path = _MARKER.sub(
            lambda found: spelled(asked.filled[found[1]]) if found[1] in asked.filled else self.known[found[1]],
            address.rule,
        )
        query = "&".join(f"{spelled(name)}={spelled(value)}" for name, value in asked.query)
        content = self._content(asked) | {"buffered": address.rule not in ENDLESS}
        if asked.by == "browser":
            headers = {"X-CSRFToken": self.browser.csrf_token, **asked.headers}
            return self.browser.client.open(path, method=address.method, query_string=query, headers=headers, **content)
        caller = self.program if asked.by == "program" else self.nobody
        return caller.request(address.method, path, asked.headers, query_string=query, **content)

    def _content(self, asked: HostileRequest) -> dict[str, Any]:
        if asked.body is not None:
            return {"data": asked.body, "content_type": asked.body_type}
        if asked.form is None:
            return {}
        if asked.file_name is None:
            return {"data": json.dumps(asked.form), "content_type": "application/json"}
        with closing(io.BytesIO(PDF)) as document:
            form = {key: value for key, value in asked.form.items() if key != "document"}
            return multipart({**form, "document": (document, asked.file_name)})


def assert_meant(address: Address, asked: HostileRequest, response: TestResponse) -> None:
    """No crash, and an answer of a problem has the members of one."""
    status = response.status_code
    assert status < 500 or status in (503, 507), f"{address.name} {asked}: {response.text}"
    if response.mimetype == "application/problem+json" and address.method != "HEAD":
        assert response.get_json()["status"] == status
        assert set(response.get_json()) >= {"type", "title", "detail", "code"}


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """Without the rates and the waiting: there are many requests here, and the deriver has nothing that it could make."""
    return make_app(
        RECTO_LIMITS_SIGN_INS_PER_MINUTE="0",
        RECTO_LIMITS_SIGN_IN_FAILURES_PER_NAME="1000000",
        RECTO_LIMITS_SIGN_IN_FAILURES_PER_ADDRESS="1000000",
        RECTO_LIMITS_TOKENS_PER_HOUR="0",
        RECTO_LIMITS_UPLOADS_PER_MINUTE="0",
        RECTO_SERVER_MAX_WAIT_S="0.01",
        RECTO_SERVER_MAX_UPLOAD_BYTES="100000",
    )


def ask(address: Address, crowd: Crowd, examples: int) -> None:
    """That many requests of one address."""

    @settings(max_examples=examples)
    @given(hostile_requests(address))
    def send(asked: HostileRequest) -> None:
        with closing(crowd.send(address, asked)) as response:
            assert_meant(address, asked, response)

    send()


@pytest.mark.parametrize("examples", [5, pytest.param(400, marks=pytest.mark.long)])
def test_hostile_requests_are_answered_as_meant_at_every_address(app: Flask, worker: HandWorker, examples: int) -> None:
    """The crowd is made anew for each address: what one request deletes is there again for the next address."""
    for number, address in enumerate(addresses(app)):
        ask(address, Crowd(app, worker, add_user(app, f"user{number}", is_admin=True)), examples)


raw_lines: Final = st.sampled_from(
    [
        *(b"Host: a", b"Host:", b"host: a\x00b", b"Content-Length: 5", b"Content-Length: -1", b"Content-Length: 1e3"),
        *(
            b"Transfer-Encoding: chunked",
            b"Transfer-Encoding: gzip",
            b"Connection: upgrade",
            b"Upgrade: h2c",
            b": x",
            b"x",
        ),
        *(
            b" folded",
            b"A" * 9000 + b": x",
            b"Range: bytes=0-0," * 500,
            b"Cookie: recto_session=\xff",
            b"Accept: */*;q=9",
        ),
    ]
) | st.binary(max_size=40)
"""Header lines that no client library would send."""


@given(
    method=st.sampled_from((b"GET", b"POST", b"HEAD", b"PRI", b"CONNECT", b"get", b"")) | st.binary(max_size=8),
    target=st.sampled_from((b"/", b"*", b"//", b"http://a/b", b"/%", b"/%zz?%", b"/\xff", b"/" + b"a" * 9000))
    | st.binary(max_size=20),
    version=st.sampled_from((b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/9", b"", b"SIP/2.0")),
    lines=st.lists(raw_lines, max_size=4),
    rest=st.sampled_from(
        (b"", b"5\r\nhello\r\n0\r\n\r\n", b"zz\r\n", b"ffffffffffffffff\r\nx", b"GET / HTTP/1.1\r\n\r\n")
    ),
)
@settings(max_examples=60)
def test_raw_bytes_are_answered_or_the_line_is_cut(
    live: LiveServer, method: bytes, target: bytes, version: bytes, lines: list[bytes], rest: bytes
) -> None:
    head = b"\r\n".join([b" ".join((method, target, version)), *lines])
    answer = send_bytes(live, head + b"\r\n\r\n" + rest)
    for status in re.findall(rb"^HTTP/1\.[01] (\d{3})", answer):
        assert int(status) < 500 or int(status) in (501, 505), answer
    assert b" 200 " in send_bytes(live, b"GET /healthz HTTP/1.0\r\nHost: recto\r\n\r\n")


def send_bytes(server: LiveServer, content: bytes) -> bytes:
    """What comes back, nothing included, until the server has closed."""
    answer = b""
    with socket.create_connection((server.host, server.port), timeout=10) as connection, suppress(ConnectionError):
        connection.sendall(content)  # the server may have gone by now
        with suppress(OSError):  # ENOTCONN, where it was cut in between
            connection.shutdown(socket.SHUT_WR)
        while chunk := connection.recv(65536):
            answer += chunk
    return answer
