"""The OpenAPI 3.1 document, made with apispec from the URL map, the views' own statements, and the types of the answers.

It only reads: no request passes through here. Made when it is first asked for, so that the start does not wait for it.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from typing import Any, Final, Literal

from apispec import APISpec
from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

import recto
from recto.errors import (
    ContentDigestWrong,
    CsrfRejected,
    DatabaseBusy,
    NotAllowed,
    NotSignedIn,
    OptionInvalid,
    RectoError,
    RequestTooSlow,
    StorageUnavailable,
    UploadIncomplete,
    UploadTooLarge,
)
from recto.web import answers
from recto.web.openapi.described import (
    BAD_REQUEST,
    EVENT_STREAM,
    NO_ADDRESS,
    Description,
    HttpProblem,
    Parameter,
    ProblemKind,
    Reply,
    Schema,
    Takes,
    stated_description,
)
from recto.web.openapi.examples import example
from recto.web.openapi.option_schema import BESIDE_READING, option_properties, options_component
from recto.web.openapi.result_schema import result_components
from recto.web.sign_in.authorisation import Access, stated_access
from recto.web.webhooks import answers as webhook_answers

OPENAPI_VERSION: Final = "3.1.1"
_SCHEMAS: Final = "#/components/schemas/"
_MARKER: Final = re.compile(r"<(?:(?P<kind>\w+)(?:\([^)]*\))?:)?(?P<name>\w+)>")
_SHOWN_NAMES: Final = {"number": "n", "file_name": "name", "delivery_id": "id", "correction": "id"}
_PATH_PARTS: Final[dict[str, Schema]] = {
    "uuid": {"type": "string", "format": "uuid", "examples": ["0b9e3a52-7f0c-4d3e-9a51-6c1f0e2d4b77"]},
    "int": {"type": "integer", "minimum": 0, "examples": [1]},
    "file_name": {"type": "string", "examples": ["result.txt"]},
    "delivery_id": {"type": "string", "examples": ["msg_5f0c0b9e3a527f0c4d3e9a516c1f0e2d"]},
}
"""By the kind of the part, or else its name."""
_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
_OF_BODIES: Final = (UploadIncomplete, ContentDigestWrong, RequestTooSlow, UploadTooLarge, OptionInvalid)
"""Also where none is asked for: the CSRF token may be in a form, so the body is read."""
_HEADERS: Final = {
    "Location": "Where the job, or the file, is",
    "Retry-After": "Seconds after which to ask again",
    "Preference-Applied": "How long the request was held at most",
    "Content-Location": "Where this result can be had again",
    "Idempotent-Replayed": "`true` where an earlier request with the same `Idempotency-Key` had made the job",
    "ETag": "Names what was answered, for `If-None-Match`",
    "Vary": "`Accept` has a say in what is answered",
    "Repr-Digest": "SHA-256 of the whole file (RFC 9530), also where a part is answered",
    "Accept-Ranges": "`bytes`: `Range` is understood",
    "Link": 'Other addresses (RFC 8288): `rel="next"`, where the list goes on; `rel="describedby"`, the job of a result',
    "WWW-Authenticate": '`Bearer`, with `error="invalid_token"` where a token was sent that is none (RFC 6750)',
    "Content-Range": "What part it is of how much",
    "Content-Disposition": "The name of the file",
}
_BUG: Final = HttpProblem(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    RectoError.code,
    RectoError.title,
    "Something went wrong inside Recto; it was logged.",
)
_ABOUT: Final = """Documents in; text, word boxes and searchable PDF out.

Programs sign in with `Authorization: Bearer TOKEN`. A browser that is signed in may use its session, and sends the page's CSRF token as \
`X-CSRFToken` with everything but `GET`. Every error is `application/problem+json` (RFC 9457): decide by its `code`. Every `GET` is \
answered as `HEAD`, too, without the body; another method than those below with 405 `method_not_allowed` and `Allow`."""


def is_of_the_api(rule: str) -> bool:
    """Whether an address is one for programs, which the document describes."""
    return rule.startswith("/api/") or rule in ("/healthz", "/readyz")


def openapi_document(app: Flask, root: str) -> dict[str, Any]:
    """The document. `root` is what every address begins with: empty, or the sub-path."""
    spec = APISpec(
        title="Recto",
        version=recto.__version__,
        openapi_version=OPENAPI_VERSION,
        info={"description": _ABOUT, "license": {"name": "MIT", "identifier": "MIT"}},
        servers=[{"url": root or "/"}],
        webhooks=_webhooks(),
    )
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer", "description": "An API token"})
    spec.components.security_scheme(
        "session", {"type": "apiKey", "in": "cookie", "name": app.config["SESSION_COOKIE_NAME"]}
    )
    described = list(_described(app))
    schemas = _schemas([description for *_, description in described])
    for name, schema in schemas.items():
        spec.components.schema(name, schema)
    for rule, view, description in described:
        spec.path(path=shown_path(rule.rule), operations=_operations(rule, view, description, schemas))
    document: dict[str, Any] = spec.to_dict()
    return document


def shown_path(rule: str) -> str:
    """The address as OpenAPI and docs/api.md write it."""
    return _MARKER.sub(lambda found: f"{{{_SHOWN_NAMES.get(found['name'], found['name'])}}}", rule)


def _webhooks() -> Schema:
    """What Recto sends by itself."""
    message = {"schema": {"$ref": f"{_SCHEMAS}{webhook_answers.WebhookEvent.__name__}"}}
    operation = {
        "operationId": "job_ended",
        "tags": ["Webhooks"],
        "summary": "A job has ended",
        "description": "Sent to the user's webhook, or to the address that the job names, signed as Standard Webhooks has it.",
        "requestBody": {"required": True, "content": {"application/json": message}},
        "responses": {
            "2XX": {"description": "Received"},
            "410": {"description": "Never again"},
            "default": {"description": "Is tried again"},
        },
    }
    return {"job_ended": {"post": operation}}


def _described(app: Flask) -> Iterator[tuple[Rule, Callable[..., Any], Description]]:
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = app.view_functions[rule.endpoint]
        description = stated_description(view)
        if description is not None:
            yield rule, view, description


def _schemas(descriptions: Sequence[Description]) -> dict[str, Schema]:
    bodies: dict[type[answers.Answer], None] = {answers.Problem: None, webhook_answers.WebhookEvent: None}
    for description in descriptions:
        bodies |= dict.fromkeys(body for reply in description.replies for body in reply.bodies)
        bodies |= dict.fromkeys(reply.event for reply in description.replies if reply.event)
    sent = [description.json_body for description in descriptions if description.json_body]
    modes: list[tuple[type[BaseModel], Literal["serialization", "validation"]]] = [
        *((body, "serialization") for body in bodies),
        *((body, "validation") for body in sent),
    ]
    _, made = models_json_schema(modes, ref_template=f"{_SCHEMAS}{{model}}")
    schemas: dict[str, Schema] = made["$defs"]
    return (
        schemas
        | result_components(_SCHEMAS)
        | {
            "OptionsSchema": options_component(),
            "DocumentForm": _document_form(),
            "DocumentsForm": _documents_form(),
            "OptionsForm": _options_form(),
        }
    )


def _operations(
    rule: Rule, view: Callable[..., Any], description: Description, schemas: dict[str, Schema]
) -> dict[str, Any]:
    return {
        method.lower(): _operation(method, rule, view, description, schemas)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    }


def _operation(
    method: str, rule: Rule, view: Callable[..., Any], description: Description, schemas: dict[str, Schema]
) -> dict[str, Any]:
    needed, text = stated_access(view) or Access.ANYBODY, " ".join((view.__doc__ or "").split())
    operation: dict[str, Any] = {
        "operationId": view.__name__,
        "tags": [description.tag],
        "summary": text.partition(". ")[0].rstrip("."),
        "description": f"{text} For {needed.value}.",
        "security": [] if needed in (Access.ANYBODY, Access.LINK) else [{"token": []}, {"session": []}],
        "parameters": [*_path_parts(rule), *map(_parameter, description.parameters)],
        "responses": {},
    }
    operation["parameters"] += map(_parameter, _option_parameters(description.takes))
    if description.takes is not Takes.NOTHING:
        operation["requestBody"] = _body(description.takes)
    if description.json_body:
        operation["requestBody"] = _json_body(method, description.json_body, schemas)
    for reply in description.replies:
        operation["responses"][str(reply.status)] = _reply(reply, schemas)
    for problem in _problems(method, rule, needed, description):
        _add_problem(operation["responses"], problem)
    operation["responses"]["414"] = {
        "description": "The address is too long; a bare answer, and the connection is closed"
    }
    operation["responses"] = dict(sorted(operation["responses"].items()))
    return operation


def _path_parts(rule: Rule) -> Iterator[dict[str, Any]]:
    for found in _MARKER.finditer(rule.rule):
        name = _SHOWN_NAMES.get(found["name"], found["name"])
        yield {"name": name, "in": "path", "required": True, "schema": _PATH_PARTS[found["kind"] or found["name"]]}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.is_required,
        "description": parameter.says,
        "schema": parameter.schema,
    }


def _option_parameters(takes: Takes) -> Iterator[Parameter]:
    """The options, for who sends no form. A password in an address would end up in logs."""
    if takes is Takes.DOCUMENT:
        yield Parameter(
            "filename",
            "Name of a document that is sent as the body. With it the whole body is the document, also where it calls itself a form",
            {"type": "string", "examples": ["letter.pdf"]},
        )
    for name, schema in _options_taken(takes).items():
        if name != "password":
            yield Parameter(name, schema.pop("description"), schema)


_NOT_TAKEN: Final = {
    Takes.OPTIONS: BESIDE_READING.keys() - {"webhook"},
    Takes.DOCUMENTS: frozenset({"document_url", "upload"}),
}


def _options_taken(takes: Takes) -> dict[str, Schema]:
    if takes is Takes.NOTHING:
        return {}
    beside = _NOT_TAKEN.get(takes, frozenset())
    return {name: schema for name, schema in _untitled_options().items() if name not in beside}


def _untitled_options() -> dict[str, Schema]:
    """A generator of clients would name its types by the titles, which are for people."""
    return {
        name: {key: value for key, value in schema.items() if key != "title"}
        for name, schema in option_properties().items()
    }


_FILE: Final = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream", "minLength": 1}


def _document_form() -> Schema:
    return _form("A document and its options", {**_FILE, "description": "The file"}, Takes.DOCUMENT)


def _documents_form() -> Schema:
    files = {"type": "array", "items": _FILE, "minItems": 1, "description": "The files, each in a field of this name"}
    return _form("Documents and the options of all of them", files, Takes.DOCUMENTS)


def _form(says: str, document: Schema, takes: Takes) -> Schema:
    return {
        "type": "object",
        "description": says,
        "additionalProperties": False,
        "required": ["document"],
        "properties": {"document": document, **_options_taken(takes)},
    }


def _options_form() -> Schema:
    return {
        "type": "object",
        "description": "Options that are given in the place of earlier ones",
        "additionalProperties": False,
        "properties": {
            name: {key: value for key, value in schema.items() if key != "default"}
            for name, schema in _options_taken(Takes.OPTIONS).items()
        },
    }


def _body(takes: Takes) -> dict[str, Any]:
    if takes is Takes.OPTIONS:
        form = {"schema": {"$ref": f"{_SCHEMAS}OptionsForm"}}
        return {
            "required": False,
            "description": "Options, as a form of either kind.",
            "content": {"application/x-www-form-urlencoded": form, "multipart/form-data": form},
        }
    if takes is Takes.DOCUMENTS:
        form = {"schema": {"$ref": f"{_SCHEMAS}DocumentsForm"}}
        says = "A form with each file in a field `document` of its own."
        return {"required": True, "description": says, "content": {"multipart/form-data": form}}
    return {
        "required": True,
        "description": "A form with the file in `document`, or the file itself, whatever type it declares. With `document_url` or `upload` no file.",
        "content": {
            "multipart/form-data": {"schema": {"$ref": f"{_SCHEMAS}DocumentForm"}},
            "application/octet-stream": {"schema": _FILE},
        },
    }


def _json_body(method: str, sent: type[BaseModel], schemas: dict[str, Schema]) -> dict[str, Any]:
    """Taken whatever type it declares."""
    name = sent.__name__
    content = {
        "schema": {"$ref": f"{_SCHEMAS}{name}"},
        "examples": {name: {"value": example(schemas[name], schemas)}},
    }
    media_types = ["application/merge-patch+json"] if method == "PATCH" else []
    return {"required": True, "content": dict.fromkeys([*media_types, "application/json"], content)}


def _reply(reply: Reply, schemas: dict[str, Schema]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": reply.says}
    if reply.headers:
        answer["headers"] = {name: _header(name) for name in reply.headers}
    names = [*(body.__name__ for body in reply.bodies), *filter(None, [reply.schema_name])]
    references: list[Schema] = [{"$ref": f"{_SCHEMAS}{name}"} for name in names]
    content: dict[str, Any] = {}
    if references:
        schema = references[0] if len(references) == 1 else {"oneOf": references}
        shown = {name: {"value": example(schemas[name], schemas)} for name in names}
        content[reply.json_type] = {"schema": schema, "examples": shown}
    if reply.event:
        content[EVENT_STREAM] = _stream(reply.event.__name__, schemas)
    for media_type in reply.media_types:
        content.setdefault(media_type, {"schema": {"type": "string", "contentMediaType": media_type}})
    return answer | ({"content": content} if content else {})


def _stream(name: str, schemas: dict[str, Schema]) -> dict[str, Any]:
    """Server-sent events. OpenAPI 3.1 has no word for a sequence: as is the custom, the schema is that of each event."""
    shown = example(schemas[name], schemas)
    data = {"contentMediaType": "application/json", "contentSchema": {"$ref": f"{_SCHEMAS}{name}"}}
    fields = {"id": {"type": "string"}, "event": {"type": "string"}, "data": {"type": "string", **data}}
    event = {"id": str(shown["id"]), "event": shown["event"], "data": json.dumps(shown, ensure_ascii=False)}
    return {
        "schema": {"type": "object", "required": [*fields], "properties": fields},
        "examples": {name: {"value": event}},
    }


def _header(name: str) -> dict[str, Any]:
    return {"description": _HEADERS[name], "schema": {"type": "integer" if name == "Retry-After" else "string"}}


def _problems(method: str, rule: Rule, needed: Access, description: Description) -> Iterator[ProblemKind]:
    """Those that the view states, and those that follow from its address and from who may call it."""
    if needed not in (Access.ANYBODY, Access.LINK):
        yield from (NotSignedIn, NotAllowed)
        if method not in _SAFE_METHODS:
            yield from (CsrfRejected, *_OF_BODIES)
    if "<" in rule.rule:
        yield NO_ADDRESS
    yield from description.problems
    if needed is not Access.ANYBODY:
        yield from (DatabaseBusy, StorageUnavailable)
    yield from (BAD_REQUEST, _BUG)


def _add_problem(responses: dict[str, Any], kind: ProblemKind) -> None:
    """One answer has all problems of its status: examples by their codes."""
    says = " ".join((kind.__doc__ or "").split()) if isinstance(kind, type) else kind.says
    response = responses.setdefault(str(kind.status), {"description": HTTPStatus(kind.status).phrase})
    headers = _problem_headers(kind)
    if headers:
        response.setdefault("headers", {}).update({name: _header(name) for name in headers})
    content = response.setdefault("content", {}).setdefault(
        "application/problem+json", {"schema": {"$ref": f"{_SCHEMAS}Problem"}, "examples": {}}
    )
    problem = answers.Problem(
        type=f"urn:recto:problem:{kind.code}", title=kind.title, status=kind.status, detail=says, code=kind.code
    )
    content["examples"][kind.code] = {"summary": kind.title, "value": problem.model_dump()}


def _problem_headers(kind: ProblemKind) -> tuple[str, ...]:
    if not isinstance(kind, type):
        return ("Content-Range",) if kind.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE else ()
    if kind is NotSignedIn:
        return ("WWW-Authenticate",)
    return ("Retry-After",) if kind.retryable else ()
