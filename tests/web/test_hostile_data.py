"""Names, options and everything else that a client may write: data wherever they go, never a path, a header, a template, SQL or markup."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import inspect, text
from werkzeug.test import TestResponse

from recto.ocr.options import Options
from tests.web.clients import PDF, Browser, Program
from tests.web.conftest import Known, left_behind
from tests.web.hand_worker import HandWorker

pytestmark = pytest.mark.each_database(long=True)

JOBS: Final = "/api/v1/jobs"
HOSTILE: Final = {
    "climbing path": "../../../../etc/passwd",
    "absolute path": "/owned.pdf",
    "Windows path": "..\\..\\owned.pdf",
    "header": "a.pdf\r\nX-Owned: yes\r\n\r\n<script>owned()</script>",
    "line of a log": "a\n2026-01-01 00:00:00 [info     ] owned",
    "NUL": "a\x00.pdf",
    "terminal": "\x1b]0;owned\x07\x1b[2J.pdf",
    "template": "{{7*191191191191}}{% for x in config %}{{x}}{% endfor %}${7*191191191191}#{7*191191191191}.pdf",
    "SQL": "a'); DROP TABLE user;--\".pdf",
    "LIKE and globs": "%_*?[a-z].pdf",
    "command line": "--config=$(touch owned)`touch owned`;touch owned|touch owned&.pdf",
    "format string": "%s%n{0}{self.__class__.__mro__}.pdf",
    "markup": "\"'><script>owned()</script><img src=x onerror=owned()>.pdf",
    "right to left": "\u202efdp.owned",
    "not UTF-8": "\udcff\ud800.pdf",
    "long": "owned" * 2000,
    "fullwidth": "\uff0e\uff0e\uff0fowned\uff1cscript\uff1e",
}
PARAMETERS: Final = (
    "before",
    "after",
    "wait",
    "limit",
    "format",
    "stage",
    "signature",
    "next",
    "filename",
    "webhook",
    "unknown",
)
HEADERS: Final = (
    "Prefer",
    "Authorization",
    "User-Agent",
    "Accept",
    "Range",
    "If-None-Match",
    "Cookie",
    "X-Forwarded-For",
)


def spelled(value: str) -> str:
    """For an address. What is no Unicode is sent as the bytes that it stands for."""
    return quote(value.encode("utf-8", "surrogatepass"), safe="")


def readable(value: str) -> str:
    """The same for a form, which is UTF-8."""
    return value.encode("utf-8", "replace").decode()


def in_form_header(name: str) -> str:
    """A file's name as browsers write it into a form (HTML Standard, multipart/form-data)."""
    return readable(name).replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def assert_data(response: TestResponse) -> None:
    """The answer is one that Recto meant: no crash, no header of the client's, nothing of it evaluated or marked up."""
    assert response.status_code < 500, response.text
    assert "X-Owned" not in response.headers
    assert "1338338338337" not in response.text  # 7 * 191191191191, too long to stand in a uuid by chance
    assert "\r" not in "".join(response.headers.values())
    if response.mimetype == "text/html" and "attachment" not in response.headers.get("Content-Disposition", ""):
        assert "<script>owned" not in response.text
        assert "<img src=x" not in response.text


def assert_untouched(worker: HandWorker, folder: Path, log: str) -> None:
    """Nothing was written outside the jobs' folders, no table is gone, and no line of the log is the client's."""
    assert set(inspect(worker.engine).get_table_names()) >= {"user", "job", "api_token", "user_session"}
    with worker.session() as session:
        names = set(session.scalars(text('SELECT name FROM "user"')))
        uuids = set(session.scalars(text("SELECT uuid FROM job")))
    assert names == {"ada"}
    assert set(left_behind(folder)) == uuids
    assert not list(folder.parent.rglob("*owned*"))
    assert not Path("owned").exists()
    assert not Path("/owned.pdf").exists()
    for line in log.splitlines():
        assert not line.startswith("2026-01-01")
        assert "\x1b]0;" not in line


@pytest.fixture(autouse=True)
def _nothing_was_touched(
    ada: Known, worker: HandWorker, folder: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[None]:
    yield
    captured = capsys.readouterr()
    assert_untouched(worker, folder, captured.out + captured.err)


def test_name_of_a_file_is_data_from_the_upload_to_the_download(
    program: Program, browser: Browser, anybody: Program, worker: HandWorker
) -> None:
    for hostile in HOSTILE.values():
        by_query = program.post(f"{JOBS}?filename={spelled(hostile)}", data=PDF)
        for submitted in (by_query, program.send_form(PDF, in_form_header(hostile))):
            assert submitted.status_code == 202, submitted.text
            assert not set(submitted.get_json()["file_name"]) & set("/\\\r\n\x00\x1b")
            uuid = worker.finish(worker.claim())
            for answer in (program.get(f"{JOBS}/{uuid}"), browser.get("/"), browser.get(f"/jobs/{uuid}")):
                assert_data(answer)
            file = anybody.get(program.get(f"{JOBS}/{uuid}/result").headers["Location"])
            assert_data(file)
            (disposition,) = file.headers.getlist("Content-Disposition")
            assert disposition.startswith("attachment; filename")


@pytest.mark.parametrize("option", Options.model_fields)
def test_value_of_an_option_is_taken_or_refused_and_nothing_else(
    program: Program, browser: Browser, worker: HandWorker, option: str
) -> None:
    for hostile in HOSTILE.values():
        answer = program.send_form(PDF, "scan.pdf", None, **{option: readable(hostile)})
        assert_data(answer)
        is_password = option == "password" and len(hostile) < 200
        assert answer.status_code == (202 if is_password else 422), answer.text
        assert_data(program.post(f"{JOBS}?{option}={spelled(hostile)}", data=PDF))
        assert_data(browser.post("/upload", {"document": (io.BytesIO(PDF), "scan.pdf"), option: readable(hostile)}))
        worker.end_waiting()


def test_parameters_paths_and_headers_are_data(program: Program, browser: Browser, worker: HandWorker) -> None:
    uuid = program.submit()
    worker.finish(worker.claim())
    job = f"{JOBS}/{uuid}"
    for hostile in map(spelled, HOSTILE.values()):
        paths = [
            f"{path}?{name}={hostile}" for path in ("/", "/sign-in", JOBS, job, f"{job}/result") for name in PARAMETERS
        ]
        paths += [
            f"{job}/files/{hostile}",
            f"{job}/files/result.txt?signature={hostile}",
            f"{job}/pages/{hostile}/image",
        ]
        paths += [f"/{hostile}", f"{JOBS}/{hostile}", f"/jobs/{uuid}/result/{hostile}", f"/static/{hostile}"]
        for path in paths:
            assert_data(program.get(path))
            assert_data(browser.get(path))


def test_headers_of_a_request_are_data(program: Program, browser: Browser, worker: HandWorker) -> None:
    uuid = program.submit()
    worker.finish(worker.claim())
    link = program.get(f"{JOBS}/{uuid}/result").headers["Location"]
    for hostile in map(readable, HOSTILE.values()):
        value = "".join(character for character in hostile if character.isprintable())  # the server takes no others
        for name in HEADERS:
            for path in ("/", f"{JOBS}/{uuid}", link):
                assert_data(program.get(path, headers={name: value.encode().decode("latin-1")}))


def test_fields_of_the_pages_are_data(app: Flask, browser: Browser, worker: HandWorker) -> None:
    for hostile in map(readable, HOSTILE.values()):
        assert_data(browser.post("/account/tokens", {"name": hostile}))
        assert_data(browser.get("/account"))
        assert_data(browser.post("/account/password", {"current": hostile, "new": hostile, "repeat": hostile}))
    for hostile in map(readable, HOSTILE.values()):
        stranger = Browser(app)
        stranger.get("/sign-in")
        answer = stranger.post("/sign-in", {"name": hostile, "password": hostile, "next": hostile})
        assert_data(answer)
        assert answer.status_code == 401
