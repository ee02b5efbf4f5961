"""DELETE /api/v1/jobs/{uuid}."""

from pathlib import Path
from uuid import uuid4

import pytest

from recto.errors import DocumentDamaged, LeaseLost, StorageUnavailable
from recto.file_storage.volume import VolumeStorage
from tests.web.clients import Browser, Program, problem
from tests.web.conftest import left_behind
from tests.web.hand_worker import HandWorker

pytestmark = pytest.mark.each_database(long=True)

JOBS = "/api/v1/jobs"


@pytest.mark.parametrize("status", ["QUEUED", "IN_PROGRESS", "FINISHED", "FAILURE"])
def test_job_in_any_status_is_removed_with_its_files(
    program: Program, worker: HandWorker, folder: Path, status: str
) -> None:
    uuid = program.submit()
    claim = worker.claim() if status != "QUEUED" else None
    if claim and status == "FINISHED":
        worker.finish(claim)
    if claim and status == "FAILURE":
        worker.fail(claim, DocumentDamaged("Damaged."))
    assert program.get(f"{JOBS}/{uuid}").get_json()["status"] == status
    response = program.delete(f"{JOBS}/{uuid}")
    assert (response.status_code, response.data) == (204, b"")
    problem(program.get(f"{JOBS}/{uuid}"), 404, "job_not_found")
    assert left_behind(folder) == []
    if claim and status == "IN_PROGRESS":
        with pytest.raises(LeaseLost):
            worker.commit_finish(claim)


def test_second_deletion_answers_404(program: Program) -> None:
    uuid = program.submit()
    program.delete(f"{JOBS}/{uuid}")
    problem(program.delete(f"{JOBS}/{uuid}"), 404, "job_not_found")


def test_job_of_somebody_else_stays(program: Program, other_program: Program, folder: Path) -> None:
    uuid = other_program.submit()
    problem(program.delete(f"{JOBS}/{uuid}"), 404, "job_not_found")
    problem(program.delete(f"{JOBS}/{uuid4()}"), 404, "job_not_found")
    assert other_program.get(f"{JOBS}/{uuid}").status_code == 200
    assert (folder / uuid / "document").exists()


def test_signed_out_is_refused(program: Program, anybody: Program) -> None:
    uuid = program.submit()
    problem(anybody.delete(f"{JOBS}/{uuid}"), 401, "not_signed_in")
    assert program.get(f"{JOBS}/{uuid}").status_code == 200


def test_cookie_needs_a_csrf_token(browser: Browser, program: Program) -> None:
    uuid = program.submit()
    problem(browser.client.delete(f"{JOBS}/{uuid}"), 403, "csrf_rejected")
    assert program.get(f"{JOBS}/{uuid}").status_code == 200
    headers = {"X-CSRFToken": browser.csrf_token}
    assert browser.client.delete(f"{JOBS}/{uuid}", headers=headers).status_code == 204


def test_files_that_resist_are_left_to_the_sweeper(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def resist(*_: object) -> None:
        raise StorageUnavailable("The File Storage cannot be used.")

    uuid = program.submit()
    monkeypatch.setattr(VolumeStorage, "delete", resist)
    assert program.delete(f"{JOBS}/{uuid}").status_code == 204
    problem(program.get(f"{JOBS}/{uuid}"), 404, "job_not_found")


def test_malformed_uuid_answers_404(program: Program) -> None:
    problem(program.delete(f"{JOBS}/..%2f..%2fetc"), 404, "not_found")
