"""GET /api/v1/jobs/{uuid}/result."""

import threading

import pytest
from werkzeug.test import TestResponse

from recto.errors import DocumentEncrypted
from tests.web.clients import Browser, Program, problem
from tests.web.hand_worker import HandWorker

pytestmark = pytest.mark.each_database(long=True)

JOBS = "/api/v1/jobs"


def test_unfinished_job_answers_202_with_the_job(program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    for status in ("QUEUED", "IN_PROGRESS"):
        response = program.get(f"{JOBS}/{uuid}/result")
        assert (response.status_code, response.get_json()["status"]) == (202, status)
        assert response.headers["Retry-After"] == "1"
        assert response.headers["Location"] == f"{JOBS}/{uuid}"
        if status == "QUEUED":
            worker.claim()


@pytest.mark.parametrize(
    ("query", "name", "media_type"),
    [
        ("", "result.txt", "text/plain; charset=utf-8"),
        ("?format=txt", "result.txt", "text/plain; charset=utf-8"),
        ("?format=json", "result.json", "application/json"),
    ],
)
def test_finished_job_redirects_to_a_link_that_needs_no_token(
    program: Program, anybody: Program, worker: HandWorker, query: str, name: str, media_type: str
) -> None:
    uuid = program.submit()
    worker.finish(worker.claim(), "Größe\n")
    response = program.get(f"{JOBS}/{uuid}/result{query}")
    assert response.status_code == 302
    assert response.headers["Location"].startswith(f"{JOBS}/{uuid}/files/{name}?signature=")
    assert response.headers["Cache-Control"] == "no-store"
    file = anybody.get(response.headers["Location"])
    assert (file.status_code, file.headers["Content-Type"]) == (200, media_type)
    assert "Größe" in (file.text if name.endswith("txt") else file.get_json()["text"])


def test_failed_job_answers_409_with_its_reason(program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    worker.fail(worker.claim(), DocumentEncrypted("Remove the password and send it again."))
    for query in ("", "?wait=30"):
        members = problem(program.get(f"{JOBS}/{uuid}/result{query}"), 409, "job_failed")
        assert members["reason"] == "document_encrypted"
        assert "Remove the password and send it again." in members["detail"]


@pytest.mark.parametrize("fails", [False, True])
def test_wait_returns_when_the_job_ends(program: Program, worker: HandWorker, fails: bool) -> None:
    uuid = program.submit()
    answers: list[TestResponse] = []
    client = threading.Thread(target=lambda: answers.append(program.get(f"{JOBS}/{uuid}/result?wait=30")))
    client.start()
    claim = worker.claim()
    client.join(0.2)
    assert client.is_alive()
    if fails:
        worker.fail(claim, DocumentEncrypted("Remove the password."))
    else:
        worker.finish(claim)
    client.join(10)
    assert answers[0].status_code == (409 if fails else 302)


def test_wait_that_ends_before_the_job_answers_202(program: Program) -> None:
    assert program.get(f"{JOBS}/{program.submit()}/result?wait=0.1").status_code == 202


@pytest.mark.parametrize("given", ["docx", "", "TXT", "../document", "txt\x00"])
def test_unknown_format_answers_422_with_those_there_are(program: Program, given: str) -> None:
    response = program.get(f"{JOBS}/{program.submit()}/result", query_string={"format": given})
    assert "txt, md, json, pdf" in problem(response, 422, "option_invalid")["detail"]


def test_bad_wait_answers_422(program: Program) -> None:
    problem(program.get(f"{JOBS}/{program.submit()}/result?wait=soon"), 422, "option_invalid")


def test_result_of_somebody_else_answers_404(program: Program, other_program: Program, worker: HandWorker) -> None:
    uuid = other_program.submit()
    problem(program.get(f"{JOBS}/{uuid}/result"), 404, "job_not_found")
    worker.finish(worker.claim())
    problem(program.get(f"{JOBS}/{uuid}/result"), 404, "job_not_found")


def test_deleted_job_has_no_result(program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    worker.finish(worker.claim())
    program.delete(f"{JOBS}/{uuid}")
    problem(program.get(f"{JOBS}/{uuid}/result"), 404, "job_not_found")


def test_signed_out_is_refused(program: Program, anybody: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    worker.finish(worker.claim())
    problem(anybody.get(f"{JOBS}/{uuid}/result"), 401, "not_signed_in")


def test_browser_downloads_by_its_cookie(browser: Browser, program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    worker.finish(worker.claim(), "text")
    assert browser.get(f"{JOBS}/{uuid}/result?format=txt", follow_redirects=True).text == "text"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_wrong_method_names_the_right_one(program: Program, method: str) -> None:
    response = program.request(method, f"{JOBS}/{program.submit()}/result")
    problem(response, 405, "method_not_allowed")
    assert "GET" in response.headers["Allow"]
