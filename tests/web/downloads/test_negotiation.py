"""Which format an answer of /result comes in: `?format=`, `Accept`, or the text."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.errors import NotAcceptable
from recto.ocr.options import RESULT_FORMATS, ResultFormat
from recto.web.downloads.negotiation import accepted_format
from tests.web.clients import Browser, Program, problem
from tests.web.hand_worker import HandWorker

JOBS = "/api/v1/jobs"
DOCUMENT = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")


def documented() -> dict[str, str]:
    """The format by each media range that the table of docs/api.md has, in the table's order."""
    table = DOCUMENT.partition("| `Accept` | format |\n|---|---|\n")[2].partition("\n\n")[0]
    rows = [row.strip("|").split("|") for row in table.splitlines()]
    return {asked: re.findall(r"`(.+?)`", to)[0] for accept, to in rows for asked in re.findall(r"`(.+?)`", accept)}


BY_MEDIA_TYPE = {asked: name for asked, name in documented().items() if "*" not in asked}


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        *documented().items(),
        ("", "txt"),
        ("TEXT/Markdown", "md"),
        ("text/plain; charset=utf-8", "txt"),
        ("application/json;charset=UTF-8", "json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "hocr"),
        ("application/pdf;q=0.5, application/json;q=0.7", "json"),
        ("application/pdf;q=0.5, application/json;q=0.5", "json"),
        ("application/json, text/plain, */*", "txt"),
        ("text/plain;q=0, */*", "md"),
        ("text/*;q=0, */*;q=0.1", "json"),
        ("text/*;q=0.3, text/html;q=0.1, application/pdf;q=0.2", "txt"),
        ("image/png, application/zip;q=0.001", "pages.zip"),
        ("application/pdf;q=high, application/zip;q=0.1", "pages.zip"),
        ("nonsense", "txt"),
    ],
)
def test_accept_names_the_format_that_is_liked_best(accept: str, expected: str) -> None:
    assert accepted_format(accept) == expected


def test_document_lists_each_media_type_with_the_first_of_its_formats() -> None:
    by_media_type: dict[str, str] = {}
    for name, description in RESULT_FORMATS.items():
        by_media_type.setdefault(description.media_type.partition(";")[0], name)
    assert list(BY_MEDIA_TYPE.items()) == list(by_media_type.items())
    assert {asked for asked in documented() if "*" in asked} == {"*/*", "text/*", "application/*"}


@pytest.mark.parametrize("accept", ["image/png", "text/plain;q=0", "*/*;q=0", "*/plain", "text/plainer"])
def test_accept_of_nothing_there_is_names_those_there_are(accept: str) -> None:
    with pytest.raises(NotAcceptable) as raised:
        accepted_format(accept)
    assert [one["format"] for one in raised.value.members["available"]] == list(RESULT_FORMATS)


_QUALITIES = st.dictionaries(st.sampled_from(sorted(BY_MEDIA_TYPE)), st.integers(1, 1000), min_size=1)


@given(_QUALITIES, st.randoms(use_true_random=False))
def test_order_of_the_header_decides_nothing(qualities: dict[str, int], random: object) -> None:
    ranges = [f"{media_type};q={quality / 1000}" for media_type, quality in qualities.items()]
    random.shuffle(ranges)  # type: ignore[attr-defined]
    best = max(qualities.values())
    assert accepted_format(", ".join(ranges)) in {
        BY_MEDIA_TYPE[media_type] for media_type, quality in qualities.items() if quality == best
    }


@pytest.mark.parametrize("result_format", RESULT_FORMATS)
def test_finished_job_leads_to_the_format_that_accept_names(
    program: Program, worker: HandWorker, result_format: ResultFormat
) -> None:
    uuid = program.submit()
    claim = worker.claim()
    worker.write_file(claim, result_format, b"as it was written")
    worker.finish(claim)
    accept = RESULT_FORMATS[result_format].media_type if result_format != "pdfa" else "application/zip;q=0"
    query = "?format=pdfa" if result_format == "pdfa" else ""
    response = program.get(f"{JOBS}/{uuid}/result{query}", headers={"Accept": accept})
    assert response.status_code == 302
    assert f"/files/result.{result_format}?" in response.headers["Location"]
    assert "Accept" in response.vary


def test_format_of_the_query_stands_above_accept(program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    worker.finish(worker.claim())
    response = program.get(f"{JOBS}/{uuid}/result?format=json", headers={"Accept": "image/png"})
    assert "/files/result.json?" in response.headers["Location"]
    assert "Accept" in response.vary


def test_accept_of_nothing_there_is_answers_406_before_the_job_is_looked_at(program: Program) -> None:
    response = program.get(f"{JOBS}/{program.submit()}/result?wait=30", headers={"Accept": "image/png"})
    members = problem(response, 406, "not_acceptable")
    assert {"format": "pdfa", "media_type": "application/pdf"} in members["available"]
    assert "application/pdf" in members["detail"]
    assert "Accept" in response.vary


def test_unfinished_job_is_json_whatever_the_result_shall_be(program: Program) -> None:
    response = program.get(f"{JOBS}/{program.submit()}/result", headers={"Accept": "application/pdf"})
    assert (response.status_code, response.mimetype) == (202, "application/json")
    assert "Accept" in response.vary


def test_browser_that_asks_for_a_page_gets_hocr(browser: Browser, program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    claim = worker.claim()
    worker.write_file(claim, "hocr", b"<html></html>")
    worker.finish(claim)
    response = browser.get(f"{JOBS}/{uuid}/result", follow_redirects=True)
    assert (response.mimetype, response.text) == ("text/html", "<html></html>")
