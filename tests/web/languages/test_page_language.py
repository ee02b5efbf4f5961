"""The language of a page: chosen, asked for by the browser, or English; and that programs are told in English."""

import re
from datetime import UTC, datetime

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from recto.errors import DocumentDamaged
from recto.ocr.page import ResultWarning, Step
from recto.ocr.step_words import told
from recto.views.jobs import Reason
from recto.web.languages import errors_said, localised
from tests.web.clients import PASSWORD, Browser, Program
from tests.web.hand_worker import HandWorker

GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
PDF = b"%PDF-1.7\n"


def language_of(response: TestResponse) -> str:
    found = re.search(r'<html lang="([^"]+)">', response.text)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("de", "de"),
        ("de-CH;q=0.8, fr", "de"),
        ("fr, cs", "en"),
        ("en-GB, de;q=0.9", "en"),
        ("", "en"),
        ("*", "en"),
        ("\\", "en"),
    ],
)
def test_page_is_in_the_language_that_the_browser_asks_for(app: Flask, asked: str, language: str) -> None:
    response = app.test_client().get("/sign-in", headers={"Accept-Language": asked})
    assert language_of(response) == language
    assert ("Anmelden" if language == "de" else "Sign in") in response.text


def test_language_that_was_chosen_counts_more_than_what_the_browser_asks_for(browser: Browser) -> None:
    response = browser.post("/language", {"language": "en", "next": "/account"})
    assert (response.status_code, response.headers["Location"]) == (302, "/account")
    assert language_of(browser.get("/account", headers=GERMAN)) == "en"
    browser.post("/language", {"language": "de", "next": "/account"})
    assert language_of(browser.get("/account")) == "de"
    browser.post("/sign-out")
    assert language_of(browser.get("/sign-in")) == "de"


def test_cookie_of_the_language_is_kept_from_scripts_and_other_pages(browser: Browser) -> None:
    cookie = browser.post("/language", {"language": "de"}).headers["Set-Cookie"]
    assert cookie.startswith("recto_language=de;")
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=31536000"))


@pytest.mark.parametrize("language", ["fr", "", "../de", "de\n"])
def test_language_that_there_is_not_is_forgotten(browser: Browser, language: str) -> None:
    browser.post("/language", {"language": "de"})
    assert browser.post("/language", {"language": language}).status_code == 302
    assert language_of(browser.get("/account")) == "en"


@pytest.mark.parametrize("target", ["https://example.org/", "//example.org", "/\\example.org", ""])
def test_choice_of_a_language_leads_to_own_pages_only(browser: Browser, target: str) -> None:
    assert browser.post("/language", {"language": "de", "next": target}).headers["Location"] == "/"


def test_language_in_a_cookie_that_there_is_not_is_as_none(app: Flask) -> None:
    client = app.test_client()
    client.set_cookie("recto_language", "xx")
    assert language_of(client.get("/sign-in", headers=GERMAN)) == "de"


def test_page_has_the_choice_with_the_present_language_marked(browser: Browser) -> None:
    page = browser.get("/?status=FINISHED", headers=GERMAN).text
    assert '<input type="hidden" name="next" value="/?status=FINISHED">' in page
    assert 'value="de" lang="de" aria-current="true">Deutsch<' in page
    assert 'value="en" lang="en">English<' in page


def test_page_in_english_brings_no_words_for_its_scripts(browser: Browser) -> None:
    assert 'id="translations"' not in browser.get("/").text
    assert 'id="translations"' in browser.get("/", headers=GERMAN).text


@pytest.mark.parametrize("path", ["/", "/account", "/admin", "/admin/users", "/admin/audit", "/search", "/search?q=a"])
def test_pages_are_drawn_in_german(browser: Browser, path: str) -> None:
    response = browser.get(path, headers=GERMAN)
    assert (response.status_code, language_of(response)) == (200, "de")
    assert ">Abmelden</button>" in response.text


def test_finished_document_is_drawn_in_german(browser: Browser, program: Program, worker: HandWorker) -> None:
    uuid = program.submit(PDF)
    worker.finish(worker.claim(), "Ein Wort")
    page = browser.get(f"/jobs/{uuid}", headers=GERMAN).text
    for words in (
        "Fertig",
        "1\u00a0Seite",
        "Durchsuchbares PDF",
        "Hochgeladen",
        "9\u00a0Byte",
        "Auf andere Weise neu lesen",
    ):
        assert words in page


def test_failed_document_says_in_german_why(browser: Browser, program: Program, worker: HandWorker) -> None:
    uuid = program.submit(PDF)
    worker.fail(worker.claim(), DocumentDamaged("The PDF breaks off. Save it anew."))
    page = browser.get(f"/jobs/{uuid}", headers=GERMAN).text
    assert "Die Datei ist beschädigt oder bricht ab. Speichern oder scannen Sie sie neu" in page
    assert "breaks off" not in page
    assert "The PDF breaks off. Save it anew." in browser.get(f"/jobs/{uuid}").text


def test_error_is_shown_in_german_to_people_and_told_in_english_to_programs(browser: Browser, program: Program) -> None:
    page = browser.get("/nowhere", headers=GERMAN | {"Accept": "text/html"})
    assert (page.status_code, language_of(page)) == (404, "de")
    assert "<h1>Nicht gefunden</h1>" in page.text
    problem = program.get("/api/v1/jobs/00000000-0000-0000-0000-000000000000", headers=GERMAN)
    assert problem.get_json()["title"] == "No such job"
    assert problem.headers.get("Content-Language") is None


def test_wrong_password_is_said_in_german(app: Flask, ada: object) -> None:
    browser = Browser(app)
    browser.client.set_cookie("recto_language", "de")
    assert "Name oder Passwort ist falsch." in browser.sign_in("ada", "wrong").text


def test_messages_of_forms_are_in_german(browser: Browser) -> None:
    browser.client.set_cookie("recto_language", "de")
    browser.post("/selection/delete")
    assert "Wählen Sie die Dokumente aus, die gelöscht werden sollen." in browser.get("/").text
    changed = browser.post("/account/password", {"current": PASSWORD, "new": "short", "repeat": "short"})
    assert "Das Passwort ist zu kurz. Es braucht mindestens 8\u00a0Zeichen." in changed.text


def test_reference_of_the_api_is_english(app: Flask) -> None:
    client = app.test_client()
    client.set_cookie("recto_language", "de")
    response = client.get("/docs")
    assert language_of(response) == "en"
    assert "Skip to the content" in response.text


@pytest.mark.parametrize(
    ("size_bytes", "english", "german"),
    [
        (0, "0 Bytes", "0\u00a0Byte"),
        (1, "1 Byte", "1\u00a0Byte"),
        (999, "999 Bytes", "999\u00a0Byte"),
        (1500, "1.5 kB", "1,5\u00a0kB"),
        (2_000_000_000_000_000, "2,000.0 TB", "2.000,0\u00a0TB"),
    ],
)
def test_sizes_are_written_as_in_the_language(app: Flask, size_bytes: int, english: str, german: str) -> None:
    with app.test_request_context():
        assert localised.size_words(size_bytes) == english
    with app.test_request_context(headers=GERMAN):
        assert localised.size_words(size_bytes) == german


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [(104_857_600, "100 MiB"), (100_000, "100 kB"), (1_500_000, "1.5 MB"), (1_610_612_736, "1.5 GiB")],
)
def test_limit_is_written_in_the_units_it_is_whole_in(app: Flask, size_bytes: int, words: str) -> None:
    with app.test_request_context():
        assert localised.limit_words(size_bytes) == words


def test_moments_are_written_as_in_the_language(app: Flask) -> None:
    moment = datetime(2026, 11, 6, 7, 5, 9, tzinfo=UTC)
    with app.test_request_context():
        assert localised.moment_words(moment) == "6 Nov 2026, 07:05"
    with app.test_request_context(headers=GERMAN):
        assert localised.moment_words(moment) == "06.11.2026, 07:05"


def test_steps_are_told_in_the_language(app: Flask) -> None:
    steps = (
        Step("deskew", {"angle_deg": 1.8}),
        Step("borders", {"border_share": 0.12}),
        Step("polarity", {"picture_left_px": 1.0, "picture_top_px": 2.0}),
    )
    with app.test_request_context():
        assert (
            localised.step_words(told(steps[1])) == "Black borders of scanners and photos cut off (border share 0.12)."
        )
    with app.test_request_context(headers=GERMAN):
        assert [localised.step_words(told(step)) for step in steps] == [
            "Um 1,8° gerade gerichtet: Die Zeilen stiegen nach rechts an.",
            "Schwarze Ränder von Scannern und Fotos abgeschnitten.",
            "In einem Bild auf der Seite: Helle Schrift auf dunklem Grund in dunkle Schrift auf hellem Grund verwandelt.",
        ]


def test_warnings_are_said_with_their_page_in_the_language(app: Flask) -> None:
    known, unknown = ResultWarning(3, "page_damaged", "It is torn."), ResultWarning(3, "of_tomorrow", "Something new.")
    with app.test_request_context():
        assert errors_said.said_of_page(known) == "Page 3: It is torn."
    with app.test_request_context(headers=GERMAN):
        assert errors_said.said_of_page(known).startswith("Seite\u00a03: Die Seite ist beschädigt.")
        assert errors_said.said_of_page(unknown) == "Page 3: Something new."
        assert errors_said.said(Reason("of_tomorrow", "Something new.")) == "Something new."
