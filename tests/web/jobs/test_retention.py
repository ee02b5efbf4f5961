"""The option `retention`, and the report on storage."""

import pytest
from flask import Flask

from tests.web.clients import PDF, Browser, Program, problem
from tests.web.conftest import Known, MakeApp, add_user
from tests.web.hand_worker import HandWorker


def test_job_says_how_long_it_is_kept_and_from_its_end_on_until_when(program: Program, worker: HandWorker) -> None:
    job = program.send_form(retention="36h").get_json()
    assert (job["retention_s"], job["expires"]) == (129_600, None)
    worker.finish(worker.claim())
    job = program.get(f"/api/v1/jobs/{job['uuid']}").get_json()
    assert job["expires"][:10] > job["ended"][:10]
    again = program.post(f"/api/v1/jobs/{job['uuid']}/retry").get_json()
    assert again["retention_s"] == 129_600


def test_retention_in_the_address_is_taken_and_the_form_comes_before_it(program: Program) -> None:
    by_query = program.post("/api/v1/jobs?retention=90", data=PDF).get_json()
    assert by_query["retention_s"] == 90
    assert program.send_form().get_json()["retention_s"] is None


def test_wish_for_longer_is_cut_to_what_the_settings_allow(make_app: MakeApp) -> None:
    app = make_app(RECTO_RETENTION_DEFAULT_S="60", RECTO_RETENTION_LONGEST_S="3600")
    program = Program(app, add_user(app, "ada").token)
    wishes = ("", "30d", "forever", "5m")
    lengths = [program.send_form(retention=wish).get_json()["retention_s"] for wish in wishes]
    assert lengths == [60, 3600, 3600, 300]


@pytest.mark.parametrize("wish", ["soon", "0", "-5", "1y"])
def test_wish_that_is_no_length_of_time_is_refused(program: Program, wish: str) -> None:
    problem(program.send_form(retention=wish), 422, "option_invalid")


def test_report_on_storage_is_for_administrators_and_names_nobodys_documents(app: Flask, ada: Known) -> None:
    program = Program(app, ada.token)
    program.submit(name="secret.pdf")
    problem(program.get("/api/v1/admin/storage"), 403, "not_allowed")  # a token of jobs alone


def test_report_on_storage_has_every_user(browser: Browser, program: Program) -> None:
    program.submit(name="secret.pdf")
    answer = browser.client.get("/api/v1/admin/storage")
    report = answer.get_json()
    own = program.get("/api/v1/account").get_json()["storage"]
    assert own == {"documents": 1, "bytes": len(PDF), "max_bytes": None}
    assert [(user["name"], {name: user[name] for name in own}) for user in report["users"]] == [("ada", own)]
    assert report["swept"] is None
    assert report["free_bytes"] <= report["total_bytes"]
    assert "secret" not in answer.text
