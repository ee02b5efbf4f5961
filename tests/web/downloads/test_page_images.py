"""GET /api/v1/jobs/{uuid}/pages/{n}/image, and the address that people's links lead to."""

import sys
from pathlib import Path

import pytest
from flask import Flask

from recto.database.connections import Begin, transaction
from recto.errors import DocumentEncrypted, PageTimeout, ResultNotMade
from recto.records import derivations
from tests.drawing import blank_page, save_tiff
from tests.web.clients import Browser, Program, problem
from tests.web.hand_worker import HandWorker

pytestmark = pytest.mark.usefixtures("environ_of_processes")

JOBS = "/api/v1/jobs"
PNG_HEAD = b"\x89PNG\r\n\x1a\n"
TAKES_LONG = (sys.executable, "-c", "import time; time.sleep(60)")
"""What makes a picture in `_command`; it is killed with the application."""


@pytest.fixture
def uuid(program: Program, worker: HandWorker, tmp_path: Path) -> str:
    """A finished job of three pages: the first was read, the second failed, the third was not asked for."""
    pages = [blank_page(60, 40)] * 3
    uuid = program.submit(save_tiff(tmp_path / "three.tif", pages).read_bytes(), "three.tif")
    claim = worker.claim(page_count=2)
    worker.read_page(claim, 1)
    worker.read_page(claim, 2, PageTimeout("Page 2 took too long."))
    worker.finish(claim)
    return uuid


@pytest.mark.parametrize("stage", ["original", "preprocessed"])
def test_page_that_was_read_is_shown_at_each_stage(program: Program, uuid: str, folder: Path, stage: str) -> None:
    response = program.get(f"{JOBS}/{uuid}/pages/1/image?stage={stage}&wait=30")
    assert (response.status_code, response.mimetype) == (200, "image/png")
    assert response.data.startswith(PNG_HEAD)
    assert response.headers["Content-Length"] == str(len(response.data))
    assert response.headers["Cache-Control"] == "private, no-store"
    assert response.headers["Content-Security-Policy"].endswith("; sandbox")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert [file.name for file in folder.glob(f"{uuid}/attempts/*/pictures/*")] == [f"0001.{stage}.png"]


def test_original_is_shown_where_no_stage_is_named(program: Program, uuid: str, folder: Path) -> None:
    assert program.get(f"{JOBS}/{uuid}/pages/1/image?wait=30").status_code == 200
    assert [file.name for file in folder.glob(f"{uuid}/attempts/*/pictures/*")] == ["0001.original.png"]


def test_picture_is_made_once_and_answers_304_to_who_has_it(
    app: Flask, program: Program, uuid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"{JOBS}/{uuid}/pages/1/image?wait=30"
    first = program.get(address)
    monkeypatch.setattr(app.extensions["recto"].deriver, "_command", ("false",))
    assert program.get(address).data == first.data
    again = program.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert program.request("HEAD", address).headers["Content-Length"] == str(len(first.data))


def test_picture_that_takes_long_answers_202(
    app: Flask, program: Program, uuid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recto.web.downloads.deriver._GRACE_S", 0.1)
    monkeypatch.setattr(app.extensions["recto"].deriver, "_command", TAKES_LONG)
    response = program.get(f"{JOBS}/{uuid}/pages/1/image")
    assert (response.status_code, response.headers["Retry-After"]) == (202, "1")
    assert response.get_json()["uuid"] == uuid


@pytest.mark.parametrize("number", [0, 2, 3, 4, 10**25])
def test_page_that_was_not_read_answers_404(program: Program, browser: Browser, uuid: str, number: int) -> None:
    problem(program.get(f"{JOBS}/{uuid}/pages/{number}/image"), 404, "page_not_found")
    assert browser.get(f"/jobs/{uuid}/pages/{number}/original").status_code == 404


@pytest.mark.parametrize("stage", ["", "deskew", "ORIGINAL", "../result"])
def test_unknown_stage_answers_422_with_those_there_are(program: Program, uuid: str, stage: str) -> None:
    response = program.get(f"{JOBS}/{uuid}/pages/1/image", query_string={"stage": stage})
    assert "original, preprocessed" in problem(response, 422, "option_invalid")["detail"]


def test_unfinished_job_answers_202_and_failed_one_409(program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    response = program.get(f"{JOBS}/{uuid}/pages/1/image")
    assert (response.status_code, response.headers["Location"]) == (202, f"{JOBS}/{uuid}")
    worker.fail(worker.claim(), DocumentEncrypted("Remove the password and send it again."))
    members = problem(program.get(f"{JOBS}/{uuid}/pages/1/image"), 409, "job_failed")
    assert members["reason"] == "document_encrypted"


def test_picture_that_cannot_be_made_says_why(
    program: Program, browser: Browser, worker: HandWorker, uuid: str
) -> None:
    why = ResultNotMade("The text of page 1 was taken from the PDF.", reason="page_not_preprocessed")
    with transaction(worker.session(), Begin.WRITE) as session:
        derivations.failed_at_once(session, uuid, "page-0001-preprocessed.png", "token", why)
    response = program.get(f"{JOBS}/{uuid}/pages/1/image?stage=preprocessed")
    members = problem(response, 422, "result_not_made")
    assert (members["detail"], members["reason"]) == (why.detail, "page_not_preprocessed")
    page = browser.get(f"/jobs/{uuid}/pages/1/preprocessed")
    assert (page.status_code, why.detail in page.text) == (422, True)


def test_picture_of_somebody_elses_job_answers_404(other_program: Program, anybody: Program, uuid: str) -> None:
    problem(other_program.get(f"{JOBS}/{uuid}/pages/1/image"), 404, "job_not_found")
    problem(anybody.get(f"{JOBS}/{uuid}/pages/1/image"), 401, "not_signed_in")


def test_deleted_job_has_no_pictures(program: Program, uuid: str, folder: Path) -> None:
    assert program.get(f"{JOBS}/{uuid}/pages/1/image?wait=30").status_code == 200
    program.delete(f"{JOBS}/{uuid}")
    problem(program.get(f"{JOBS}/{uuid}/pages/1/image"), 404, "job_not_found")
    assert not (folder / uuid).exists()


def test_browser_is_led_to_the_picture(browser: Browser, uuid: str) -> None:
    response = browser.get(f"/jobs/{uuid}/pages/1/original")
    assert (response.status_code, response.headers["Location"]) == (
        302,
        f"{JOBS}/{uuid}/pages/1/image?stage=original",
    )
    assert browser.client.get(response.headers["Location"], buffered=True).data.startswith(PNG_HEAD)
    assert browser.get(f"/jobs/{uuid}/pages/1/deskew").status_code == 422


def test_browser_is_told_that_a_picture_takes_long_and_asks_again(
    app: Flask, browser: Browser, uuid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recto.web.downloads.deriver._GRACE_S", 0.1)
    monkeypatch.setattr("recto.web.pages._MAKING_WAIT_S", 0.1)
    monkeypatch.setattr(app.extensions["recto"].deriver, "_command", TAKES_LONG)
    response = browser.get(f"/jobs/{uuid}/pages/1/original")
    assert (response.status_code, response.headers["Refresh"]) == (202, "1")
    assert "The picture of page 1 is being made" in response.text
    assert "The picture appears by itself." in response.text


def test_browser_that_asks_for_a_picture_too_early_is_shown_the_document(browser: Browser, program: Program) -> None:
    early = program.submit()
    assert browser.get(f"/jobs/{early}/pages/1/original").headers["Location"] == f"/jobs/{early}"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_wrong_method_names_the_right_one(program: Program, uuid: str, method: str) -> None:
    response = program.request(method, f"{JOBS}/{uuid}/pages/1/image")
    problem(response, 405, "method_not_allowed")
    assert "GET" in response.headers["Allow"]
