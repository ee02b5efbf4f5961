"""What one client follows, in a process of its own making: silence, going away, and what fails on the way."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from recto.errors import DatabaseBusy
from recto.web.waiting import following
from tests.web.clients import Program
from tests.web.conftest import Known
from tests.web.followers import blocks_of
from tests.web.hand_worker import HandWorker

pytestmark = pytest.mark.each_database(long=True)

JOBS = "/api/v1/jobs"


def opened(program: Program, path: str) -> tuple[TestResponse, Iterator[Any]]:
    """The answer, and its body as it comes."""
    answer = program.get(path, buffered=False)
    assert (answer.status_code, answer.mimetype) == (200, "text/event-stream")
    assert answer.headers["Cache-Control"] == "no-store"
    return answer, answer.iter_encoded()


def test_stream_says_in_a_long_silence_that_it_is_still_there(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_RECHECK_S", 0.01)
    monkeypatch.setattr(following, "HEARTBEAT_S", 0.02)
    uuid = program.submit()
    answer, parts = opened(program, f"{JOBS}/{uuid}/events")
    assert next(parts) == b"retry: 2000\n\n"
    assert next(parts).startswith(b"id: ")
    assert [next(parts), next(parts)] == [b": still here\n\n"] * 2
    answer.close()


def test_client_that_goes_away_is_waited_for_no_longer(app: Flask, program: Program) -> None:
    feed = app.extensions["recto"].feed
    for path in (f"{JOBS}/{program.submit()}/events", "/api/v1/events"):
        answer, parts = opened(program, path)
        next(parts), next(parts)
        assert feed.waiter_count == 1
        answer.close()
        assert feed.waiter_count == 0


@pytest.mark.parametrize(
    ("error", "logged"),
    [(DatabaseBusy("The database is busy."), "stream_ended"), (ValueError("a bug"), "stream_broke_off")],
    ids=["service", "bug"],
)
def test_stream_that_cannot_read_on_ends_and_is_logged(
    program: Program, monkeypatch: pytest.MonkeyPatch, error: Exception, logged: str
) -> None:
    def refuse(*_: object) -> None:
        raise error

    uuid = program.submit()
    monkeypatch.setattr(following, "events_after", refuse)
    answer, parts = opened(program, f"{JOBS}/{uuid}/events")
    with capture_logs() as logs:
        assert list(parts) == [b"retry: 2000\n\n"]
    assert logged in [entry["event"] for entry in logs]
    answer.close()


def test_next_events_as_json_are_held_until_there_is_one(program: Program, ada: Known, worker: HandWorker) -> None:
    uuid = program.submit()
    path, as_json = f"{JOBS}/{uuid}/events", {"Accept": "application/json"}
    first = program.get(path, headers=as_json).get_json()
    assert [event["event"] for event in first["events"]] == ["status"]
    ask_on = f"{path}?after={first['after']}"
    assert program.get(f"{ask_on}&wait=0.05", headers=as_json).get_json() == {"events": [], "after": first["after"]}
    thread = threading.Timer(0.2, worker.delete, (ada.id, uuid))
    thread.start()
    began_s = time.monotonic()
    (deleted,) = program.get(f"{ask_on}&wait=20", headers=as_json).get_json()["events"]
    thread.join()
    assert time.monotonic() - began_s < 10
    assert (deleted["event"], deleted["job"]) == ("deleted", uuid)
    assert program.get(f"{path}?after={deleted['id']}", headers=as_json).status_code == 204


def test_answer_from_an_earlier_job_tells_its_pages_with_their_texts(program: Program, worker: HandWorker) -> None:
    worker.result_version = "hand 1"
    worker.report("eng")
    program.submit()
    claim = worker.claim(2)
    for number in (2, 1):
        worker.read_page(claim, number, blocks=blocks_of(f"page {number}"))
    worker.finish(claim)
    answered = program.send_form().get_json()
    assert answered["status"] == "FINISHED"
    told = program.get(f"{JOBS}/{answered['uuid']}/events", headers={"Accept": "application/json"}).get_json()["events"]
    assert [event["event"] for event in told] == ["status", "status", "page", "page", "end"]
    assert [event["page"]["text"] for event in told[2:4]] == ["page 1\n", "page 2\n"]
