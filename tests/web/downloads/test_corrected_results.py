"""Results of a corrected job: made anew by the real command, under links of their own, and never an earlier one."""

import json
from pathlib import Path

import pypdfium2
import pytest
from lxml import etree
from werkzeug.test import TestResponse

from recto.ocr.options import RESULT_FORMATS
from tests.drawing import blank_page, save_tiff
from tests.ocr.writers.made_pages import block, lines
from tests.web.clients import Browser, Program, problem
from tests.web.hand_worker import HandWorker

pytestmark = [pytest.mark.each_database(long=True), pytest.mark.usefixtures("environ_of_processes")]

JOBS = "/api/v1/jobs"
READ = "Tbe cat sat\n"


@pytest.fixture
def uuid(program: Program, worker: HandWorker, tmp_path: Path) -> str:
    """A finished job of a page with the line READ; text and JSON are written."""
    uuid = program.submit(save_tiff(tmp_path / "one.tif", [blank_page(60, 40)]).read_bytes(), "one.tif")
    claim = worker.claim()
    worker.read_page(claim, 1, blocks=(block(*lines(READ.strip())),))
    return worker.finish(claim, READ) and uuid


def correct(program: Program, uuid: str, seen: int, word: int, text: str) -> None:
    made = program.post(f"{JOBS}/{uuid}/pages/1/corrections", json={"revision": seen, "word": word, "text": text})
    assert made.status_code == 201, made.text


def link(program: Program, uuid: str, result_format: str) -> str:
    answer = program.get(f"{JOBS}/{uuid}/result?format={result_format}&wait=30")
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def result(program: Program, uuid: str, result_format: str) -> TestResponse:
    file = program.get(link(program, uuid, result_format))
    assert file.status_code == 200
    return file


def test_correction_is_found_in_text_hocr_and_the_text_layer_of_the_pdf(program: Program, uuid: str) -> None:
    for result_format in ("txt", "hocr", "pdf"):  # as they are before
        result(program, uuid, result_format)
    correct(program, uuid, 0, 0, "The")
    assert result(program, uuid, "txt").text == "The cat sat\n"
    hocr = etree.fromstring(result(program, uuid, "hocr").data)
    assert [word.text for word in hocr.iter("{*}span") if word.get("class") == "ocrx_word"] == ["The", "cat", "sat"]
    pdf = pypdfium2.PdfDocument(result(program, uuid, "pdf").data)
    try:
        page_text = pdf[0].get_textpage()
        assert page_text.get_text_range().split() == ["The", "cat", "sat"]
        page_text.close()
    finally:
        pdf.close()


def test_correction_is_found_in_every_other_format(program: Program, uuid: str) -> None:
    correct(program, uuid, 0, 0, "Corrected")
    for result_format in set(RESULT_FORMATS) - {"txt", "hocr", "pdf", "pdfa", "pages.zip"}:
        assert "Corrected" in result(program, uuid, result_format).text, result_format
    document = json.loads(result(program, uuid, "json").data)
    assert document["pages"][0]["corrections"] == 1
    assert 'CS="true"' in result(program, uuid, "alto").text


def test_link_from_before_a_correction_gives_nothing_any_more(program: Program, anybody: Program, uuid: str) -> None:
    before = link(program, uuid, "txt")
    assert anybody.get(before).text == READ
    correct(program, uuid, 0, 0, "The")
    problem(anybody.get(before), 404, "file_not_found")
    after = link(program, uuid, "txt")
    assert after != before
    assert anybody.get(after).text == "The cat sat\n"


def test_undone_and_other_correction_never_gives_the_file_of_the_first(program: Program, uuid: str) -> None:
    correct(program, uuid, 0, 0, "One")
    assert result(program, uuid, "txt").text == "One cat sat\n"
    assert program.delete(f"{JOBS}/{uuid}/pages/1/corrections/1").status_code == 200
    assert result(program, uuid, "txt").text == READ
    correct(program, uuid, 2, 0, "Another")
    assert result(program, uuid, "txt").text == "Another cat sat\n"


def test_page_for_people_shows_the_corrected_text(browser: Browser, program: Program, uuid: str) -> None:
    correct(program, uuid, 0, 0, "The")
    assert "The cat sat" in browser.get(f"/jobs/{uuid}").text
    assert browser.get(f"/jobs/{uuid}/result/txt", follow_redirects=True).text == "The cat sat\n"


def test_picture_of_a_page_outlives_its_corrections(program: Program, uuid: str) -> None:
    address = f"{JOBS}/{uuid}/pages/1/image"
    before = program.get(f"{address}?wait=30")
    correct(program, uuid, 0, 0, "The")
    assert program.get(address, headers={"If-None-Match": before.headers["ETag"]}).status_code == 304
