"""POST and PUT /api/v1/ocr: from document to result in one request."""

import io
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from recto.errors import DocumentEncrypted, JobCancelled, RectoError, StorageFull
from tests.web.clients import PDF, Browser, Program, problem
from tests.web.conftest import MakeApp, add_user, left_behind
from tests.web.hand_worker import HandWorker
from tests.web.live_server import LiveServer
from tests.web.reading_by_hand import reading

OCR, JOBS = "/api/v1/ocr", "/api/v1/jobs"
Send = Callable[..., TestResponse]


def while_waiting(send: Callable[[], TestResponse], meanwhile: Callable[[], Any]) -> TestResponse:
    """The answer of a request during which something happens."""
    answers: list[TestResponse] = []
    client = threading.Thread(target=lambda: answers.append(send()))
    client.start()
    meanwhile()
    client.join(20)
    return answers[0]


@pytest.fixture(params=["POST", "PUT"])
def send(request: pytest.FixtureRequest, program: Program) -> Send:
    """Send the bare document."""

    def send(path: str = OCR, **values: Any) -> TestResponse:
        return program.request(request.param, path, data=values.pop("data", PDF), **values)

    return send


def test_document_is_answered_with_its_text(send: Send, worker: HandWorker) -> None:
    response = while_waiting(
        lambda: send(f"{OCR}?filename=letter.pdf", headers={"Accept": "text/plain"}),
        lambda: worker.finish(worker.claim_when_there(), "Read äöü.\n"),
    )
    assert (response.status_code, response.text) == (200, "Read äöü.\n")
    assert response.content_type == "text/plain; charset=utf-8"
    assert "letter.txt" in response.headers["Content-Disposition"]
    job = response.headers["Location"]
    assert response.headers["Link"] == f'<{job}>; rel="describedby"'
    assert response.headers["Content-Location"] == f"{job}/result?format=txt"
    assert "Preference-Applied" not in response.headers
    assert "sandbox" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("query", "accept", "media_type", "formats"),
    [
        ("?format=json", "text/plain", "application/json", "txt+json"),
        ("", "application/json", "application/json", "txt+json"),
        ("", "*/*", "text/plain", "txt"),
    ],
)
def test_format_is_asked_for_by_query_or_accept_and_written_at_once(
    program: Program, worker: HandWorker, query: str, accept: str, media_type: str, formats: str
) -> None:
    response = while_waiting(
        lambda: program.post(f"{OCR}{query}", data=PDF, headers={"Accept": accept}),
        lambda: worker.finish(worker.claim_when_there()),
    )
    assert (response.status_code, response.mimetype) == (200, media_type)
    job = program.get(response.headers["Location"]).get_json()
    assert job["options"]["formats"] == formats


def test_form_is_taken_as_well(program: Program, worker: HandWorker) -> None:
    form = {"document": (io.BytesIO(PDF), "scan.pdf"), "mode": "force", "formats": "txt+tsv"}
    response = while_waiting(lambda: program.post(OCR, data=form), lambda: worker.finish(worker.claim_when_there()))
    assert response.text == "Read by hand.\n"
    options = program.get(response.headers["Location"]).get_json()["options"]
    assert (options["mode"], options["formats"]) == ("force", "txt+tsv")


def test_wait_that_is_over_first_answers_202_with_the_job(send: Send, program: Program) -> None:
    response = send(headers={"Prefer": "wait=0.1"})
    assert response.status_code == 202
    assert response.headers["Location"] == f"{JOBS}/{response.get_json()['uuid']}"
    assert response.headers["Retry-After"] == "1"
    assert response.headers["Preference-Applied"] == "wait=0.1"
    assert program.get(response.headers["Location"]).status_code == 200


def test_request_waits_as_long_as_the_setting_says(make_app: MakeApp) -> None:
    app = make_app(RECTO_SERVER_MAX_WAIT_S="0.1")
    response = Program(app, add_user(app, "ada").token).post(OCR, data=PDF)
    assert (response.status_code, "Preference-Applied" in response.headers) == (202, False)


@pytest.mark.parametrize(
    "error",
    [DocumentEncrypted("The PDF needs a password. Give it."), JobCancelled("You stopped it. Send it again.")],
)
def test_job_that_fails_is_answered_with_its_reason(
    send: Send, program: Program, worker: HandWorker, error: RectoError
) -> None:
    response = while_waiting(send, lambda: worker.fail(worker.claim_when_there(), error))
    members = problem(response, 422, error.code)
    assert members["detail"] == error.detail
    assert program.get(members["job"]).get_json()["status"] == "FAILURE"
    assert program.post(f"{members['job']}/retry", data={"password": "sesame"}).status_code == 202


def test_job_that_fails_for_another_reason_is_a_failed_job(program: Program, worker: HandWorker) -> None:
    response = while_waiting(
        lambda: program.post(OCR, data=PDF), lambda: worker.fail(worker.claim_when_there(), StorageFull("Full."))
    )
    assert problem(response, 409, "job_failed")["reason"] == "storage_full"


def test_job_that_is_deleted_meanwhile_is_not_found(program: Program, worker: HandWorker) -> None:
    def delete() -> None:
        program.delete(f"{JOBS}/{worker.claim_when_there().lease.job_uuid}")

    problem(while_waiting(lambda: program.post(OCR, data=PDF), delete), 404, "job_not_found")


@pytest.mark.parametrize(
    ("query", "headers", "status", "code"),
    [
        ("?format=docx", {}, 422, "option_invalid"),
        ("?mode=never", {}, 422, "option_invalid"),
        ("", {"Accept": "image/png"}, 406, "not_acceptable"),
        ("?format=txt", {"Content-Digest": "sha-256=:AAAA:"}, 400, "content_digest_wrong"),
    ],
)
def test_what_is_wrong_is_refused_before_anything_is_kept(
    send: Send, folder: Path, query: str, headers: dict[str, str], status: int, code: str
) -> None:
    problem(send(f"{OCR}{query}", headers=headers), status, code)
    assert left_behind(folder) == []


def test_document_that_is_none_is_refused(send: Send, folder: Path) -> None:
    problem(send(data=b"no scan"), 415, "upload_unsupported")
    problem(send(data=b""), 400, "upload_empty")
    assert left_behind(folder) == []


def test_key_gives_the_result_of_the_first_request(send: Send, worker: HandWorker, folder: Path) -> None:
    key = {"Idempotency-Key": "once", "Prefer": "wait=0"}
    first = send(headers=key)
    worker.finish(worker.claim())
    again = send(headers=key)
    assert (first.status_code, again.status_code, again.text) == (202, 200, "Read by hand.\n")
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(left_behind(folder)) == 1


def test_caller_without_the_right_is_refused(anybody: Program, browser: Browser, folder: Path) -> None:
    for method in ("POST", "PUT"):
        problem(anybody.request(method, OCR, data=PDF), 401, "not_signed_in")
        problem(browser.client.open(OCR, method=method, data=PDF), 403, "csrf_rejected")
    assert left_behind(folder) == []


def test_both_methods_count_as_uploads(make_app: MakeApp) -> None:
    app = make_app(RECTO_LIMITS_UPLOADS_PER_MINUTE="2", RECTO_SERVER_MAX_WAIT_S="0.1")
    program = Program(app, add_user(app, "ada").token)
    assert program.post(OCR, data=PDF).status_code == 202
    assert program.request("PUT", OCR, data=PDF).status_code == 202
    problem(program.request("PUT", OCR, data=PDF), 429, "too_many_requests")


def test_curl_sends_a_file_and_prints_its_text(
    live: LiveServer, live_token: str, live_worker: HandWorker, tmp_path: Path
) -> None:
    live_worker.end_waiting()
    (tmp_path / "scan.pdf").write_bytes(PDF)
    command = ["curl", "-sS", "-H", f"Authorization: Bearer {live_token}", "-T", "scan.pdf", f"{live.address}{OCR}"]
    with reading(live_worker):
        printed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert (printed.stdout, printed.stderr) == ("Read by hand.\n", "")
