"""/api/v1/admin/… and /api/v1/account."""

from typing import Any

import pytest
from flask import Flask

from recto.accounts import Scope
from tests.web.clients import PASSWORD, Browser, Program, problem
from tests.web.conftest import Known
from tests.web.hand_worker import HandWorker
from tests.web.sign_in.test_access import token_of

pytestmark = pytest.mark.each_database(long=True)

USERS = "/api/v1/admin/users"


@pytest.fixture
def root(app: Flask, ada: Known, worker: HandWorker) -> Program:
    """A program of an administrator's, with the scope `admin` alone."""
    return Program(app, token_of(worker, ada, Scope.ADMIN))


def users(root: Program) -> dict[str, dict[str, Any]]:
    return {user["name"]: user for user in root.get(USERS).get_json()["users"]}


def patch(root: Program, user: Known, **change: Any) -> Any:
    return root.request("PATCH", f"{USERS}/{user.id}", json=change)


def test_users_are_listed_with_what_they_keep_page_by_page(root: Program, bob: Known, other_program: Program) -> None:
    other_program.submit()
    listed = users(root)
    assert list(listed) == ["ada", "bob"]
    assert (listed["ada"]["is_admin"], listed["bob"]["is_admin"]) == (True, False)
    assert listed["bob"]["documents"] == 1
    first = root.get(f"{USERS}?limit=1")
    assert first.get_json()["next"] == f"{USERS}?after=ada&limit=1"
    assert first.headers["Link"].startswith(f"<{USERS}?after=ada")
    rest = root.get(first.get_json()["next"]).get_json()
    assert ([user["name"] for user in rest["users"]], rest["next"]) == (["bob"], None)
    problem(root.get(f"{USERS}?limit=0"), 422, "option_invalid")


def test_user_that_is_added_can_sign_in_and_is_no_administrator(app: Flask, root: Program) -> None:
    response = root.post(USERS, json={"name": "grace", "password": PASSWORD})
    assert (response.status_code, response.get_json()["is_admin"]) == (201, False)
    assert Browser(app).sign_in("grace").status_code == 302
    problem(root.post(USERS, json={"name": "grace", "password": PASSWORD}), 409, "user_exists")
    entry = root.get("/api/v1/audit").get_json()["events"][1]
    assert (entry["action"], entry["user"], entry["about"]) == ("user_created", "ada", "grace")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "grace", "password": "short"},
        {"name": " grace", "password": PASSWORD},
        {"name": "grace", "password": PASSWORD, "is_admin": True},
        {"name": "grace"},
        [],
    ],
)
def test_user_that_is_none_is_refused(root: Program, body: object) -> None:
    problem(root.post(USERS, json=body), 422, "option_invalid")
    assert "grace" not in users(root)


def test_disabled_user_is_shut_out_until_enabled(app: Flask, root: Program, bob: Known, other_program: Program) -> None:
    browser = Browser(app)
    browser.sign_in("bob")
    assert patch(root, bob, is_disabled=True).get_json()["is_disabled"] is True
    problem(other_program.get("/api/v1/jobs"), 401, "not_signed_in")
    assert browser.get("/").status_code == 302
    refused = Browser(app).sign_in("bob")
    assert refused.status_code == 403
    assert "disabled this account" in refused.text
    patch(root, bob, is_disabled=False)
    assert other_program.get("/api/v1/jobs").status_code == 200
    actions = [event["action"] for event in root.get("/api/v1/audit").get_json()["events"]]
    assert (actions[0], actions.count("user_disabled")) == ("user_enabled", 1)


def test_administrator_cannot_disable_themself(root: Program, ada: Known) -> None:
    problem(patch(root, ada, is_disabled=True), 403, "not_allowed")
    assert users(root)["ada"]["is_disabled"] is False


def test_limits_are_set_and_taken_away_one_by_one(root: Program, bob: Known, other_program: Program) -> None:
    patch(root, bob, max_stored_bytes=100, max_unfinished=7)
    kept = other_program.get("/api/v1/account").get_json()
    assert kept == {
        "name": "bob",
        "is_admin": False,
        "storage": {"documents": 0, "bytes": 0, "max_bytes": 100},
    }
    refusal = problem(other_program.send_form(), 403, "user_storage_full")
    assert refusal["limit"] == 100
    changed = patch(root, bob, max_stored_bytes=None).get_json()
    assert (changed["max_stored_bytes"], changed["max_unfinished"]) == (None, 7)
    assert other_program.send_form().status_code == 202
    assert other_program.get("/api/v1/account").get_json()["storage"]["documents"] == 1


def test_retention_of_a_user_holds_for_jobs_made_from_then_on(
    root: Program, bob: Known, other_program: Program
) -> None:
    before = other_program.send_form().get_json()
    assert patch(root, bob, retention_s=3600).get_json()["retention_s"] == 3600
    assert patch(root, bob, max_unfinished=7).get_json()["retention_s"] == 3600
    assert (before["retention_s"], other_program.send_form().get_json()["retention_s"]) == (None, 3600)
    assert patch(root, bob, retention_s=None).get_json()["retention_s"] is None


@pytest.mark.parametrize(
    "change", [{"max_stored_bytes": -1}, {"max_unfinished": 2**31}, {"retention_s": -1}, {"is_admin": True}]
)
def test_change_that_is_none_is_refused(root: Program, bob: Known, change: dict[str, Any]) -> None:
    problem(patch(root, bob, **change), 422, "option_invalid")


def test_user_that_is_not_there_is_user_not_found(root: Program) -> None:
    problem(root.request("PATCH", f"{USERS}/4711", json={"is_disabled": True}), 404, "user_not_found")


def test_queue_and_workers_tell_what_is_in_hand(
    root: Program, bob: Known, other_program: Program, worker: HandWorker
) -> None:
    worker.report("eng", "deu")
    for _ in range(3):
        other_program.submit()
    worker.claim(4)
    queue = root.get("/api/v1/admin/queue").get_json()
    assert (queue["waiting"], queue["running"], queue["pages_left"]) == (2, 1, 4)
    assert [(user["user"], user["waiting"]) for user in queue["users"]] == [("bob", 2)]
    assert queue["oldest"] == queue["users"][0]["oldest"]
    (told,) = root.get("/api/v1/admin/workers").get_json()["workers"]
    assert (told["is_alive"], told["jobs"], told["pages_left"]) == (True, 1, 4)
    assert told["languages"] == ["eng", "deu"]


def test_throughput_tells_what_ended(root: Program, other_program: Program, worker: HandWorker) -> None:
    other_program.submit()
    claim = worker.claim(1)
    worker.read_page(claim, 1)
    worker.finish(claim)
    (hour,) = root.get("/api/v1/admin/throughput?hours=2").get_json()["hours"]
    assert (hour["outcome"], hour["jobs"], hour["pages"]) == ("finished", 1, 1)
    problem(root.get("/api/v1/admin/throughput?hours=x"), 422, "option_invalid")


def test_nothing_that_administrators_see_names_a_document(root: Program, other_program: Program) -> None:
    uuid = other_program.submit()
    name = other_program.get(f"/api/v1/jobs/{uuid}").get_json()["file_name"]
    for path in ("users", "queue", "workers", "throughput"):
        text = root.get(f"/api/v1/admin/{path}").text
        assert uuid not in text
        assert name not in text
