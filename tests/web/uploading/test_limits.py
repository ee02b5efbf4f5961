"""GET /api/v1/limits and /options: what a client should know before it sends anything."""

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from recto.errors import OptionInvalid
from recto.ocr.options import Options, parse_options
from recto.web.openapi.option_schema import BESIDE_READING
from recto.web.uploading.answers import Limits
from tests.web.clients import Program, problem
from tests.web.conftest import MakeApp, add_user
from tests.web.hand_worker import HandWorker


def schema_of(program: Program) -> dict[str, Any]:
    response = program.get("/api/v1/options")
    assert (response.status_code, response.mimetype) == (200, "application/schema+json")
    schema: dict[str, Any] = response.get_json(force=True)
    Draft202012Validator.check_schema(schema)
    return schema


def test_limits_are_those_of_the_settings(make_app: MakeApp) -> None:
    app = make_app(
        RECTO_SERVER_MAX_UPLOAD_BYTES="1234",
        RECTO_LIMITS_UPLOADS_PER_MINUTE="7",
        RECTO_LIMITS_TOKENS_PER_HOUR="0",
        RECTO_QUEUE_MAX_UNFINISHED_PER_USER="5",
        RECTO_OCR_MAX_PAGES="9",
        RECTO_SERVER_MAX_WAIT_S="2.5",
        RECTO_WORKER_PAGE_TIMEOUT_S="11",
    )
    limits = Program(app, add_user(app, "ada").token).get("/api/v1/limits").get_json()
    assert limits["upload"]["max_bytes"] == 1234
    assert (limits["rates"]["uploads_per_minute"], limits["rates"]["tokens_per_hour"]) == (7, None)
    assert limits["queue"]["max_unfinished_per_user"] == 5
    assert (limits["document"]["max_pages"], limits["document"]["max_languages"]) == (9, 8)
    assert limits["waiting"]["max_wait_s"] == 2.5
    assert limits["reading"]["page_timeout_s"] == 11.0
    assert limits["lists"] == {
        "max_jobs": 200,
        "max_pages": 1000,
        "max_changes": 500,
        "max_search_characters": 200,
        "max_search_terms": 20,
    }
    assert set(limits) == set(Limits.model_fields)


def test_limits_and_options_need_a_token(anybody: Program) -> None:
    for name in ("limits", "options"):
        problem(anybody.get(f"/api/v1/{name}"), 401, "not_signed_in")


def test_options_have_every_option_with_its_default(program: Program) -> None:
    schema = schema_of(program)
    assert list(schema["properties"]) == [*Options.model_fields, *BESIDE_READING]
    defaults = {name: value["default"] for name, value in schema["properties"].items() if "default" in value}
    assert defaults == {
        "languages": "eng",
        "mode": "auto",
        "preprocess": "auto",
        "formats": "txt+json",
        "dedupe": "true",
    }


def test_options_name_the_installed_languages_once_a_worker_was_seen(program: Program, worker: HandWorker) -> None:
    before = Draft202012Validator(schema_of(program))
    assert before.is_valid({"languages": "xyz+script/Fraktur"})
    worker.report("deu", "eng", "osd")
    after = Draft202012Validator(schema_of(program))
    assert not after.is_valid({"languages": "xyz"})
    assert not after.is_valid({"languages": "osd"})
    assert all(after.is_valid({"languages": given}) for given in ("deu", "eng+deu", "auto"))


@pytest.mark.parametrize(
    "given",
    [
        *({}, {"languages": "deu+eng"}, {"languages": "deu, eng"}, {"languages": "auto"}, {"languages": "auto+deu"}),
        *({"languages": "+".join(["deu"] * 9)}, {"languages": "a"}, {"pages": "1-3,7,9-end"}, {"pages": "1 - 3, end"}),
        *(
            {"pages": "0"},
            {"pages": "1,,2"},
            {"pages": "x"},
            {"mode": "force"},
            {"mode": "never"},
            {"preprocess": "none+deskew"},
        ),
        *({"preprocess": "no-light"}, {"preprocess": "no-auto"}, {"preprocess": "shine"}, {"formats": "txt+pages.zip"}),
        *(
            {"formats": "txt,pagesXzip"},
            {"formats": "docx"},
            {"password": "open"},
            {"password": "x" * 201},
            {"colour": "red"},
        ),
    ],
)
def test_schema_takes_what_the_options_take(program: Program, given: dict[str, str]) -> None:
    try:
        parse_options(given)
        is_taken = True
    except OptionInvalid:
        is_taken = False
    assert Draft202012Validator(schema_of(program)).is_valid(given) is is_taken


def test_patterns_of_the_options_are_those_of_javascript_as_well(program: Program) -> None:
    patterns = [value["pattern"] for value in schema_of(program)["properties"].values() if "pattern" in value]
    assert len(patterns) == 8
    assert not [pattern for pattern in patterns if re.search(r"\(\?[P<]|\\[AZ]|\\-", pattern)]
