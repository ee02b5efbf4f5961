"""An example of a value that a schema describes, from the examples that its parts name."""

from typing import Any, Final

from recto.web.openapi.described import Schema

_PLAIN: Final[dict[str, Any]] = {"string": "…", "integer": 1, "number": 1.0, "boolean": True, "null": None}


def example(schema: Schema, components: dict[str, Schema]) -> Any:
    """The first that is named; else put together from the parts. Of alternatives the first: a value rather than null."""
    for word in ("examples", "enum"):
        if word in schema:
            return schema[word][0]
    for word in ("const", "default"):
        if word in schema:
            return schema[word]
    if "$ref" in schema:
        return example(components[schema["$ref"].rpartition("/")[2]], components)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return example(schema[word][0], components)
    return _of_type(schema, components)


def _of_type(schema: Schema, components: dict[str, Schema]) -> Any:
    kinds = schema["type"]
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "object":
        return {name: example(part, components) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return _array(schema, components)
    return _PLAIN[kind]


def _array(schema: Schema, components: dict[str, Schema]) -> list[Any]:
    if "prefixItems" in schema:
        return [example(part, components) for part in schema["prefixItems"]]
    return [example(schema["items"], components)] * max(1, schema.get("minItems", 1))
