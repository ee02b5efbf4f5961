"""The pages for people: the list with the upload, and one job."""

import io
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from recto.errors import DocumentEncrypted, PageTimeout
from recto.ocr.options import RESULT_FORMATS
from recto.ocr.page import Step
from tests.web.clients import PAGE, PDF, Browser, Program, problem
from tests.web.conftest import MakeApp, add_user, left_behind
from tests.web.hand_worker import HandWorker


def test_list_shows_each_job_and_offers_the_upload(browser: Browser, program: Program, worker: HandWorker) -> None:
    assert 'id="no-worker">' in browser.get("/").text
    worker.report("eng", "deu")
    uuids = [program.submit(name=f"{name}.pdf") for name in ("finished", "failed", "reading", "waiting")]
    worker.finish(worker.claim())
    worker.fail(worker.claim(), DocumentEncrypted("Remove the password & send it again."))
    claim = worker.claim(page_count=3)
    worker.read_page(claim, 1)
    page = browser.get("/").text
    assert all(f'data-uuid="{uuid}"' in page for uuid in uuids)
    assert "Remove the password &amp; send it again." in page
    assert "1 of 3 pages" in page
    assert '<option value="deu">German</option>' in page
    assert 'enctype="multipart/form-data"' in page
    assert 'id="no-worker" hidden>' in page


def test_list_and_job_name_the_kind_of_document_as_people_do(browser: Browser, program: Program) -> None:
    uuid = program.submit(b"P4\n8 1\n\0", "note.pbm")
    assert all("PNM, 8 Bytes" in browser.get(address).text for address in ("/", f"/jobs/{uuid}"))
    assert program.get(f"/api/v1/jobs/{uuid}").get_json()["kind"] == "PNM"


def test_list_is_paged(browser: Browser, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recto.web.pages._LIST_LIMIT", 2)
    uuids = [program.submit() for _ in range(3)]
    page = browser.get("/").text
    assert uuids[0] not in page
    older = page.partition('rel="next" href="')[2].partition('"')[0]
    assert uuids[0] in browser.get(older.replace("&amp;", "&")).text
    assert browser.get("/?before=x").status_code == 422


def test_file_name_is_shown_as_text(browser: Browser, program: Program) -> None:
    uuid = program.submit(name="<img src=x onerror=alert(1)>.pdf")
    for path in ("/", f"/jobs/{uuid}"):
        assert "<img src=x" not in browser.get(path).text


@pytest.mark.parametrize("status", ["waiting", "reading", "failed"])
def test_page_of_an_unfinished_or_failed_job_renders(
    browser: Browser, program: Program, worker: HandWorker, status: str
) -> None:
    uuid = program.submit(name="letter.pdf")
    claim = worker.claim(page_count=2) if status != "waiting" else None
    if claim and status == "failed":
        worker.fail(claim, DocumentEncrypted("Remove the password."))
    response = browser.get(f"/jobs/{uuid}")
    assert response.status_code == 200
    words = {"waiting": "Waiting for a Worker", "reading": "0 of 2 pages", "failed": "Remove the password."}
    assert words[status] in response.text


def test_page_of_a_finished_job_shows_text_warnings_and_downloads(
    browser: Browser, program: Program, worker: HandWorker
) -> None:
    uuid = program.submit(name="letter.pdf")
    claim = worker.claim(page_count=2)
    worker.read_page(claim, 1)
    worker.read_page(claim, 2, PageTimeout("The page took too long."))
    worker.finish(claim, "Dear <b>Sir</b>\f")
    page = browser.get(f"/jobs/{uuid}").text
    assert "Dear &lt;b&gt;Sir&lt;/b&gt;" in page
    assert "Page 2: The page took too long." in page
    for result_format in RESULT_FORMATS:
        assert f"/jobs/{uuid}/result/{result_format}" in page


def test_page_of_a_finished_job_says_what_was_done_to_each_page(
    browser: Browser, program: Program, worker: HandWorker
) -> None:
    uuid = program.submit()
    claim = worker.claim(page_count=3)
    worker.read_page(claim, 1, steps=(Step("deskew", {"angle_deg": 1.8}),))
    worker.read_page(claim, 2)
    worker.read_page(claim, 3, PageTimeout("The page took too long."))
    assert "As the engine saw it" not in browser.get(f"/jobs/{uuid}").text
    worker.finish(claim)
    page = browser.get(f"/jobs/{uuid}").text
    assert "Levelled by 1.8°: the lines rose to the right." in page
    assert page.count("Nothing to mend: read as it is.") == 1
    links = [f"/jobs/{uuid}/pages/{number}/{stage}" for number in (1, 2) for stage in ("original", "preprocessed")]
    assert all(f'href="{link}"' in page for link in links)
    assert f"/jobs/{uuid}/pages/3/" not in page


def test_preprocessing_is_chosen_with_the_upload_and_shown_with_the_job(browser: Browser) -> None:
    form = browser.get("/").text
    assert '<option value="auto">Mend what needs it</option>' in form
    assert '<option value="none">Read them as they are</option>' in form
    browser.post("/upload", {"document": (io.BytesIO(PDF), "a.pdf"), "preprocess": "none"})
    uuid = browser.get("/").text.partition('data-uuid="')[2].partition('"')[0]
    assert "<dt>Preprocessing</dt><dd>Read them as they are</dd>" in browser.get(f"/jobs/{uuid}").text


def test_long_text_is_cut_in_the_page(
    browser: Browser, program: Program, worker: HandWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recto.web.pages._SHOWN_TEXT_BYTES", 9)
    uuid = program.submit()
    worker.finish(worker.claim(), "aaaaaaaaé and the rest")
    page = browser.get(f"/jobs/{uuid}").text
    assert "Download all of it" in page
    assert "and the rest" not in page


def test_text_that_vanished_from_the_disk_answers_404(
    browser: Browser, program: Program, worker: HandWorker, folder: Path
) -> None:
    uuid = program.submit()
    worker.finish(worker.claim())
    for file in folder.glob("*/attempts/*/result.txt"):
        file.unlink()
    assert browser.get(f"/jobs/{uuid}").status_code == 404


def test_job_of_somebody_else_or_of_nobody_is_a_404_page(browser: Browser, other_program: Program) -> None:
    for uuid in (other_program.submit(), uuid4(), "not-a-uuid"):
        response = browser.get(f"/jobs/{uuid}")
        assert (response.status_code, response.mimetype) == (404, "text/html")
        assert "Go to your documents" in response.text


@pytest.mark.parametrize("path", ["/", "/jobs/0b9e6a1e-0000-4000-8000-000000000000", "/account"])
def test_signed_out_is_led_to_the_sign_in(app: Flask, anybody: Program, path: str) -> None:
    response = Browser(app).get(path)
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/sign-in?next=")
    problem(anybody.get(path), 401, "not_signed_in")


def test_job_that_other_options_mend_leads_to_them(browser: Browser, program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    worker.fail(worker.claim(), DocumentEncrypted("It is locked."))
    page = browser.get(f"/jobs/{uuid}").text
    assert '<a class="button" href="#again">' in page
    assert 'id="again"' in page
    assert "Upload again" not in page


def test_job_names_its_languages_as_people_do(browser: Browser, program: Program) -> None:
    uuid = program.send_form(PDF, "letter.pdf", languages="deu+eng").get_json()["uuid"]
    assert "<dd>German, English</dd>" in browser.get(f"/jobs/{uuid}").text


def test_account_says_what_a_token_may_as_the_form_does(browser: Browser) -> None:
    page = browser.post("/account/tokens", {"name": "scanner", "scopes": "jobs:read jobs:write", "days": "30"}).text
    assert "<span>Send and read</span>" in page
    page = browser.post("/account/tokens", {"name": "other", "scopes": "jobs:read", "days": "30"}).text
    assert "<span>Only read</span>" in page


def test_upload_without_script_submits_each_document(browser: Browser, folder: Path) -> None:
    form: dict[str, Any] = {
        "document": [
            (io.BytesIO(PDF), "first.pdf"),
            (io.BytesIO(b"no scan"), "notes.doc"),
            (io.BytesIO(PDF), "second.pdf"),
        ],
        "languages": ["deu", "eng"],
        "pages": "",
    }
    response = browser.post("/upload", form)
    assert (response.status_code, response.headers["Location"]) == (302, "/")
    page = browser.get("/").text
    assert "first.pdf is in the queue." in page
    assert "second.pdf is in the queue." in page
    assert "notes.doc: The file is text already" in page
    assert len(left_behind(folder)) == 2


@pytest.mark.parametrize(("field", "value"), [("pages", "3-1"), ("pages", "x"), ("languages", "?")])
def test_upload_with_a_bad_option_says_so(browser: Browser, folder: Path, field: str, value: str) -> None:
    response = browser.post("/upload", {"document": (io.BytesIO(PDF), "a.pdf"), field: value})
    assert (response.status_code, response.mimetype) == (422, "text/html")
    assert f"&#39;{field}&#39;" in response.text
    assert left_behind(folder) == []


def test_upload_needs_csrf_token_sign_in_and_a_file(app: Flask, browser: Browser, folder: Path) -> None:
    assert (
        Browser(app)
        .post("/upload", {"document": (io.BytesIO(PDF), "a.pdf")})
        .headers["Location"]
        .startswith("/sign-in")
    )
    assert browser.post("/upload", {"document": (io.BytesIO(b""), "")}).status_code == 400
    browser.csrf_token = "wrong"
    assert browser.post("/upload", {"document": (io.BytesIO(PDF), "a.pdf")}).status_code == 403
    assert left_behind(folder) == []


def test_upload_above_the_limit_says_the_limit_beside_the_file(make_app: MakeApp, folder: Path) -> None:
    app = make_app(RECTO_SERVER_MAX_UPLOAD_BYTES="300")
    add_user(app, "ada")
    browser = Browser(app)
    browser.sign_in("ada")
    browser.post("/upload", {"document": [(io.BytesIO(PDF * 2), "big.pdf"), (io.BytesIO(PDF), "small.pdf")]})
    page = browser.get("/").text
    assert "big.pdf: The document is larger than the 300 bytes" in page
    assert "small.pdf is in the queue." in page
    huge = browser.post("/upload", {"document": (io.BytesIO(PDF * 5000), "huge.pdf")})
    assert (huge.status_code, huge.mimetype) == (413, "text/html")
    assert len(left_behind(folder)) == 1


def test_delete_removes_the_job(browser: Browser, program: Program, other_program: Program, folder: Path) -> None:
    uuid, foreign = program.submit(), other_program.submit()
    assert browser.post(f"/jobs/{foreign}/delete").status_code == 404
    response = browser.post(f"/jobs/{uuid}/delete")
    assert (response.status_code, response.headers["Location"]) == (302, "/")
    assert "are deleted" in browser.get("/").text
    assert left_behind(folder) == [foreign]


def test_delete_needs_a_csrf_token(browser: Browser, program: Program) -> None:
    uuid = program.submit()
    browser.csrf_token = ""
    assert browser.post(f"/jobs/{uuid}/delete").status_code == 403
    assert browser.client.get(f"/jobs/{uuid}/delete", headers=PAGE).status_code == 405
    assert browser.get(f"/jobs/{uuid}").status_code == 200
