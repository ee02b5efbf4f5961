"""`queue` and `estimated_seconds_left` of GET /api/v1/jobs/{uuid}."""

from typing import Any

import pytest
from flask import Flask

from recto import workers
from recto.errors import DocumentDamaged
from recto.web.waiting import outlooks
from tests.web.clients import Program
from tests.web.hand_worker import HandWorker
from tests.web.waiting.test_holding import counted_statements

pytestmark = pytest.mark.each_database(long=True)

JOBS = "/api/v1/jobs"


@pytest.fixture(autouse=True)
def _always_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlooks, "_PACE_S", -1.0)
    monkeypatch.setattr(outlooks, "_OUTLOOK_S", -1.0)


def said(program: Program, uuid: str) -> tuple[Any, Any]:
    job = program.get(f"{JOBS}/{uuid}").get_json()
    return job["queue"], job["estimated_seconds_left"]


def test_place_counts_the_jobs_that_come_first_by_turns(program: Program, other_program: Program) -> None:
    mine, heap = [program.submit() for _ in range(3)], [other_program.submit() for _ in range(10)]
    assert [said(program, uuid)[0] for uuid in mine] == [{"position": 2}, {"position": 4}, {"position": 6}]
    assert said(other_program, heap[0])[0] == {"position": 2}
    assert said(other_program, heap[9])[0] == {"position": 13}


def test_place_ends_with_the_reading(program: Program, worker: HandWorker) -> None:
    first, second = program.submit(), program.submit()
    claim = worker.claim()
    assert claim.lease.job_uuid == first
    assert said(program, first)[0] is None
    assert said(program, second)[0] == {"position": 1}


def test_time_left_is_null_until_a_worker_has_read_something(program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    assert said(program, uuid) == ({"position": 1}, None)
    worker.report("eng")
    assert said(program, uuid) == ({"position": 1}, None)


def test_time_left_is_a_range_while_a_worker_lives(program: Program, worker: HandWorker) -> None:
    worker.report("eng")
    program.submit()
    claim = worker.claim(page_count=3)
    for number in (1, 2, 3):
        worker.read_page(claim, number)
    worker.finish(claim)
    uuid = program.submit()
    left = said(program, uuid)[1]
    assert left is not None
    assert 0 <= left["least"] < left["most"]
    with worker.session() as session:
        workers.sign_off(session, "hand")
        session.commit()
    assert said(program, uuid)[1] is None


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_said_of_an_ended_job(program: Program, worker: HandWorker, fails: bool) -> None:
    uuid, claim = program.submit(), worker.claim()
    if fails:
        worker.fail(claim, DocumentDamaged("It breaks off."))
    else:
        worker.finish(claim)
    assert said(program, uuid) == (None, None)


def test_answers_about_other_things_say_nothing_of_it(program: Program) -> None:
    submitted = program.send_form()
    uuid = submitted.get_json()["uuid"]
    for answer in (submitted, program.get(f"{JOBS}/{uuid}/result"), program.post(f"{JOBS}/{uuid}/cancel")):
        assert not {"queue", "estimated_seconds_left"} & set(answer.get_json())
    (listed,) = program.get(JOBS).get_json()["jobs"]
    assert not {"queue", "estimated_seconds_left"} & set(listed)


def test_clients_of_one_job_ask_the_database_once_in_a_second(
    app: Flask, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = app.extensions["recto"].outlooks
    monkeypatch.setattr(kept._pace, "_fresh_s", 60.0)
    monkeypatch.setattr(kept._outlooks, "_fresh_s", 60.0)
    uuid = program.submit()
    with counted_statements(app) as first:
        program.get(f"{JOBS}/{uuid}")
    with counted_statements(app) as second:
        program.get(f"{JOBS}/{uuid}")
    assert any("job_status_transition" in statement and "min(" in statement for statement in first)
    assert any("coalesce" in statement for statement in first)
    assert not any("coalesce" in statement or "min(" in statement for statement in second)


def test_outlooks_that_are_kept_do_not_grow_without_end(
    app: Flask, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = app.extensions["recto"].outlooks
    monkeypatch.setattr(kept._outlooks, "_remembered", 2)
    for _ in range(6):
        program.get(f"{JOBS}/{program.submit()}")
    assert len(kept._outlooks._of) <= 3


def test_unchanged_job_is_not_asked_about(app: Flask, program: Program) -> None:
    uuid = program.submit()
    etag = program.get(f"{JOBS}/{uuid}").headers["ETag"]
    with counted_statements(app) as statements:
        assert program.get(f"{JOBS}/{uuid}", headers={"If-None-Match": etag}).status_code == 304
    assert not any("coalesce" in statement for statement in statements)
