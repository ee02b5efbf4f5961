"""`Idempotency-Key` on submissions."""

import http.client
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from recto.errors import DatabaseBusy
from recto.records.idempotency import KeyedRequest
from recto.web.services import Services
from recto.web.uploading import idempotent
from tests.patience import wait_until
from tests.web.clients import PDF, PNG, Program, problem
from tests.web.conftest import Known, MakeApp, add_user, left_behind
from tests.web.hand_worker import HandWorker
from tests.web.live_server import LiveServer

pytestmark = pytest.mark.each_database(long=True)

JOBS = "/api/v1/jobs"
KEY = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}


def uuids(program: Program) -> list[str]:
    return [job["uuid"] for job in program.get(JOBS).get_json()["jobs"]]


def test_same_key_and_content_gives_the_first_answer_again(program: Program, folder: Path) -> None:
    first = program.send_form(PDF, "letter.pdf", headers=KEY, mode="force")
    again = program.post(f"{JOBS}?mode=force&filename=letter.pdf", data=PDF, headers=KEY)
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.get_json() == first.get_json()
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert uuids(program) == [first.get_json()["uuid"]] == left_behind(folder)


def test_repeat_shows_the_job_as_it_is_now(program: Program, worker: HandWorker) -> None:
    uuid = program.send_form(headers=KEY).get_json()["uuid"]
    worker.finish(worker.claim())
    again = program.send_form(headers=KEY)
    assert (again.status_code, again.get_json()["uuid"], again.get_json()["status"]) == (202, uuid, "FINISHED")
    waited = program.send_form(headers=KEY | {"Prefer": "wait=5"})
    assert (waited.status_code, waited.get_json()["uuid"]) == (200, uuid)
    assert waited.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(("content", "mode"), [(PNG, "auto"), (PDF, "force")])
def test_same_key_with_something_else_is_refused(program: Program, folder: Path, content: bytes, mode: str) -> None:
    uuid = program.send_form(headers=KEY).get_json()["uuid"]
    members = problem(program.send_form(content, headers=KEY, mode=mode), 422, "idempotency_key_reused")
    assert "new key" in members["detail"]
    assert left_behind(folder) == [uuid]


def test_keys_of_two_users_have_nothing_to_do_with_each_other(program: Program, other_program: Program) -> None:
    one, other = program.send_form(headers=KEY), other_program.send_form(PNG, headers=KEY)
    assert (one.status_code, other.status_code) == (202, 202)
    assert one.get_json()["uuid"] != other.get_json()["uuid"]


@pytest.mark.parametrize("same", ["abc", '"abc"', ' "abc" '])
def test_key_is_the_same_with_quotes_and_without(program: Program, same: str) -> None:
    program.send_form(headers={"Idempotency-Key": "abc"})
    assert program.send_form(headers={"Idempotency-Key": same}).headers["Idempotent-Replayed"] == "true"


def test_quotes_within_a_quoted_key_are_its_own(program: Program) -> None:
    program.send_form(headers={"Idempotency-Key": r'"a\"b\\"'})
    assert program.send_form(headers={"Idempotency-Key": 'a"b\\'}).headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    "wrong", ["", '""', '"', '"a', r'"a\n"', '"a"b"', "x" * 256, f'"{"x" * 256}"', "schlüssel", "a\tb"]
)
def test_key_that_is_none_is_refused(program: Program, folder: Path, wrong: str) -> None:
    problem(program.send_form(headers={"Idempotency-Key": wrong}), 400, "idempotency_key_invalid")
    assert left_behind(folder) == []


def test_longest_key_is_taken(program: Program) -> None:
    assert program.send_form(headers={"Idempotency-Key": "~" * 255}).status_code == 202


def test_request_that_is_refused_leaves_its_key_free(program: Program) -> None:
    problem(program.send_form(b"no scan", headers=KEY), 415, "upload_unsupported")
    problem(program.send_form(headers=KEY, mode="never"), 422, "option_invalid")
    response = program.send_form(headers=KEY)
    assert (response.status_code, "Idempotent-Replayed" in response.headers) == (202, False)


def test_request_that_dies_leaves_its_key_free(program: Program, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise DatabaseBusy("Busy.")

    with monkeypatch.context() as patched:
        patched.setattr("recto.web.uploading.submissions.put_tags", busy)
        problem(program.send_form(headers=KEY), 503, "database_busy")
    assert left_behind(folder) == []
    assert "Idempotent-Replayed" not in program.send_form(headers=KEY).headers


def test_key_is_gone_with_its_job(program: Program) -> None:
    uuid = program.send_form(headers=KEY).get_json()["uuid"]
    program.delete(f"{JOBS}/{uuid}")
    again = program.send_form(PNG, headers=KEY)
    assert (again.status_code, "Idempotent-Replayed" in again.headers) == (202, False)
    assert uuids(program) == [again.get_json()["uuid"]]


def test_key_counts_for_its_lifetime_and_is_swept_then(make_app: MakeApp, worker: HandWorker) -> None:
    app = make_app(RECTO_SERVER_IDEMPOTENCY_LIFETIME_S="100")
    program = Program(app, add_user(app, "ada").token)
    first = program.send_form(headers=KEY).get_json()["uuid"]
    with worker.engine.begin() as connection:
        connection.execute(text("UPDATE idempotency_key SET created_us = created_us - 90000000"))
    assert program.send_form(headers=KEY).get_json()["uuid"] == first
    with worker.engine.begin() as connection:
        connection.execute(text("UPDATE idempotency_key SET created_us = created_us - 11000000"))
    assert program.send_form(headers=KEY).get_json()["uuid"] != first
    with worker.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM idempotency_key")).scalar() == 1


def test_repeat_goes_before_a_full_queue(make_app: MakeApp) -> None:
    app = make_app(RECTO_QUEUE_MAX_UNFINISHED_PER_USER="1")
    program = Program(app, add_user(app, "ada").token)
    program.send_form(headers=KEY)
    assert program.send_form(headers=KEY).status_code == 202
    problem(program.send_form(), 429, "user_queue_full")


def test_request_whose_key_is_still_arriving_is_told_to_wait(
    app: Flask, ada: Known, program: Program, other_program: Program
) -> None:
    services: Services = app.extensions["recto"]
    services.arriving_keys.add((ada.id, "abc"))
    response = program.send_form(headers={"Idempotency-Key": "abc"})
    problem(response, 409, "idempotency_key_in_use")
    assert response.headers["Retry-After"] == "1"
    assert other_program.send_form(headers={"Idempotency-Key": "abc"}).status_code == 202
    services.arriving_keys.clear()
    assert program.send_form(headers={"Idempotency-Key": "abc"}).status_code == 202
    assert services.arriving_keys == set()


@pytest.mark.parametrize(("content", "status"), [(PDF, 202), (PNG, 422)])
def test_request_that_comes_second_to_the_commit_has_the_answer_of_the_first(
    program: Program, folder: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, status: int
) -> None:
    """Two Backends do not know of each other's arriving requests: the first look at the rows finds nothing, the commit the other's."""
    uuid = program.send_form(headers=KEY).get_json()["uuid"]
    found, looks = idempotent._made, []

    def blind_at_first(keyed: KeyedRequest) -> object:
        looks.append(keyed)
        return found(keyed) if len(looks) > 1 else None

    monkeypatch.setattr(idempotent, "_made", blind_at_first)
    response = program.send_form(content, headers=KEY)
    assert response.status_code == status, response.text
    if status == 202:
        assert (response.get_json()["uuid"], response.headers["Idempotent-Replayed"]) == (uuid, "true")
    else:
        problem(response, 422, "idempotency_key_reused")
    assert (len(looks), left_behind(folder)) == (2, [uuid])


def test_job_that_is_deleted_before_its_repeat_is_answered_sends_the_client_again(
    program: Program, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = program.send_form(headers=KEY).get_json()["uuid"]
    monkeypatch.setattr(idempotent, "_made", lambda _: None)
    problem(program.send_form(headers=KEY), 409, "idempotency_key_in_use")
    assert left_behind(folder) == [uuid]


def test_fifty_identical_requests_at_once_make_one_job(live: LiveServer, live_token: str) -> None:
    answers = fifty_at_once([live], live_token, "fifty at once")
    made = only_job_of(answers)
    assert set(answers) <= {
        (202, None, made),
        (202, "true", made),
        (409, None, "idempotency_key_in_use"),
    }
    later = fifty_at_once([live], live_token, "fifty at once")
    assert {what for status, _, what in later if status == 202} == {made}
    assert is_only_folder_of(live, PDF + b"fifty at once")


def test_fifty_identical_requests_at_once_to_two_backends_make_one_job(
    live: LiveServer, live_token: str, tmp_path: Path
) -> None:
    """Which do not know of each other's arriving requests."""
    same_folder = tmp_path / "same"
    same_folder.symlink_to(live.folder)
    other = LiveServer(same_folder)
    try:
        answers = fifty_at_once([live, other], live_token, "two backends")
    finally:
        other.stop()
    only_job_of(answers)
    assert is_only_folder_of(live, PDF + b"two backends")


def fifty_at_once(servers: list[LiveServer], token: str, key: str) -> list[tuple[int, str | None, str]]:
    """Status, whether it is a replay, and uuid or code of each answer; the servers in turn."""
    barrier = threading.Barrier(50)

    def send(number: int) -> tuple[int, str | None, str]:
        server = servers[number % len(servers)]
        connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        barrier.wait(30)
        connection.request("POST", JOBS, PDF + key.encode(), headers)
        response = connection.getresponse()
        body = json.load(response)
        connection.close()
        return response.status, response.headers["Idempotent-Replayed"], body.get("uuid", body.get("code"))

    with ThreadPoolExecutor(50) as pool:
        return list(pool.map(send, range(50)))


def only_job_of(answers: list[tuple[int, str | None, str]]) -> str:
    """The uuid in every answer that has one; made by one request and no other."""
    (made,) = [uuid for status, replayed, uuid in answers if status == 202 and replayed is None]
    assert {uuid for status, _, uuid in answers if status == 202} == {made}
    return made


def is_only_folder_of(live: LiveServer, content: bytes) -> bool:
    """Whether one job has this document."""
    return [document.read_bytes() for document in live.folder.glob("*/document")].count(content) == 1


def test_request_that_breaks_off_while_it_arrives_lets_its_key_go(live: LiveServer, live_token: str) -> None:
    headers = {"Authorization": f"Bearer {live_token}", "Idempotency-Key": "broken off"}
    broken = http.client.HTTPConnection(live.host, live.port, timeout=60)
    broken.putrequest("POST", JOBS)
    for name, value in (headers | {"Content-Length": "1000"}).items():
        broken.putheader(name, value)
    broken.endheaders(PDF[:50])
    wait_until(lambda: any((live.folder / ".incoming").glob("upload-*")))  # else the next request may be the first

    def status() -> int:
        connection = http.client.HTTPConnection(live.host, live.port, timeout=60)
        connection.request("POST", JOBS, PDF, headers)
        answered = connection.getresponse().status
        connection.close()
        return answered

    assert status() == 409
    broken.close()
    assert await_status(status, 202)


def await_status(ask: Callable[[], int], wanted: int) -> bool:
    """Ask until that is the answer, for ten seconds at most."""
    until = time.monotonic() + 10
    while (answered := ask()) != wanted and time.monotonic() < until:
        time.sleep(0.05)
    return answered == wanted
