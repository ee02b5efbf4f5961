import json
from collections.abc import Iterator
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.ocr.page import SCHEMA_VERSION, Block, Box, Document, Line, Page, PageWarning, Step, Word
from recto.ocr.writers.json import page_from_json, page_to_json, write_json

FINITE = st.floats(allow_nan=False, allow_infinity=False)
POINTS = st.tuples(FINITE, FINITE)
QUADS = st.tuples(POINTS, POINTS, POINTS, POINTS)
BOXES = st.builds(Box, *[st.integers(0, 40_000)] * 4)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
WORDS = st.builds(Word, TEXTS, st.floats(0, 1), BOXES, QUADS)
LINES = st.builds(
    Line,
    words=st.lists(WORDS, max_size=3).map(tuple),
    box=BOXES,
    quad=QUADS,
    paragraph=st.integers(0, 9),
    baseline=st.none() | st.tuples(POINTS, POINTS),
)
BLOCKS = st.builds(Block, st.lists(LINES, max_size=2).map(tuple), BOXES)
STEPS = st.builds(Step, TEXTS, st.dictionaries(TEXTS, FINITE | TEXTS, max_size=2))
PAGES = st.builds(
    Page,
    number=st.integers(1, 10_000),
    width_px=st.integers(1, 32_767),
    height_px=st.integers(1, 32_767),
    dpi=st.floats(1, 2400),
    languages=st.lists(TEXTS, max_size=2).map(tuple),
    engine=TEXTS,
    preprocessing=st.lists(STEPS, max_size=2).map(tuple),
    blocks=st.lists(BLOCKS, max_size=2).map(tuple),
)

BOX = Box(1, 2, 3, 4)
QUAD = ((1.0, 2.0), (4.123456, 2.0), (4.0, 6.0), (1.0, 6.0))
LINE = Line((Word("Ærø", 0.91234567, BOX, QUAD), Word("x", 0.5, BOX, QUAD)), BOX, QUAD, 0, ((1.0, 5.0), (4.0, 5.555)))
PAGE = Page(2, 10, 20, 300.0, ("dan",), "none 1", (Step("deskew", {"angle_deg": 1.8}),), (Block((LINE,), BOX),))
DOCUMENT = Document(3, (PageWarning(1, "page_damaged", "Page 1 …"),), "2026-01-01T00:00:00Z", "Recto 1")


def written(*pages: Page) -> bytes:
    sink = BytesIO()
    write_json(DOCUMENT, iter(pages), sink)
    return sink.getvalue()


def test_json_starts_with_the_document_and_its_schema_version() -> None:
    result = json.loads(written(PAGE))
    assert list(result) == ["schema_version", "page_count", "warnings", "created", "generator", "pages"]
    assert result["schema_version"] == SCHEMA_VERSION
    assert result["warnings"] == [{"page": 1, "code": "page_damaged", "detail": "Page 1 …"}]


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
        "box": {"left": 1, "top": 2, "width": 3, "height": 4},
        "quad": [[1.0, 2.0], [4.12, 2.0], [4.0, 6.0], [1.0, 6.0]],
    }


def test_json_keeps_letters_as_they_are() -> None:
    assert "Ærø".encode() in written(PAGE)


def test_json_of_equal_input_is_equal_bytes() -> None:
    assert written(PAGE, PAGE) == written(PAGE, PAGE)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_of_any_number_of_pages_is_valid(count: int) -> None:
    assert len(json.loads(written(*[PAGE] * count))["pages"]) == count


def test_json_is_written_page_by_page() -> None:
    sink, seen = BytesIO(), []

    def pages() -> Iterator[Page]:
        for _ in range(3):
            seen.append(sink.tell())
            yield PAGE

    write_json(DOCUMENT, pages(), sink)
    assert seen == sorted(set(seen))


@given(PAGES)
def test_checkpoint_of_any_page_reads_back_equal(page: Page) -> None:
    assert page_from_json(page_to_json(page)) == page


@given(PAGES)
def test_json_of_any_page_is_valid_utf_8(page: Page) -> None:
    assert len(json.loads(written(page).decode("utf-8"))["pages"]) == 1


@pytest.mark.parametrize("data", [b"", b"{}", b'{"number": "two"}', b"\xff"])
def test_checkpoint_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="Page"):
        page_from_json(data)
