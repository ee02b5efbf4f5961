"""X-Request-Id: in the answer, in the log, and in the job."""

import re

import pytest
import structlog
from flask import Flask
from structlog.testing import capture_logs

from tests.web.clients import Program
from tests.web.hand_worker import HandWorker


def test_request_keeps_the_name_that_it_was_given(anybody: Program) -> None:
    assert (
        anybody.get("/healthz", headers={"X-Request-Id": "proxy-17:a/b=+@.x"}).headers["X-Request-Id"]
        == "proxy-17:a/b=+@.x"
    )


@pytest.mark.parametrize("sent", ["", "a b", "x" * 65, "line\x1b[2J", 'quote"', "ä"])
def test_request_gets_a_name_where_it_has_none_that_is_fit_for_a_log(anybody: Program, sent: str) -> None:
    first, second = (anybody.get("/nothing", headers={"X-Request-Id": sent}) for _ in range(2))
    names = {answer.headers["X-Request-Id"] for answer in (first, second)}
    assert len(names) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in names)


def test_lines_of_a_request_name_it_and_those_of_the_next_do_not(app: Flask, program: Program) -> None:
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        program.send_form(headers={"X-Request-Id": "first"})
        program.send_form(headers={"X-Request-Id": "second"})
    assert [line["request_id"] for line in lines if line["event"] == "request"] == ["first", "second"]


def test_job_has_the_name_of_the_request_that_made_it_and_its_claim_too(program: Program, worker: HandWorker) -> None:
    program.send_form(headers={"X-Request-Id": "upload-1"})
    claim = worker.claim()
    assert claim.request_id == "upload-1"
    assert claim.trace_parent is None
    worker.finish(claim)
    uuid = claim.lease.job_uuid
    program.post(f"/api/v1/jobs/{uuid}/retry", headers={"X-Request-Id": "retry-1"})
    assert worker.claim().request_id == "retry-1"


def test_bug_is_told_with_the_name_under_which_it_was_logged(
    app: Flask, anybody: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("a bug")

    monkeypatch.setitem(app.view_functions, "health.healthz", fail)
    answer = anybody.get("/healthz", headers={"X-Request-Id": "seen-by-ada"})
    assert answer.status_code == 500
    assert "seen-by-ada" in answer.get_json()["detail"]
