"""GET /api/v1/languages."""

import pytest
from sqlalchemy import text

from tests.web.clients import Program, problem
from tests.web.conftest import MakeApp, add_user
from tests.web.hand_worker import HandWorker

LANGUAGES = "/api/v1/languages"


def test_languages_before_any_worker_are_empty(program: Program) -> None:
    assert program.get(LANGUAGES).get_json() == {"languages": [], "default": "eng", "worker_running": False}


def test_languages_are_those_of_the_worker_without_osd(program: Program, worker: HandWorker) -> None:
    worker.report("osd", "eng", "deu", "script/Fraktur")
    answer = program.get(LANGUAGES).get_json()
    assert (answer["languages"], answer["worker_running"]) == (["deu", "eng", "script/Fraktur"], True)


def test_languages_of_the_last_worker_stay_after_it_stopped(program: Program, worker: HandWorker) -> None:
    worker.report("eng", "ces")
    with worker.engine.connect() as connection:
        connection.execute(text("UPDATE worker SET seen_us = 0"))
        connection.commit()
    answer = program.get(LANGUAGES).get_json()
    assert (answer["languages"], answer["worker_running"]) == (["ces", "eng"], False)


def test_default_comes_from_the_settings(make_app: MakeApp) -> None:
    app = make_app(RECTO_OCR_LANGUAGES="deu+fra")
    program = Program(app, add_user(app, "ada").token)
    assert program.get(LANGUAGES).get_json()["default"] == "deu+fra"
    assert program.send_form().get_json()["options"]["languages"] == "deu+fra"


def test_signed_out_is_refused(anybody: Program) -> None:
    problem(anybody.get(LANGUAGES), 401, "not_signed_in")


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_wrong_method_names_the_right_one(program: Program, method: str) -> None:
    response = program.request(method, LANGUAGES)
    problem(response, 405, "method_not_allowed")
    assert "GET" in response.headers["Allow"]
