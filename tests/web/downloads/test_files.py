"""GET /api/v1/jobs/{uuid}/files/{name}: a result by its signed link."""

import time
from pathlib import Path

import pytest
from flask import Flask

from recto.errors import StorageUnavailable
from recto.file_storage.base import result_name
from recto.ocr.options import RESULT_FORMATS, ResultFormat
from recto.web.downloads.links import LinkSigner
from tests.web.clients import PDF, Browser, Program, problem
from tests.web.conftest import MakeApp, add_user, left_behind
from tests.web.hand_worker import HandWorker

JOBS = "/api/v1/jobs"
TEXT = "0123456789" * 10
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def link(program: Program, worker: HandWorker) -> str:
    """The link to the text of a finished job called 'Brief für Ödön.pdf'."""
    return finished_link(program, worker, "Brief für Ödön.pdf")


def finished_link(program: Program, worker: HandWorker, name: str = "scan.pdf", result_format: str = "txt") -> str:
    uuid = program.submit(name=name)
    worker.finish(worker.claim(), TEXT)
    return str(program.get(f"{JOBS}/{uuid}/result?format={result_format}").headers["Location"])


def test_link_works_without_a_token(anybody: Program, link: str) -> None:
    response = anybody.get(link)
    assert (response.status_code, response.text) == (200, TEXT)
    assert response.headers["Content-Length"] == "100"
    assert response.headers["Accept-Ranges"] == "bytes"


def test_link_works_with_a_wrong_or_another_users_token(anybody: Program, other_program: Program, link: str) -> None:
    assert other_program.get(link).text == TEXT
    assert anybody.get(link, headers={"Authorization": "Bearer wrong"}).text == TEXT


def test_answer_is_a_download_that_no_browser_renders_and_no_cache_keeps(anybody: Program, link: str) -> None:
    headers = anybody.get(link).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "private, no-store"
    assert is_confined(headers["Content-Security-Policy"])
    assert headers["Content-Disposition"].startswith("attachment; filename=")


@pytest.mark.parametrize("result_format", RESULT_FORMATS)
def test_every_format_is_a_confined_download_of_its_own_type(
    program: Program, anybody: Program, worker: HandWorker, folder: Path, result_format: ResultFormat
) -> None:
    """hOCR is HTML and ALTO is XML: a browser that opened one in Recto's origin would run what a document smuggled in."""
    uuid = program.submit()
    claim = worker.claim()
    worker.write_file(claim, result_format, f"{HOSTILE} {result_format}".encode())
    worker.finish(claim, HOSTILE)
    response = anybody.get(program.get(f"{JOBS}/{uuid}/result?format={result_format}").headers["Location"])
    assert response.status_code == 200
    assert response.mimetype == RESULT_FORMATS[result_format].media_type.partition(";")[0]
    assert response.headers["Content-Disposition"].startswith("attachment; filename=")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert is_confined(response.headers["Content-Security-Policy"])


def is_confined(policy: str) -> bool:
    """Whether a file that is opened all the same has an origin of its own, and runs and loads nothing."""
    rules = [rule.strip() for rule in policy.split(";")]
    return {"sandbox", "default-src 'none'"} <= set(rules) and "unsafe" not in policy


def test_part_of_a_file_and_its_head_are_confined_too(anybody: Program, link: str) -> None:
    for response in (anybody.get(link, headers={"Range": "bytes=5-14"}), anybody.request("HEAD", link)):
        assert is_confined(response.headers["Content-Security-Policy"])
        assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "content",
    [
        b"<!doctype html><script>alert(1)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"\xef\xbb\xbf<html><body onload=alert(1)>",
        b"GIF<script>alert(1)</script>",
    ],
)
@pytest.mark.parametrize("name", ["page.svg", "page.html", "scan.pdf", "scan.png"])
def test_uploaded_page_or_drawing_is_refused_whatever_it_is_called(
    program: Program, folder: Path, content: bytes, name: str
) -> None:
    problem(program.send_form(content, name), 415, "upload_unsupported")
    assert left_behind(folder) == []


def test_document_itself_is_served_by_no_address(
    app: Flask, program: Program, browser: Browser, worker: HandWorker
) -> None:
    """A file can be a PDF and a page at once. It goes to the Worker, and comes back as what the Worker made of it."""
    both = PDF + HOSTILE.encode()
    uuid = program.submit(both, "both.html")
    claim = worker.claim()
    worker.read_page(claim, 1)
    worker.write_picture(claim, 1, b"drawn anew")
    worker.finish(claim)
    for name in ("document", "result.html", "metadata.json"):
        signature = app.extensions["recto"].links.sign(uuid, name)
        problem(program.get(f"{JOBS}/{uuid}/files/{name}?signature={signature}"), 404, "file_not_found")
    for path in ("/", f"/jobs/{uuid}", f"{JOBS}/{uuid}", f"{JOBS}/{uuid}/pages/1/image", f"{JOBS}/{uuid}/result"):
        assert HOSTILE not in browser.get(path, follow_redirects=True).text


def test_non_ascii_name_is_given_in_both_spellings(anybody: Program, link: str) -> None:
    disposition = anybody.get(link).headers["Content-Disposition"]
    assert "filename*=UTF-8''Brief%20f%C3%BCr%20%C3%96d%C3%B6n.txt" in disposition
    assert 'filename="Brief fur Odon.txt"' in disposition


@pytest.mark.parametrize("name", ['a"b;c=d.pdf', "a%0d%0aSet-Cookie: x=1.pdf", "…" * 200, ".pdf", "..", "no extension"])
def test_hostile_name_stays_inside_its_header(
    program: Program, anybody: Program, worker: HandWorker, name: str
) -> None:
    program.post(JOBS, data=PDF, query_string={"filename": name})
    uuid = worker.finish(worker.claim(), TEXT)
    response = anybody.get(program.get(f"{JOBS}/{uuid}/result").headers["Location"])
    assert response.status_code == 200
    assert "Set-Cookie" not in response.headers
    assert response.headers["Content-Disposition"].startswith("attachment; filename")


def test_range_is_answered_with_that_part(anybody: Program, link: str) -> None:
    response = anybody.get(link, headers={"Range": "bytes=5-14"})
    assert (response.status_code, response.text) == (206, "5678901234")
    assert response.headers["Content-Range"] == "bytes 5-14/100"
    assert response.headers["Content-Length"] == "10"
    assert anybody.get(link, headers={"Range": "bytes=-3"}).text == "789"
    assert anybody.get(link, headers={"Range": "bytes=97-1000"}).text == "789"


def test_range_outside_the_file_answers_416(anybody: Program, link: str) -> None:
    response = anybody.get(link, headers={"Range": "bytes=100-"})
    problem(response, 416, "requested_range_not_satisfiable")
    assert response.headers["Content-Range"] == "bytes */100"


@pytest.mark.parametrize("unit", ["lines=1-2", "bytes=x", "bytes=5-1", ""])
def test_range_that_means_nothing_is_ignored_or_refused(anybody: Program, link: str, unit: str) -> None:
    assert anybody.get(link, headers={"Range": unit}).status_code in (200, 416)


def test_head_gives_the_length_and_no_body(anybody: Program, link: str) -> None:
    response = anybody.request("HEAD", link)
    assert (response.status_code, response.data) == (200, b"")
    assert response.headers["Content-Length"] == "100"


@pytest.mark.parametrize("signature", ["", "x", "WyJhIl0.x.y", "é", "\x00", "a" * 5000])
def test_wrong_signature_answers_404(anybody: Program, link: str, signature: str) -> None:
    path = link.partition("?")[0]
    members = problem(anybody.get(path, query_string={"signature": signature}), 404, "file_not_found")
    assert "Ask for the result again" in members["detail"]
    problem(anybody.get(path), 404, "file_not_found")


def test_tampered_signature_answers_404(anybody: Program, link: str) -> None:
    path, _, signature = link.partition("?signature=")
    for place in (0, len(signature) // 2, len(signature) - 2):
        changed = "A" if signature[place] != "A" else "B"
        tampered = signature[:place] + changed + signature[place + 1 :]
        problem(anybody.get(f"{path}?signature={tampered}"), 404, "file_not_found")


def test_expired_link_answers_404(anybody: Program, link: str, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    lifetime_s = app.extensions["recto"].limits.link_lifetime_s
    now = time.time()
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: now + lifetime_s + 2)
    assert "expired" in problem(anybody.get(link), 404, "file_not_found")["detail"]


def test_link_of_another_job_or_format_answers_404(program: Program, anybody: Program, worker: HandWorker) -> None:
    first, second = finished_link(program, worker), finished_link(program, worker)
    signature = first.partition("?")[2]
    problem(anybody.get(f"{second.partition('?')[0]}?{signature}"), 404, "file_not_found")
    problem(anybody.get(first.replace("result.txt", "result.json")), 404, "file_not_found")
    problem(anybody.get(first.replace("result.txt", "document")), 404, "file_not_found")
    problem(anybody.get(first.replace("result.txt", "..%2fdocument")), 404, "not_found")


def test_signature_for_the_document_itself_gives_nothing(
    program: Program, anybody: Program, worker: HandWorker, app: Flask
) -> None:
    path = finished_link(program, worker).partition("?")[0]
    uuid = path.split("/")[4]
    for name in ("document", "metadata.json", "../recto.db", result_name("0" * 32, "txt")):
        signature = app.extensions["recto"].links.sign(uuid, name)
        problem(anybody.get(path, query_string={"signature": signature}), 404, "file_not_found")


def test_signature_of_another_secret_answers_404(anybody: Program, link: str) -> None:
    path = link.partition("?")[0]
    forged = LinkSigner(b"x" * 32).sign(path.split("/")[4], "result.txt")
    problem(anybody.get(f"{path}?signature={forged}"), 404, "file_not_found")


def test_link_ends_with_the_job(program: Program, anybody: Program, link: str) -> None:
    program.delete(f"{JOBS}/{link.split('/')[4]}")
    problem(anybody.get(link), 404, "file_not_found")


def test_link_ends_with_the_job_even_while_its_files_are_still_there(
    program: Program, anybody: Program, link: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise StorageUnavailable("The files resist.")

    monkeypatch.setattr("recto.file_storage.volume.VolumeStorage.delete", refuse)
    uuid = link.split("/")[4]
    assert program.delete(f"{JOBS}/{uuid}").status_code == 204
    assert left_behind(folder) == [uuid]
    problem(anybody.get(link), 404, "file_not_found")


def test_file_that_vanished_from_the_disk_answers_404(anybody: Program, link: str, folder: Path) -> None:
    for file in folder.glob("*/attempts/*/result.txt"):
        file.unlink()
    problem(anybody.get(link), 404, "file_not_found")


def test_link_works_on_a_backend_that_starts_later(program: Program, link: str, make_app: MakeApp) -> None:
    assert Program(make_app()).get(link).text == TEXT


def test_link_stays_out_of_the_log(live_log_of_link: str) -> None:
    assert "signature" not in live_log_of_link


@pytest.fixture
def live_log_of_link(anybody: Program, link: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What the Backend logs of a request by link."""
    anybody.get(link)
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_wrong_method_names_the_right_one(anybody: Program, link: str) -> None:
    response = anybody.post(link)
    problem(response, 405, "method_not_allowed")
    assert "GET" in response.headers["Allow"]


def test_empty_result_is_a_file_of_no_bytes(make_app: MakeApp, worker: HandWorker, app: Flask) -> None:
    program = Program(app, add_user(app, "eve").token)
    uuid = program.submit()
    worker.finish(worker.claim(), "")
    response = program.get(f"{JOBS}/{uuid}/result", follow_redirects=True)
    assert (response.status_code, response.data, response.headers["Content-Length"]) == (200, b"", "0")
