"""/account: tokens and password."""

import re

import pytest
from flask import Flask

from tests.web.clients import PASSWORD, Browser, Program, problem
from tests.web.conftest import Known, MakeApp, add_user

pytestmark = pytest.mark.each_database(long=True)

NEW = "another long password"


def new_token(browser: Browser, name: str) -> str:
    response = browser.post("/account/tokens", {"name": name})
    assert response.status_code == 201
    found = re.search(r'id="new-token">([^<]+)<', response.text)
    assert found
    return found[1]


def token_ids(browser: Browser) -> list[str]:
    return re.findall(r"/account/tokens/(\d+)/revoke", browser.get("/account").text)


def test_token_is_shown_once_and_works(app: Flask, browser: Browser) -> None:
    token = new_token(browser, "scanner <b>")
    assert Program(app, token).get("/api/v1/jobs").status_code == 200
    page = browser.get("/account").text
    assert token not in page
    assert token[:12] in page
    assert "scanner &lt;b&gt;" in page
    assert "last used" in page


def test_page_with_the_token_is_kept_in_no_cache_and_no_cookie(browser: Browser) -> None:
    response = browser.post("/account/tokens", {"name": "x"})
    assert response.headers["Cache-Control"] == "no-store"
    assert "recto_" in response.text
    assert all("new-token" not in value for value in response.headers.getlist("Set-Cookie"))


@pytest.mark.parametrize("name", ["", "   ", "n" * 5000, "nul\x00", "…"])
def test_any_name_of_a_token_is_taken(browser: Browser, name: str) -> None:
    assert new_token(browser, name)
    assert browser.get("/account").status_code == 200


def test_revoked_token_ends_at_once(app: Flask, browser: Browser) -> None:
    token = new_token(browser, "scanner")
    number = token_ids(browser)[-1]
    response = browser.post(f"/account/tokens/{number}/revoke")
    assert (response.status_code, response.headers["Location"]) == (302, "/account")
    problem(Program(app, token).get("/api/v1/jobs"), 401, "not_signed_in")
    assert browser.post(f"/account/tokens/{number}/revoke").status_code == 404


def test_token_of_somebody_else_stays(app: Flask, browser: Browser, bob: Known, other_program: Program) -> None:
    own = token_ids(browser)
    others = Browser(app)
    others.sign_in("bob")
    foreign = token_ids(others)[0]
    assert foreign not in own
    assert browser.post(f"/account/tokens/{foreign}/revoke").status_code == 404
    assert other_program.get("/api/v1/jobs").status_code == 200


@pytest.mark.parametrize("number", ["0", "99999999999999999999999", "-1", "x"])
def test_token_that_never_was_answers_404(browser: Browser, number: str) -> None:
    assert browser.post(f"/account/tokens/{number}/revoke").status_code == 404


def test_new_password_ends_the_other_sessions_and_keeps_this_one(
    app: Flask, browser: Browser, program: Program
) -> None:
    other = Browser(app)
    other.sign_in("ada")
    response = browser.post("/account/password", {"current": PASSWORD, "new": NEW, "repeat": NEW})
    assert (response.status_code, response.headers["Location"]) == (302, "/account")
    assert "Other browsers are signed out" in browser.get("/account").text
    assert other.get("/account").status_code == 302
    assert Browser(app).sign_in("ada").status_code == 401
    assert Browser(app).sign_in("ada", NEW).status_code == 302
    assert program.get("/api/v1/jobs").status_code == 200


@pytest.mark.parametrize(
    ("current", "new", "repeat", "complaint"),
    [
        ("wrong", NEW, NEW, "not your current password"),
        ("", NEW, NEW, "not your current password"),
        (PASSWORD, NEW, NEW + "x", "differ"),
        (PASSWORD, "short", "short", "at least 8 characters"),
        (PASSWORD, "", "", "at least 8 characters"),
    ],
)
def test_password_that_is_not_accepted_stays_and_says_why(
    app: Flask, browser: Browser, current: str, new: str, repeat: str, complaint: str
) -> None:
    response = browser.post("/account/password", {"current": current, "new": new, "repeat": repeat})
    assert response.status_code == 422
    assert complaint in response.text
    assert Browser(app).sign_in("ada").status_code == 302


def test_password_fields_that_are_missing_are_empty(browser: Browser) -> None:
    assert browser.post("/account/password").status_code == 422


def test_page_is_led_to_the_sign_in_when_signed_out(app: Flask, anybody: Program) -> None:
    for path in ("/account/tokens", "/account/tokens/1/revoke", "/account/password"):
        assert Browser(app).post(path).headers["Location"] == "/sign-in?next="
        problem(anybody.post(path), 401, "not_signed_in")


def test_forms_need_a_csrf_token(browser: Browser) -> None:
    number = token_ids(browser)[0]
    for path in ("/account/tokens", f"/account/tokens/{number}/revoke", "/account/password"):
        browser.csrf_token = "wrong"
        assert browser.post(path, {"current": PASSWORD, "new": NEW, "repeat": NEW}).status_code == 403
    assert token_ids(browser) == [number]


def test_example_shows_the_address_below_the_sub_path(make_app: MakeApp) -> None:
    app = make_app(RECTO_SERVER_BASE_PATH="/recto")
    add_user(app, "ada")
    browser = Browser(app, "/recto")
    browser.sign_in("ada")
    page = browser.post("/account/tokens", {"name": "scanner"}).text
    assert "http://localhost/recto/api/v1/jobs" in page
