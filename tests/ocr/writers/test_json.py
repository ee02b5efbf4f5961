import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

import recto.ocr.writers.json as json_writer
from recto.ocr.page import SCHEMA_VERSION, Block, Box, Document, Line, Page, ResultWarning, Step, Traineddata, Word
from recto.ocr.writers.json import page_from_json, page_to_json, write_json
from tests.ocr.writers import made_pages
from tests.ocr.writers.made_pages import ENCODABLE_PAGES, PAGES

BOX = Box(1, 2, 3, 4)
QUAD = ((1.0, 2.0), (4.123456, 2.0), (4.0, 6.0), (1.0, 6.0))
LINE = Line((Word("Ærø", 0.91234567, BOX, QUAD), Word("x", 0.5, BOX, QUAD)), BOX, QUAD, 0, ((1.0, 5.0), (4.0, 5.555)))
BLOCK = Block((LINE,), BOX, "text_layer")
STEPS = (Step("deskew", {"angle_deg": 1.8}),)
PAGE = Page(2, 10, 20, 300.0, ("dan",), "none 1", STEPS, (BLOCK,), "used", (Traineddata("dan", "ab12"),))
WARNINGS = (ResultWarning(1, "page_damaged", "Page 1 …"), ResultWarning(None, "some_code", "All …"))
DOCUMENT = Document(3, WARNINGS, "2026-01-01T00:00:00Z", "Recto 1", {"languages": "dan", "pages": None})
SCHEMA: dict[str, Any] = json.loads(
    Path(json_writer.__file__).with_name("result.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = Draft202012Validator(SCHEMA)


def written(*pages: Page) -> bytes:
    return made_pages.written(write_json, *pages, document=DOCUMENT)


def objects(value: Any) -> list[dict[str, Any]]:
    """Every object of the result but those whose names are free."""
    if isinstance(value, list):
        return [found for item in value for found in objects(item)]
    if not isinstance(value, dict):
        return []
    return [
        value,
        *(found for key, item in value.items() if key not in ("options", "measured") for found in objects(item)),
    ]


def test_json_starts_with_the_document_and_its_schema_version() -> None:
    result = json.loads(written(PAGE))
    assert list(result) == ["schema_version", "page_count", "warnings", "created", "generator", "options", "pages"]
    assert result["schema_version"] == SCHEMA_VERSION
    assert result["options"] == {"languages": "dan", "pages": None}
    assert result["warnings"] == [
        {"page": 1, "code": "page_damaged", "detail": "Page 1 …"},
        {"page": None, "code": "some_code", "detail": "All …"},
    ]


def test_json_of_a_page_has_words_with_places_and_confidences() -> None:
    (page,) = json.loads(written(PAGE))["pages"]
    assert page["number"] == 2
    assert page["preprocessing"] == [{"name": "deskew", "measured": {"angle_deg": 1.8}}]
    line = page["blocks"][0]["lines"][0]
    assert line["text"] == "Ærø x"
    assert line["baseline"] == [[1.0, 5.0], [4.0, 5.55]] or line["baseline"] == [[1.0, 5.0], [4.0, 5.56]]
    assert line["words"][0] == {
        "text": "Ærø",
        "confidence": 0.9123,
        "in_dictionary": None,
        "box": {"left": 1, "top": 2, "width": 3, "height": 4},
        "quad": [[1.0, 2.0], [4.12, 2.0], [4.0, 6.0], [1.0, 6.0]],
    }


def test_json_of_a_page_says_where_its_text_comes_from() -> None:
    (page,) = json.loads(written(PAGE))["pages"]
    assert page["text_layer"] == "used"
    assert page["traineddata"] == [{"language": "dan", "sha256": "ab12"}]
    assert page["blocks"][0]["origin"] == "text_layer"


def test_json_keeps_letters_as_they_are() -> None:
    assert "Ærø".encode() in written(PAGE)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_of_any_number_of_pages_is_valid(count: int) -> None:
    result = json.loads(written(*[PAGE] * count))
    assert len(result["pages"]) == count
    VALIDATOR.validate(result)


def test_schema_is_one_of_draft_2020_12_and_of_this_version() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["schema_version"]["const"] == SCHEMA_VERSION


@settings(deadline=None)  # a busy machine is no fault
@given(PAGES)
def test_json_of_any_page_is_as_the_schema_says(page: Page) -> None:
    VALIDATOR.validate(json.loads(written(page).decode("utf-8")))


def test_schema_refuses_a_field_that_it_does_not_know_wherever_it_stands() -> None:
    result = json.loads(written(PAGE))
    for place in objects(result):
        place["unknown"] = 1
        assert not VALIDATOR.is_valid(result)
        del place["unknown"]
    VALIDATOR.validate(result)


def test_schema_wants_every_field_that_is_written() -> None:
    result = json.loads(written(PAGE))
    for place in objects(result):
        for name in list(place):
            value = place.pop(name)
            assert not VALIDATOR.is_valid(result), name
            place[name] = value


def test_schema_describes_every_field_with_a_title() -> None:
    fields = [*SCHEMA["properties"].values(), *SCHEMA["$defs"].values()]
    assert all("title" in field for field in fields)
    page_fields = SCHEMA["$defs"]["page"]["properties"].values()
    assert all("title" in field for field in page_fields)


@settings(deadline=None)  # a busy machine is no fault
@given(ENCODABLE_PAGES)
def test_checkpoint_of_any_page_reads_back_equal(page: Page) -> None:
    assert page_from_json(page_to_json(page)) == page


@pytest.mark.parametrize("data", [b"", b"{}", b'{"number": "two"}', b"\xff"])
def test_checkpoint_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="Page"):
        page_from_json(data)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused_and_its_name_in_a_text_is_not(number: float) -> None:
    line = replace(LINE, words=(Word("NaN", 0.5, BOX, QUAD),))
    page = replace(PAGE, blocks=(Block((line,), BOX),))
    assert json.loads(written(page))["pages"][0]["blocks"][0]["lines"][0]["words"][0]["text"] == "NaN"
    with pytest.raises(ValueError, match="not JSON compliant"):
        written(replace(page, preprocessing=(Step("deskew", {"angle_deg": number}),)))
