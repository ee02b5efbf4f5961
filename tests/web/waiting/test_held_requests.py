"""Requests that are held while their user signs out, or their token is revoked."""

import threading
import time
from collections.abc import Callable

import gevent
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from recto.errors import DatabaseBusy
from recto.web.waiting import held_requests
from tests.patience import wait_until
from tests.web.clients import PDF, Browser, Program, problem
from tests.web.conftest import Known
from tests.web.hand_worker import HandWorker

JOBS = "/api/v1/jobs"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_requests, "HELD_S", 0.2)


class Held(threading.Thread):
    """A request that waits, in a thread of its own."""

    def __init__(self, app: Flask, ask: Callable[[], TestResponse]) -> None:
        super().__init__(daemon=True)
        self._ask = ask
        self.response: TestResponse | None = None
        self.start()
        wait_until(lambda: app.extensions["recto"].feed.waiter_count >= 1, what="a request that waits")
        time.sleep(0.3)

    def run(self) -> None:
        self.response = self._ask()
        gevent.get_hub().destroy(destroy_loop=True)

    def end(self) -> TestResponse:
        self.join(10)
        assert self.response is not None, "still held"
        return self.response


def signed_in_copy(app: Flask, browser: Browser) -> Browser:
    """Another window of the same browser."""
    copy = Browser(app)
    copy.client.set_cookie("recto_session", browser.cookie())
    return copy


@pytest.mark.parametrize("path", [JOBS + "?after=1&wait=20", JOBS + "/{uuid}?wait=20", JOBS + "/{uuid}/result?wait=20"])
def test_news_do_not_reach_who_signed_out_while_waiting(
    app: Flask, browser: Browser, program: Program, worker: HandWorker, path: str
) -> None:
    uuid = program.submit()
    window = signed_in_copy(app, browser)
    held = Held(app, lambda: window.get(path.format(uuid=uuid)))
    browser.post("/sign-out")
    worker.finish(worker.claim())
    problem(held.end(), 401, "not_signed_in")


def test_news_do_not_reach_a_token_that_was_revoked_while_waiting(
    app: Flask, program: Program, worker: HandWorker
) -> None:
    uuid = program.submit()
    held = Held(app, lambda: program.get(f"{JOBS}/{uuid}?wait=20"))
    program.delete("/api/v1/token")
    worker.finish(worker.claim())
    members = problem(held.end(), 401, "not_signed_in")
    assert "while the request was held" in members["detail"]


def test_news_reach_who_is_still_signed_in(app: Flask, browser: Browser, program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    held = Held(app, lambda: browser.get(f"{JOBS}/{uuid}?wait=20"))
    other = Browser(app)
    other.sign_in("ada")
    other.post("/sign-out")
    worker.finish(worker.claim())
    assert held.end().get_json()["status"] == "FINISHED"


def test_document_that_was_accepted_is_said_to_be_so(
    app: Flask, program: Program, worker: HandWorker, ada: Known
) -> None:
    """A 401 would make the program send it again."""
    held = Held(app, lambda: program.post(JOBS, data=PDF, headers={"Prefer": "wait=20"}))
    program.delete("/api/v1/token")
    worker.finish(worker.claim())
    assert held.end().status_code == 200


def test_database_that_is_locked_at_the_second_look_is_said_to_be(
    app: Flask, program: Program, worker: HandWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_locked(_user: object) -> bool:
        raise DatabaseBusy("The database is locked.")

    uuid = program.submit()
    held = Held(app, lambda: program.get(f"{JOBS}/{uuid}?wait=20"))
    monkeypatch.setattr(held_requests, "is_still_signed_in", is_locked)
    worker.finish(worker.claim())
    answer = held.end()
    problem(answer, 503, "database_busy")
    assert "Retry-After" in answer.headers
