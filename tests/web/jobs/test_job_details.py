"""Tags: beside the document, in the list, and changed by PATCH /api/v1/jobs/{uuid}."""

import json
import threading
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.web.clients import PDF, Browser, Program, problem
from tests.web.hand_worker import HandWorker
from tests.web.waiting.test_holding import until_waiting

pytestmark = pytest.mark.each_database(long=True)

JOBS = "/api/v1/jobs"


def patch(program: Program, uuid: str, change: Any, **values: Any) -> TestResponse:
    content = change if isinstance(change, bytes) else json.dumps(change).encode()
    return program.request(
        "PATCH", f"{JOBS}/{uuid}", data=content, content_type="application/merge-patch+json", **values
    )


def send_raw(program: Program, query: str) -> TestResponse:
    return program.post(f"{JOBS}?{query}", data=PDF)


def uuids(program: Program, query: str) -> list[str]:
    return [job["uuid"] for job in program.get(f"{JOBS}?{query}").get_json()["jobs"]]


def test_job_without_tags_has_none(program: Program) -> None:
    assert program.send_form().get_json()["tags"] == []


def test_tags_of_the_query_and_of_the_form_are_taken(program: Program) -> None:
    assert send_raw(program, "tag=invoice&tag=2026&tag=").get_json()["tags"] == ["invoice", "2026"]
    assert program.send_form(tag="invoice").get_json()["tags"] == ["invoice"]


def test_wrong_tag_refuses_the_document(program: Program) -> None:
    problem(send_raw(program, f"tag={'x' * 65}"), 422, "option_invalid")
    assert program.get(JOBS).get_json()["jobs"] == []


def test_tag_of_the_list_shows_jobs_with_all_of_them(program: Program, other_program: Program) -> None:
    first = send_raw(program, "tag=invoice&tag=2026").get_json()["uuid"]
    second = send_raw(program, "tag=invoice&tag=a%2Bb").get_json()["uuid"]
    program.submit()
    send_raw(other_program, "tag=invoice")
    assert uuids(program, "tag=invoice") == [second, first]
    assert uuids(program, "tag=invoice&tag=2026") == [first]
    assert uuids(program, "tag=a%2Bb") == [second]
    assert uuids(program, "tag=nowhere") == []
    assert uuids(program, "tag=invoice&status=QUEUED") == [second, first]
    assert uuids(program, "tag=invoice&status=FINISHED") == []


def test_pages_of_a_list_by_tags_keep_the_tags(program: Program) -> None:
    sent = [send_raw(program, "tag=a%26b&tag=c").get_json()["uuid"] for _ in range(3)]
    address: str | None = f"{JOBS}?tag=a%26b&tag=c&limit=2"
    found: list[str] = []
    while address:
        answer = program.get(address).get_json()
        found, address = [*found, *(job["uuid"] for job in answer["jobs"])], answer["next"]
    assert found == sent[::-1]


@pytest.mark.parametrize(
    "query", [f"tag={'x' * 65}", "&".join(["tag=a"] + [f"tag={n}" for n in range(20)]), "after=0&tag=a"]
)
def test_wrong_tag_of_the_list_answers_422(program: Program, query: str) -> None:
    problem(program.get(f"{JOBS}?{query}"), 422, "option_invalid")


def test_change_of_tags_replaces_them(program: Program) -> None:
    sent = send_raw(program, "tag=a&filename=scan.pdf").get_json()
    response = patch(program, sent["uuid"], {"tags": ["b", " c ", "b"]})
    job = response.get_json()
    assert (response.status_code, job["tags"], job["file_name"]) == (200, ["b", "c"], "scan.pdf")
    assert job["change"] > sent["change"]
    got = program.get(f"{JOBS}/{sent['uuid']}")
    assert (got.get_json()["tags"], got.headers["ETag"]) == (["b", "c"], response.headers["ETag"])
    assert uuids(program, "tag=a") == []
    assert patch(program, sent["uuid"], {"tags": None}).get_json()["tags"] == []


def test_change_of_the_name_names_the_results(program: Program, worker: HandWorker) -> None:
    uuid = program.submit(name="scan0001.pdf")
    worker.finish(worker.claim())
    job = patch(program, uuid, {"file_name": "../Größe.pdf"}).get_json()
    assert (job["file_name"], job["status"]) == ("Größe.pdf", "FINISHED")
    disposition = program.get(f"{JOBS}/{uuid}/result?redirect=0").headers["Content-Disposition"]
    assert "filename*=UTF-8''Gr%C3%B6%C3%9Fe.txt" in disposition


def test_change_wakes_who_waits_for_one(app: Flask, program: Program) -> None:
    uuid = program.submit()
    etag, answers = program.get(f"{JOBS}/{uuid}").headers["ETag"], []

    def wait() -> None:
        answers.append(program.get(f"{JOBS}/{uuid}?wait=30", headers={"If-None-Match": etag}))

    client = threading.Thread(target=wait)
    client.start()
    until_waiting(app, 1)
    patch(program, uuid, {"tags": ["seen"]})
    client.join(10)
    assert (answers[0].status_code, answers[0].get_json()["tags"]) == (200, ["seen"])


@pytest.mark.parametrize(
    "change",
    [
        [],
        "tags",
        {"tags": "a"},
        {"tags": [1]},
        {"tags": ["x" * 65]},
        {"tags": [str(number) for number in range(21)]},
        {"file_name": None},
        {"file_name": ""},
        {"file_name": "x" * 256},
        {"status": "FINISHED"},
        {"tags": [], "colour": "red"},
        b"",
        b"{",
        b"\xff",
        b"[" * 10_000,
    ],
)
def test_change_that_is_none_answers_422_and_changes_nothing(program: Program, change: Any) -> None:
    uuid = send_raw(program, "tag=a").get_json()["uuid"]
    before = program.get(f"{JOBS}/{uuid}").get_json()
    problem(patch(program, uuid, change), 422, "option_invalid")
    assert program.get(f"{JOBS}/{uuid}").get_json() == before


def test_change_of_nothing_changes_nothing(program: Program) -> None:
    uuid = send_raw(program, "tag=a").get_json()["uuid"]
    etag = program.get(f"{JOBS}/{uuid}").headers["ETag"]
    response = patch(program, uuid, {})
    assert (response.status_code, response.headers["ETag"], response.get_json()["tags"]) == (200, etag, ["a"])


@pytest.mark.parametrize("query", ["tag=", "tag=%20", "tag=%00"])
def test_empty_tag_of_the_list_is_one_that_no_job_has(program: Program, query: str) -> None:
    """`?tag=$UNSET` shall not list all."""
    send_raw(program, "tag=a")
    assert uuids(program, query) == []


def test_change_that_is_too_long_answers_413(program: Program) -> None:
    response = patch(program, program.submit(), {"tags": ["x" * 70_000]})
    assert "65,536" in problem(response, 413, "upload_too_large")["detail"]


def test_change_of_somebody_elses_or_no_job_answers_404(program: Program, other_program: Program) -> None:
    for uuid in (other_program.submit(), str(uuid4())):
        problem(patch(program, uuid, {"tags": ["mine"]}), 404, "job_not_found")


def test_change_by_a_browser_takes_its_csrf_token(browser: Browser, program: Program) -> None:
    uuid = program.submit()
    content = {"data": b'{"tags": ["a"]}', "content_type": "application/json"}
    problem(browser.client.patch(f"{JOBS}/{uuid}", **content), 403, "csrf_rejected")
    headers = {"X-CSRFToken": browser.csrf_token}
    assert browser.client.patch(f"{JOBS}/{uuid}", headers=headers, **content).get_json()["tags"] == ["a"]


def test_document_that_is_read_again_keeps_its_tags(browser: Browser, program: Program, worker: HandWorker) -> None:
    uuid = send_raw(program, "tag=kept").get_json()["uuid"]
    worker.finish(worker.claim())
    assert browser.post(f"/jobs/{uuid}/read-again").status_code == 302
    assert len(uuids(program, "tag=kept")) == 2


def test_document_that_is_answered_from_an_earlier_one_has_its_own_tags(program: Program, worker: HandWorker) -> None:
    worker.result_version = "1"
    worker.report("eng")
    send_raw(program, "tag=first&languages=eng")
    claim = worker.claim()
    worker.read_page(claim, 1)
    worker.finish(claim)
    again = send_raw(program, "tag=second&languages=eng").get_json()
    assert (again["status"], again["tags"]) == ("FINISHED", ["second"])
    assert uuids(program, "tag=first") != uuids(program, "tag=second") == [again["uuid"]]
