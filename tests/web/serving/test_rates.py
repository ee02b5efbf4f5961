"""Rates: sign-ins of an address, new tokens and uploads of a user."""

import pytest
from flask import Flask

from tests.web.clients import PDF, Browser, Program, problem
from tests.web.conftest import MakeApp, add_user

pytestmark = pytest.mark.each_database(long=True)

JOBS = "/api/v1/jobs"


@pytest.fixture
def limited(make_app: MakeApp) -> Flask:
    """An application that takes two of everything."""
    return make_app(
        RECTO_LIMITS_SIGN_INS_PER_MINUTE="2",
        RECTO_LIMITS_TOKENS_PER_HOUR="2",
        RECTO_LIMITS_UPLOADS_PER_MINUTE="2",
    )


def test_uploads_above_the_rate_answer_429_with_the_time_to_wait(limited: Flask) -> None:
    program = Program(limited, add_user(limited, "ada").token)
    assert [program.post(JOBS, data=PDF).status_code for _ in range(2)] == [202, 202]
    response = program.post(JOBS, data=PDF)
    members = problem(response, 429, "too_many_requests")
    assert 1 <= members["retry_after_s"] <= 61
    assert response.headers["Retry-After"] == str(members["retry_after_s"])
    assert f"takes 2 of these requests a minute. Wait {members['retry_after_s']} seconds" in members["detail"]
    assert len(program.get(JOBS).get_json()["jobs"]) == 2


def test_uploads_of_the_page_and_of_programs_count_together(limited: Flask) -> None:
    token = add_user(limited, "ada").token
    browser = Browser(limited)
    browser.sign_in("ada")
    Program(limited, token).post(JOBS, data=PDF)
    assert browser.post("/upload").status_code == 400  # a request without a document counts as well
    page = browser.post("/upload")
    assert (page.status_code, page.mimetype) == (429, "text/html")
    assert "Retry-After" in page.headers


def test_uploads_of_other_users_and_other_requests_are_not_concerned(limited: Flask) -> None:
    ada = Program(limited, add_user(limited, "ada").token)
    bob = Program(limited, add_user(limited, "bob").token)
    assert [ada.post(JOBS, data=PDF).status_code for _ in range(3)] == [202, 202, 429]
    assert bob.post(JOBS, data=PDF).status_code == 202
    assert [ada.get(JOBS).status_code for _ in range(5)] == [200] * 5


def test_strangers_use_up_no_users_rate(limited: Flask) -> None:
    ada = Program(limited, add_user(limited, "ada").token)
    stranger = Program(limited, "recto_wrong")
    assert [stranger.post(JOBS, data=PDF).status_code for _ in range(3)] == [401] * 3  # before anything is counted
    assert ada.post(JOBS, data=PDF).status_code == 202


def test_sign_ins_above_the_rate_of_an_address_are_refused_and_the_form_is_still_shown(limited: Flask) -> None:
    add_user(limited, "ada")
    assert [Browser(limited).sign_in("ada").status_code for _ in range(3)] == [302, 302, 429]
    browser = Browser(limited)
    assert [browser.get("/sign-in").status_code for _ in range(5)] == [200] * 5
    elsewhere = {"environ_base": {"REMOTE_ADDR": "203.0.113.9"}}
    assert browser.post("/sign-in", {"name": "ada", "password": "wrong"}, **elsewhere).status_code == 401


def test_new_tokens_above_the_rate_are_refused(limited: Flask) -> None:
    add_user(limited, "ada")
    browser = Browser(limited)
    browser.sign_in("ada")
    assert [browser.post("/account/tokens", {"name": "x"}).status_code for _ in range(3)] == [201, 201, 429]


def test_rate_of_zero_is_no_limit(make_app: MakeApp) -> None:
    app = make_app(
        RECTO_LIMITS_SIGN_INS_PER_MINUTE="0", RECTO_LIMITS_TOKENS_PER_HOUR="0", RECTO_LIMITS_UPLOADS_PER_MINUTE="0"
    )
    program = Program(app, add_user(app, "ada").token)
    assert {program.post(JOBS, data=PDF).status_code for _ in range(5)} == {202}
    assert {Browser(app).sign_in("ada").status_code for _ in range(3)} == {302}
