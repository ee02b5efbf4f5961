"""Sign-ins that fail too often, who is told what, and what is noted of them."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from recto import accounts
from recto.audit import Action, Event, list_events
from tests.web.clients import PASSWORD, Browser, problem
from tests.web.conftest import Known, MakeApp, add_user
from tests.web.hand_worker import HandWorker

pytestmark = pytest.mark.each_database(long=True)

FEW = {"RECTO_LIMITS_SIGN_IN_FAILURES_PER_NAME": "3", "RECTO_LIMITS_SIGN_IN_FAILURES_PER_ADDRESS": "5"}


@pytest.fixture
def strict(make_app: MakeApp) -> Flask:
    """An application that allows few failures; ada and bob may sign in."""
    app = make_app(**FEW)
    add_user(app, "ada", is_admin=True)
    add_user(app, "bob")
    return app


def fail(app: Flask, name: str, times: int, **values: Any) -> list[int]:
    """Statuses of that many sign-ins with a wrong password."""
    return [sign_in(app, name, "wrong", **values).status_code for _ in range(times)]


def sign_in(app: Flask, name: str, password: str = PASSWORD, **values: Any) -> TestResponse:
    browser = Browser(app)
    browser.get("/sign-in")
    return browser.post("/sign-in", {"name": name, "password": password}, **values)


def from_address(address: str) -> dict[str, Any]:
    return {"environ_base": {"REMOTE_ADDR": address}}


def events(worker: HandWorker) -> list[Event]:
    """What was noted, oldest first."""
    with worker.session() as session:
        return [noted.event for noted in reversed(list_events(session, 100))]


def test_too_many_failures_lock_the_name_even_for_the_right_password(strict: Flask) -> None:
    assert fail(strict, "ada", 4) == [401, 401, 401, 429]
    response = sign_in(strict, "ada")
    assert (response.status_code, response.mimetype) == (429, "text/html")
    assert "Too many sign-ins failed. Wait 15 minutes and try again" in response.text
    assert 890 <= int(response.headers["Retry-After"]) <= 900
    assert sign_in(strict, "bob").status_code == 302


def test_program_is_told_by_a_problem_with_the_time_to_wait(strict: Flask) -> None:
    fail(strict, "ada", 3)
    browser = Browser(strict)
    browser.get("/sign-in")
    form = {"name": "ada", "password": PASSWORD}
    members = problem(browser.post("/sign-in", form, {"Accept": "application/json"}), 429, "too_many_sign_ins")
    assert 890 <= members["retry_after_s"] <= 900


def test_name_that_nobody_has_is_answered_the_same(strict: Flask) -> None:
    known, unknown = ([sign_in(strict, name, "wrong") for _ in range(4)] for name in ("ada", "eve"))
    for one, other in zip(known[:2], unknown[:2], strict=True):
        assert one.status_code == other.status_code == 401
        assert "Name or password is wrong" in one.text
        assert set(one.headers.keys()) == set(other.headers.keys())
    assert known[3].status_code == unknown[3].status_code == 429


def test_name_that_nobody_has_costs_the_same_check(strict: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    hasher = accounts._hasher

    class Counting:
        def verify(self, password_hash: str, password: str) -> bool:
            checked.append(password_hash.rpartition("$")[0].rpartition("$")[0])
            return hasher.verify(password_hash, password)

        def hash(self, password: str) -> str:
            return hasher.hash(password)

    monkeypatch.setattr(accounts, "_hasher", Counting())
    sign_in(strict, "ada", "wrong")
    sign_in(strict, "eve", "wrong")
    assert len(checked) == 2
    assert checked[0] == checked[1]  # algorithm and parameters


def test_failures_from_one_address_lock_it_for_every_name_and_no_other_address(strict: Flask) -> None:
    for name in ("a", "b", "c", "d", "e"):
        assert fail(strict, name, 1, **from_address("203.0.113.9")) == [401]
    assert sign_in(strict, "bob", **from_address("203.0.113.9")).status_code == 429
    assert sign_in(strict, "bob", **from_address("203.0.113.10")).status_code == 302


def test_forwarded_address_is_no_way_around_where_no_proxy_is_trusted(strict: Flask) -> None:
    statuses = [
        sign_in(strict, f"user {number}", "wrong", headers={"X-Forwarded-For": f"203.0.113.{number}"}).status_code
        for number in range(6)
    ]
    assert statuses == [401] * 5 + [429]


def test_forwarded_address_counts_where_a_proxy_is_trusted(make_app: MakeApp) -> None:
    app = make_app(RECTO_SERVER_TRUSTED_PROXIES="1", **FEW)
    add_user(app, "bob")
    forged = [f"198.51.100.{number}, 203.0.113.9" for number in range(6)]
    statuses = [
        sign_in(app, f"user {number}", "wrong", headers={"X-Forwarded-For": hops}).status_code
        for number, hops in enumerate(forged)
    ]
    assert statuses == [401] * 5 + [429]
    assert sign_in(app, "bob", headers={"X-Forwarded-For": "203.0.113.10"}).status_code == 302


def test_two_backends_count_together(make_app: MakeApp) -> None:
    one, other = make_app(**FEW), make_app(**FEW)
    add_user(one, "ada")
    assert fail(one, "ada", 2) == [401, 401]
    assert fail(other, "ada", 2) == [401, 429]
    assert sign_in(one, "ada").status_code == 429


def test_success_clears_nothing_but_itself(strict: Flask) -> None:
    fail(strict, "bob", 2)
    assert [sign_in(strict, "bob").status_code for _ in range(4)] == [302] * 4
    assert fail(strict, "bob", 2) == [401, 429]


def test_lock_ends_by_itself(strict: Flask, worker: HandWorker) -> None:
    fail(strict, "ada", 3)
    with worker.engine.begin() as connection:
        connection.execute(text("UPDATE sign_in_attempt SET timestamp = timestamp - 901000000"))
    assert sign_in(strict, "ada").status_code == 302


def test_locked_name_stays_signed_in_where_it_is(strict: Flask) -> None:
    browser = Browser(strict)
    browser.sign_in("ada")
    fail(strict, "ada", 4)
    assert browser.get("/account").status_code == 200


def test_current_password_can_be_guessed_no_more_often(strict: Flask, worker: HandWorker) -> None:
    """Who finds a browser signed in must not try passwords on the account page instead."""
    browser = Browser(strict)
    browser.sign_in("bob")
    form = {"current": "wrong", "new": "another password", "repeat": "another password"}
    statuses = [browser.post("/account/password", form).status_code for _ in range(4)]
    assert statuses == [422, 422, 422, 429]
    assert browser.post("/account/password", form | {"current": PASSWORD}).status_code == 429
    assert [event.action for event in events(worker)] == ["signed_in"] + ["password_refused"] * 3


def test_sign_ins_good_and_bad_are_noted_without_secrets(app: Flask, ada: Known, worker: HandWorker) -> None:
    sign_in(app, "ada", "not this one", **from_address("203.0.113.9"))
    sign_in(app, PASSWORD, "", **from_address("203.0.113.9"))  # the password in the wrong field
    browser = Browser(app)
    browser.sign_in("ada")
    browser.post("/sign-out")
    assert [(event.action, event.user, event.address) for event in events(worker)] == [
        ("sign_in_refused", "ada", "203.0.113.9"),
        ("sign_in_refused", "", "203.0.113.9"),
        ("signed_in", "ada", "127.0.0.1"),
        ("signed_out", "ada", "127.0.0.1"),
    ]
    with worker.engine.connect() as connection:
        kept = str(connection.execute(text("SELECT * FROM audit_event")).all())
        kept += str(connection.execute(text("SELECT * FROM sign_in_attempt")).all())
    assert PASSWORD not in kept
    assert "not this one" not in kept


def test_password_change_is_noted(app: Flask, browser: Browser, worker: HandWorker) -> None:
    new = "another long password"
    browser.post("/account/password", {"current": PASSWORD, "new": new, "repeat": new})
    assert events(worker)[-1] == Event(Action.PASSWORD_CHANGED, "ada", address="127.0.0.1")
