"""Signing in at a proxy in front, and what no proxy has said."""

from functools import partial

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from recto import accounts, audit
from recto.audit import Action
from recto.users.administration import set_disabled
from tests.sign_on.test_provider import led_to, read
from tests.web.clients import PAGE, Browser, Program, problem
from tests.web.conftest import MakeApp, add_user

PROXY = {"REMOTE_ADDR": "10.1.2.3"}


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app(
        RECTO_PROXY_SIGN_IN_HEADER="Remote-User",
        RECTO_PROXY_SIGN_IN_TRUSTED_ADDRESSES="10.1.0.0/16 ::1",
        RECTO_PROXY_SIGN_IN_GROUPS_HEADER="Remote-Groups",
        RECTO_PROXY_SIGN_IN_ADMIN_GROUP="chiefs",
        RECTO_PROXY_SIGN_IN_SIGN_OUT_URL="https://id.example.org/sign-out",
    )


def ask(browser: Browser, path: str, user: str, groups: str = "", address: str = "10.1.2.3") -> TestResponse:
    named = {"Remote-User": user, "Remote-Groups": groups} if user else {}
    return browser.get(path, headers=named, environ_base={"REMOTE_ADDR": address})


def test_whom_the_proxy_names_is_led_in(app: Flask) -> None:
    browser = Browser(app)
    assert led_to(ask(browser, "/account", "grace")).startswith("/sign-in")
    assert led_to(ask(browser, "/sign-in?next=/account", "grace")) == "/account"
    assert "grace" in ask(browser, "/account", "grace").text
    assert [(user.name, user.is_admin) for user in read(app, accounts.list_users)] == [("grace", False)]


def test_groups_make_administrators_and_take_it_back(app: Flask) -> None:
    for groups, is_admin in (("office, chiefs", True), ("office,chiefsofstaff", False), ("", False)):
        ask(Browser(app), "/sign-in", "grace", groups)
        assert [user.is_admin for user in read(app, accounts.list_users)] == [is_admin]


@pytest.mark.parametrize("address", ["10.2.0.1", "127.0.0.1", "203.0.113.9", "", "not an address", "::ffff:10.2.0.1"])
def test_header_from_elsewhere_is_not_believed(app: Flask, address: str) -> None:
    assert ask(Browser(app), "/sign-in", "grace", address=address).status_code == 200
    assert read(app, accounts.list_users) == []


@pytest.mark.parametrize("address", ["10.1.255.255", "::1", "::ffff:10.1.2.3"])
def test_header_from_a_trusted_address_is_believed(app: Flask, address: str) -> None:
    assert ask(Browser(app), "/sign-in", "grace", address=address).status_code == 302


def test_address_that_a_client_makes_up_is_not_taken_for_the_proxys(make_app: MakeApp) -> None:
    app = make_app(
        RECTO_PROXY_SIGN_IN_HEADER="Remote-User",
        RECTO_PROXY_SIGN_IN_TRUSTED_ADDRESSES="10.1.2.3",
        RECTO_SERVER_TRUSTED_PROXIES="1",
    )
    forged = {"Remote-User": "admin", "X-Forwarded-For": "10.1.2.3"}
    answer = Browser(app).get("/sign-in", headers=forged, environ_base={"REMOTE_ADDR": "203.0.113.9"})
    assert answer.status_code == 200
    through = {"Remote-User": "grace", "X-Forwarded-For": "203.0.113.9"}
    assert Browser(app).get("/sign-in", headers=through, environ_base=PROXY).status_code == 302


def test_header_that_comes_twice_is_not_believed(app: Flask) -> None:
    client = app.test_client()
    answer = client.get("/sign-in", headers=[("Remote-User", "grace"), ("Remote-User", "root")], environ_base=PROXY)
    assert answer.status_code == 200


def test_header_opens_nothing_to_programs(app: Flask) -> None:
    answer = Program(app).get("/api/v1/jobs", headers={"Remote-User": "grace"}, environ_base=PROXY)
    problem(answer, 401, "not_signed_in")


def test_sign_in_ends_when_the_proxy_names_another(app: Flask) -> None:
    browser = Browser(app)
    ask(browser, "/sign-in", "grace")
    assert ask(browser, "/account", "grace").status_code == 200
    assert led_to(ask(browser, "/account", "ada")).startswith("/sign-in")
    assert led_to(ask(browser, "/sign-in", "ada")) == "/"
    assert "ada" in ask(browser, "/account", "ada").text


def test_name_that_is_somebodys_here_is_not_taken_over(app: Flask) -> None:
    add_user(app, "admin", is_admin=True)
    answer = ask(Browser(app), "/sign-in", "admin")
    assert (answer.status_code, "users link" in answer.text) == (403, True)


def test_user_who_is_disabled_is_shut_out_though_the_proxy_names_them(app: Flask) -> None:
    browser = Browser(app)
    ask(browser, "/sign-in", "grace")
    root, grace = add_user(app, "root", is_admin=True).id, read(app, accounts.find_user, "grace").id
    read(app, partial(set_disabled, is_disabled=True), grace, root)
    assert led_to(ask(browser, "/account", "grace")).startswith("/sign-in")
    answer = ask(browser, "/sign-in", "grace")
    assert (answer.status_code, "disabled" in answer.text) == (403, True)
    refused = read(app, audit.list_events, 1)[0].event
    assert (refused.action, refused.user, refused.about) == (Action.SIGN_IN_REFUSED, "grace", "proxy")
    read(app, partial(set_disabled, is_disabled=False), grace, root)
    assert ask(browser, "/sign-in", "grace").status_code == 302


def test_rights_that_groups_give_and_take_are_noted(app: Flask) -> None:
    for groups in ("chiefs", "chiefs", "office"):
        ask(Browser(app), "/sign-in", "grace", groups)
    noted = [one.event for one in read(app, audit.list_events, 10)]
    rights = [(event.action, event.about) for event in noted if event.action.value.startswith("admin_")]
    assert rights == [(Action.ADMIN_TAKEN, "proxy"), (Action.ADMIN_GIVEN, "proxy")]


def test_sign_out_goes_on_to_the_proxys_and_is_let_by_the_policy(app: Flask) -> None:
    browser = Browser(app)
    ask(browser, "/sign-in", "grace")
    page = ask(browser, "/account", "grace")
    assert "form-action 'self' https://id.example.org;" in page.headers["Content-Security-Policy"]
    answer = browser.post("/sign-out", headers={"Remote-User": "grace"}, environ_base=PROXY)
    assert led_to(answer) == "https://id.example.org/sign-out"
    assert ask(browser, "/account", "").status_code == 302


def test_who_has_just_signed_out_is_not_signed_in_again_at_once(make_app: MakeApp) -> None:
    app = make_app(RECTO_PROXY_SIGN_IN_HEADER="Remote-User")
    browser = Browser(app)
    named = PAGE | {"Remote-User": "grace"}
    browser.get("/sign-in", headers=named)
    browser.get("/", headers=named)
    there = led_to(browser.post("/sign-out", headers=named))
    assert browser.get(there, headers=named).status_code == 200
