"""/openapi.json and /docs: the document and the code say the same."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from flask import Flask
from openapi_spec_validator import validate

from recto.errors import RequestError, ServiceError
from recto.ocr.options import Options, ResultFormat
from recto.web.openapi.document import is_of_the_api, openapi_document, shown_path
from recto.web.openapi.option_schema import BESIDE_READING
from recto.web.openapi.reference import _marked
from recto.web.sign_in.authorisation import Access, stated_access
from tests.web.clients import Program
from tests.web.conformance import conformance
from tests.web.conftest import MakeApp
from tests.web.openapi.test_api_docs import NOT_OF_THE_API


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    """The document of the application, as a client gets it."""
    response = Program(app).get("/openapi.json")
    assert (response.status_code, response.mimetype) == (200, "application/json")
    document: dict[str, Any] = response.get_json()
    return document


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def test_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    validate(document)


def test_document_has_every_address_of_the_api_and_no_other(app: Flask, document: dict[str, Any]) -> None:
    there = {
        (method, shown_path(rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if is_of_the_api(rule.rule)
    }
    assert {(method, path) for method, path, _ in operations(document)} == there


def test_document_has_every_problem_that_a_request_can_meet(document: dict[str, Any]) -> None:
    named = {
        (code, int(status))
        for *_, operation in operations(document)
        for status, response in operation["responses"].items()
        for code in response.get("content", {}).get("application/problem+json", {}).get("examples", ())
    }
    families = [*RequestError.__subclasses__(), *ServiceError.__subclasses__()]
    assert named >= {(error.code, error.status) for error in families if error.code not in NOT_OF_THE_API}


def test_document_says_of_each_operation_who_may_call_it(app: Flask, document: dict[str, Any]) -> None:
    for rule in app.url_map.iter_rules():
        item = document["paths"].get(shown_path(rule.rule), {})
        for method in (rule.methods or set()) & {name.upper() for name in item}:
            operation, needed = item[method.lower()], stated_access(app.view_functions[rule.endpoint])
            assert needed is not None
            assert needed.value in operation["description"]
            assert bool(operation["security"]) is (needed not in (Access.ANYBODY, Access.LINK))


def test_document_has_every_option_and_format(document: dict[str, Any]) -> None:
    create = document["paths"]["/api/v1/jobs"]["post"]
    form = document["components"]["schemas"]["DocumentForm"]["properties"]
    assert set(form) == {"document", *Options.model_fields, *BESIDE_READING}
    query = {parameter["name"] for parameter in create["parameters"] if parameter["in"] == "query"}
    assert query == {"filename", *Options.model_fields, *BESIDE_READING} - {"password"}
    result = document["paths"]["/api/v1/jobs/{uuid}/result"]["get"]
    (wanted,) = [parameter for parameter in result["parameters"] if parameter["name"] == "format"]
    assert wanted["schema"]["enum"] == list(get_args(ResultFormat))


def test_every_example_is_what_its_schema_says(app: Flask, document: dict[str, Any]) -> None:
    seen = 0
    for method, path, operation in operations(document):
        for status, response in operation["responses"].items():
            for content in response.get("content", {}).values():
                for name, shown in content.get("examples", {}).items():
                    wrong = conformance(app).validate(content["schema"], shown["value"])
                    assert wrong == [], f"{method} {path} {status} {name}"
                    seen += 1
    assert seen > 100


def test_answers_in_json_have_an_example(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        for status, response in operation["responses"].items():
            for media_type, content in response.get("content", {}).items():
                assert "examples" in content or "json" not in media_type or status == "206", f"{method} {path} {status}"


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for *_, operation in operations(document)]
    assert len(names) == len(set(names))


def test_document_names_the_sub_path(make_app: MakeApp) -> None:
    app = make_app(RECTO_SERVER_BASE_PATH="/recto")
    assert Program(app).get("/recto/openapi.json").get_json()["servers"] == [{"url": "/recto"}]
    assert openapi_document(app, "")["servers"] == [{"url": "/"}]


def test_page_shows_every_operation_and_type_without_any_script(app: Flask, document: dict[str, Any]) -> None:
    response = Program(app).get("/docs")
    assert response.status_code == 200
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in response.headers
    for *_, operation in operations(document):
        assert f'id="{operation["operationId"]}"' in response.text
    for name in document["components"]["schemas"]:
        assert f'id="{name}"' in response.text
    assert "<code>Authorization: Bearer TOKEN</code>" in response.text
    for forbidden in ("<script", "style=", " onclick"):
        assert forbidden not in response.text


def test_page_shows_markup_of_a_description_as_text() -> None:
    assert _marked("<b>a</b> `<i>` & `c`") == "&lt;b&gt;a&lt;/b&gt; <code>&lt;i&gt;</code> &amp; <code>c</code>"
    assert _marked(None) == ""
