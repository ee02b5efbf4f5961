"""POST /api/v1/jobs/{uuid}/cancel, and the button on the job's page."""

from pathlib import Path
from uuid import uuid4

import pytest

from recto.errors import LeaseLost
from tests.web.clients import Browser, Program, problem
from tests.web.hand_worker import HandWorker

pytestmark = pytest.mark.each_database(long=True)

JOBS = "/api/v1/jobs"


@pytest.mark.parametrize("status", ["QUEUED", "IN_PROGRESS"])
def test_unfinished_job_ends_cancelled_and_keeps_its_document(
    program: Program, worker: HandWorker, folder: Path, status: str
) -> None:
    uuid = program.submit()
    claim = worker.claim() if status == "IN_PROGRESS" else None
    response = program.post(f"{JOBS}/{uuid}/cancel")
    assert response.status_code == 200
    job = response.get_json()
    assert (job["status"], job["reason"]["code"]) == ("FAILURE", "cancelled")
    assert "Retry-After" not in response.headers
    assert (folder / uuid / "document").exists()
    assert problem(program.get(f"{JOBS}/{uuid}/result"), 409, "job_failed")["reason"] == "cancelled"
    if claim:
        with pytest.raises(LeaseLost):
            worker.commit_finish(claim)


def test_finished_job_stays_as_it_ended(program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    worker.finish(worker.claim())
    before = program.get(f"{JOBS}/{uuid}").get_json()
    beyond = {"queue": None, "estimated_seconds_left": None}  # said at the job's own address alone
    assert program.post(f"{JOBS}/{uuid}/cancel").get_json() | beyond == before
    assert before["status"] == "FINISHED"


def test_second_cancellation_changes_nothing(program: Program) -> None:
    uuid = program.submit()
    first = program.post(f"{JOBS}/{uuid}/cancel").get_json()
    assert program.post(f"{JOBS}/{uuid}/cancel").get_json() == first


def test_job_of_somebody_else_goes_on(program: Program, other_program: Program) -> None:
    uuid = other_program.submit()
    problem(program.post(f"{JOBS}/{uuid}/cancel"), 404, "job_not_found")
    problem(program.post(f"{JOBS}/{uuid4()}/cancel"), 404, "job_not_found")
    assert other_program.get(f"{JOBS}/{uuid}").get_json()["status"] == "QUEUED"


def test_signed_out_is_refused(program: Program, anybody: Program) -> None:
    uuid = program.submit()
    problem(anybody.post(f"{JOBS}/{uuid}/cancel"), 401, "not_signed_in")


def test_other_methods_are_refused(program: Program) -> None:
    problem(program.get(f"{JOBS}/{program.submit()}/cancel"), 405, "method_not_allowed")


def test_button_cancels_and_is_gone_afterwards(browser: Browser, program: Program) -> None:
    uuid = program.submit()
    assert f"/jobs/{uuid}/cancel" in browser.get(f"/jobs/{uuid}").text
    response = browser.post(f"/jobs/{uuid}/cancel")
    assert (response.status_code, response.headers["Location"]) == (302, f"/jobs/{uuid}")
    page = browser.get(f"/jobs/{uuid}").text
    assert "The job was cancelled" in page
    assert ">Cancelled<" in page
    assert "Failed" not in page
    row = browser.get("/").text.partition(f'data-uuid="{uuid}"')[2].partition("</li>")[0]
    assert "Cancelled" in row
    assert "Failed" not in row
    assert f"/jobs/{uuid}/cancel" not in page
