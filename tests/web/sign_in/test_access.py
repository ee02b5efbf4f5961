"""/api/v1/token and /api/v1/audit, and what tokens of each scope may do."""

import pytest
from flask import Flask
from sqlalchemy import text

from recto import accounts
from recto.accounts import Scope
from recto.database.connections import Begin, transaction
from tests.web.clients import PDF, Browser, Program, problem
from tests.web.conftest import Known
from tests.web.hand_worker import HandWorker

pytestmark = pytest.mark.each_database(long=True)

JOBS, TOKEN, AUDIT = "/api/v1/jobs", "/api/v1/token", "/api/v1/audit"


def token_of(worker: HandWorker, user: Known, *scopes: Scope, days: int | None = None) -> str:
    """A new token of that user."""
    with transaction(worker.session(), Begin.WRITE) as session:
        return accounts.create_token(session, user.id, "scoped", scopes, days)


def expire(worker: HandWorker) -> None:
    """Make every token that expires one that has expired."""
    with worker.engine.begin() as connection:
        connection.execute(text("UPDATE api_token SET expires_us = 1 WHERE expires_us IS NOT NULL"))


def test_token_tells_what_it_may_do(app: Flask, ada: Known, worker: HandWorker) -> None:
    token = token_of(worker, ada, Scope.JOBS_WRITE, days=30)
    program = Program(app, token)
    told = program.get(TOKEN).get_json()
    assert (told["name"], told["prefix"], told["scopes"]) == ("scoped", token[:12], ["jobs:write"])
    assert told["created"] < told["expires"]
    assert told["last_used"].endswith("Z")
    assert token not in program.get(TOKEN).text


def test_token_ends_itself_and_no_other(app: Flask, ada: Known, program: Program, worker: HandWorker) -> None:
    other = Program(app, token_of(worker, ada, Scope.JOBS_READ))
    assert other.delete(TOKEN).status_code == 204
    problem(other.get(TOKEN), 401, "not_signed_in")
    assert program.get(TOKEN).status_code == 200


def test_cookie_is_no_token(browser: Browser) -> None:
    problem(browser.get(TOKEN), 404, "token_not_found")
    response = browser.client.delete(TOKEN, headers={"X-CSRFToken": browser.csrf_token})
    problem(response, 404, "token_not_found")


def test_token_that_expired_is_as_one_that_never_was(app: Flask, ada: Known, worker: HandWorker) -> None:
    program = Program(app, token_of(worker, ada, *Scope, days=1))
    assert program.get(JOBS).status_code == 200
    expire(worker)
    expired = [program.get(JOBS), program.post(JOBS, data=PDF), program.get(TOKEN), program.get(AUDIT)]
    for response in expired:
        problem(response, 401, "not_signed_in")
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="Recto", error="invalid_token"'
    never = Program(app, "recto_never").get(JOBS)
    assert never.get_json() == expired[0].get_json()


def test_expired_token_is_shown_as_such(browser: Browser, ada: Known, worker: HandWorker) -> None:
    token_of(worker, ada, Scope.JOBS_READ, days=1)
    page = browser.get("/account").text
    assert "expires <time" in page
    expire(worker)
    assert "expired <time" in browser.get("/account").text


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        (Scope.JOBS_READ, {"list", "job", "page", "languages"}),
        (Scope.JOBS_WRITE, {"submit", "upload", "delete", "languages"}),
        (Scope.ADMIN, {"audit"}),
    ],
)
def test_scope_allows_its_own_and_nothing_else(
    app: Flask, ada: Known, program: Program, worker: HandWorker, scope: Scope, allowed: set[str]
) -> None:
    uuid = program.submit()
    scoped = Program(app, token_of(worker, ada, scope))
    requests = {
        "list": ("GET", JOBS),
        "job": ("GET", f"{JOBS}/{uuid}"),
        "page": ("GET", f"/jobs/{uuid}"),
        "languages": ("GET", "/api/v1/languages"),
        "submit": ("POST", JOBS),
        "upload": ("POST", "/upload"),
        "audit": ("GET", AUDIT),
        "account": ("GET", "/account"),
        "new token": ("POST", "/account/tokens"),
        "password": ("POST", "/account/password"),
        "delete": ("DELETE", f"{JOBS}/{uuid}"),
    }
    answers = {
        name: scoped.request(method, path, data=PDF if path == JOBS and method == "POST" else None)
        for name, (method, path) in requests.items()
    }
    assert {name for name, answer in answers.items() if answer.status_code != 403} == allowed
    for name in set(requests) - allowed:
        problem(answers[name], 403, "not_allowed")
    assert scoped.get(TOKEN).status_code == 200


def test_missing_scope_is_named(app: Flask, ada: Known, worker: HandWorker) -> None:
    members = problem(Program(app, token_of(worker, ada, Scope.JOBS_READ)).post(JOBS, data=PDF), 403, "not_allowed")
    assert members["scopes"] == ["jobs:write"]
    assert "'jobs:write'" in members["detail"]


def test_audit_log_is_for_administrators(app: Flask, ada: Known, bob: Known, browser: Browser) -> None:
    assert browser.get(AUDIT).status_code == 200
    other = Browser(app)
    other.sign_in("bob")
    problem(other.get(AUDIT), 403, "not_allowed")


def test_token_of_who_is_no_administrator_any_more_lost_that_scope(app: Flask, ada: Known, worker: HandWorker) -> None:
    program = Program(app, token_of(worker, ada, Scope.ADMIN))
    assert program.get(AUDIT).status_code == 200
    with worker.engine.begin() as connection:
        connection.execute(text('UPDATE "user" SET is_admin = FALSE'))
    problem(program.get(AUDIT), 403, "not_allowed")


def test_tokens_and_deletions_are_noted(app: Flask, browser: Browser, program: Program, worker: HandWorker) -> None:
    uuid, second = program.submit(), program.submit()
    page = browser.post("/account/tokens", {"name": "scanner", "scopes": "jobs:read", "days": "30"}).text
    token = page.partition('id="new-token">')[2].partition("<")[0]
    number = page.rpartition("/account/tokens/")[2].partition("/")[0]
    browser.post(f"/account/tokens/{number}/revoke")
    program.delete(f"{JOBS}/{uuid}")
    browser.post(f"/jobs/{second}/delete")
    answer = browser.get(f"{AUDIT}?limit=4")
    noted = [(event["action"], event["user"], event["about"]) for event in answer.get_json()["events"]]
    assert noted == [
        ("job_deleted", "ada", second),
        ("job_deleted", "ada", uuid),
        ("token_revoked", "ada", f"{token[:12]}…"),
        ("token_created", "ada", f"{token[:12]}… jobs:read"),
    ]
    assert token not in answer.text
    assert "scan.pdf" not in browser.get(AUDIT).text


def test_deletion_that_finds_nothing_is_not_noted(program: Program, other_program: Program, browser: Browser) -> None:
    uuid = program.submit()
    problem(other_program.delete(f"{JOBS}/{uuid}"), 404, "job_not_found")
    assert [event["action"] for event in browser.get(AUDIT).get_json()["events"]] == ["signed_in"]


@pytest.mark.parametrize("limit", ["0", "-1", "x", "9" * 30])
def test_limit_that_is_none_is_refused(browser: Browser, limit: str) -> None:
    problem(browser.get(f"{AUDIT}?limit={limit}"), 422, "option_invalid")


def test_form_makes_tokens_of_the_chosen_scopes_and_days(app: Flask, browser: Browser) -> None:
    page = browser.get("/account").text
    assert '<option value="jobs:read">' in page
    assert '<option value="admin">' in page
    made = browser.post("/account/tokens", {"name": "a", "scopes": "admin", "days": "1"}).text
    token = made.partition('id="new-token">')[2].partition("<")[0]
    told = Program(app, token).get(TOKEN).get_json()
    assert told["scopes"] == ["admin"]
    assert told["expires"] is not None


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"scopes": "everything"}, 422),
        ({"scopes": "jobs:read jobs:paint"}, 422),
        ({"days": "0"}, 422),
        ({"days": "-3"}, 422),
        ({"days": "40000"}, 422),
        ({"days": "9" * 40}, 422),
        ({"days": "²"}, 422),
        ({"scopes": "admin"}, 403),
    ],
)
def test_form_with_a_wrong_choice_makes_no_token(app: Flask, bob: Known, form: dict[str, str], status: int) -> None:
    browser = Browser(app)
    browser.sign_in("bob")
    assert "admin" not in browser.get("/account").text.partition("token-scopes")[2].partition("</select>")[0]
    response = browser.post("/account/tokens", {"name": "x", **form})
    assert response.status_code == status
    assert browser.get("/account").text.count("/revoke") == 1
