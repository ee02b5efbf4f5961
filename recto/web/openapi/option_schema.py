"""The options as they are sent, a string each, in JSON Schema: for `/options`, and for the OpenAPI document's forms and queries.

The patterns take an empty string as well: a field that a form leaves empty is as one that is left out.
"""

from collections.abc import Collection
from copy import deepcopy
from functools import cache
from typing import Any, Final, get_args

from annotated_types import MaxLen

from recto.durations import PATTERN
from recto.ocr.options import AS_MEASURED, AUTO_LANGUAGE, NO_STEP, PREPROCESSING_STEPS, Options, ResultFormat
from recto.outbound.guard import MOST_URL_CHARACTERS
from recto.records.job_details import MOST_TAG_CHARACTERS, MOST_TAGS
from recto.records.retention import FOR_EVER

_LANGUAGE: Final = r"[A-Za-z][A-Za-z0-9_]{1,31}(/[A-Za-z][A-Za-z0-9_]{1,31})?"
_PAGES: Final = (
    r"^\s*((end|[1-9][0-9]*(\s*-\s*([1-9][0-9]*|end)?)?)(\s*,\s*(end|[1-9][0-9]*(\s*-\s*([1-9][0-9]*|end)?)?))*)?\s*$"
)
_STEPS: Final = (AS_MEASURED, NO_STEP, *(f"{prefix}{name}" for name in PREPROCESSING_STEPS for prefix in ("", "no-")))
_SCHEMA: Final = "https://json-schema.org/draft/2020-12/schema"

TAGS_SCHEMA: Final[dict[str, Any]] = {
    "type": "array",
    "items": {"type": "string", "maxLength": MOST_TAG_CHARACTERS, "examples": ["invoice"]},
    "maxItems": MOST_TAGS,
}
BESIDE_READING: Final[dict[str, dict[str, Any]]] = {
    "dedupe": {
        "type": "string",
        "enum": ["true", "false", ""],
        "default": "true",
        "description": "Whether a result that you have of the same document with the same options may answer at once",
    },
    "retention": {
        "type": "string",
        "pattern": f"^({PATTERN}|{FOR_EVER})?$",
        "description": "How long the job is kept after its end, such as 36h or 30d, or forever; longer than this Recto allows is cut to that",
        "examples": ["30d"],
    },
    "tag": {**TAGS_SCHEMA, "description": "A word to find the job by; several, each in a field of its own"},
    "webhook": {
        "type": "string",
        "pattern": "^(https?://.+)?$",
        "maxLength": MOST_URL_CHARACTERS,
        "examples": ["https://hooks.example.com/recto"],
        "description": "Where to tell of the job's end, instead of at the address of your webhook",
    },
    "document_url": {
        "type": "string",
        "pattern": "^(https?://.+)?$",
        "maxLength": MOST_URL_CHARACTERS,
        "examples": ["https://files.example.com/letter.pdf"],
        "description": "Where the document lies, instead of the document; off unless `outbound.document_urls` is set",
    },
    "upload": {
        "type": "string",
        "pattern": "^([0-9a-f]{32})?$",
        "examples": ["5f0c8b6e1d2a4c3f9b7e6d5c4b3a2f10"],
        "description": "An `upload_id` of `POST /api/v1/uploads`: what was put into the store under it is the document",
    },
}
"""Options that say nothing of how a document is read."""
MOST_LANGUAGES: Final = next(
    rule.max_length for rule in Options.model_fields["languages"].metadata if isinstance(rule, MaxLen)
)


def options_schema(languages: Collection[str], default_languages: str) -> dict[str, Any]:
    """The whole, with the languages that are installed, where that is known."""
    properties = option_properties()
    properties["languages"] |= {"pattern": _languages_pattern(languages), "default": default_languages}
    return {
        "$schema": _SCHEMA,
        "title": "Options of a job",
        "description": "Send each as a form field, or in the query; the password as a form field only. Empty is as left out.",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


def option_properties() -> dict[str, Any]:
    """Schemas by the names of the options. A new copy each time."""
    return deepcopy(_properties() | BESIDE_READING)


@cache
def _properties() -> dict[str, Any]:
    properties: dict[str, Any] = Options.model_json_schema(mode="serialization")["properties"]
    sent = {name: _as_sent(schema) for name, schema in properties.items()}
    sent["languages"] |= {"pattern": _languages_pattern(())}
    sent["pages"] |= {"pattern": _PAGES}
    sent["preprocess"] |= {"pattern": _joined(_STEPS), "default": AS_MEASURED}
    sent["formats"] |= {"pattern": _joined(get_args(ResultFormat)), "default": "+".join(_default_formats())}
    return sent


def _as_sent(schema: dict[str, Any]) -> dict[str, Any]:
    """What may be null in JSON is left out where it is sent as a form."""
    alternatives = schema.pop("anyOf", [])
    given: dict[str, Any] = next((one for one in alternatives if one["type"] != "null"), {})
    return {name: value for name, value in (schema | given).items() if (name, value) != ("default", None)}


def _default_formats() -> tuple[str, ...]:
    formats: tuple[str, ...] = Options.model_fields["formats"].default
    return formats


def _languages_pattern(installed: Collection[str]) -> str:
    """`auto` stands alone."""
    name = "|".join(map(_exactly, installed)) or _LANGUAGE
    several = rf"({name})([+, ]+({name})){{0,{MOST_LANGUAGES - 1}}}"
    return rf"^({AUTO_LANGUAGE}|(?!(.*[+, ])?{AUTO_LANGUAGE}([+, ]|$)){several})?$"


def _joined(names: Collection[str]) -> str:
    name = "|".join(map(_exactly, names))
    return rf"^(({name})([+, ]+({name}))*)?$"


def _exactly(name: str) -> str:
    """JavaScript takes fewer escapes than `re.escape` makes."""
    return name.replace(".", r"\.")


def options_component() -> dict[str, Any]:
    """What describes the schema itself, in the OpenAPI document: an object whose example it is."""
    return {"type": "object", "description": "A JSON Schema", "examples": [options_schema(("deu", "eng"), "eng")]}
