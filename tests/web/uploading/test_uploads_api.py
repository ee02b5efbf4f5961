"""POST /api/v1/uploads, and naming an upload in a submission, where the documents lie in a folder."""

import io

import pytest

from tests.web.clients import PDF, Browser, Program, problem


def test_upload_on_a_folder_says_where_to_send_the_document(program: Program) -> None:
    answer = program.post("/api/v1/uploads?size_bytes=1000")
    assert "POST /api/v1/jobs" in problem(answer, 409, "direct_upload_unavailable")["detail"]
    assert program.get("/api/v1/limits").get_json()["upload"]["direct"] is False


@pytest.mark.parametrize("size", ["", "0", "-1", "many", "1.5"])
def test_upload_without_a_size_is_refused(program: Program, size: str) -> None:
    problem(program.post(f"/api/v1/uploads?size_bytes={size}"), 422, "option_invalid")


def test_upload_above_the_limit_is_refused_at_once(program: Program) -> None:
    assert problem(program.post("/api/v1/uploads?size_bytes=100001"), 413, "upload_too_large")["limit_bytes"] == 100000


@pytest.mark.parametrize("upload", ["a" * 32, "nothing", "../../document"])
def test_upload_that_is_not_there_is_not_found(program: Program, upload: str) -> None:
    answer = program.post("/api/v1/jobs", query_string={"upload": upload})
    problem(answer, 404, "upload_not_found")


def test_upload_and_document_together_are_refused(program: Program) -> None:
    path = f"/api/v1/jobs?upload={'a' * 32}"
    problem(program.post(path, data=PDF), 422, "option_invalid")
    problem(program.post(path, data={"document": (io.BytesIO(PDF), "a.pdf")}), 422, "option_invalid")


def test_upload_in_a_retry_is_refused(program: Program) -> None:
    uuid = program.submit()
    problem(program.post(f"/api/v1/jobs/{uuid}/retry?upload={'a' * 32}"), 422, "option_invalid")


def test_upload_signed_out_or_without_a_csrf_token_is_refused(anybody: Program, browser: Browser) -> None:
    problem(anybody.post("/api/v1/uploads?size_bytes=1"), 401, "not_signed_in")
    assert browser.client.post("/api/v1/uploads?size_bytes=1").status_code == 403


def test_upload_by_a_wrong_method_is_refused(program: Program) -> None:
    assert program.get("/api/v1/uploads").status_code == 405
