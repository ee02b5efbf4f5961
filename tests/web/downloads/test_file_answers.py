"""Result files as HTTP has them: ETag, digest, ranges, conditions; by a signed link and by `?redirect=0` alike."""

import hashlib
import os
from base64 import b64encode
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recto.web.downloads import file_answers
from tests.web.clients import Program, problem
from tests.web.hand_worker import HandWorker

JOBS = "/api/v1/jobs"
TEXT = "0123456789" * 10
DIGEST = f"sha-256=:{b64encode(hashlib.sha256(TEXT.encode()).digest()).decode()}:"
OTHER = '"txt-00000000000000000000000000000000"'


@pytest.fixture
def job(program: Program, worker: HandWorker) -> str:
    """The address of a finished job called 'Brief für Ödön.pdf'."""
    uuid = program.submit(name="Brief für Ödön.pdf")
    worker.finish(worker.claim(), TEXT)
    return f"{JOBS}/{uuid}"


@pytest.fixture(params=["link", "redirect=0"])
def address(request: pytest.FixtureRequest, program: Program, job: str) -> str:
    """Where the text itself is."""
    if request.param == "link":
        return str(program.get(f"{job}/result").headers["Location"])
    return f"{job}/result?redirect=0"


@pytest.fixture
def etag(program: Program, address: str) -> str:
    return str(program.get(address).headers["ETag"])


def test_file_comes_with_strong_etag_digest_and_name(program: Program, address: str) -> None:
    response = program.get(address)
    assert (response.status_code, response.text) == (200, TEXT)
    assert response.headers["ETag"] == f'"txt-{hashlib.sha256(TEXT.encode()).hexdigest()[:32]}"'
    assert response.headers["Repr-Digest"] == DIGEST
    assert response.headers["Accept-Ranges"] == "bytes"
    assert response.headers["Content-Length"] == "100"
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["Content-Disposition"] == (
        "attachment; filename=\"Brief fur Odon.txt\"; filename*=UTF-8''Brief%20f%C3%BCr%20%C3%96d%C3%B6n.txt"
    )
    assert response.headers["Cache-Control"] == "private, no-store"
    assert "sandbox" in response.headers["Content-Security-Policy"]


def test_link_and_streamed_file_have_the_same_headers(program: Program, job: str) -> None:
    streamed = program.get(f"{job}/result?redirect=0").headers
    linked = program.get(program.get(f"{job}/result").headers["Location"]).headers
    for name in {*streamed.keys(), *linked.keys()} - {"Date", "Vary", "X-Request-Id"}:
        assert streamed.get(name) == linked.get(name), name


def test_streamed_file_is_chosen_by_accept(program: Program, job: str) -> None:
    response = program.get(f"{job}/result?redirect=0", headers={"Accept": "application/json"})
    assert (response.status_code, response.get_json()) == (200, {"text": TEXT})
    assert response.headers["ETag"].startswith('"json-')


@pytest.mark.parametrize("given_redirect", ["", "2", "false", "00"])
def test_redirect_that_is_neither_answers_422(program: Program, job: str, given_redirect: str) -> None:
    response = program.get(f"{job}/result?redirect={given_redirect}")
    assert "'redirect'" in problem(response, 422, "option_invalid")["detail"]


def test_redirect_of_an_unfinished_job_answers_202(program: Program) -> None:
    assert program.get(f"{JOBS}/{program.submit()}/result?redirect=0").status_code == 202


def test_head_has_the_headers_and_no_body(program: Program, address: str) -> None:
    head, got = program.request("HEAD", address), program.get(address)
    assert (head.status_code, head.data) == (200, b"")
    for name in ("ETag", "Repr-Digest", "Content-Length", "Content-Disposition", "Content-Type", "Accept-Ranges"):
        assert head.headers[name] == got.headers[name], name


def test_head_takes_no_notice_of_range(program: Program, address: str) -> None:
    head = program.request("HEAD", address, headers={"Range": "bytes=0-4"})
    assert (head.status_code, head.headers["Content-Length"]) == (200, "100")


@pytest.mark.parametrize("shape", ["{}", "W/{}", '"other", {}', "*"])
def test_file_that_is_there_already_answers_304(program: Program, address: str, etag: str, shape: str) -> None:
    response = program.get(address, headers={"If-None-Match": shape.format(etag)})
    assert (response.status_code, response.data, response.headers["ETag"]) == (304, b"", etag)


@pytest.mark.parametrize("given_etag", [OTHER, f"W/{OTHER}", '"txt"', "nonsense"])
def test_file_that_is_not_there_yet_comes_whole(program: Program, address: str, given_etag: str) -> None:
    response = program.get(address, headers={"If-None-Match": given_etag})
    assert (response.status_code, response.text) == (200, TEXT)


def test_range_is_answered_with_that_part_and_the_digest_of_the_whole(program: Program, address: str) -> None:
    response = program.get(address, headers={"Range": "bytes=5-14"})
    assert (response.status_code, response.text) == (206, "5678901234")
    assert response.headers["Content-Range"] == "bytes 5-14/100"
    assert response.headers["Content-Length"] == "10"
    assert response.headers["Repr-Digest"] == DIGEST
    assert response.headers["ETag"].startswith('"txt-')


def test_range_of_several_parts_is_answered_with_the_whole(program: Program, address: str) -> None:
    response = program.get(address, headers={"Range": "bytes=0-1,5-6"})
    assert (response.status_code, response.text) == (200, TEXT)


def test_range_beyond_the_end_answers_416(program: Program, address: str) -> None:
    response = program.get(address, headers={"Range": "bytes=100-"})
    problem(response, 416, "requested_range_not_satisfiable")
    assert response.headers["Content-Range"] == "bytes */100"
    assert "Repr-Digest" not in response.headers


def test_if_range_that_names_the_file_lets_the_range_count(program: Program, address: str, etag: str) -> None:
    response = program.get(address, headers={"Range": "bytes=90-", "If-Range": etag})
    assert (response.status_code, response.text) == (206, "0123456789")


@pytest.mark.parametrize("if_range", [OTHER, "W/{}", "Wed, 21 Oct 2026 07:28:00 GMT", ""])
def test_if_range_that_names_anything_else_gives_the_whole(
    program: Program, address: str, etag: str, if_range: str
) -> None:
    """A weak name is none: the parts would be put together (RFC 9110, section 13.1.5)."""
    response = program.get(address, headers={"Range": "bytes=90-", "If-Range": if_range.format(etag)})
    assert (response.status_code, response.text) == (200, TEXT)


@pytest.mark.parametrize(
    ("if_match", "status"), [("{}", 200), ("*", 200), (f"{OTHER}, {{}}", 200), (OTHER, 412), ("W/{}", 412)]
)
def test_if_match_that_names_another_file_answers_412(
    program: Program, address: str, etag: str, if_match: str, status: int
) -> None:
    response = program.get(address, headers={"If-Match": if_match.format(etag)})
    if status == 412:
        problem(response, 412, "precondition_failed")
    assert response.status_code == status


def test_formats_of_equal_bytes_have_etags_of_their_own(program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    claim = worker.claim()
    worker.write_file(claim, "md", TEXT.encode())
    worker.finish(claim, TEXT)
    text, markdown = (program.get(f"{JOBS}/{uuid}/result?redirect=0&format={one}").headers for one in ("txt", "md"))
    assert text["Repr-Digest"] == markdown["Repr-Digest"]
    assert text["ETag"] != markdown["ETag"]


def test_digest_is_made_once_and_anew_for_another_file(
    program: Program, address: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[BinaryIO] = []
    make = file_answers._read_digest

    def make_and_note(file: BinaryIO) -> bytes:
        read.append(file)
        return make(file)

    monkeypatch.setattr(file_answers, "_read_digest", make_and_note)
    first = {program.get(address, headers=headers).headers["ETag"] for headers in ({}, {"Range": "bytes=1-2"})}
    assert (len(read), len(first)) == (1, 1)
    (path,) = folder.glob("*/attempts/*/result.txt")
    path.write_text(TEXT[::-1])
    os.utime(path, ns=(1, 1))  # of the same length, and the clock of the file system may not have moved on
    assert program.get(address).headers["ETag"] not in first
    assert len(read) == 2


def test_digests_that_are_kept_do_not_grow_without_end(
    program: Program, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_answers, "_MOST_DIGESTS", 1)
    for result_format in ("txt", "json", "txt"):
        assert program.get(f"{job}/result?redirect=0&format={result_format}").status_code == 200
        assert len(file_answers._digests) == 1


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.integers(0, 120), length=st.integers(1, 120))
def test_any_range_is_that_part_of_the_file(program: Program, job: str, first: int, length: int) -> None:
    response = program.get(f"{job}/result?redirect=0", headers={"Range": f"bytes={first}-{first + length - 1}"})
    if first >= len(TEXT):
        assert response.status_code == 416
    else:
        assert (response.status_code, response.text) == (206, TEXT[first : first + length])
