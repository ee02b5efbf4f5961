"""GET /api/v1/jobs/{uuid}/pages and …/pages/{n}: pages one by one, also before the job has ended."""

import threading
import time
from typing import Any

import pytest
from flask import Flask

from recto.errors import PageDamaged, PageTimeout
from recto.ocr.page import Block, Box, Line, Word
from tests.web.clients import Program, problem
from tests.web.hand_worker import HandWorker

pytestmark = pytest.mark.each_database(long=True)

BOX = Box(0, 0, 10, 10)
QUAD = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))


def blocks(text: str, confidence: float = 0.93125) -> tuple[Block, ...]:
    words = tuple(Word(word, confidence, BOX, QUAD) for word in text.split())
    return (Block((Line(words, BOX, QUAD, 0),), BOX),)


def pages_of(program: Program, uuid: str, query: str = "") -> dict[str, Any]:
    response = program.get(f"/api/v1/jobs/{uuid}/pages{query}")
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.get_json()
    assert response.headers.get("Link") == (f'<{answer["next"]}>; rel="next"' if answer["next"] else None)
    return answer


def test_pages_can_be_had_before_the_job_has_ended(program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    assert pages_of(program, uuid)["pages"] == []
    claim = worker.claim(page_count=3)
    worker.read_page(claim, 2, blocks=blocks("Second page"))
    worker.read_page(claim, 1, PageTimeout("Page 1 took longer than 60 s."))
    answer = pages_of(program, uuid)
    assert (answer["status"], answer["progress"]) == (
        "IN_PROGRESS",
        {"pages_done": 2, "page_count": 3, "pages_failed": 1},
    )
    failed, done = answer["pages"]
    assert (failed["number"], failed["status"], failed["confidence"]) == (1, "FAILED", None)
    assert failed["warnings"] == [{"code": "page_timeout", "detail": "Page 1 took longer than 60 s."}]
    assert (done["number"], done["status"], done["confidence"], done["warnings"]) == (2, "READ", 0.9313, [])
    page = program.get(done["links"]["self"]).get_json()
    assert page["blocks"][0]["lines"][0]["text"] == "Second page"
    assert (page["number"], page["confidence"]) == (2, 0.9313)
    text = program.get(f"{done['links']['self']}?format=txt")
    assert (text.text, text.content_type) == ("Second page\n", "text/plain; charset=utf-8")
    assert "sandbox" in text.headers["Content-Security-Policy"]


def test_page_that_is_still_to_be_read_answers_202_with_the_job(program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    response = program.get(f"/api/v1/jobs/{uuid}/pages/1")
    assert (response.status_code, response.get_json()["uuid"]) == (202, uuid)
    assert response.headers["Location"].endswith(uuid)
    assert response.headers["Retry-After"] == "1"
    worker.claim(page_count=2)
    assert program.get(f"/api/v1/jobs/{uuid}/pages/2").status_code == 202


@pytest.mark.parametrize("number", ["0", "3", "99999999999999999999"])
def test_page_beyond_the_document_is_refused_while_the_job_runs(
    program: Program, worker: HandWorker, number: str
) -> None:
    uuid = program.submit()
    worker.claim(page_count=2)
    problem(program.get(f"/api/v1/jobs/{uuid}/pages/{number}?wait=30"), 404, "page_not_found")


def test_page_that_was_not_asked_for_is_refused_once_the_job_has_ended(program: Program, worker: HandWorker) -> None:
    uuid = str(program.send_form(pages="2").get_json()["uuid"])
    claim = worker.claim(page_count=1)
    worker.read_page(claim, 2, blocks=blocks("Second"))
    assert program.get(f"/api/v1/jobs/{uuid}/pages/1").status_code == 202
    worker.finish(claim)
    problem(program.get(f"/api/v1/jobs/{uuid}/pages/1"), 404, "page_not_found")
    assert program.get(f"/api/v1/jobs/{uuid}/pages/2").status_code == 200


def test_page_that_could_not_be_read_says_why(program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    worker.read_page(worker.claim(page_count=2), 1, PageDamaged("Scan it anew."))
    members = problem(program.get(f"/api/v1/jobs/{uuid}/pages/1"), 404, "page_not_found")
    assert (members["reason"], members["detail"]) == ("page_damaged", "Page 1 could not be read. Scan it anew.")


def test_pages_of_a_failed_job_stay(program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    claim = worker.claim(page_count=2)
    worker.read_page(claim, 1, blocks=blocks("Kept"))
    program.post(f"/api/v1/jobs/{uuid}/cancel")
    assert pages_of(program, uuid)["status"] == "FAILURE"
    assert program.get(f"/api/v1/jobs/{uuid}/pages/1?format=txt").text == "Kept\n"
    problem(program.get(f"/api/v1/jobs/{uuid}/pages/2"), 404, "page_not_found")


def test_list_leads_to_every_page_once(program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    claim = worker.claim(page_count=5)
    for number in (5, 1, 4, 2, 3):
        worker.read_page(claim, number)
    found, address = [], f"/api/v1/jobs/{uuid}/pages?limit=2"
    while address:
        answer = program.get(address).get_json()
        found += [page["number"] for page in answer["pages"]]
        address = answer["next"]
    assert found == [1, 2, 3, 4, 5]
    assert pages_of(program, uuid, "?limit=1000000")["next"] is None


def test_wait_ends_with_the_page_and_not_with_another(app: Flask, program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    claim = worker.claim(page_count=3)
    answers: list[Any] = []
    client = threading.Thread(target=lambda: answers.append(program.get(f"/api/v1/jobs/{uuid}/pages/3?wait=30")))
    client.start()
    worker.read_page(claim, 1)
    client.join(0.4)
    assert client.is_alive(), "another page woke it for good"
    worker.read_page(claim, 3, blocks=blocks("Third"))
    client.join(10)
    assert answers[0].get_json()["number"] == 3


def test_wait_ends_without_the_page_when_the_time_is_up_or_the_job_is(program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    start = time.monotonic()
    assert program.get(f"/api/v1/jobs/{uuid}/pages/2?wait=0.2").status_code == 202
    assert time.monotonic() - start >= 0.2
    claim = worker.claim(page_count=2)
    answers: list[Any] = []
    client = threading.Thread(target=lambda: answers.append(program.get(f"/api/v1/jobs/{uuid}/pages/2?wait=30")))
    client.start()
    client.join(0.2)
    worker.finish(claim)
    client.join(10)
    problem(answers[0], 404, "page_not_found")


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "after=-1", "after=x"])
def test_bad_query_of_the_list_answers_422(program: Program, query: str) -> None:
    problem(program.get(f"/api/v1/jobs/{program.submit()}/pages?{query}"), 422, "option_invalid")


@pytest.mark.parametrize("query", ["format=pdf", "format=", "wait=x", "wait=-1"])
def test_bad_query_of_a_page_answers_422(program: Program, query: str) -> None:
    problem(program.get(f"/api/v1/jobs/{program.submit()}/pages/1?{query}"), 422, "option_invalid")


def test_checkpoint_that_is_gone_is_a_problem_of_its_own(program: Program, worker: HandWorker, folder: Any) -> None:
    uuid = program.submit()
    worker.read_page(worker.claim(page_count=2), 1)
    next((folder / uuid).rglob("0001.json")).unlink()
    problem(program.get(f"/api/v1/jobs/{uuid}/pages/1"), 404, "file_not_found")


def test_pages_of_others_are_not_shown(program: Program, other_program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    worker.read_page(worker.claim(), 1)
    for path in ("pages", "pages/1", "pages/1?wait=30"):
        problem(other_program.get(f"/api/v1/jobs/{uuid}/{path}"), 404, "job_not_found")
