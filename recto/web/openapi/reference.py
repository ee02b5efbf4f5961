"""The API's description: `/openapi.json` for programs, `/docs` for people. docs/decisions/0006-openapi.md says why it is no viewer."""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from flask import Blueprint, Flask, Response, current_app, render_template, request
from markupsafe import Markup

from recto.web.openapi.document import openapi_document
from recto.web.sign_in.authorisation import Access, access

blueprint = Blueprint("reference", __name__)
_CODE: Final = re.compile(r"`([^`]+)`")
_ROOTS: Final = 8
"""Addresses that this Backend is reached below: one, or a few behind several proxies."""


@dataclass(frozen=True, slots=True)
class _Document:
    """The document as values, and as JSON."""

    content: dict[str, Any]
    body: bytes


@blueprint.get("/openapi.json")
@access(Access.ANYBODY)
def openapi_json() -> Response:
    """The OpenAPI document. It says nothing that is anybody's own."""
    return Response(_document(_application(), request.script_root).body, mimetype="application/json")


@blueprint.get("/docs")
@access(Access.ANYBODY)
def docs() -> str:
    """The same as a page."""
    document = _document(_application(), request.script_root).content
    return render_template("reference.html", document=document, tags=_by_tag(document), pretty=_pretty, marked=_marked)


def _application() -> Flask:
    application: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - the documented way to unwrap it
    return application


@lru_cache(maxsize=_ROOTS)
def _document(app: Flask, root: str) -> _Document:
    content = openapi_document(app, root)
    return _Document(content, json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())


def _by_tag(document: dict[str, Any]) -> dict[str, list[tuple[str, str, dict[str, Any]]]]:
    """(method, path, operation) of every operation, by what it is about."""
    tags: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            tags.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    return tags


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _marked(text: str | None) -> Markup:
    """HTML of a description, which is CommonMark: of that, Recto's own have code alone."""
    parts = _CODE.split(text or "")  # what stands between backticks has the odd places
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts)
    )
