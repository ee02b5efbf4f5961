"""Webhooks over the API: /api/v1/webhook, the option `webhook` of a submission, and the deliveries of a job."""

import io
import json
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from recto.database.connections import Begin, transaction
from recto.errors import DocumentDamaged
from recto.web.webhooks.events import event_body
from recto.webhooks.deliveries import Deliveries
from tests.web.clients import PDF, Browser, Program, problem
from tests.web.conftest import Known, MakeApp
from tests.web.hand_worker import HandWorker

URL = "https://hooks.example.com/recto"
OTHER_URL = "https://hooks.example.org/job?key=1"
WEBHOOK = "/api/v1/webhook"
JOBS = "/api/v1/jobs"


def set_url(program: Program, url: str | None = URL) -> Any:
    response = program.request("PUT", WEBHOOK, json={"url": url})
    assert response.status_code == 200, response.text
    return response.get_json()


def deliveries_of(program: Program, uuid: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = program.get(f"{JOBS}/{uuid}/webhook-deliveries").get_json()["deliveries"]
    return found


def delivery_of(program: Program, uuid: str) -> dict[str, Any]:
    (delivery,) = deliveries_of(program, uuid)
    return delivery


def test_webhook_that_nobody_set_is_empty(program: Program) -> None:
    assert program.get(WEBHOOK).get_json() == {"url": None, "created": None, "previous_secret_until": None}


def test_secret_is_shown_once_and_by_nothing_else(program: Program) -> None:
    made = set_url(program)
    assert made["secret"].startswith("whsec_")
    assert len(made["secret"]) > 40
    assert set_url(program, OTHER_URL) == {"url": OTHER_URL, "created": made["created"], "previous_secret_until": None}
    assert program.get(WEBHOOK).get_json() == {
        "url": OTHER_URL,
        "created": made["created"],
        "previous_secret_until": None,
    }


def test_new_secret_leaves_the_address_and_lets_the_old_one_sign_for_a_day(program: Program) -> None:
    first = set_url(program)["secret"]
    answer = program.post(f"{WEBHOOK}/secret").get_json()
    assert answer["url"] == URL
    assert answer["secret"] not in ("", first)
    assert answer["previous_secret_until"] > answer["created"]


def test_first_secret_may_be_made_without_an_address(program: Program) -> None:
    answer = program.post(f"{WEBHOOK}/secret").get_json()
    assert (answer["url"], answer["previous_secret_until"], bool(answer["secret"])) == (None, None, True)
    assert deliveries_of(program, program.submit()) == []


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "https://[::ffff:10.0.0.1]/", "http://2130706433/", "ftp://a.b/", ""]
)
def test_address_that_is_never_called_is_refused_at_once(program: Program, url: str) -> None:
    problem(program.request("PUT", WEBHOOK, json={"url": url}), 422, "address_refused")
    assert program.get(WEBHOOK).get_json()["url"] is None


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"url": 1}', b'{"url": null, "secret": "whsec_x"}', b"url=https://a.b", b"\xff"]
)
def test_body_that_is_no_address_is_refused(program: Program, body: bytes) -> None:
    problem(program.request("PUT", WEBHOOK, data=body), 422, "option_invalid")


def test_body_that_is_too_long_is_refused(program: Program) -> None:
    problem(program.request("PUT", WEBHOOK, data=b" " * 20_000), 413, "upload_too_large")


def test_webhook_of_another_user_is_another(program: Program, other_program: Program) -> None:
    set_url(program)
    assert other_program.get(WEBHOOK).get_json()["url"] is None
    uuid = program.submit()
    problem(other_program.get(f"{JOBS}/{uuid}/webhook-deliveries"), 404, "job_not_found")
    delivery = delivery_of(program, uuid)
    problem(other_program.post(f"{JOBS}/{uuid}/webhook-deliveries/{delivery['id']}/resend"), 404, "job_not_found")


def test_job_is_told_of_at_the_users_address_when_it_ends(program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    set_url(program)
    assert deliveries_of(program, uuid) == []  # it was submitted before
    worker.finish(worker.claim())
    uuid = program.submit()
    waiting = delivery_of(program, uuid)
    assert (waiting["status"], waiting["type"], waiting["url"]) == ("WAITING", None, URL)
    assert (waiting["attempts"], waiting["next_attempt"]) == (0, None)
    worker.finish(worker.claim())
    due = delivery_of(program, uuid)
    assert (due["status"], due["type"], due["id"]) == ("PENDING", "job.finished", waiting["id"])
    assert due["next_attempt"] is not None


def test_address_of_a_job_takes_the_place_of_the_users(program: Program) -> None:
    set_url(program)
    uuid = program.send_form(webhook=OTHER_URL).get_json()["uuid"]
    assert delivery_of(program, uuid)["url"] == OTHER_URL
    response = program.post(JOBS, query_string={"webhook": OTHER_URL}, data=b"%PDF-1.7 raw")
    assert delivery_of(program, response.get_json()["uuid"])["url"] == OTHER_URL


def test_job_that_reads_again_is_told_of_at_an_address_of_its_own(program: Program) -> None:
    set_url(program)
    uuid = program.submit()
    again = program.post(f"{JOBS}/{uuid}/retry", data={"webhook": OTHER_URL}).get_json()["uuid"]
    plain = program.post(f"{JOBS}/{uuid}/retry").get_json()["uuid"]
    assert delivery_of(program, again)["url"] == OTHER_URL
    assert delivery_of(program, plain)["url"] == URL


def test_every_job_of_a_batch_is_told_of(program: Program) -> None:
    set_url(program)
    form = {"document": [(io.BytesIO(PDF), "one.pdf"), (io.BytesIO(PDF), "two.pdf")], "webhook": OTHER_URL}
    jobs = program.post("/api/v1/batches", data=form).get_json()["jobs"]
    assert [delivery_of(program, job["uuid"])["url"] for job in jobs] == [OTHER_URL, OTHER_URL]


def test_same_key_with_another_address_is_refused(program: Program) -> None:
    set_url(program)

    def send(url: str) -> TestResponse:
        headers = {"Idempotency-Key": "letter-17"}
        return program.post(f"{JOBS}?webhook={url}", data=PDF, headers=headers)

    first = send(OTHER_URL)
    assert send(OTHER_URL).get_json()["uuid"] == first.get_json()["uuid"]
    problem(send(URL), 422, "idempotency_key_reused")


def test_address_of_the_user_is_the_one_at_the_time_of_sending(program: Program) -> None:
    set_url(program)
    uuid = program.submit()
    set_url(program, OTHER_URL)
    assert delivery_of(program, uuid)["url"] == OTHER_URL
    set_url(program, None)
    assert delivery_of(program, uuid)["url"] is None


def test_job_that_names_an_address_needs_a_secret_first(program: Program) -> None:
    detail = problem(program.send_form(webhook=OTHER_URL), 422, "option_invalid")["detail"]
    assert "/api/v1/webhook/secret" in detail
    assert program.get(JOBS).get_json()["jobs"] == []
    program.post(f"{WEBHOOK}/secret")
    assert program.send_form(webhook=OTHER_URL).status_code == 202


def test_job_that_names_an_address_that_is_never_called_is_refused(program: Program) -> None:
    program.post(f"{WEBHOOK}/secret")
    problem(program.send_form(webhook="http://169.254.169.254/latest"), 422, "address_refused")
    assert program.get(JOBS).get_json()["jobs"] == []


def test_empty_address_of_a_job_is_as_one_left_out(program: Program) -> None:
    set_url(program)
    assert delivery_of(program, program.send_form(webhook="").get_json()["uuid"])["url"] == URL


@pytest.mark.parametrize("end", ["fail", "cancel"])
def test_job_that_fails_is_told_of_as_well(program: Program, worker: HandWorker, end: str) -> None:
    set_url(program)
    uuid = program.submit()
    if end == "fail":
        worker.fail(worker.claim(), DocumentDamaged("It is damaged."))
    else:
        program.post(f"{JOBS}/{uuid}/cancel")
    assert (delivery_of(program, uuid)["status"], delivery_of(program, uuid)["type"]) == ("PENDING", "job.failed")


def test_deliveries_go_with_the_job(program: Program, worker: HandWorker) -> None:
    set_url(program)
    uuid = program.submit()
    worker.finish(worker.claim())
    program.delete(f"{JOBS}/{uuid}")
    problem(program.get(f"{JOBS}/{uuid}/webhook-deliveries"), 404, "job_not_found")
    with worker.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM webhook_delivery").scalar() == 0


def test_removing_the_webhook_gives_up_what_was_to_be_sent(program: Program, worker: HandWorker) -> None:
    set_url(program)
    ended, waiting = program.submit(), program.submit()
    worker.finish(worker.claim())
    assert program.delete(WEBHOOK).status_code == 204
    assert program.delete(WEBHOOK).status_code == 204
    assert delivery_of(program, ended)["status"] == "GIVEN_UP"
    assert delivery_of(program, ended)["error"]["code"] == "webhook_removed"
    assert deliveries_of(program, waiting) == []
    assert program.get(WEBHOOK).get_json()["created"] is None


def test_resend_makes_a_message_due_again(program: Program, worker: HandWorker) -> None:
    set_url(program)
    uuid = program.submit()
    delivery_id = delivery_of(program, uuid)["id"]
    path = f"{JOBS}/{uuid}/webhook-deliveries/{delivery_id}/resend"
    assert program.post(path).get_json()["status"] == "WAITING"  # it is sent when the job ends
    worker.finish(worker.claim())
    with worker.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE webhook_delivery SET status = 'DELIVERED', next_attempt_us = NULL")
    response = program.post(path)
    assert (response.status_code, response.get_json()["status"]) == (202, "PENDING")
    assert response.get_json()["next_attempt"] is not None
    problem(program.post(path.replace("msg_", "msg-")), 404, "delivery_not_found")


def test_acts_are_in_the_audit_log_without_address_and_secret(program: Program, browser: Browser) -> None:
    secret = set_url(program)["secret"]
    program.post(f"{WEBHOOK}/secret")
    program.delete(WEBHOOK)
    text = browser.get("/api/v1/audit").text
    events = json.loads(text)["events"]
    assert [event["action"] for event in events[:3]] == ["webhook_removed", "webhook_secret_made", "webhook_set"]
    assert secret not in text
    assert "hooks.example.com" not in text


def test_recto_without_webhooks_takes_none(make_app: MakeApp, ada: Known) -> None:
    program = Program(make_app(RECTO_OUTBOUND_WEBHOOKS="false"), ada.token)
    problem(program.request("PUT", WEBHOOK, json={"url": URL}), 422, "option_invalid")
    problem(program.send_form(webhook=URL), 422, "option_invalid")
    assert program.submit()


def test_message_is_a_summary_of_the_job_without_its_text(app: Flask, program: Program, worker: HandWorker) -> None:
    secret = set_url(program)["secret"]
    uuid = program.send_form(name="letter.pdf", password="open sesame").get_json()["uuid"]
    worker.finish(worker.claim(), "Dear Sir or Madam\n")
    with transaction(worker.session(), Begin.WRITE) as session:
        attempt = Deliveries().claim(session)
    assert attempt is not None
    body = event_body(app, "/recto", attempt)
    event = json.loads(body)
    (job,) = program.get(JOBS).get_json()["jobs"]
    assert job["uuid"] == uuid
    assert list(event) == ["type", "timestamp", "data"]
    assert (event["type"], event["timestamp"]) == ("job.finished", job["ended"])
    assert event["data"] == job | {"links": {name: f"/recto{link}" for name, link in job["links"].items()}}
    assert attempt.secrets == (secret,)
    for hidden in ("Dear Sir", "open sesame", secret):
        assert hidden not in body.decode()
