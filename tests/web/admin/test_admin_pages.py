"""/admin and what is below it, and the sign-ins of /account."""

import re

import pytest
from flask import Flask

from recto.audit import Action, Event, note
from recto.database.connections import Begin, transaction
from recto.errors import DocumentDamaged
from recto.web.sign_in.sign_in_pages import browser_words
from tests.web.clients import Browser, Program
from tests.web.conftest import Known
from tests.web.hand_worker import HandWorker


def shown_password(text: str) -> str:
    found = re.search(r'id="new-password">([^<]+)<', text)
    assert found
    return found[1]


def test_page_tells_of_queue_workers_and_what_ended(
    browser: Browser, bob: Known, other_program: Program, worker: HandWorker
) -> None:
    assert "No Worker is running" in browser.get("/admin").text
    worker.report("eng")
    for _ in range(3):
        other_program.submit()
    claim = worker.claim(1)
    worker.read_page(claim, 1)
    worker.finish(claim)
    worker.fail(worker.claim(1), DocumentDamaged("Torn."))
    page = browser.get("/admin?days=7").text
    assert "No Worker is running" not in page
    for title in ("Pages read", "Jobs finished", "Jobs failed"):
        assert f'aria-label="{title}, the last week: 1"' in page
    assert "The file is damaged" in page
    assert '<th scope="row">bob</th>' in page
    assert "letter" not in page


@pytest.mark.parametrize("days", ["1", "7", "30", "5"])
def test_page_looks_back_as_far_as_asked(browser: Browser, days: str) -> None:
    assert browser.get(f"/admin?days={days}").status_code == 200


def test_styles_of_the_plots_are_in_no_attribute(browser: Browser, other_program: Program, worker: HandWorker) -> None:
    """The Content-Security-Policy would leave them out."""
    assert " style=" not in browser.get("/admin").text


def test_new_user_gets_a_password_that_is_shown_once(app: Flask, browser: Browser) -> None:
    browser.get("/admin/users")
    response = browser.post("/admin/users", {"name": "grace"})
    assert (response.status_code, response.headers["Cache-Control"]) == (201, "no-store")
    password = shown_password(response.text)
    assert password not in browser.get("/admin/users").text
    assert Browser(app).sign_in("grace", password).status_code == 302


def test_user_that_cannot_be_added_is_explained_beside_the_field(browser: Browser) -> None:
    browser.get("/admin/users")
    response = browser.post("/admin/users", {"name": "ada"})
    assert response.status_code == 409
    assert 'id="new-user-error">There is a user' in response.text


def test_new_password_takes_the_place_of_the_old_one(app: Flask, browser: Browser, bob: Known) -> None:
    others = Browser(app)
    others.sign_in("bob")
    browser.get("/admin/users")
    password = shown_password(browser.post(f"/admin/users/{bob.id}/password").text)
    assert others.get("/").status_code == 302
    assert Browser(app).sign_in("bob").status_code == 401
    assert Browser(app).sign_in("bob", password).status_code == 302


def test_user_is_disabled_and_enabled(app: Flask, browser: Browser, bob: Known) -> None:
    browser.get("/admin/users")
    assert browser.post(f"/admin/users/{bob.id}/disabled").status_code == 302
    page = browser.get("/admin/users").text
    assert "bob is disabled" in page
    assert ">Disabled</span>" in page
    assert Browser(app).sign_in("bob").status_code == 403
    browser.post(f"/admin/users/{bob.id}/enabled")
    assert Browser(app).sign_in("bob").status_code == 302


def test_limits_are_saved_in_megabytes_and_emptied(browser: Browser, bob: Known, other_program: Program) -> None:
    path = f"/admin/users/{bob.id}/limits"
    browser.get("/admin/users")
    browser.post(path, {"max_stored_megabytes": "5", "max_unfinished": ""})
    assert other_program.get("/api/v1/account").get_json()["storage"]["max_bytes"] == 5_000_000
    assert 'value="5"' in browser.get("/admin/users").text
    browser.post(path, {"max_stored_megabytes": "", "max_unfinished": "3"})
    assert other_program.get("/api/v1/account").get_json()["storage"]["max_bytes"] is None
    assert browser.post(path, {"max_stored_megabytes": "many"}).status_code == 422


def test_audit_log_is_shown_page_by_page(browser: Browser) -> None:
    for _ in range(51):
        browser.get("/account")
        browser.post("/account/tokens", {"name": "one"})
    page = browser.get("/admin/audit").text
    assert page.count("made a token") == 50
    older = re.search(r'href="(/admin/audit\?before=\d+)"', page)
    assert older
    assert "signed in" in browser.get(older[1]).text
    assert "Nothing older" in browser.get("/admin/audit?before=1").text


def test_every_act_has_words_in_the_audit_log(browser: Browser, worker: HandWorker) -> None:
    with transaction(worker.session(), Begin.WRITE) as session:
        for action in Action:
            note(session, Event(action, "ada"))
    page = browser.get("/admin/audit").text
    for action in Action:
        assert f"</strong> {action.value}" not in page


def test_administration_is_in_the_menu_of_administrators_alone(app: Flask, browser: Browser, bob: Known) -> None:
    assert 'href="/admin"' in browser.get("/").text
    others = Browser(app)
    others.sign_in("bob")
    assert 'href="/admin"' not in others.get("/").text
    assert others.get("/admin").status_code == 403


def test_sign_ins_are_listed_and_another_is_ended(app: Flask, browser: Browser) -> None:
    other = Browser(app)
    other.sign_in("ada")
    page = browser.get("/account").text
    assert page.count("This browser") == 1
    ends = re.findall(r'action="(/account/sessions/[0-9a-f]{16}/end)"', page)
    assert len(ends) == 1
    assert browser.post(ends[0]).status_code == 302
    assert "That browser is signed out" in browser.get("/account").text
    assert other.get("/account").status_code == 302


def test_sign_in_of_somebody_else_is_not_ended(app: Flask, browser: Browser, bob: Known) -> None:
    others, again = Browser(app), Browser(app)
    for one in (others, again):
        one.sign_in("bob")
    (end,) = re.findall(r'action="(/account/sessions/[0-9a-f]{16}/end)"', others.get("/account").text)
    assert browser.post(end).status_code == 404
    assert again.get("/account").status_code == 200


def test_storage_is_shown_against_its_limit(app: Flask, browser: Browser, ada: Known, program: Program) -> None:
    program.submit()
    assert "1 document," in browser.get("/account").text
    browser.post(f"/admin/users/{ada.id}/limits", {"max_stored_megabytes": "1", "max_unfinished": ""})
    assert '<meter min="0" max="1000000"' in browser.get("/account").text


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Werkzeug/3.1", "Werkzeug"),
        ("", "Unknown browser"),
    ],
)
def test_browser_is_called_as_people_call_it(user_agent: str, words: str) -> None:
    assert browser_words(user_agent) == words
