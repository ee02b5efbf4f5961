"""GET /api/v1/jobs/{uuid}."""

import threading
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from recto.errors import DocumentDamaged, PageTimeout
from tests.web.clients import Program, problem
from tests.web.conftest import Known
from tests.web.hand_worker import HandWorker

pytestmark = pytest.mark.each_database(long=True)

JOBS = "/api/v1/jobs"


def test_job_is_described_from_queue_to_end(program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    waiting = program.get(f"{JOBS}/{uuid}")
    assert waiting.status_code == 200
    assert waiting.headers["Retry-After"] == "1"
    claim = worker.claim(page_count=2)
    worker.read_page(claim, 1)
    worker.read_page(claim, 2, PageTimeout("The page took too long."))
    running = program.get(f"{JOBS}/{uuid}").get_json()
    assert running["status"] == "IN_PROGRESS"
    assert running["progress"] == {"pages_done": 2, "page_count": 2, "pages_failed": 1}
    assert running["attempt"] == 1
    assert "result_token" not in running
    assert claim.lease.token not in str(running)
    worker.finish(claim)
    response = program.get(f"{JOBS}/{uuid}")
    ended = response.get_json()
    assert "Retry-After" not in response.headers
    assert [entry["status"] for entry in ended["transitions"]] == ["QUEUED", "IN_PROGRESS", "FINISHED"]
    times = [entry["timestamp"] for entry in ended["transitions"]]
    assert times == sorted(set(times))
    assert (ended["created"], ended["ended"]) == (times[0], times[-1])
    assert ended["change"] > running["change"]


def test_failed_job_names_its_reason(program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    worker.fail(worker.claim(), DocumentDamaged("The file breaks off. Scan it again."))
    job = program.get(f"{JOBS}/{uuid}").get_json()
    reason = {"code": "document_damaged", "detail": "The file breaks off. Scan it again."}
    assert (job["status"], job["reason"], job["transitions"][-1]["reason"]) == ("FAILURE", reason, reason)


def test_wait_returns_when_the_job_ends(program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    answers: list[TestResponse] = []
    client = threading.Thread(target=lambda: answers.append(program.get(f"{JOBS}/{uuid}?wait=30")))
    client.start()
    claim = worker.claim()
    client.join(0.2)
    assert client.is_alive(), "it has begun, not ended"
    worker.finish(claim)
    client.join(10)
    assert answers[0].get_json()["status"] == "FINISHED"
    assert len(answers[0].get_json()["transitions"]) == 3


def test_wait_for_a_job_that_has_ended_returns_at_once(program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    worker.finish(worker.claim())
    assert program.get(f"{JOBS}/{uuid}?wait=30").get_json()["status"] == "FINISHED"


def test_wait_returns_the_job_as_it_is_when_the_time_is_up(program: Program) -> None:
    uuid = program.submit()
    response = program.get(f"{JOBS}/{uuid}?wait=0.1")
    assert response.get_json()["status"] == "QUEUED"
    assert response.headers["Retry-After"] == "1"


@pytest.mark.parametrize("path", ["", "/result"])
def test_deletion_while_waiting_answers_404(program: Program, worker: HandWorker, ada: Known, path: str) -> None:
    uuid = program.submit()
    answers: list[TestResponse] = []
    client = threading.Thread(target=lambda: answers.append(program.get(f"{JOBS}/{uuid}{path}?wait=30")))
    client.start()
    client.join(0.2)
    worker.delete(ada.id, uuid)
    client.join(10)
    problem(answers[0], 404, "job_not_found")


@pytest.mark.parametrize("wait", ["x", "-1", "nan", "inf", "1e400", ""])
def test_bad_wait_answers_422(program: Program, wait: str) -> None:
    assert "wait=30" in problem(program.get(f"{JOBS}/{program.submit()}?wait={wait}"), 422, "option_invalid")["detail"]


def test_foreign_missing_and_malformed_uuids_answer_alike(program: Program, other_program: Program) -> None:
    foreign = other_program.submit()
    answers = [
        problem(program.get(f"{JOBS}/{uuid}{query}"), 404, "job_not_found")
        for uuid in (foreign, uuid4())
        for query in ("", "?wait=30")
    ]
    assert all(answer == answers[0] for answer in answers)
    problem(program.get(f"{JOBS}/not-a-uuid"), 404, "not_found")


def test_uuid_in_capitals_is_the_same_job(program: Program) -> None:
    uuid = program.submit()
    assert program.get(f"{JOBS}/{uuid.upper()}").get_json()["uuid"] == uuid


def test_signed_out_is_refused(program: Program, anybody: Program) -> None:
    problem(anybody.get(f"{JOBS}/{program.submit()}?wait=30"), 401, "not_signed_in")


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_wrong_method_names_the_right_ones(program: Program, method: str) -> None:
    response = program.request(method, f"{JOBS}/{program.submit()}")
    problem(response, 405, "method_not_allowed")
    assert {"GET", "PATCH", "DELETE"} <= set(response.headers["Allow"].replace(" ", "").split(","))
