"""Errors at the edge: problem+json for programs, pages for people, and nothing of the inside."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from recto import errors
from tests.web.clients import PAGE, Browser, Program, problem
from tests.web.conftest import Known
from tests.web.serving.test_health import lose_database

SECRET = "the inside of Recto"


def crash(*_: object, **__: object) -> None:
    raise RuntimeError(SECRET)


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/jobs/", "/api/v2/jobs", "/api/"])
def test_unknown_address_of_the_api_is_a_problem_for_browsers_too(anybody: Program, path: str) -> None:
    for headers in ({}, PAGE):
        members = problem(anybody.get(path, headers=headers), 404, "not_found")
        assert members["title"] == "Not Found"


@pytest.mark.parametrize(
    "path", ["/nothing", "/jobs/x", "/static/nothing.css", "/static/../app.py", "/static/%2e%2e/api.py"]
)
def test_unknown_page_is_a_page_for_browsers_and_a_problem_for_programs(
    app: Flask, anybody: Program, path: str
) -> None:
    response = Browser(app).get(path)
    assert (response.status_code, response.mimetype) == (404, "text/html")
    problem(anybody.get(path), 404, "not_found")


def test_wrong_method_names_the_right_ones(app: Flask, anybody: Program) -> None:
    response = anybody.get("/upload")
    problem(response, 405, "method_not_allowed")
    assert "POST" in response.headers["Allow"]
    page = Browser(app).get("/upload")
    assert (page.status_code, page.mimetype) == (405, "text/html")
    assert "POST" in page.headers["Allow"]


def test_crash_answers_500_and_hides_its_cause(
    program: Program, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recto.web.api.list_jobs", crash)
    monkeypatch.setattr("recto.web.jobs.list_options.list_jobs", crash)
    response = program.get("/api/v1/jobs")
    problem(response, 500, "internal_error")
    page = browser.get("/")
    assert (page.status_code, page.mimetype) == (500, "text/html")
    for answer in (response, page):
        assert SECRET not in answer.text
        assert "RuntimeError" not in answer.text


def test_crash_of_the_sign_in_itself_still_gives_a_page(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recto.accounts.account_of_session", crash)
    for path in ("/", "/nothing"):
        response = browser.get(path)
        assert (response.status_code, response.mimetype) == (500, "text/html")
        assert SECRET not in response.text


def test_locked_database_answers_503_with_retry_after(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        cause = sqlite3.OperationalError("database is locked")
        cause.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise OperationalError("SELECT", {}, cause)

    monkeypatch.setattr("recto.web.api.list_jobs", busy)
    response = program.get("/api/v1/jobs")
    problem(response, 503, "database_busy")
    assert int(response.headers["Retry-After"]) >= 1


def test_lost_database_answers_500_without_its_place(app: Flask, program: Program, folder: Path) -> None:
    lose_database(app, folder)
    response = program.get("/api/v1/jobs")
    problem(response, 500, "internal_error")
    assert str(folder) not in response.text


ALL = [error for error in vars(errors).values() if isinstance(error, type) and issubclass(error, errors.RectoError)]


def test_every_error_has_title_status_detail_code_and_type(
    app: Flask, ada: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.test_client_class = FlaskClient  # no address has all of them, as the document rightly says
    program = Program(app, ada.token)
    for error in ALL:
        monkeypatch.setattr("recto.web.api.list_jobs", raiser(error))
        response = program.get("/api/v1/jobs")
        members = problem(response, error.status, error.code)
        assert (members["title"], members["detail"], members["limit"]) == (error.title, "What to do next.", 3)
        assert ("Retry-After" in response.headers) is error.retryable
        assert ("WWW-Authenticate" in response.headers) is (error is errors.NotSignedIn)


def raiser(error: type[errors.RectoError]) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise error("What to do next.", limit=3)

    return fail


def test_codes_of_errors_are_unique() -> None:
    codes = [error.code for error in ALL]
    assert len(codes) == len(set(codes))


def test_twice_the_slash_leads_to_the_address_on_this_server(anybody: Program) -> None:
    response = anybody.get("//evil.example//api/v1/jobs")
    assert response.status_code in (308, 404)
    assert "//evil.example" not in response.headers.get("Location", "").partition("localhost")[2]


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD"])
def test_options_and_head_have_no_body(program: Program, ada: Known, method: str) -> None:
    response = program.request(method, "/api/v1/jobs")
    assert (response.status_code, response.data) == (200, b"")
    if method == "OPTIONS":
        assert "Access-Control-Allow-Origin" not in response.headers


def test_expected_error_of_a_thread_prints_no_traceback(program: Program, capfd: pytest.CaptureFixture[str]) -> None:
    problem(program.get(f"/api/v1/jobs/{uuid4()}"), 404, "job_not_found")
    assert "Traceback" not in "".join(capfd.readouterr())
