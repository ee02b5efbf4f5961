"""Every answer that the tests get from the API, held against the OpenAPI document: its status, type, body and problem have to be in it."""

from typing import Any, Final

from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from recto.web.openapi.document import is_of_the_api, openapi_document, shown_path

_DOCUMENT: Final = "urn:recto:openapi"
PLAYED_BY_HAND: Final = (
    "/api/v1/jobs/{uuid}/files/{name}/get",
    "/api/v1/jobs/{uuid}/result/get/200",
    "/api/v1/ocr/post/200",
    "/api/v1/ocr/put/200",
)
"""Their JSON is what a test says that a Worker wrote; tests/ocr/writers hold that of a real one to its schema."""


class Conformance:
    """The document of an application, and answers held against it."""

    def __init__(self, app: Flask) -> None:
        self.document = openapi_document(app, "")
        resource = DRAFT202012.create_resource(self.document)
        self._registry: Registry[Any] = Registry().with_resource(_DOCUMENT, resource)
        self._validators: dict[str, Draft202012Validator] = {}

    def check(self, rule: Rule | None, method: str, response: TestResponse) -> None:
        """AssertionError that names what the document does not say."""
        if rule is None or method == "OPTIONS":
            return
        path, name = shown_path(rule.rule), method.lower().replace("head", "get")
        what = f"{method} {path} answered {response.status_code}"
        operation = self.document["paths"][path].get(name)
        assert operation is not None, f"{what}, and the document has no such operation"
        described = operation["responses"].get(str(response.status_code))
        assert described is not None, f"{what}, which the document does not have: {response.text[:300]}"
        missing = set(described.get("headers", ())) & {"Location", "Retry-After", "WWW-Authenticate"} - set(
            response.headers.keys()
        )
        assert response.status_code in (200, 409, 503) or not missing, f"{what} without {missing}"
        if method != "HEAD" and response.data:
            self._check_body(f"{path}/{name}", what, described, response)

    def _check_body(self, place: str, what: str, described: dict[str, Any], response: TestResponse) -> None:
        content = described.get("content", {}).get(response.mimetype)
        assert content is not None, f"{what} as {response.mimetype}, which the document does not have"
        pointer = f"{place}/{response.status_code}/{response.mimetype}"
        is_problem = response.mimetype == "application/problem+json"
        if not response.is_json or (pointer.startswith(PLAYED_BY_HAND) and not is_problem):
            return
        body = response.get_json()
        if is_problem:
            assert body["code"] in content["examples"], (
                f"{what} with the problem {body['code']}, which the document does not have"
            )
        if pointer not in self._validators:
            self._validators[pointer] = self._validator(content["schema"])
        errors = [f"{error.json_path}: {error.message}" for error in self._validators[pointer].iter_errors(body)]
        assert not errors, f"{what} with a body that is not as described: {errors}"

    def _validator(self, schema: dict[str, Any]) -> Draft202012Validator:
        return Draft202012Validator(absolute(schema), registry=self._registry, format_checker=FormatChecker())

    def validate(self, schema: dict[str, Any], value: Any) -> list[str]:
        """What is wrong with a value that is to be as a schema of the document says."""
        return [error.message for error in self._validator(schema).iter_errors(value)]


def absolute(value: Any) -> Any:
    """References that are found from anywhere."""
    if isinstance(value, list):
        return [absolute(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: f"{_DOCUMENT}{one}" if key == "$ref" else absolute(one) for key, one in value.items()}


_of_addresses: dict[frozenset[str], Conformance] = {}


def conformance(app: Flask) -> Conformance:
    """Made once for all applications with the same addresses."""
    addresses = frozenset(f"{rule.rule} {rule.methods}" for rule in app.url_map.iter_rules())
    if addresses not in _of_addresses:
        _of_addresses[addresses] = Conformance(app)
    return _of_addresses[addresses]


class DescribedClient(FlaskClient):
    """Flask's test client, which takes no answer from the API that the document does not describe."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        response = super().open(*args, **kwargs)
        path = response.request.path
        if is_of_the_api(path) and response.is_sequence:
            conformance(self.application).check(self._rule(response), response.request.method, response)
        return response

    def _rule(self, response: TestResponse) -> Rule | None:
        """None where there is no such address, or it does not take the method: no operation to be described."""
        asked = self.application.url_map.bind("localhost")
        try:
            rule, _ = asked.match(response.request.path, response.request.method, return_rule=True)
        except HTTPException:
            return None
        return rule
