"""The schema of JSON results as components of the OpenAPI document. The file is read as data: the Backend imports no writers."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from recto.web.openapi.described import Schema

_FILE: Final = Path(__file__).resolve().parents[2] / "ocr" / "writers" / "result.schema.json"
_DEFINITIONS: Final = "#/$defs/"


def result_components(prefix: str) -> dict[str, Schema]:
    """By name: Result, and ResultPage to ResultPoint. References begin with `prefix`."""
    whole = _read()
    parts = {_name(name): schema for name, schema in whole["$defs"].items()}
    parts["Result"] = {name: value for name, value in whole.items() if name not in ("$schema", "$defs")}
    # A generator of clients would name its types by these titles, which are for people.
    return {name: _referring({**schema, "title": name}, prefix) for name, schema in parts.items()}


@cache
def _read() -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return whole


def _name(definition: str) -> str:
    return f"Result{definition.capitalize()}"


def _referring(value: Any, prefix: str) -> Any:
    if isinstance(value, list):
        return [_referring(one, prefix) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: prefix + _name(one.removeprefix(_DEFINITIONS)) if key == "$ref" else _referring(one, prefix)
        for key, one in value.items()
    }
