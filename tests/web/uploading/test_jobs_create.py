"""POST /api/v1/jobs."""

import hashlib
import io
import json
import threading
from pathlib import Path
from typing import Any

import gevent
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from recto.errors import DatabaseBusy, DocumentDamaged, StorageFull, StorageUnavailable
from recto.file_storage.volume import VolumeIncomingFile, VolumeStorage
from tests.web.clients import PDF, PNG, Browser, Program, problem
from tests.web.conftest import Known, MakeApp, add_user, left_behind
from tests.web.hand_worker import HandWorker

pytestmark = pytest.mark.each_database(long=True)

JOBS = "/api/v1/jobs"


def test_form_with_document_answers_202_with_the_job(program: Program) -> None:
    response = program.send_form(PDF, "letter.pdf", languages="deu+eng", pages="1-3")
    assert response.status_code == 202
    job = response.get_json()
    assert response.headers["Location"] == f"{JOBS}/{job['uuid']}" == job["links"]["self"]
    assert response.headers["Retry-After"] == "1"
    assert "Preference-Applied" not in response.headers
    assert (job["status"], job["file_name"], job["media_type"], job["size_bytes"]) == (
        "QUEUED",
        "letter.pdf",
        "application/pdf",
        len(PDF),
    )
    assert job["options"] == {
        "languages": "deu+eng",
        "pages": "1-3",
        "mode": "auto",
        "preprocess": "auto",
        "formats": "txt+json",
    }
    assert job["progress"] == {"pages_done": 0, "page_count": None, "pages_failed": 0}
    assert [entry["status"] for entry in job["transitions"]] == ["QUEUED"]
    assert job["created"] == job["transitions"][0]["timestamp"]
    assert job["ended"] is None
    assert job["reason"] is None


def test_document_is_kept_byte_for_byte_with_its_metadata(program: Program, folder: Path) -> None:
    uuid = program.send_form(PNG, "Brief an Böll.png", languages="deu").get_json()["uuid"]
    assert (folder / uuid / "document").read_bytes() == PNG
    assert json.loads((folder / uuid / "metadata.json").read_text(encoding="utf-8")) == {
        "uuid": uuid,
        "file_name": "Brief an Böll.png",
        "media_type": "image/png",
        "size_bytes": len(PNG),
        "sha256": hashlib.sha256(PNG).hexdigest(),
        "options": {"languages": "deu", "pages": None, "mode": "auto", "preprocess": "auto", "formats": "txt+json"},
        "deduplicated_from": None,
        "retry_of": None,
    }
    assert left_behind(folder) == [uuid]


@pytest.mark.parametrize(
    "content_type",
    ["application/pdf", "application/octet-stream", "application/x-www-form-urlencoded", "image/png", None],
)
def test_raw_body_of_any_declared_type_is_judged_by_its_content(
    program: Program, folder: Path, content_type: str | None
) -> None:
    response = program.post(f"{JOBS}?filename=scan.bin&languages=fra&pages=2", data=PDF, content_type=content_type)
    assert response.status_code == 202, response.text
    assert response.get_json()["media_type"] == "application/pdf"
    assert response.get_json()["file_name"] == "scan.bin"
    assert response.get_json()["options"] == {
        "languages": "fra",
        "pages": "2",
        "mode": "auto",
        "preprocess": "auto",
        "formats": "txt+json",
    }
    assert (folder / response.get_json()["uuid"] / "document").read_bytes() == PDF


def test_raw_body_without_a_name_is_called_document(program: Program) -> None:
    assert program.post(JOBS, data=PDF).get_json()["file_name"] == "document"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("/etc/shadow", "shadow"),
        ("C:\\scans\\letter.pdf", "letter.pdf"),
        ("..", ".."),
        ("a\r\nSet-Cookie: x=1", "aSet-Cookie: x=1"),
        ("nul\x00byte.pdf", "nulbyte.pdf"),
        ("\u202efdp.exe", "fdp.exe"),
        ("…" * 400, "…" * 255),
        ("<script>alert(1)</script>.pdf", "script>.pdf"),
        ("   ", "   "),
    ],
)
def test_hostile_file_name_is_shown_harmlessly_and_never_becomes_a_path(
    program: Program, folder: Path, given: str, shown: str
) -> None:
    response = program.post(JOBS, data=PDF, query_string={"filename": given})
    assert response.status_code == 202, response.text
    assert response.get_json()["file_name"] == shown
    assert left_behind(folder) == [response.get_json()["uuid"]]
    assert sorted(path.name for path in (folder / response.get_json()["uuid"]).iterdir()) == [
        "document",
        "metadata.json",
    ]


@pytest.mark.parametrize("given", ["../../etc/passwd", 'q"uote\\.pdf', "naïve.pdf", "%00%0d%0a.pdf"])
def test_hostile_file_name_in_a_form_is_accepted(program: Program, folder: Path, given: str) -> None:
    assert left_behind(folder) == []
    assert "/" not in program.send_form(PDF, given).get_json()["file_name"]


def test_prefer_wait_without_an_end_in_time_answers_202(program: Program) -> None:
    response = program.send_form(headers={"Prefer": "wait=0.1"})
    assert response.status_code == 202
    assert response.headers["Preference-Applied"] == "wait=0.1"
    assert response.headers["Location"] == f"{JOBS}/{response.get_json()['uuid']}"
    assert response.headers["Retry-After"] == "1"


@pytest.mark.parametrize("fails", [False, True])
def test_prefer_wait_answers_200_where_the_job_ends_in_time(program: Program, worker: HandWorker, fails: bool) -> None:
    answers: list[TestResponse] = []
    client = threading.Thread(
        target=lambda: answers.append(program.send_form(headers={"Prefer": 'respond-async, WAIT="30"'}))
    )
    client.start()
    claim = worker.claim_when_there()
    damaged = DocumentDamaged("The file is damaged. Scan it again.")
    uuid = worker.fail(claim, damaged) if fails else worker.finish(claim)
    client.join(20)
    response = answers[0]
    assert response.status_code == 200, response.text
    assert response.get_json()["uuid"] == uuid
    assert response.get_json()["status"] == ("FAILURE" if fails else "FINISHED")
    assert response.headers["Preference-Applied"] == "wait=30"
    assert response.headers["Location"] == f"{JOBS}/{uuid}"
    assert "Retry-After" not in response.headers


def test_prefer_wait_is_capped_at_the_longest_wait(make_app: MakeApp) -> None:
    app = make_app(RECTO_SERVER_MAX_WAIT_S="0.2")
    response = Program(app, add_user(app, "ada").token).send_form(headers={"Prefer": "wait=3600"})
    assert response.headers["Preference-Applied"] == "wait=0.2"


@pytest.mark.parametrize("preference", ["wait", "wait=soon", "wait=-1", "wait=nan", "wait=;", "handling=strict", ""])
def test_preference_that_cannot_be_met_is_ignored(program: Program, preference: str) -> None:
    response = program.send_form(headers={"Prefer": preference})
    assert response.status_code == 202, response.text
    assert "Preference-Applied" not in response.headers


def test_signed_out_is_refused_before_anything_is_stored(anybody: Program, folder: Path) -> None:
    response = anybody.send_form()
    problem(response, 401, "not_signed_in")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="Recto"'
    assert left_behind(folder) == []


@pytest.mark.parametrize(
    "authorization",
    ["Bearer recto_wrong", "Bearer", "Basic YWRhOnNlY3JldA==", "Bearer " + "x" * 5000, "bearer \x7f", "?"],
)
def test_wrong_token_is_refused(anybody: Program, authorization: str) -> None:
    problem(anybody.post(JOBS, data=PDF, headers={"Authorization": authorization}), 401, "not_signed_in")


def test_cookie_without_csrf_token_is_refused(browser: Browser, folder: Path) -> None:
    form: dict[str, Any] = {"document": (io.BytesIO(PDF), "scan.pdf")}
    problem(browser.client.post(JOBS, data=form), 403, "csrf_rejected")
    problem(browser.client.post(JOBS, data=PDF, headers={"X-CSRFToken": "wrong"}), 403, "csrf_rejected")
    assert left_behind(folder) == []


def test_cookie_with_csrf_token_in_the_header_is_accepted(browser: Browser) -> None:
    form: dict[str, Any] = {"document": (io.BytesIO(PDF), "scan.pdf")}
    assert browser.client.post(JOBS, data=form, headers={"X-CSRFToken": browser.csrf_token}).status_code == 202


def test_token_decides_where_a_cookie_is_sent_as_well(browser: Browser, bob: Known, other_program: Program) -> None:
    headers = {"Authorization": f"Bearer {bob.token}"}
    uuid = browser.client.post(JOBS, data=PDF, headers=headers).get_json()["uuid"]
    assert other_program.get(f"{JOBS}/{uuid}").status_code == 200
    problem(browser.client.get(JOBS, headers={"Authorization": "Bearer wrong"}), 401, "not_signed_in")


def test_job_that_cannot_be_shown_is_not_accepted_either(
    program: Program, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a client that is told to send the document again would have two jobs."""

    def busy(*_: object) -> None:
        raise DatabaseBusy("Busy.")

    monkeypatch.setattr("recto.web.uploading.submissions.put_tags", busy)
    problem(program.send_form(), 503, "database_busy")
    assert program.get(JOBS).get_json()["jobs"] == []
    assert left_behind(folder) == []


def test_answer_stands_where_the_rest_of_an_upload_cannot_be_removed(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: VolumeIncomingFile) -> None:
        raise StorageUnavailable("Read-only.")

    monkeypatch.setattr(VolumeIncomingFile, "discard", refuse)
    assert program.send_form().status_code == 202


@pytest.mark.parametrize("how", ["raw", "form", "no file", "text field", "json"])
def test_request_without_a_document_is_refused(program: Program, folder: Path, how: str) -> None:
    if how == "raw":
        response = program.post(JOBS, data=b"")
    elif how == "form":
        response = program.send_form(b"")
    elif how == "no file":
        response = program.send_form(b"", "")
    elif how == "text field":
        response = program.post(JOBS, data={"document": "text"})
    else:
        response = program.post(JOBS, json={"document": "text"})
        problem(response, 415, "upload_unsupported")
        return
    problem(response, 400, "upload_empty")
    assert left_behind(folder) == []


@pytest.mark.parametrize("content", [b"plain text", b"PK\x03\x04 office", b"<html></html>", b"\x00" * 2000])
def test_content_that_is_no_document_answers_415_with_what_is_accepted(
    program: Program, folder: Path, content: bytes
) -> None:
    for response in (program.send_form(content, "scan.pdf"), program.post(JOBS, data=content)):
        members = problem(response, 415, "upload_unsupported")
        assert set(members["accepted"]) >= {"application/pdf", "image/png", "image/jpeg", "image/tiff"}
        assert "PDF, PNG, JPEG" in members["detail"]
    assert left_behind(folder) == []


@pytest.mark.parametrize("excess_bytes", [1, 50_000, 1_000_000])
def test_document_above_the_limit_answers_413_with_the_limit(program: Program, folder: Path, excess_bytes: int) -> None:
    content = PDF.ljust(100_000 + excess_bytes, b"x")
    for response in (program.send_form(content), program.post(JOBS, data=content)):
        members = problem(response, 413, "upload_too_large")
        assert members["limit_bytes"] == 100_000
        assert "100,000 bytes" in members["detail"]
    assert left_behind(folder) == []


def test_document_of_exactly_the_limit_is_accepted(program: Program) -> None:
    content = PDF.ljust(100_000, b"x")
    assert program.send_form(content).status_code == 202
    assert program.post(JOBS, data=content).status_code == 202


def test_form_with_too_many_fields_says_that_the_fields_are_at_fault(program: Program, folder: Path) -> None:
    form: dict[str, Any] = {f"field{number}": "x" for number in range(1100)}
    members = problem(
        program.post(JOBS, data=form | {"document": (io.BytesIO(PDF), "scan.pdf")}), 413, "upload_too_large"
    )
    assert "fields" in members["detail"]
    huge: dict[str, Any] = {"pages": "1," * 265_000, "document": (io.BytesIO(PDF), "scan.pdf")}
    assert "fields" in problem(program.post(JOBS, data=huge), 413, "upload_too_large")["detail"]
    assert left_behind(folder) == []


def test_form_that_is_no_form_is_refused(program: Program, folder: Path) -> None:
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=x"):
        problem(program.post(JOBS, data=PDF, content_type=content_type), 400, "upload_empty")
    assert left_behind(folder) == []


def test_two_documents_in_one_request_are_refused(program: Program, folder: Path) -> None:
    form = {"document": [(io.BytesIO(PDF), "a.pdf"), (io.BytesIO(PDF), "b.pdf")]}
    problem(program.post(JOBS, data=form), 422, "option_invalid")
    assert left_behind(folder) == []


def test_unknown_option_is_named_with_those_there_are(program: Program, folder: Path) -> None:
    for response in (program.send_form(langs="deu"), program.post(f"{JOBS}?langs=deu", data=PDF)):
        members = problem(response, 422, "option_invalid")
        assert "'langs'" in members["detail"]
        assert members["options"] == ["formats", "languages", "mode", "pages", "password", "preprocess"]
    assert left_behind(folder) == []


@pytest.mark.parametrize(
    ("option", "value"), [("languages", "e"), ("languages", "../eng"), ("pages", "3-1"), ("pages", "x"), ("pages", "0")]
)
def test_bad_value_of_an_option_is_named(program: Program, folder: Path, option: str, value: str) -> None:
    form: dict[str, Any] = {"document": (io.BytesIO(PDF), "scan.pdf"), option: value}
    for response in (
        program.post(JOBS, data=form),
        program.post(JOBS, data=PDF, query_string={option: value}),
    ):
        assert f"'{option}'" in problem(response, 422, "option_invalid")["detail"]
    assert left_behind(folder) == []


def test_language_that_no_worker_has_answers_422_with_the_installed(
    program: Program, worker: HandWorker, folder: Path
) -> None:
    worker.report("eng", "deu", "osd")
    members = problem(program.send_form(languages="eng+tlh"), 422, "language_unknown")
    assert members["installed"] == ["deu", "eng"]
    assert "'tlh'" in members["detail"]
    assert left_behind(folder) == []


def test_language_is_accepted_before_any_worker_was_seen(program: Program) -> None:
    assert program.send_form(languages="tlh").get_json()["options"]["languages"] == "tlh"


def test_languages_as_repeated_fields_are_joined_in_their_order(program: Program) -> None:
    form = {"document": (io.BytesIO(PDF), "scan.pdf"), "languages": ["deu", "eng"]}
    assert program.post(JOBS, data=form).get_json()["options"]["languages"] == "deu+eng"


def test_full_queue_of_a_user_answers_429_for_that_user_only(make_app: MakeApp, folder: Path) -> None:
    app = make_app(RECTO_QUEUE_MAX_UNFINISHED_PER_USER="1")
    ada, bob = (Program(app, add_user(app, name).token) for name in ("ada", "bob"))
    uuids = [ada.submit()]
    response = ada.send_form()
    assert problem(response, 429, "user_queue_full")["limit"] == 1
    assert int(response.headers["Retry-After"]) >= 1
    uuids.append(bob.submit())
    assert left_behind(folder) == sorted(uuids)
    ada.delete(f"{JOBS}/{uuids[0]}")
    ada.submit()


def test_full_queue_of_all_answers_503(make_app: MakeApp, folder: Path) -> None:
    app = make_app(RECTO_QUEUE_MAX_UNFINISHED="1")
    uuid = Program(app, add_user(app, "ada").token).submit()
    response = Program(app, add_user(app, "bob").token).send_form()
    problem(response, 503, "queue_full")
    assert int(response.headers["Retry-After"]) >= 1
    assert left_behind(folder) == [uuid]


def test_little_free_disk_answers_507(make_app: MakeApp, folder: Path) -> None:
    app = make_app(RECTO_FILE_STORAGE_MIN_FREE_BYTES=str(10**18))
    program = Program(app, add_user(app, "ada").token)
    for response in (program.send_form(), program.post(JOBS, data=PDF)):
        assert "Delete jobs" in problem(response, 507, "storage_full")["detail"]
        assert int(response.headers["Retry-After"]) >= 1
    assert left_behind(folder) == []


@pytest.mark.parametrize("step", ["keep", "write"])
def test_disk_that_fills_up_on_the_way_answers_507_and_leaves_nothing(
    program: Program, app: Flask, folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: object) -> None:
        raise StorageFull("The File Storage is full. Delete jobs that are no longer needed.")

    if step == "write":
        monkeypatch.setattr(VolumeStorage, "write", full)
    else:
        monkeypatch.setattr("recto.file_storage.volume._flush", lambda _: full())
    problem(program.send_form(), 507, "storage_full")
    assert left_behind(folder) == []


def test_database_that_refuses_the_job_leaves_nothing(
    program: Program, app: Flask, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(app.extensions["recto"].jobs, "submit", broken)
    assert "secret" not in problem(program.send_form(), 500, "internal_error")["detail"]
    assert left_behind(folder) == []


@pytest.mark.parametrize("how", ["raw", "form"])
def test_other_requests_go_on_while_a_long_document_arrives(make_app: MakeApp, how: str) -> None:
    app = make_app()
    program = Program(app, add_user(app, "ada").token)
    turns = 0

    def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            gevent.sleep(0)

    counter = gevent.spawn(count)

    def turns_for(length: int) -> int:
        before = turns
        content = PDF.ljust(length, b"x")
        response = program.post(JOBS, data=content) if how == "raw" else program.send_form(content)
        assert response.status_code == 202
        return turns - before

    chunks = 40
    assert turns_for(chunks * 256 * 1024) >= chunks
    counter.kill()


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_wrong_method_names_the_right_ones(program: Program, method: str) -> None:
    response = program.request(method, JOBS, data=PDF)
    problem(response, 405, "method_not_allowed")
    assert {"GET", "POST"} <= set(response.headers["Allow"].replace(" ", "").split(","))


def test_password_is_kept_for_the_worker_and_shown_nowhere(program: Program, worker: HandWorker, folder: Path) -> None:
    response = program.send_form(password="open sesame")
    uuid = response.get_json()["uuid"]
    shown = response.text + program.get(f"{JOBS}/{uuid}").text + program.get(JOBS).text
    assert "sesame" not in shown
    assert "sesame" not in (folder / uuid / "metadata.json").read_text(encoding="utf-8")
    assert worker.claim().options["password"] == "open sesame"


def test_password_in_the_address_is_refused(program: Program) -> None:
    response = program.post(f"{JOBS}?password=sesame", data=PDF)
    assert "form field" in problem(response, 422, "option_invalid")["detail"]


def test_languages_to_be_found_out_need_no_name(program: Program, worker: HandWorker) -> None:
    worker.report("eng")
    assert program.send_form(languages="auto").get_json()["options"]["languages"] == "auto"


def test_formats_and_mode_are_part_of_the_job(program: Program) -> None:
    options = program.send_form(formats="pdf+txt", mode="force").get_json()["options"]
    assert (options["formats"], options["mode"]) == ("txt+pdf", "force")


@pytest.mark.parametrize("more", ["", '; filename="scan.pdf"'], ids=["field", "file"])
def test_part_of_a_form_without_a_name_is_a_bad_request(
    program: Program, browser: Browser, folder: Path, more: str
) -> None:
    """RFC 7578, section 4.2."""
    form = f"--b\r\nContent-Disposition: form-data{more}\r\n\r\n%PDF-1.7\r\n--b--\r\n"
    sent = {"data": form, "content_type": "multipart/form-data; boundary=b"}
    problem(program.post(JOBS, **sent), 400, "bad_request")
    headers = {"X-CSRFToken": browser.csrf_token, "Accept": "application/json"}
    problem(browser.client.post("/upload", headers=headers, buffered=True, **sent), 400, "bad_request")
    assert left_behind(folder) == []


def test_option_in_the_address_that_is_wrong_is_refused_also_where_the_form_has_it_right(program: Program) -> None:
    form = {"document": (io.BytesIO(PDF), "scan.pdf"), "mode": "force"}
    response = program.post("/api/v1/jobs?mode=never", data=form)
    assert "'never'" in problem(response, 422, "option_invalid")["detail"]


def test_option_of_the_form_wins_over_the_one_in_the_address(program: Program) -> None:
    form = {"document": (io.BytesIO(PDF), "scan.pdf"), "mode": "force"}
    response = program.post("/api/v1/jobs?mode=skip&pages=1", data=form)
    assert response.get_json()["options"]["mode"] == "force"
    assert response.get_json()["options"]["pages"] == "1"
