"""docs/results.md against the formats that there are."""

import json
import re
from pathlib import Path

from recto.ocr.options import RESULT_FORMATS
from recto.ocr.page import SCHEMA_VERSION

DOCUMENT = (Path(__file__).parents[3] / "docs" / "results.md").read_text(encoding="utf-8")
SCHEMA = Path(__file__).parents[3] / "recto" / "ocr" / "writers" / "result.schema.json"


def rows(text: str) -> list[list[str]]:
    return [
        [cell.strip(" `") for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("| `")
    ]


def test_results_document_lists_each_format_with_its_media_type_and_name() -> None:
    formats, _ = DOCUMENT.split("## Text\n")
    assert [tuple(cells[:3]) for cells in rows(formats)] == [
        (name, format_.media_type, format_.suffix) for name, format_ in RESULT_FORMATS.items()
    ]


def test_results_document_says_of_each_format_where_its_provenance_is() -> None:
    _, provenance = DOCUMENT.split("## What a result says of its making\n")
    assert sorted(cells[0] for cells in rows(provenance)) == sorted(RESULT_FORMATS)


def test_results_document_names_the_schema_and_its_version() -> None:
    assert str(SCHEMA.relative_to(Path(__file__).parents[3])) in DOCUMENT
    assert f"`schema_version` is {SCHEMA_VERSION}" in DOCUMENT


def test_results_document_example_has_the_fields_of_the_schema() -> None:
    properties = json.loads(SCHEMA.read_text(encoding="utf-8"))
    example = re.search(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)
    assert example
    parts = [properties, *properties["$defs"].values()]
    names = {name for part in parts for name in part.get("properties", {})}
    assert names == set(re.findall(r'"(\w+)":', example[1])) - {"angle_deg"}
