"""A page that was read again by a job of its own: its reading counts in the job that was there before, in every format, until it is undone."""

import json
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from recto.file_storage.volume import VolumeStorage
from recto.ocr.options import RESULT_FORMATS
from tests.drawing import blank_page, save_tiff
from tests.ocr.writers.made_pages import block, lines
from tests.web.clients import PAGE, Browser, Program, problem
from tests.web.hand_worker import HandWorker

pytestmark = pytest.mark.usefixtures("environ_of_processes")

JOBS = "/api/v1/jobs"


@pytest.fixture
def uuid(program: Program, worker: HandWorker, tmp_path: Path) -> str:
    """A finished job of two pages."""
    content = save_tiff(tmp_path / "two.tif", [blank_page(60, 40), blank_page(60, 40)]).read_bytes()
    program.submit(content, "two.tif")
    return worker.finish_pages(worker.claim(2), "Qtto 1st da", "untouched")


def read_again(worker: HandWorker, text: str = "Otto ist da", number: int = 2) -> str:
    """The job that waits reads this page alone; gives its uuid."""
    claim = worker.claim()
    worker.read_page(claim, number, blocks=(block(*lines(text)),))
    return worker.finish(claim, f"{text}\n")


@pytest.fixture
def again(program: Program, worker: HandWorker, uuid: str) -> str:
    """A job that has read the first page again."""
    assert program.post(f"{JOBS}/{uuid}/retry", data={"pages": "1", "languages": "deu"}).status_code == 202
    return read_again(worker, number=1)


def take(program: Program, uuid: str, other: str, page: int = 1, seen: int = 0) -> dict[str, Any]:
    answer = program.post(f"{JOBS}/{uuid}/pages/{page}/corrections", json={"revision": seen, "job": other})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.get_json()
    return body


def text(program: Program, uuid: str, page: int, query: str = "") -> str:
    return program.get(f"{JOBS}/{uuid}/pages/{page}?format=txt{query}").text


def result(program: Program, uuid: str, result_format: str) -> bytes:
    answer = program.get(f"{JOBS}/{uuid}/result?format={result_format}&wait=30&redirect=0")
    assert answer.status_code == 200, answer.text
    content: bytes = answer.data
    return content


def test_reading_takes_the_place_of_the_page_and_the_first_one_stays_beside_it(
    program: Program, uuid: str, again: str
) -> None:
    (taken,) = take(program, uuid, again)["corrections"]
    assert (taken["id"], taken["text"], taken["word"], taken["options"]["languages"]) == (1, None, None, "deu")
    assert [text(program, uuid, 1), text(program, uuid, 1, "&as_read=1"), text(program, uuid, 2)] == [
        "Otto ist da\n",
        "Qtto 1st da\n",
        "untouched\n",
    ]
    assert program.get(f"{JOBS}/{uuid}").get_json()["revision"] == 1


def test_reading_is_found_in_every_format_and_outlives_the_job_that_read_it(
    program: Program, uuid: str, again: str
) -> None:
    take(program, uuid, again)
    assert program.delete(f"{JOBS}/{again}").status_code == 204
    for result_format in set(RESULT_FORMATS) - {"pdf", "pdfa", "pages.zip"}:
        content = result(program, uuid, result_format).decode()
        assert ("Otto" in content, "Qtto" in content) == (True, False), result_format
    pdf = pypdfium2.PdfDocument(result(program, uuid, "pdf"))
    try:
        layer = pdf[0].get_textpage()
        assert layer.get_text_range().split() == ["Otto", "ist", "da"]
        layer.close()
    finally:
        pdf.close()
    assert "corrections" not in json.loads(result(program, uuid, "json"))["pages"][0]


def test_what_is_corrected_afterwards_is_corrected_in_the_new_reading_and_undone_latest_first(
    program: Program, uuid: str, again: str
) -> None:
    address = f"{JOBS}/{uuid}/pages/1/corrections"
    assert program.post(address, json={"revision": 0, "word": 0, "text": "Otto"}).status_code == 201
    take(program, uuid, again, seen=1)
    corrected = program.post(address, json={"revision": 2, "word": 2, "text": "dort"})
    assert corrected.get_json()["corrections"][0]["replaced"] == "da"
    assert text(program, uuid, 1) == "Otto ist dort\n"
    assert program.delete(f"{address}/3").status_code == 200
    assert program.delete(f"{address}/2").status_code == 200
    assert text(program, uuid, 1) == "Otto 1st da\n"


def test_what_was_corrected_where_the_page_was_read_again_comes_with_it(
    program: Program, uuid: str, again: str
) -> None:
    program.post(f"{JOBS}/{again}/pages/1/corrections", json={"revision": 0, "word": 2, "text": "dort"})
    assert take(program, uuid, again)["revision"] == 2
    assert text(program, uuid, 1) == "Otto ist dort\n"


def test_search_finds_the_words_of_the_new_reading(program: Program, worker: HandWorker, uuid: str, again: str) -> None:
    take(program, uuid, again)
    program.delete(f"{JOBS}/{again}")
    worker.index()

    def found(words: str) -> list[int]:
        hits = program.get(f"/api/v1/search?q={words}").get_json()["hits"]
        return [page for hit in hits for page in hit["pages"]]

    assert (found("Otto"), found("Qtto"), found("untouched")) == ([1], [], [2])


def test_reading_of_another_document_or_page_or_of_nobody_is_refused(
    program: Program, other_program: Program, worker: HandWorker, uuid: str, again: str
) -> None:
    program.submit(name="other.pdf")
    elsewhere = read_again(worker, number=1)
    address = f"{JOBS}/{uuid}/pages/{{}}/corrections"
    for page, job in ((1, elsewhere), (2, again), (1, uuid)):
        problem(program.post(address.format(page), json={"revision": 0, "job": job}), 422, "correction_invalid")
    hers = other_program.submit()
    worker.finish(worker.claim())
    problem(program.post(address.format(1), json={"revision": 0, "job": hers}), 404, "job_not_found")
    problem(program.post(address.format(1), json={"revision": 1, "job": again}), 409, "page_changed")
    assert text(program, uuid, 1) == "Qtto 1st da\n"


def test_sweeper_keeps_the_reading_and_the_same_document_is_answered_as_it_was_first_read(
    program: Program, uuid: str, again: str, folder: Path
) -> None:
    take(program, uuid, again)
    kept = {file.name for file in VolumeStorage(folder).contents(uuid)}
    assert len([name for name in kept if name.endswith("pages/0001.json")]) == 2


def post(browser: Browser, path: str, **fields: str) -> str:
    """Where a form of the page leads to."""
    form = {"csrf_token": browser.csrf_token} | fields
    answer = browser.client.post(path, data=form, headers=PAGE)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def test_page_is_read_again_from_its_document_and_used(
    browser: Browser, program: Program, worker: HandWorker, uuid: str
) -> None:
    assert "Read a page again" in browser.get(f"/jobs/{uuid}").text
    reading = post(browser, f"/jobs/{uuid}/read-page", page="2", languages="deu", mode="force", preprocess="none")
    waiting = program.get(reading.replace("/jobs", JOBS)).get_json()
    assert (waiting["retry_of"], waiting["options"]["pages"], waiting["options"]["mode"]) == (uuid, "2", "force")
    read_again(worker, "touched")
    page = browser.get(reading).text
    assert "Use this reading" in page
    assert "Read a page again" not in page
    there = post(browser, reading + "/use-page")
    assert there == f"/jobs/{uuid}?taken=2#page-2"
    assert program.get(reading.replace("/jobs", JOBS)).status_code == 404
    assert 'data-taken="2"' in browser.get(there).text
    assert text(program, uuid, 2) == "touched\n"


@pytest.mark.parametrize("page", ["", "3", "x", "99999999999"])
def test_page_that_is_not_there_is_not_read_again(browser: Browser, uuid: str, page: str) -> None:
    browser.get("/")
    assert post(browser, f"/jobs/{uuid}/read-page", page=page) == f"/jobs/{uuid}"
    assert 'class="notice failure"' in browser.get(f"/jobs/{uuid}").text


def test_reading_whose_document_is_gone_stays_where_it_is(
    browser: Browser, program: Program, uuid: str, again: str
) -> None:
    program.delete(f"{JOBS}/{uuid}")
    assert "Use this reading" not in browser.get(f"/jobs/{again}").text
    assert post(browser, f"/jobs/{again}/use-page") == f"/jobs/{again}"
    assert program.get(f"{JOBS}/{again}").status_code == 200
