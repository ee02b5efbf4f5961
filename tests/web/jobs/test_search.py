"""GET /api/v1/search, the page of the search, and the hits on a document's page."""

import re
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from tests.web.clients import Browser, Program, problem
from tests.web.conftest import Known
from tests.web.hand_worker import HandWorker

pytestmark = pytest.mark.each_database

SEARCH = "/api/v1/search"


def read_document(program: Program, worker: HandWorker, name: str, *texts: str) -> str:
    """Send a document, and have it read as these pages."""
    program.submit(name=name)
    return worker.finish_pages(worker.claim(len(texts)), *texts)


def found(program: Program, query: str, more: str = "") -> dict[str, Any]:
    response = program.get(f"{SEARCH}?q={quote(query)}{more}")
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.get_json()
    return answer


def test_search_gives_documents_with_pages_and_marked_snippets(program: Program, worker: HandWorker) -> None:
    uuid = read_document(program, worker, "letter.pdf", "A lamb", "", "the GOAT eats", "goats, goat")
    answer = found(program, "goat")
    (hit,) = answer["hits"]
    assert (hit["job"]["uuid"], hit["job"]["file_name"], hit["pages"]) == (uuid, "letter.pdf", [3, 4])
    assert "transitions" not in hit["job"]
    assert hit["snippets"] == [
        {"page": 3, "text": "the GOAT eats", "marks": [{"start": 4, "end": 8}]},
        {"page": 4, "text": "goats, goat", "marks": [{"start": 7, "end": 11}]},
    ]
    assert (answer["next"], answer["is_complete"]) == (None, True)


def test_search_finds_nothing_of_others(
    program: Program, other_program: Program, anybody: Program, worker: HandWorker, bob: Known, app: Flask
) -> None:
    uuid = read_document(program, worker, "mine.pdf", "goat")
    assert found(other_program, "goat")["hits"] == []
    problem(anybody.get(f"{SEARCH}?q=goat"), 401, "not_signed_in")
    other = Browser(app)
    other.sign_in("bob")
    assert "mine.pdf" not in other.get("/search?q=goat").text
    assert other.get(f"/jobs/{uuid}?q=goat").status_code == 404
    assert found(program, "goat")["hits"][0]["job"]["uuid"] == uuid


def test_search_of_a_deleted_document_finds_nothing(program: Program, worker: HandWorker) -> None:
    uuid = read_document(program, worker, "letter.pdf", "goat")
    program.delete(f"/api/v1/jobs/{uuid}")
    assert found(program, "goat")["hits"] == []


def test_search_goes_on_by_its_link(program: Program, worker: HandWorker) -> None:
    uuids = [read_document(program, worker, f"{number}.pdf", "a goat & more") for number in range(3)]
    response = program.get(f"{SEARCH}?q=%22goat+more%22&limit=2")
    answer = response.get_json()
    assert [hit["job"]["uuid"] for hit in answer["hits"]] == uuids[:0:-1]
    assert response.headers["Link"] == f'<{answer["next"]}>; rel="next"'
    last = program.get(answer["next"])
    assert [hit["job"]["uuid"] for hit in last.get_json()["hits"]] == uuids[:1]
    assert last.get_json()["next"] is None
    assert "Link" not in last.headers


def test_search_says_that_text_is_yet_to_be_indexed(program: Program, worker: HandWorker) -> None:
    program.submit()
    claim = worker.claim()
    worker.read_page(claim, 1)
    worker.finish(claim)
    assert found(program, "goat")["is_complete"] is False
    worker.index()
    assert found(program, "goat")["is_complete"] is True


@pytest.mark.parametrize("query", ["", "q=", "q=-goat", "q=%22%22", "q=" + "x" * 201, "q=x&limit=0", "q=x&before=y"])
def test_search_that_cannot_be_says_what_to_do(program: Program, query: str) -> None:
    problem(program.get(f"{SEARCH}?{query}"), 422, "option_invalid")


@pytest.mark.parametrize(
    "query", ["goat AND (", "text:goat", "goat\x00*", "NEAR/2", "goat'; DROP TABLE job; --", "\ud7ff ^"]
)
def test_search_takes_syntax_of_the_index_as_words(program: Program, query: str) -> None:
    response = program.get(f"{SEARCH}?q={quote(query)}")
    assert response.status_code in (200, 422)
    if response.status_code == 200:
        assert response.get_json()["hits"] == []


def test_search_page_shows_hits_that_lead_to_the_page(browser: Browser, program: Program, worker: HandWorker) -> None:
    uuid = read_document(program, worker, "<b>.pdf", "nothing", "the <i>GOAT</i> eats")
    page = browser.get("/search?q=goat").text
    assert "&lt;b&gt;<wbr>.pdf" in page
    assert f'href="/jobs/{uuid}?q=goat#page-2"' in page
    assert "the &lt;i&gt;<mark>GOAT</mark>&lt;/i&gt; eats" in page
    assert 'name="q" type="search" value="goat"' in page


def test_search_page_without_hits_says_what_to_try(browser: Browser, program: Program, worker: HandWorker) -> None:
    read_document(program, worker, "letter.pdf", "lamb")
    assert "No page has that" in browser.get("/search?q=goat").text
    assert "Nothing looked for yet" in browser.get("/search").text
    assert "at least one word" in browser.get("/search?q=-goat").text


def test_search_page_names_further_pages_and_documents(browser: Browser, program: Program, worker: HandWorker) -> None:
    for number in range(21):
        read_document(program, worker, f"{number}.pdf", *["goat"] * (5 if number == 20 else 1))
    page = browser.get("/search?q=goat").text
    assert page.count('class="hit"') == 20
    assert re.search(r"Also on pages\s+<a [^>]+>4</a>, <a [^>]+>5</a>", page)
    following = re.search(r'rel="next" href="([^"]+)"', page)
    assert following is not None
    assert browser.get(following[1].replace("&amp;", "&")).text.count('class="hit"') == 1


def test_document_shows_the_hits(browser: Browser, program: Program, worker: HandWorker) -> None:
    uuid = read_document(program, worker, "letter.pdf", "a goat", "a lamb", "Goat & goats")
    page = browser.get(f"/jobs/{uuid}?q=goat").text
    assert page.count("<mark>") == 2
    assert "<mark>Goat</mark> &amp; goats" in page
    assert '<a href="#page-1">1</a>, <a href="#page-3">3</a>' in page
    assert 'id="page-3"' in page
    assert "<mark>" not in browser.get(f"/jobs/{uuid}").text
    assert "is on no page" in browser.get(f"/jobs/{uuid}?q=horse").text
    assert "at least one word" in browser.get(f"/jobs/{uuid}?q=-").text


def test_document_of_chosen_pages_is_marked_by_their_numbers(
    browser: Browser, program: Program, worker: HandWorker
) -> None:
    assert program.send_form(pages="5,7").status_code == 202
    claim = worker.claim(2)
    for number in (5, 7):
        worker.read_page(claim, number)
    uuid = worker.finish(claim, "a lamb\n\fa goat\n")
    page = browser.get(f"/jobs/{uuid}?q=goat").text
    assert 'id="page-5"' in page
    assert 'id="page-7"' in page
