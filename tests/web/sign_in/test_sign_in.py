"""/sign-in and /sign-out."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from tests.web.clients import PAGE, PASSWORD, Browser, Program, problem
from tests.web.conftest import Known, MakeApp, add_user
from tests.web.hand_worker import HandWorker

pytestmark = pytest.mark.each_database(long=True)


def test_sign_in_leads_to_the_list(app: Flask, ada: Known) -> None:
    browser = Browser(app)
    response = browser.sign_in("ada")
    assert (response.status_code, response.headers["Location"]) == (302, "/")
    page = browser.get("/")
    assert page.status_code == 200
    assert "ada" in page.text


def test_page_shows_the_form_to_anybody_and_leads_on_who_is_signed_in(app: Flask, browser: Browser) -> None:
    page = Browser(app).get("/sign-in")
    assert page.status_code == 200
    assert 'type="password"' in page.text
    assert browser.get("/sign-in").headers["Location"] == "/"


@pytest.mark.parametrize(
    ("name", "password"), [("ada", "not this one"), ("ada", ""), ("nobody", PASSWORD), ("", ""), ("ADA", PASSWORD)]
)
def test_wrong_password_shows_the_page_again_as_401(app: Flask, ada: Known, name: str, password: str) -> None:
    browser = Browser(app)
    response = browser.sign_in(name, password)
    assert response.status_code == 401
    assert "Name or password is wrong" in response.text
    assert "WWW-Authenticate" not in response.headers  # a browser would show a box of its own
    assert browser.get("/account").status_code == 302
    if password:
        assert password not in response.text


def test_name_of_a_failed_sign_in_is_shown_escaped(app: Flask, ada: Known) -> None:
    response = Browser(app).sign_in('"><script>alert(1)</script>', "x\x00y")
    assert response.status_code == 401
    assert "<script>alert" not in response.text


def test_form_without_csrf_token_is_refused(app: Flask, ada: Known) -> None:
    browser = Browser(app)
    browser.get("/sign-in")
    for token in ("", "wrong"):
        browser.csrf_token = token
        response = browser.post("/sign-in", {"name": "ada", "password": PASSWORD})
        assert (response.status_code, response.mimetype) == (403, "text/html")
        assert "Reload the page" in response.text
    assert browser.get("/account").status_code == 302


def test_csrf_token_of_another_browser_is_refused(app: Flask, ada: Known) -> None:
    victim, attacker = Browser(app), Browser(app)
    victim.get("/sign-in")
    attacker.get("/sign-in")
    victim.csrf_token = attacker.csrf_token
    assert victim.post("/sign-in", {"name": "ada", "password": PASSWORD}).status_code == 403


def test_csrf_token_of_before_the_sign_in_ends_with_it(app: Flask, ada: Known) -> None:
    browser = Browser(app)
    browser.get("/sign-in")
    before = browser.csrf_token
    browser.post("/sign-in", {"name": "ada", "password": PASSWORD})
    browser.csrf_token = before
    assert browser.post("/account/tokens", {"name": "x"}).status_code == 403


@pytest.mark.parametrize(
    ("target", "led_to"),
    [
        ("/account", "/account"),
        ("/jobs/0b9e?x=1", "/jobs/0b9e?x=1"),
        ("", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("\\\\evil.example/", "/"),
        ("/\t/evil.example/", "/"),
        ("\t//evil.example", "/"),
        ("/\r\n/evil.example", "/"),
        (" //evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("account", "/"),
        ("/%5cevil.example", "/%5cevil.example"),
        ("http:evil.example", "/"),
        ("///evil.example", "/"),
        ("/\x00/evil.example", "/%00/evil.example"),
    ],
)
def test_next_leads_nowhere_but_to_own_pages(app: Flask, ada: Known, target: str, led_to: str) -> None:
    location = Browser(app).sign_in("ada", next_path=target).headers["Location"]
    assert location == led_to


def test_signed_out_page_comes_back_after_the_sign_in(app: Flask, ada: Known) -> None:
    browser = Browser(app)
    first = browser.get("/?before=1.a")
    assert first.headers["Location"].startswith("/sign-in?next=")
    page = browser.get(first.headers["Location"])
    assert 'value="/?before=1.a"' in page.text


def test_cookie_of_before_the_sign_in_does_not_become_signed_in(app: Flask, ada: Known) -> None:
    attacker = Browser(app)
    attacker.get("/sign-in")
    planted = attacker.cookie()
    victim = Browser(app)
    victim.client.set_cookie("recto_session", planted)
    victim.sign_in("ada")
    assert victim.cookie() != planted
    assert attacker.get("/account").status_code == 302


def test_each_sign_in_is_a_session_of_its_own(app: Flask, ada: Known) -> None:
    first, second = Browser(app), Browser(app)
    first.sign_in("ada")
    second.sign_in("ada")
    second.post("/sign-out")
    assert second.get("/account").status_code == 302
    assert first.get("/account").status_code == 200


def test_sign_out_ends_the_session_even_for_a_copied_cookie(app: Flask, browser: Browser) -> None:
    copied = browser.cookie()
    response = browser.post("/sign-out")
    assert (response.status_code, response.headers["Location"]) == (302, "/sign-in")
    assert "You are signed out" in browser.get("/sign-in").text
    thief = Browser(app)
    thief.client.set_cookie("recto_session", copied)
    assert thief.get("/account").status_code == 302


def test_sign_out_without_csrf_token_is_refused(browser: Browser) -> None:
    browser.csrf_token = ""
    assert browser.post("/sign-out").status_code == 403
    assert browser.get("/account").status_code == 200


def test_sign_out_of_nobody_leads_to_the_sign_in(app: Flask, anybody: Program) -> None:
    response = Browser(app).post("/sign-out")
    assert (response.status_code, response.headers["Location"]) == (302, "/sign-in?next=")
    problem(anybody.post("/sign-out"), 401, "not_signed_in")


def test_forged_cookie_signs_nobody_in(app: Flask, ada: Known) -> None:
    browser = Browser(app)
    for cookie in ("x", "eyJfdXNlcl9pZCI6IjEifQ.aaaa.bbbb", ""):
        browser.client.set_cookie("recto_session", cookie)
        assert browser.get("/account").status_code == 302


def test_session_that_was_not_used_for_its_lifetime_ends(app: Flask, browser: Browser, worker: HandWorker) -> None:
    lifetime_s = app.extensions["recto"].limits.session_lifetime_s
    with worker.engine.connect() as connection:
        connection.execute(
            text("UPDATE user_session SET seen_us = seen_us - :passed"), {"passed": (lifetime_s - 60) * 1_000_000}
        )
        connection.commit()
        assert browser.get("/account").status_code == 200  # and its use is noted
        connection.execute(
            text("UPDATE user_session SET seen_us = seen_us - :passed"), {"passed": (lifetime_s + 1) * 1_000_000}
        )
        connection.commit()
        assert browser.get("/account").status_code == 302


def test_first_password_file_goes_with_an_administrators_first_sign_in(
    app: Flask, folder: Path, ada: Known, bob: Known
) -> None:
    file = folder / "first_password"
    file.write_text("secret")
    Browser(app).sign_in("ada", "wrong")
    Browser(app).sign_in("bob")
    assert file.exists()
    Browser(app).sign_in("ada")
    assert not file.exists()
    assert Browser(app).sign_in("ada").status_code == 302


def test_sign_in_works_below_a_sub_path(make_app: MakeApp) -> None:
    app = make_app(RECTO_SERVER_BASE_PATH="/recto")
    add_user(app, "ada")
    browser = Browser(app, "/recto")
    asked = browser.get("/account")
    assert asked.headers["Location"].startswith("/recto/sign-in?next=")
    page = browser.get(asked.headers["Location"].removeprefix("/recto"))
    next_path = page.text.partition('name="next" value="')[2].partition('"')[0]
    assert browser.sign_in("ada", next_path=next_path).headers["Location"] == "/recto/account"


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_wrong_method_names_the_right_ones(app: Flask, method: str) -> None:
    response = app.test_client().open("/sign-in", method=method, headers=PAGE)
    assert response.status_code == 405
    assert {"GET", "POST"} <= set(response.headers["Allow"].replace(" ", "").split(","))
    assert app.test_client().get("/sign-out", headers=PAGE).status_code == 405


def test_only_pages_renew_the_cookie(app: Flask, browser: Browser) -> None:
    """An API answer with the cookie of its request would undo what a form put into it meanwhile."""
    assert browser.get("/api/v1/jobs").headers.getlist("Set-Cookie") == []
    assert len(browser.get("/").headers.getlist("Set-Cookie")) == 1
