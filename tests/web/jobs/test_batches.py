"""/api/v1/batches: several documents in one request."""

import io
import json
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from recto.errors import DatabaseBusy, DocumentDamaged, JobNotFound, ResultNotMade
from recto.web.uploading import submissions
from tests.web.clients import PDF, PNG, Browser, Program, problem
from tests.web.conftest import MakeApp, add_user, left_behind
from tests.web.hand_worker import HandWorker

BATCHES, JOBS = "/api/v1/batches", "/api/v1/jobs"
THREE = (("a.pdf", PDF), ("b.png", PNG), ("a.pdf", PDF + b"more"))


def send(
    program: Program, *documents: tuple[str, bytes], headers: dict[str, str] | None = None, **fields: str
) -> TestResponse:
    form: dict[str, Any] = {"document": [(io.BytesIO(content), name) for name, content in documents], **fields}
    return program.post(BATCHES, data=form, headers=headers)


def read(worker: HandWorker, *texts: str) -> None:
    """End waiting jobs, the oldest first, with these texts."""
    for result in texts:
        claim = worker.claim(2)
        worker.read_page(claim, 1)
        worker.finish(claim, result)


def unpacked(response: TestResponse) -> dict[str, str]:
    assert (response.status_code, response.mimetype) == (200, "application/zip"), response.text
    with zipfile.ZipFile(io.BytesIO(response.data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_documents_become_jobs_of_one_batch_in_their_order(program: Program, folder: Path) -> None:
    response = send(program, *THREE, languages="deu", mode="force")
    assert response.status_code == 202
    batch = response.get_json()
    assert response.headers["Location"] == batch["links"]["self"] == f"{BATCHES}/{batch['uuid']}"
    assert response.headers["Retry-After"] == "1"
    assert [job["file_name"] for job in batch["jobs"]] == ["a.pdf", "b.png", "a.pdf"]
    assert [job["size_bytes"] for job in batch["jobs"]] == [len(content) for _, content in THREE]
    assert {job["batch"] for job in batch["jobs"]} == {batch["uuid"]}
    assert {job["options"]["languages"] for job in batch["jobs"]} == {"deu"}
    assert batch["counts"] == {"QUEUED": 3, "IN_PROGRESS": 0, "FINISHED": 0, "FAILURE": 0}
    assert batch["progress"] == {"pages_done": 0, "page_count": None, "pages_failed": 0}
    assert batch["ended"] is None
    assert left_behind(folder) == sorted(job["uuid"] for job in batch["jobs"])
    assert program.get(batch["links"]["self"]).get_json() == batch
    assert program.get(f"{JOBS}/{batch['jobs'][0]['uuid']}").get_json()["batch"] == batch["uuid"]
    assert program.get(f"{JOBS}/{program.submit()}").get_json()["batch"] is None


def test_progress_is_that_of_all_jobs(program: Program, worker: HandWorker) -> None:
    address = send(program, *THREE).headers["Location"]
    read(worker, "one")
    claim = worker.claim(4)
    worker.read_page(claim, 2, DocumentDamaged("Page 2 is damaged."))
    batch = program.get(address).get_json()
    assert batch["counts"] == {"QUEUED": 1, "IN_PROGRESS": 1, "FINISHED": 1, "FAILURE": 0}
    assert batch["progress"] == {"pages_done": 2, "page_count": None, "pages_failed": 1}
    worker.finish(claim)
    worker.fail(worker.try_claim() or claim, DocumentDamaged("It is damaged."))
    response = program.get(address)
    batch = response.get_json()
    assert batch["progress"] == {"pages_done": 2, "page_count": 6, "pages_failed": 1}
    assert batch["ended"] == max(job["ended"] for job in batch["jobs"])
    assert "Retry-After" not in response.headers


def test_wait_holds_the_request_until_all_have_ended(program: Program, worker: HandWorker) -> None:
    address = send(program, *THREE).headers["Location"]
    answers: list[TestResponse] = []
    client = threading.Thread(target=lambda: answers.append(program.get(f"{address}?wait=30")))
    client.start()
    read(worker, "one", "two", "three")
    client.join(20)
    assert answers[0].get_json()["counts"]["FINISHED"] == 3
    assert program.get(f"{send(program, ('c.pdf', PDF)).headers['Location']}?wait=0.1").get_json()["ended"] is None


def test_archive_has_every_result_under_a_name_of_its_own(program: Program, worker: HandWorker) -> None:
    address = send(program, *THREE, ("A.PDF", PDF)).headers["Location"]
    waiting = program.get(f"{address}/result")
    assert waiting.status_code == 202
    assert waiting.headers["Location"] == address
    read(worker, "eins", "zwei", "drei ä", "vier")
    response = program.get(f"{address}/result")
    assert unpacked(response) == {"a.txt": "eins", "b.txt": "zwei", "a (2).txt": "drei ä", "A (3).txt": "vier"}
    assert response.headers["Content-Disposition"] == f"attachment; filename=batch-{address.rpartition('/')[2]}.zip"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert response.data == program.get(f"{address}/result").data
    assert json.loads(unpacked(program.get(f"{address}/result?format=json"))["b.json"]) == {"text": "zwei"}


def test_archive_lists_what_failed(program: Program, worker: HandWorker, app: Flask) -> None:
    documents = [("errors.json", PDF), ("b.png", PNG), ("c.pdf", PDF + b"3")]
    batch = send(program, *documents).get_json()
    address = batch["links"]["self"]
    worker.fail(worker.claim(), DocumentDamaged("It is damaged. Scan it anew."))
    read(worker, "two", "three")
    files = unpacked(program.get(f"{address}/result"))
    assert set(files) == {"b.txt", "c.txt", "errors.json"}
    first = {"uuid": batch["jobs"][0]["uuid"], "file_name": "errors.json"}
    damaged = first | {"code": "document_damaged", "detail": "It is damaged. Scan it anew."}
    assert json.loads(files["errors.json"]) == [damaged]


def test_result_that_cannot_be_made_is_listed_and_one_that_takes_long_answers_202(
    program: Program, worker: HandWorker, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = send(program, *THREE[:2]).headers["Location"]
    read(worker, "one", "two")
    deriver = app.extensions["recto"].deriver

    def refuse(*_: object) -> None:
        raise ResultNotMade("No PDF/A. Take pdf.", reason="pdfa_not_possible")

    monkeypatch.setattr(deriver, "make", refuse)
    files = unpacked(program.get(f"{address}/result?format=pdfa"))
    assert [failure["code"] for failure in json.loads(files["errors.json"])] == ["pdfa_not_possible"] * 2
    monkeypatch.setattr(deriver, "make", lambda *_: None)
    assert program.get(f"{address}/result?format=pdfa").status_code == 202


def test_result_that_is_deleted_while_the_archive_is_sent_is_listed(
    program: Program, worker: HandWorker, folder: Path, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = send(program, *THREE[:2]).get_json()
    read(worker, "one", "two")
    for file in (folder / batch["jobs"][0]["uuid"]).rglob("result.txt"):
        file.unlink()
    monkeypatch.setattr(app.extensions["recto"].deriver, "make", lambda job, *_: job)
    files = unpacked(program.get(f"{batch['links']['result']}"))
    assert (set(files), files["b.txt"]) == ({"b.txt", "errors.json"}, "two")
    assert json.loads(files["errors.json"])[0]["code"] == "file_not_found"


def test_long_result_is_sent_whole(program: Program, worker: HandWorker) -> None:
    address = send(program, ("long.pdf", PDF)).headers["Location"]
    long = "".join(f"line {number}\n" for number in range(100_000))
    read(worker, long)
    assert unpacked(program.get(f"{address}/result"))["long.txt"] == long


@pytest.mark.parametrize(
    ("content", "status", "code"), [(b"no scan", 415, "upload_unsupported"), (b"", 400, "upload_empty")]
)
def test_one_document_that_is_none_refuses_all_and_is_named(
    program: Program, folder: Path, content: bytes, status: int, code: str
) -> None:
    members = problem(send(program, *THREE, ("notes.txt", content)), status, code)
    assert members["document"] == "notes.txt"
    assert members["detail"].startswith("notes.txt: ")
    assert left_behind(folder) == []
    assert program.get(JOBS).get_json()["jobs"] == []


def test_limits_of_documents_and_bytes_are_held(make_app: MakeApp, folder: Path) -> None:
    app = make_app(
        RECTO_SERVER_MAX_UPLOAD_BYTES="300000",
        RECTO_SERVER_MAX_BATCH_DOCUMENTS="3",
        RECTO_SERVER_MAX_BATCH_BYTES="700000",
    )
    program = Program(app, add_user(app, "ada").token)
    large = PDF.ljust(300_000, b"x")
    problem(send(program, ("a.pdf", large + b"x")), 413, "upload_too_large")
    assert problem(send(program, *THREE, ("d.pdf", PDF)), 413, "upload_too_large")["limit_documents"] == 3
    many = [(f"{number}.pdf", large) for number in range(3)]
    assert send(program, *many).status_code == 202  # what a form adds is not counted
    large_form = {"document": [(io.BytesIO(b"x" * 1_300_000), "a.pdf")]}
    assert problem(program.post(BATCHES, data=large_form), 413, "upload_too_large")["limit_bytes"] == 700_000
    assert len(left_behind(folder)) == 3
    upload = program.get("/api/v1/limits").get_json()["upload"]
    assert (upload["max_batch_documents"], upload["max_batch_bytes"]) == (3, 700_000)


def test_queue_without_room_for_all_takes_none(make_app: MakeApp, folder: Path, worker: HandWorker) -> None:
    app = make_app(RECTO_QUEUE_MAX_UNFINISHED_PER_USER="2")
    program = Program(app, add_user(app, "ada").token)
    problem(send(program, *THREE), 429, "user_queue_full")
    assert left_behind(folder) == []
    with worker.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM batch")).scalar() == 0
    assert send(program, *THREE[:2]).status_code == 202


def test_commit_that_fails_leaves_nothing(program: Program, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise DatabaseBusy("Busy.")

    monkeypatch.setattr(submissions, "put_tags", busy)
    problem(send(program, *THREE), 503, "database_busy")
    assert left_behind(folder) == []
    assert program.get(JOBS).get_json()["jobs"] == []


def test_wrong_options_and_bodies_are_refused(program: Program, folder: Path) -> None:
    problem(send(program, *THREE, mode="never"), 422, "option_invalid")
    problem(send(program, *THREE, colour="red"), 422, "option_invalid")
    problem(send(program), 400, "upload_empty")
    for address in (BATCHES, f"{BATCHES}?filename=a.pdf"):
        assert "is a form" in problem(program.post(address, data=PDF), 400, "upload_empty")["detail"]
    assert left_behind(folder) == []


def test_document_that_was_read_before_is_answered_at_once(
    program: Program, worker: HandWorker, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.result_version = "hand 1"
    worker.report("eng")
    earlier = program.submit()
    read(worker, "read before")
    batch = send(program, *THREE).get_json()
    assert [job["deduplicated_from"] for job in batch["jobs"]] == [earlier, None, None]
    assert batch["counts"] == {"QUEUED": 2, "IN_PROGRESS": 0, "FINISHED": 1, "FAILURE": 0}
    assert send(program, *THREE, dedupe="false").get_json()["counts"]["QUEUED"] == 3
    before = left_behind(folder)

    def gone(*_: object) -> None:
        raise JobNotFound("It was deleted meanwhile.")

    monkeypatch.setattr("recto.records.deduplication.result_of", gone)
    problem(send(program, *THREE), 503, "storage_unavailable")
    assert left_behind(folder) == before


def test_key_makes_a_batch_happen_once(program: Program, folder: Path) -> None:
    key = {"Idempotency-Key": "batch"}
    first = send(program, *THREE, headers=key)
    again = send(program, *THREE, headers=key)
    assert again.get_json() == first.get_json()
    assert (again.headers["Location"], again.headers["Idempotent-Replayed"]) == (first.headers["Location"], "true")
    problem(send(program, *THREE[:2], headers=key), 422, "idempotency_key_reused")
    problem(program.send_form(headers=key), 422, "idempotency_key_reused")
    assert len(left_behind(folder)) == 3


def test_cancelling_stops_what_has_not_ended(program: Program, worker: HandWorker) -> None:
    address = send(program, *THREE).headers["Location"]
    read(worker, "one")
    worker.claim()
    batch = program.post(f"{address}/cancel").get_json()
    assert batch["counts"] == {"QUEUED": 0, "IN_PROGRESS": 0, "FINISHED": 1, "FAILURE": 2}
    assert [job["reason"] and job["reason"]["code"] for job in batch["jobs"]] == [None, "cancelled", "cancelled"]
    files = unpacked(program.get(f"{address}/result"))
    assert set(files) == {"a.txt", "errors.json"}


def test_deletion_removes_jobs_and_files_and_is_noted(
    program: Program, folder: Path, browser: Browser, worker: HandWorker
) -> None:
    batch = send(program, *THREE).get_json()
    read(worker, "one")
    kept = program.submit()
    assert program.delete(batch["links"]["self"]).status_code == 204
    problem(program.get(batch["links"]["self"]), 404, "batch_not_found")
    problem(program.delete(batch["links"]["self"]), 404, "batch_not_found")
    assert [job["uuid"] for job in program.get(JOBS).get_json()["jobs"]] == [kept]
    assert left_behind(folder) == [kept]
    noted = [event["about"] for event in browser.get("/api/v1/audit?limit=3").get_json()["events"]]
    assert sorted(noted) == sorted(job["uuid"] for job in batch["jobs"])


def test_job_that_is_deleted_leaves_its_batch(program: Program, worker: HandWorker) -> None:
    batch = send(program, *THREE[:2]).get_json()
    program.delete(f"{JOBS}/{batch['jobs'][0]['uuid']}")
    assert [job["file_name"] for job in program.get(batch["links"]["self"]).get_json()["jobs"]] == ["b.png"]
    read(worker, "two")
    assert unpacked(program.get(batch["links"]["result"])) == {"b.txt": "two"}
    program.delete(f"{JOBS}/{batch['jobs'][1]['uuid']}")
    left = program.get(batch["links"]["self"]).get_json()
    assert (left["jobs"], left["ended"]) == ([], None)
    assert unpacked(program.get(batch["links"]["result"])) == {}


def test_batch_of_somebody_else_is_not_found(program: Program, other_program: Program, anybody: Program) -> None:
    address = send(program, *THREE).headers["Location"]
    for method, path in (("GET", ""), ("GET", "/result"), ("POST", "/cancel"), ("DELETE", "")):
        problem(other_program.request(method, f"{address}{path}"), 404, "batch_not_found")
        problem(anybody.request(method, f"{address}{path}"), 401, "not_signed_in")
    assert program.get(address).get_json()["counts"]["QUEUED"] == 3


@pytest.mark.parametrize("query", ["format=docx", "wait=x", "wait=-1"])
def test_wrong_value_of_the_query_is_refused(program: Program, query: str) -> None:
    address = send(program, *THREE).headers["Location"]
    problem(program.get(f"{address}/result?{query}"), 422, "option_invalid")
