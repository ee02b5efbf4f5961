import io
import os
import threading
from functools import partial
from pathlib import Path

import httpx
import pytest

from recto_client import (
    Busy,
    Client,
    DigestMismatch,
    DocumentChanged,
    JobFailed,
    NotAllowed,
    NotFound,
    NotReachable,
    NotSignedIn,
    Problem,
    UnexpectedAnswer,
    WaitTimeout,
)
from tests.clients.fake_recto import ADDRESS, BROKEN, NO_DOCUMENT, TOKEN, FakeRecto, job_json, problem

SCAN = b"%PDF-1.7 scan"
BREAKS = httpx.ReadError("connection reset")


@pytest.fixture
def client(recto: FakeRecto, slept_s: list[float]) -> Client:
    return recto.client()


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    file = tmp_path / "scan.pdf"
    file.write_bytes(SCAN)
    return file


def test_submit_sends_the_document_with_its_options_and_its_digest(
    recto: FakeRecto, client: Client, scan: Path
) -> None:
    job = client.submit(scan, languages="eng+deu")
    (request,) = recto.requests
    assert str(request.url).partition("?")[0] == f"{ADDRESS}/api/v1/jobs"
    assert dict(request.url.params) == {"filename": "scan.pdf", "languages": "eng+deu"}
    assert request.content == SCAN
    assert request.headers["Content-Length"] == str(len(SCAN))
    assert request.headers["Content-Digest"].startswith("sha-256=:")
    assert (job.status, job.file_name, job.page_count, job.is_final) == ("QUEUED", "scan.pdf", None, False)


def test_submit_of_a_file_object_sends_it_whole_and_leaves_it_open(recto: FakeRecto, client: Client) -> None:
    file = io.BytesIO(SCAN)
    file.seek(5)
    assert client.submit(file).file_name == "document"
    assert recto.requests[0].content == SCAN
    assert not file.closed


def test_submit_of_a_pipe_sends_what_comes_out_of_it_again_after_a_break(recto: FakeRecto, client: Client) -> None:
    reading, writing = os.pipe()
    with open(reading, "rb") as source:  # noqa: PTH123 - a descriptor
        os.write(writing, SCAN)
        os.close(writing)
        recto.next_answers.append(BREAKS)
        client.submit(source, file_name="piped.pdf")
    assert [request.content for request in recto.requests] == [SCAN, SCAN]


def test_submit_whose_answer_is_lost_makes_one_job(recto: FakeRecto, client: Client, scan: Path) -> None:
    def lose(request: httpx.Request) -> httpx.Response:
        recto.route(request)
        raise BREAKS

    recto.next_answers.extend([lose, lose])
    job = client.submit(scan)
    assert list(recto.jobs) == [job.uuid]
    assert len({request.headers["Idempotency-Key"] for request in recto.requests}) == 1


def test_submit_of_two_documents_uses_two_keys(recto: FakeRecto, client: Client, scan: Path) -> None:
    assert client.submit(scan).uuid != client.submit(scan).uuid


def test_submit_with_a_password_keeps_it_out_of_the_address_and_repeats_the_form_to_the_byte(
    recto: FakeRecto, client: Client, scan: Path
) -> None:
    recto.next_answers.append(BREAKS)
    client.submit(scan, password="open sesame", languages="eng")
    first, second = recto.requests
    assert "sesame" not in str(first.url)
    assert first.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert b"open sesame" in first.content
    assert SCAN in first.content
    assert first.content == second.content


def test_submit_still_arriving_elsewhere_is_sent_again_when_it_is_told(
    recto: FakeRecto, client: Client, scan: Path, slept_s: list[float]
) -> None:
    recto.next_answers.append(problem(409, "idempotency_key_in_use", {"Retry-After": "3"}))
    client.submit(scan)
    assert slept_s == [3.0]


def test_submit_of_a_file_that_is_written_to_says_so(recto: FakeRecto, client: Client, scan: Path) -> None:
    def grow(request: httpx.Request) -> httpx.Response:
        scan.write_bytes(SCAN + b" and more")
        return problem(503, "queue_full")

    recto.next_answers.append(grow)
    with pytest.raises(DocumentChanged, match=r"scan\.pdf was written to"):
        client.submit(scan)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (problem(401, "not_signed_in"), NotSignedIn),
        (problem(403, "not_allowed", scopes=["jobs:write"]), NotAllowed),
        (problem(404, "job_not_found"), NotFound),
        (problem(415, "upload_unsupported"), Problem),
        (problem(409, "job_failed", reason="cancelled"), JobFailed),
        (httpx.Response(404, text="nginx"), UnexpectedAnswer),
        (httpx.Response(200, text="<html>"), UnexpectedAnswer),
        (httpx.Response(200, json={"some": "json"}), UnexpectedAnswer),
    ],
)
def test_answer_that_is_wrong_becomes_its_error_at_once(
    recto: FakeRecto, client: Client, answer: httpx.Response, error: type[Exception], slept_s: list[float]
) -> None:
    recto.next_answers.append(answer)
    with pytest.raises(error) as raised:
        client.job("0b9e")
    assert type(raised.value) is error
    assert slept_s == []


def test_problem_carries_its_members(recto: FakeRecto, client: Client) -> None:
    recto.next_answers.append(problem(413, "upload_too_large", limit_bytes=5))
    with pytest.raises(Problem, match=r"Do this\.") as raised:
        client.job("0b9e")
    assert (raised.value.status, raised.value.code, raised.value.members["limit_bytes"]) == (413, "upload_too_large", 5)


@pytest.mark.parametrize("status", [429, 503, 507])
def test_busy_recto_is_asked_again_after_the_time_it_names(
    recto: FakeRecto, client: Client, scan: Path, slept_s: list[float], status: int
) -> None:
    recto.next_answers.extend([problem(status, "queue_full", {"Retry-After": "7"})] * 2)
    client.submit(scan)
    assert slept_s == [7.0, 7.0]


@pytest.mark.parametrize("code", ["content_digest_wrong", "upload_incomplete"])
def test_document_that_was_damaged_on_the_way_is_sent_again(
    recto: FakeRecto, client: Client, scan: Path, code: str
) -> None:
    recto.next_answers.append(problem(400, code))
    client.submit(scan)
    assert [request.content for request in recto.requests] == [SCAN, SCAN]


def test_proxy_without_a_recto_behind_it_is_asked_again(
    recto: FakeRecto, client: Client, scan: Path, slept_s: list[float]
) -> None:
    recto.next_answers.append(httpx.Response(502, text="Bad gateway"))
    client.submit(scan)
    assert len(slept_s) == 1


def test_patience_that_ends_gives_the_last_error(recto: FakeRecto, slept_s: list[float], scan: Path) -> None:
    client = recto.client(patience_s=20)
    recto.next_answers.extend([problem(429, "user_queue_full", {"Retry-After": "9"})] * 9)
    with pytest.raises(Busy) as raised:
        client.submit(scan)
    assert (raised.value.code, raised.value.retry_after_s) == ("user_queue_full", 9.0)
    assert sum(slept_s) <= 20


def test_address_where_nothing_answers_is_named(recto: FakeRecto, slept_s: list[float]) -> None:
    client = recto.client(patience_s=5)
    recto.next_answers.extend([httpx.ConnectError("refused")] * 20)
    with pytest.raises(NotReachable, match=r"http://recto\.test/ does not answer \(refused\)"):
        client.limits()
    assert slept_s == sorted(slept_s)
    assert len(slept_s) > 2


@pytest.mark.parametrize(
    ("url", "token"),
    [("recto.test", TOKEN), ("ftp://recto.test", TOKEN), (ADDRESS, ""), (ADDRESS, "two\nlines"), (ADDRESS, "…")],
)
def test_client_for_what_can_be_no_address_or_token_is_refused(url: str, token: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        Client(url, token)


def test_wait_gives_the_job_as_it_ended(recto: FakeRecto, client: Client, scan: Path) -> None:
    job = client.submit(scan)
    recto.next_answers.append(httpx.Response(200, json=recto.jobs[job.uuid], headers={"Retry-After": "0"}))
    assert client.wait(job).status == "FINISHED"
    assert [request.url.params["wait"] for request in recto.sent("GET")] == ["30.000", "30.000"]


def test_wait_for_a_failed_job_gives_its_reason(recto: FakeRecto, client: Client) -> None:
    job = client.wait(client.submit(io.BytesIO(BROKEN)))
    assert job.reason is not None
    assert (job.status, job.reason.code) == ("FAILURE", "document_damaged")


def test_wait_that_takes_too_long_says_so(recto: FakeRecto, client: Client) -> None:
    recto.next_answers.append(httpx.Response(200, json=job_json("0b9e", "scan.pdf", 1)))
    with pytest.raises(WaitTimeout, match="0b9e has not ended within 0 seconds"):
        client.wait("0b9e", timeout_s=0)


def test_text_waits_for_the_job_and_follows_to_the_file(recto: FakeRecto, client: Client, scan: Path) -> None:
    job = client.submit(scan)
    recto.next_answers.append(httpx.Response(202, json=recto.jobs[job.uuid], headers={"Retry-After": "0"}))
    assert client.text(job) == "txt of %PDF-1.7 scan"


def test_text_of_a_failed_job_is_refused(client: Client) -> None:
    with pytest.raises(JobFailed) as raised:
        client.text(client.submit(io.BytesIO(BROKEN)))
    assert raised.value.members["reason"] == "document_damaged"


def test_redirect_to_another_host_does_not_carry_the_token(recto: FakeRecto, client: Client, scan: Path) -> None:
    job = client.submit(scan)
    elsewhere = httpx.Response(302, headers={"Location": "http://store.test/object"})
    recto.next_answers.extend([elsewhere, httpx.Response(200, content=b"from the store")])
    assert client.text(job) == "from the store"
    assert recto.requests[-1].url.host == "store.test"
    assert "Authorization" not in recto.requests[-1].headers


def test_download_writes_the_file(client: Client, scan: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.pdf"
    client.download(client.submit(scan), "pdf", target)
    assert target.read_bytes() == b"pdf of %PDF-1.7 scan"
    assert {path.name for path in tmp_path.iterdir()} == {"scan.pdf", "out.pdf"}


def test_download_into_a_file_object_writes_there(client: Client, scan: Path) -> None:
    file = io.BytesIO(b"something longer that was there before")
    client.download(client.submit(scan), "pdf", file)
    assert file.getvalue() == b"pdf of %PDF-1.7 scan"


class _Breaking(httpx.SyncByteStream):
    def __iter__(self):  # type: ignore[no-untyped-def]
        yield b"some of the "
        raise BREAKS


def test_download_that_breaks_off_begins_anew(recto: FakeRecto, client: Client, scan: Path, tmp_path: Path) -> None:
    job = client.submit(scan)
    recto.next_answers.append(httpx.Response(200, stream=_Breaking()))
    client.download(job, "txt", tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_bytes() == b"txt of %PDF-1.7 scan"


def test_download_with_a_wrong_digest_leaves_the_old_file(
    recto: FakeRecto, slept_s: list[float], scan: Path, tmp_path: Path
) -> None:
    client = recto.client(patience_s=0)
    job = client.submit(scan)
    target = tmp_path / "out.txt"
    target.write_bytes(b"old")
    recto.next_answers.append(httpx.Response(200, content=b"torn", headers={"Repr-Digest": f"sha-256=:{'A' * 43}=:"}))
    with pytest.raises(DigestMismatch):
        client.download(job, "txt", target)
    assert target.read_bytes() == b"old"
    assert {path.name for path in tmp_path.iterdir()} == {"scan.pdf", "out.txt"}


def test_jobs_follows_to_older_ones(recto: FakeRecto, client: Client) -> None:
    uuids = [client.submit(io.BytesIO(SCAN)).uuid for _ in range(3)]
    assert [job.uuid for job in client.jobs(status="QUEUED,FAILURE")] == uuids[::-1]
    first, second = recto.sent("GET")
    assert (first.url.params["status"], first.url.path) == ("QUEUED,FAILURE", second.url.path)


def test_jobs_of_nobody_are_none(client: Client) -> None:
    assert list(client.jobs()) == []


def test_cancel_and_delete_end_a_job(recto: FakeRecto, client: Client, scan: Path) -> None:
    job = client.submit(scan)
    assert client.cancel(job).status == "FAILURE"
    client.delete(job)
    assert recto.jobs == {}
    with pytest.raises(NotFound):
        client.job(job)


def test_refused_document_makes_no_job(recto: FakeRecto, client: Client) -> None:
    with pytest.raises(Problem) as raised:
        client.submit(io.BytesIO(NO_DOCUMENT))
    assert raised.value.code == "upload_unsupported"
    assert recto.jobs == {}


def test_threads_may_share_a_client(recto: FakeRecto, client: Client) -> None:
    threads = [threading.Thread(target=partial(client.submit, io.BytesIO(b"%d" % number))) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(recto.documents.values()) == [b"%d" % number for number in range(8)]
    client.close()
