"""`Content-Digest` of what is sent."""

import base64
import hashlib
import io
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.errors import ContentDigestWrong
from recto.web.uploading.content_digest import stated_digests
from tests.web.clients import PDF, Browser, Program, multipart, problem
from tests.web.conftest import left_behind

JOBS = "/api/v1/jobs"


def digest(content: bytes, algorithm: str = "sha-256") -> str:
    computed = hashlib.new(algorithm.replace("-", ""), content).digest()
    return f"{algorithm}=:{base64.b64encode(computed).decode()}:"


@pytest.mark.parametrize("algorithm", ["sha-256", "sha-512"])
@pytest.mark.parametrize("how", ["raw", "form"])
def test_body_that_is_as_stated_is_taken_and_another_one_leaves_nothing(
    program: Program, folder: Path, algorithm: str, how: str
) -> None:
    sent = {"data": PDF} if how == "raw" else multipart({"document": (io.BytesIO(PDF), "scan.pdf")})
    wrong = program.post(JOBS, headers={"Content-Digest": digest(b"another", algorithm)}, **sent)
    assert problem(wrong, 400, "content_digest_wrong")["algorithm"] == algorithm
    assert left_behind(folder) == []
    right = program.post(JOBS, headers={"Content-Digest": digest(sent["data"], algorithm)}, **sent)
    assert right.status_code == 202, right.text


def test_every_known_digest_has_to_be_right(program: Program, folder: Path) -> None:
    right, wrong = digest(PDF, "sha-512"), digest(b"another")
    for header in (f"{right}, {wrong}", f"{wrong},{right}"):
        problem(program.post(JOBS, data=PDF, headers={"Content-Digest": header}), 400, "content_digest_wrong")
    assert left_behind(folder) == []


@pytest.mark.parametrize("header", ["md5=:AAAA:", "unixsum=4711", "sha=?1;p=1", "new-one", 'x="a"', ""])
def test_unknown_algorithms_are_ignored(program: Program, header: str) -> None:
    for shown in (header, f"{header}, {digest(PDF)}".lstrip(", ")):
        assert program.post(JOBS, data=PDF, headers={"Content-Digest": shown}).status_code == 202


@pytest.mark.parametrize(
    "header",
    ["sha-256=abc", "sha-256=:a:", "sha-256", "sha-256=:AA", "sha-256=:%%%%:", "=:AAAA:", "Sha-256=:AAAA:", "::"],
)
def test_header_that_cannot_be_understood_is_refused(program: Program, folder: Path, header: str) -> None:
    response = program.post(JOBS, data=PDF, headers={"Content-Digest": header})
    assert "cannot be understood" in problem(response, 400, "content_digest_wrong")["detail"]
    assert left_behind(folder) == []


def test_digest_of_a_form_is_checked_also_where_the_csrf_token_is_looked_for_in_it(browser: Browser) -> None:
    headers = {"Content-Digest": digest(b"another"), "Accept": "application/json"}
    problem(browser.post("/upload", headers=headers), 400, "content_digest_wrong")


def test_body_that_is_never_read_is_not_checked(program: Program) -> None:
    uuid = program.submit()
    assert program.post(f"{JOBS}/{uuid}/cancel", headers={"Content-Digest": digest(b"another")}).status_code == 200


@given(st.dictionaries(st.sampled_from(["sha-256", "sha-512"]), st.binary(max_size=80)))
def test_stated_digests_come_back_as_they_were_written(stated: dict[str, bytes]) -> None:
    header = ", ".join(f"{name}=:{base64.b64encode(value).decode()}:;p=1" for name, value in stated.items())
    assert stated_digests(header) == stated


@given(st.text())
def test_any_header_is_understood_or_refused(header: str) -> None:
    with suppress(ContentDigestWrong):
        assert set(stated_digests(header)) <= {"sha-256", "sha-512"}
