"""POST /api/v1/jobs/{uuid}/retry."""

import io
import threading
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from recto.errors import DocumentEncrypted
from tests.web.clients import PDF, Browser, Program, problem
from tests.web.conftest import MakeApp, add_user, left_behind
from tests.web.hand_worker import HandWorker

pytestmark = pytest.mark.each_database(long=True)

JOBS = "/api/v1/jobs"


@pytest.fixture
def earlier(program: Program, worker: HandWorker) -> str:
    """A job that failed, since its document is encrypted."""
    uuid = program.send_form(PDF, "letter.pdf", languages="deu+eng", mode="force").get_json()["uuid"]
    worker.fail(worker.claim(), DocumentEncrypted("The PDF needs a password. Give it in the option 'password'."))
    return str(uuid)


def test_job_is_read_again_as_a_job_of_its_own(program: Program, earlier: str, folder: Path) -> None:
    response = program.post(f"{JOBS}/{earlier}/retry")
    assert response.status_code == 202
    job, first = response.get_json(), program.get(f"{JOBS}/{earlier}").get_json()
    assert response.headers["Location"] == f"{JOBS}/{job['uuid']}"
    assert response.headers["Retry-After"] == "1"
    assert (job["status"], job["retry_of"], first["retry_of"]) == ("QUEUED", earlier, None)
    for same in ("file_name", "media_type", "size_bytes", "options"):
        assert job[same] == first[same]
    assert first["status"] == "FAILURE"
    program.delete(f"{JOBS}/{earlier}")
    assert (folder / job["uuid"] / "document").read_bytes() == PDF
    assert program.get(f"{JOBS}/{job['uuid']}").get_json()["retry_of"] == earlier
    assert left_behind(folder) == [job["uuid"]]


@pytest.mark.parametrize("how", ["form", "multipart", "query"])
def test_given_options_take_the_place_of_the_earlier_ones(program: Program, earlier: str, how: str) -> None:
    given = {"pages": "2", "mode": "auto", "languages": "fra", "preprocess": ""}
    address = f"{JOBS}/{earlier}/retry"
    if how == "form":
        response = program.post(
            address,
            data="pages=2&mode=auto&languages=fra&preprocess=",
            content_type="application/x-www-form-urlencoded",
        )
    elif how == "multipart":
        response = program.post(address, data=given)
    else:
        response = program.post(address, query_string=given)
    assert response.get_json()["options"] == {
        "languages": "fra",
        "pages": "2",
        "mode": "auto",
        "preprocess": "auto",
        "formats": "txt+json",
    }


def test_password_is_given_in_a_form_and_kept_from_job_to_job(
    program: Program, earlier: str, worker: HandWorker
) -> None:
    problem(program.post(f"{JOBS}/{earlier}/retry?password=sesame"), 422, "option_invalid")
    second = program.post(f"{JOBS}/{earlier}/retry", data={"password": "sesame"})
    assert "sesame" not in second.text
    assert worker.claim().options["password"] == "sesame"
    program.post(f"{JOBS}/{second.get_json()['uuid']}/retry")
    assert worker.claim().options["password"] == "sesame"


@pytest.mark.parametrize("given", [{"mode": "never"}, {"colour": "red"}, {"dedupe": "true"}, {"document": "text"}])
def test_wrong_option_is_refused(program: Program, earlier: str, folder: Path, given: dict[str, str]) -> None:
    problem(program.post(f"{JOBS}/{earlier}/retry", data=given), 422, "option_invalid")
    problem(program.post(f"{JOBS}/{earlier}/retry", query_string=given), 422, "option_invalid")
    assert left_behind(folder) == [earlier]


def test_body_that_is_no_form_is_refused(program: Program, earlier: str) -> None:
    problem(program.post(f"{JOBS}/{earlier}/retry", json={"mode": "force"}), 422, "option_invalid")
    problem(program.post(f"{JOBS}/{earlier}/retry", data=b"mode=force"), 422, "option_invalid")
    form = {"document": (io.BytesIO(PDF), "scan.pdf")}
    problem(program.post(f"{JOBS}/{earlier}/retry", data=form), 422, "option_invalid")


def test_language_that_no_worker_has_is_refused(program: Program, earlier: str, worker: HandWorker) -> None:
    worker.report("eng")
    assert "deu" in problem(program.post(f"{JOBS}/{earlier}/retry"), 422, "language_unknown")["detail"]
    assert program.post(f"{JOBS}/{earlier}/retry", data={"languages": "eng"}).status_code == 202


def test_job_that_is_not_mine_or_not_there_is_not_found(
    program: Program, other_program: Program, earlier: str, folder: Path
) -> None:
    problem(other_program.post(f"{JOBS}/{earlier}/retry"), 404, "job_not_found")
    problem(program.post(f"{JOBS}/0b9e3a52-7f0c-4d3e-9a51-6c1f0e2d4b77/retry"), 404, "job_not_found")
    assert left_behind(folder) == [earlier]


def test_job_whose_document_is_lost_leaves_nothing(program: Program, earlier: str, folder: Path) -> None:
    (folder / earlier / "document").unlink()
    problem(program.post(f"{JOBS}/{earlier}/retry"), 404, "file_not_found")
    assert left_behind(folder) == [earlier]


def test_unfinished_job_is_read_in_another_way_beside_it(program: Program) -> None:
    uuid = program.submit()
    assert program.post(f"{JOBS}/{uuid}/retry", data={"mode": "skip"}).status_code == 202
    assert program.get(f"{JOBS}/{uuid}").get_json()["status"] == "QUEUED"


def test_key_makes_a_retry_happen_once(program: Program, earlier: str, folder: Path) -> None:
    key = {"Idempotency-Key": "again"}
    first = program.post(f"{JOBS}/{earlier}/retry", headers=key, data={"pages": "1"})
    again = program.post(f"{JOBS}/{earlier}/retry?pages=1", headers=key)
    assert again.get_json() == first.get_json()
    assert again.headers["Idempotent-Replayed"] == "true"
    problem(program.post(f"{JOBS}/{earlier}/retry", headers=key), 422, "idempotency_key_reused")
    problem(program.send_form(headers=key), 422, "idempotency_key_reused")
    assert len(left_behind(folder)) == 2


def test_prefer_wait_holds_the_request_until_the_new_job_ends(
    program: Program, earlier: str, worker: HandWorker
) -> None:
    answers: list[TestResponse] = []
    client = threading.Thread(
        target=lambda: answers.append(program.post(f"{JOBS}/{earlier}/retry", headers={"Prefer": "wait=30"}))
    )
    client.start()
    uuid = worker.finish(worker.claim_when_there())
    client.join(20)
    assert (answers[0].status_code, answers[0].get_json()["uuid"]) == (200, uuid)
    assert answers[0].headers["Preference-Applied"] == "wait=30"


def test_full_queue_refuses_a_retry(make_app: MakeApp) -> None:
    app = make_app(RECTO_QUEUE_MAX_UNFINISHED_PER_USER="1")
    program = Program(app, add_user(app, "ada").token)
    problem(program.post(f"{JOBS}/{program.submit()}/retry"), 429, "user_queue_full")


def test_retries_count_as_uploads(make_app: MakeApp) -> None:
    app = make_app(RECTO_LIMITS_UPLOADS_PER_MINUTE="2")
    program = Program(app, add_user(app, "ada").token)
    uuid = program.submit()
    program.post(f"{JOBS}/{uuid}/retry")
    problem(program.post(f"{JOBS}/{uuid}/retry"), 429, "too_many_requests")


def test_cookie_needs_its_csrf_token(browser: Browser, program: Program, earlier: str) -> None:
    problem(browser.client.post(f"{JOBS}/{earlier}/retry"), 403, "csrf_rejected")
    form = {"csrf_token": browser.csrf_token, "mode": "skip"}
    response = browser.client.post(f"{JOBS}/{earlier}/retry", data=form)
    assert (response.status_code, response.get_json()["options"]["mode"]) == (202, "skip")
