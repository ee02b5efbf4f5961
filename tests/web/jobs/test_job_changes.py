"""GET /api/v1/jobs/{uuid} with `If-None-Match`: the conditional long poll."""

import threading
import time

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.web.clients import Program, problem
from tests.web.conftest import Known
from tests.web.hand_worker import HandWorker
from tests.web.waiting.test_holding import counted_statements, until_waiting

pytestmark = pytest.mark.each_database

JOBS = "/api/v1/jobs"


class Poll(threading.Thread):
    """A request that is held."""

    def __init__(self, program: Program, uuid: str, etag: str, wait_s: float = 30) -> None:
        super().__init__(daemon=True)
        self._program, self._path, self._etag = program, f"{JOBS}/{uuid}?wait={wait_s}", etag
        self._answers: list[TestResponse] = []
        self.start()

    def run(self) -> None:
        self._answers.append(self._program.get(self._path, headers={"If-None-Match": self._etag}))

    def end(self) -> TestResponse:
        self.join(10)
        assert not self.is_alive(), "still held"
        return self._answers[0]


def etag_of(program: Program, uuid: str) -> str:
    return str(program.get(f"{JOBS}/{uuid}").headers["ETag"])


def test_job_has_its_last_change_as_weak_etag(program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    before = program.get(f"{JOBS}/{uuid}")
    assert before.headers["ETag"] == f'W/"{before.get_json()["change"]}"'
    worker.claim()
    assert etag_of(program, uuid) != before.headers["ETag"]


@pytest.mark.parametrize("shape", ["{}", 'W/"0", {}', "*"])
def test_job_that_has_not_changed_answers_304_at_once(program: Program, shape: str) -> None:
    uuid = program.submit()
    etag = etag_of(program, uuid)
    response = program.get(f"{JOBS}/{uuid}", headers={"If-None-Match": shape.format(etag)})
    assert (response.status_code, response.data, response.headers["ETag"]) == (304, b"", etag)
    assert response.headers["Retry-After"] == "1"


def test_etag_without_its_weak_mark_is_the_same(program: Program) -> None:
    uuid = program.submit()
    etag = etag_of(program, uuid).removeprefix("W/")
    assert program.get(f"{JOBS}/{uuid}", headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize("query", ["", "?wait=30"])
def test_job_that_has_changed_answers_200_at_once(program: Program, worker: HandWorker, query: str) -> None:
    uuid = program.submit()
    etag = etag_of(program, uuid)
    worker.claim()
    response = program.get(f"{JOBS}/{uuid}{query}", headers={"If-None-Match": etag})
    assert (response.status_code, response.get_json()["status"]) == (200, "IN_PROGRESS")
    assert response.headers["ETag"] not in ("", etag)


def test_wait_answers_304_when_the_time_is_up(program: Program) -> None:
    uuid = program.submit()
    etag, started_s = etag_of(program, uuid), time.monotonic()
    response = program.get(f"{JOBS}/{uuid}?wait=0.3", headers={"If-None-Match": etag})
    assert (response.status_code, response.headers["ETag"]) == (304, etag)
    assert time.monotonic() - started_s >= 0.3


def test_wait_answers_200_on_every_change_up_to_the_end(app: Flask, program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    etag, seen = etag_of(program, uuid), []
    claim = None
    for step in ("claim", "page", "page", "finish"):
        poll = Poll(program, uuid, etag)
        until_waiting(app, 1)
        if claim is None:
            claim = worker.claim(page_count=2)
        elif step == "page":
            worker.read_page(claim, len(seen))
        else:
            worker.finish(claim)
        response = poll.end()
        job = response.get_json()
        assert response.status_code == 200
        seen.append((job["status"], job["progress"]["pages_done"]))
        etag = response.headers["ETag"]
    assert seen == [("IN_PROGRESS", 0), ("IN_PROGRESS", 1), ("IN_PROGRESS", 2), ("FINISHED", 2)]
    assert program.get(f"{JOBS}/{uuid}?wait=0.1", headers={"If-None-Match": etag}).status_code == 304


def test_job_of_somebody_else_that_changes_wakes_nobody(
    app: Flask, program: Program, other_program: Program, worker: HandWorker
) -> None:
    uuid = program.submit()
    poll = Poll(program, uuid, etag_of(program, uuid), wait_s=1.0)
    until_waiting(app, 1)
    other_program.submit()
    assert poll.end().status_code == 304


def test_deletion_while_waiting_answers_404(app: Flask, program: Program, worker: HandWorker, ada: Known) -> None:
    uuid = program.submit()
    poll = Poll(program, uuid, etag_of(program, uuid))
    until_waiting(app, 1)
    worker.delete(ada.id, uuid)
    problem(poll.end(), 404, "job_not_found")


def test_requests_that_are_held_ask_the_database_nothing(app: Flask, program: Program) -> None:
    uuid = program.submit()
    etag = etag_of(program, uuid)
    polls = [Poll(program, uuid, etag, wait_s=2.0) for _ in range(5)]
    until_waiting(app, 5)
    with counted_statements(app) as statements:
        time.sleep(0.5)
    assert statements == []
    assert {poll.end().status_code for poll in polls} == {304}


def test_wrong_wait_is_wrong_with_the_header_too(program: Program) -> None:
    response = program.get(f"{JOBS}/{program.submit()}?wait=soon", headers={"If-None-Match": "*"})
    problem(response, 422, "option_invalid")
