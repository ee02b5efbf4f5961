"""GET /metrics."""

import threading
import time

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from tests.web.clients import PAGE, Browser, Program, problem
from tests.web.conftest import Known, MakeApp, add_user
from tests.web.hand_worker import HandWorker

TOKEN = "a token of sixteen and more"


def scraped(program: Program) -> dict[str, float]:
    response = program.get("/metrics")
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        sample.name + "".join(f" {name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def test_metrics_tell_of_jobs_and_of_this_process(program: Program, anybody: Program, worker: HandWorker) -> None:
    worker.report("eng")
    program.submit()
    values = scraped(anybody)
    assert values["recto_jobs status=QUEUED"] == values["recto_workers_alive"] == 1
    assert values["recto_http_requests_total method=POST route=/api/v1/jobs status=202"] == 1
    assert values["recto_storage_free_bytes"] > 0
    assert values["process_resident_memory_bytes"] > 1_000_000


def test_requests_are_counted_by_route_whatever_their_addresses(program: Program, anybody: Program) -> None:
    for number in range(3):
        program.get(f"/api/v1/jobs/00000000-0000-4000-8000-00000000000{number}")
        anybody.get(f"/nothing-{number}")
    anybody.request("BREW", "/healthz")
    values = scraped(anybody)
    assert values["recto_http_requests_total method=GET route=/api/v1/jobs/<uuid:uuid> status=404"] == 3
    assert values["recto_http_requests_total method=GET route=(none) status=404"] == 3
    assert values["recto_http_requests_total method=(other) route=(none) status=405"] == 1


def test_requests_that_wait_are_counted_while_they_do(program: Program, anybody: Program) -> None:
    uuid = program.submit()
    held = threading.Thread(target=program.get, args=(f"/api/v1/jobs/{uuid}?wait=2",))
    held.start()
    until = time.monotonic() + 2
    while not (waiters := scraped(anybody)["recto_waiters"]) and time.monotonic() < until:
        time.sleep(0.02)
    held.join()
    assert waiters == 1
    assert scraped(anybody)["recto_waiters"] == 0


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
def test_request_that_a_proxy_of_this_machine_passes_on_is_not_from_here(anybody: Program, header: str) -> None:
    problem(anybody.get("/metrics", headers={header: "127.0.0.1"}), 401, "not_signed_in")


@pytest.mark.parametrize("address", ["203.0.113.9", "", "not an address"])
def test_request_from_elsewhere_needs_a_token(anybody: Program, address: str) -> None:
    answer = anybody.get("/metrics", environ_base={"REMOTE_ADDR": address}, headers=PAGE)
    problem(answer, 401, "not_signed_in")


def test_metrics_token_opens_the_metrics_and_nothing_else(make_app: MakeApp) -> None:
    app = make_app(RECTO_METRICS_LOOPBACK="false", RECTO_METRICS_TOKEN=TOKEN)
    assert scraped(Program(app, TOKEN))
    problem(Program(app, TOKEN).get("/api/v1/jobs"), 401, "not_signed_in")
    problem(Program(app, TOKEN + "x").get("/metrics"), 401, "not_signed_in")
    problem(Program(app).get("/metrics"), 401, "not_signed_in")


def test_without_a_metrics_token_an_empty_one_opens_nothing(make_app: MakeApp) -> None:
    app = make_app(RECTO_METRICS_LOOPBACK="false")
    problem(Program(app).get("/metrics", headers={"Authorization": "Bearer "}), 401, "not_signed_in")


def test_administrator_reads_them_from_anywhere_and_a_user_does_not(app: Flask, ada: Known, bob: Known) -> None:
    elsewhere = {"REMOTE_ADDR": "203.0.113.9"}
    add_user(app, "eve", is_admin=True)
    browser = Browser(app)
    browser.sign_in("eve")
    assert browser.get("/metrics", environ_base=elsewhere).status_code == 200
    problem(Program(app, bob.token).get("/metrics", environ_base=elsewhere), 403, "not_allowed")
    problem(
        Program(app, ada.token).get("/metrics", environ_base=elsewhere), 403, "not_allowed"
    )  # its scopes are those of jobs
