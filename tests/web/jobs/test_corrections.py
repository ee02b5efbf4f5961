"""…/pages/{n}/corrections, and what the page, the list and the results say afterwards."""

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from recto.errors import DocumentDamaged, PageDamaged
from recto.ocr.page import Block
from tests.ocr.writers.made_pages import block, lines
from tests.web.clients import Browser, Program, problem
from tests.web.hand_worker import HandWorker

pytestmark = pytest.mark.each_database(long=True)

JOBS = "/api/v1/jobs"
BLOCKS: tuple[Block, ...] = (block(*lines("Tbe cat sat", "on tbe mat")),)


@pytest.fixture
def page(program: Program, worker: HandWorker) -> str:
    """The address of the page of a finished job, which has two lines."""
    uuid = program.submit()
    claim = worker.claim()
    worker.read_page(claim, 1, blocks=BLOCKS)
    worker.finish(claim)
    return f"{JOBS}/{uuid}/pages/1"


def correct(program: Program, page: str, **what: Any) -> TestResponse:
    return program.post(f"{page}/corrections", json={"revision": 0} | what)


def text(program: Program, page: str, query: str = "") -> str:
    return program.get(f"{page}?format=txt{query}").text


def test_correction_is_in_the_page_and_the_reading_stays_beside_it(program: Program, page: str) -> None:
    made = correct(program, page, word=0, text="The")
    assert made.status_code == 201
    assert made.headers["Location"] == f"{page}/corrections/1"
    assert made.get_json()["revision"] == 1
    assert text(program, page) == "The cat sat\non tbe mat\n"
    assert text(program, page, "&as_read=1") == "Tbe cat sat\non tbe mat\n"
    read = program.get(page).get_json()
    word = read["blocks"][0]["lines"][0]["words"][0]
    assert (word["text"], word["confidence"], word["corrected"], read["corrections"]) == ("The", 1.0, True, 1)
    assert "corrections" not in program.get(f"{page}?as_read=1").get_json()


def test_list_says_who_replaced_what_and_when_it_was_undone(program: Program, page: str) -> None:
    correct(program, page, word=0, text="The")
    correct(program, page, revision=1, line=1, text="on the mat")
    assert program.delete(f"{page}/corrections/2").get_json()["revision"] == 3
    listed = program.get(f"{page}/corrections").get_json()
    line, word = listed["corrections"]
    assert listed["revision"] == 3
    assert (line["id"], line["author"], line["line"], line["word"]) == (2, "ada", 1, None)
    assert (line["text"], line["replaced"], line["undone"] is None) == ("on the mat", "on tbe mat", False)
    assert (word["id"], word["word"], word["count"], word["line"]) == (1, 0, 1, None)
    assert (word["text"], word["replaced"], word["undone"]) == ("The", "Tbe", None)


def test_undoing_gives_back_what_was_read_latest_first(program: Program, page: str) -> None:
    correct(program, page, word=0, text="The")
    correct(program, page, revision=1, word=4, text="the")
    members = problem(program.delete(f"{page}/corrections/1"), 409, "correction_not_latest")
    assert members["latest"] == 2
    assert program.delete(f"{page}/corrections/2").status_code == 200
    assert program.delete(f"{page}/corrections/1").status_code == 200
    assert text(program, page) == "Tbe cat sat\non tbe mat\n"
    for gone in (1, 2, 7, 10**30):
        problem(program.delete(f"{page}/corrections/{gone}"), 404, "correction_not_found")


def test_who_has_not_seen_the_latest_correction_is_told_so(program: Program, page: str) -> None:
    correct(program, page, word=0, text="The")
    members = problem(correct(program, page, word=1, text="dog"), 409, "page_changed")
    assert members["revision"] == 1
    problem(correct(program, page, revision=10**30, word=1, text="dog"), 409, "page_changed")
    assert text(program, page).startswith("The cat sat")


def test_etag_of_a_page_is_its_revision(program: Program, page: str) -> None:
    first = program.get(page)
    assert first.headers["ETag"] == '"0"'
    assert program.get(page, headers={"If-None-Match": '"0"'}).status_code == 304
    correct(program, page, word=0, text="The")
    again = program.get(page, headers={"If-None-Match": '"0"'})
    assert (again.status_code, again.headers["ETag"]) == (200, '"1"')
    assert program.get(f"{page}?as_read=1").headers["ETag"] == '"0"'


def test_list_of_pages_and_job_tell_of_the_correction(program: Program, page: str) -> None:
    before = program.get(page.removesuffix("/1")).get_json()["pages"][0]
    assert before["links"]["corrections"] == f"{page}/corrections"
    correct(program, page, line=0, text="The dog lay")
    entry = program.get(page.removesuffix("/1")).get_json()["pages"][0]
    assert entry["revision"] == 1
    assert entry["confidence"] > before["confidence"] == 0.9
    assert entry["confidence"] == program.get(page).get_json()["confidence"]
    assert program.get(page.removesuffix("/pages/1")).get_json()["revision"] == 1
    program.delete(f"{page}/corrections/1")
    assert program.get(page.removesuffix("/1")).get_json()["pages"][0]["confidence"] == 0.9


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"word": 0, "text": "x"},
        {"revision": 0, "text": "x"},
        {"revision": 0, "word": 0},
        {"revision": 0, "word": 0, "line": 0, "text": "x"},
        {"revision": 0, "word": 6, "text": "x"},
        {"revision": 0, "word": 2, "count": 2, "text": "x"},
        {"revision": 0, "word": 0, "count": 0, "text": "x"},
        {"revision": 0, "word": -1, "text": "x"},
        {"revision": 0, "word": 10**30, "text": "x"},
        {"revision": 0, "word": "0", "text": "x"},
        {"revision": 0, "line": 2, "text": "x"},
        {"revision": 0, "word": 0, "text": "a\x00b"},
        {"revision": 0, "word": 0, "text": "x" * 3000},
        {"revision": 0, "word": 0, "text": "x" * 30_000},
        {"revision": 0, "word": 0, "text": "x", "colour": "red"},
        ["revision"],
    ],
)
def test_correction_that_is_none_is_refused_and_changes_nothing(program: Program, page: str, body: Any) -> None:
    problem(program.post(f"{page}/corrections", json=body), 422, "correction_invalid")
    assert program.get(f"{page}/corrections").get_json() == {"revision": 0, "corrections": []}


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"revision": 0, "word": 0, "text": "\\ud800"}'])
def test_body_that_is_no_json_is_refused(program: Program, page: str, content: bytes) -> None:
    problem(program.post(f"{page}/corrections", data=content), 422, "correction_invalid")


def test_job_that_is_read_or_has_failed_is_not_corrected(program: Program, worker: HandWorker) -> None:
    page = f"{JOBS}/{program.submit()}/pages/1"
    claim = worker.claim(page_count=2)
    worker.read_page(claim, 1, blocks=BLOCKS)
    problem(correct(program, page, word=0, text="The"), 409, "job_unfinished")
    worker.fail(claim, DocumentDamaged("It breaks off."))
    assert problem(correct(program, page, word=0, text="The"), 409, "job_failed")["reason"] == "document_damaged"
    problem(program.delete(f"{page}/corrections/1"), 409, "job_failed")


def test_page_that_is_not_there_has_no_corrections(program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    claim = worker.claim(page_count=2)
    worker.read_page(claim, 1, PageDamaged("Scan it anew."))
    worker.finish(claim)
    for number in (0, 1, 2, 10**30):
        page = f"{JOBS}/{uuid}/pages/{number}"
        problem(program.get(f"{page}/corrections"), 404, "page_not_found")
        problem(correct(program, page, word=0, text="x"), 404, "page_not_found")
        problem(program.delete(f"{page}/corrections/1"), 404, "page_not_found")


def test_pages_of_others_are_not_corrected(other_program: Program, program: Program, page: str) -> None:
    correct(program, page, word=0, text="The")
    problem(other_program.get(f"{page}/corrections"), 404, "job_not_found")
    problem(correct(other_program, page, revision=1, word=0, text="x"), 404, "job_not_found")
    problem(other_program.delete(f"{page}/corrections/1"), 404, "job_not_found")


@pytest.mark.parametrize("query", ["as_read=2", "as_read=", "as_read=yes"])
def test_wrong_as_read_is_refused(program: Program, page: str, query: str) -> None:
    problem(program.get(f"{page}?{query}"), 422, "option_invalid")


def test_page_in_the_browser_corrects_with_its_csrf_token(browser: Browser, program: Program, page: str) -> None:
    body = {"revision": 0, "word": 0, "text": "The"}
    problem(browser.client.post(f"{page}/corrections", json=body), 403, "csrf_rejected")
    answer = browser.client.post(f"{page}/corrections", json=body, headers={"X-CSRFToken": browser.csrf_token})
    assert answer.status_code == 201
    assert text(program, page).startswith("The")


def test_same_document_again_is_answered_as_it_was_read(app: Flask, program: Program, worker: HandWorker) -> None:
    worker.result_version = "Recto 1, hand 1"
    worker.report("eng")
    uuid = program.submit()
    claim = worker.claim()
    worker.read_page(claim, 1, blocks=BLOCKS)
    worker.finish(claim, "Tbe cat sat\non tbe mat\n")
    page = f"{JOBS}/{uuid}/pages/1"
    correct(program, page, word=0, text="The")
    again = program.send_form().get_json()
    assert (again["deduplicated_from"], again["revision"]) == (uuid, 0)
    assert text(program, f"{JOBS}/{again['uuid']}/pages/1") == "Tbe cat sat\non tbe mat\n"
    assert program.get(f"{JOBS}/{again['uuid']}/result", follow_redirects=True).text.startswith("Tbe")
