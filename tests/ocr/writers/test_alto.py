from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from recto.ocr.engines.select import choose_engine
from recto.ocr.page import Block, Box, Document, Line, Page, Word
from recto.ocr.writers.alto import write_alto
from tests.drawing import draw_page
from tests.ocr.writers.made_pages import CREATED, DOCUMENT, PAGES, TEXTS, block, line, lines, page, written

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).with_name("alto_as_written.xsd")))
NS = {"a": "http://www.loc.gov/standards/alto/ns-v4#"}


def parsed(*pages: Page, document: Document = DOCUMENT) -> etree._Element:
    """The root of a file that is valid."""
    root = etree.fromstring(written(write_alto, *pages, document=document))
    SCHEMA.assertValid(root)
    return root


def found(root: etree._Element, path: str) -> list[str]:
    values = root.xpath(path, namespaces=NS)
    assert isinstance(values, list)
    return [str(value) for value in values]


@settings(deadline=None)  # a busy machine is no fault
@given(st.lists(PAGES, min_size=1, max_size=2, unique_by=lambda given: given.number), TEXTS)
def test_alto_of_any_pages_is_valid(pages: list[Page], created: str) -> None:
    parsed(*pages, document=Document(2, (), created, created, {created: created}))


def test_alto_of_a_page_that_was_read_is_valid_and_has_its_words() -> None:
    drawn = draw_page(skew_deg=2)
    read = choose_engine("auto").recognise(drawn.pixels, 300, ("eng",))
    root = parsed(page(*read))
    assert found(root, "//a:String/@CONTENT") == [word.text for word in page(*read).words]
    assert len(found(root, "//a:TextLine/@BASELINE")) == len(found(root, "//a:TextLine"))


def test_alto_places_words_in_pixels_with_their_confidence() -> None:
    root = parsed(page(block(line("ab cd"))))
    (first, second) = root.iterfind(".//a:String", NS)
    assert {str(name): str(value) for name, value in first.items()} == {
        "ID": "word_1_1_1_1_1", "CONTENT": "ab", "WC": "0.9000", "HPOS": "100", "VPOS": "100", "WIDTH": "32", "HEIGHT": "32",
    }  # fmt: skip
    assert second.get("HPOS") == "148"
    assert [sorted(space.items()) for space in root.iterfind(".//a:SP", NS)] == [
        [("HPOS", "132"), ("VPOS", "100"), ("WIDTH", "16")]
    ]
    assert found(root, "//a:TextLine/@BASELINE") == ["100 132 180 132"]
    assert found(root, "//a:MeasurementUnit/text()") == ["pixel"]


def test_alto_gives_a_word_that_lies_askew_its_polygon() -> None:
    quad = ((10.0, 20.5), (30.0, 19.0), (30.4, 29.0), (10.4, 30.123))
    askew = Line((Word("x", 1.0, Box(10, 19, 21, 12), quad),), Box(10, 19, 21, 12), quad, 0)
    assert found(parsed(page(block(askew))), "//a:Polygon/@POINTS") == ["10 20.5 30 19 30.4 29 10.4 30.12"]


def test_alto_has_no_space_between_chinese_words() -> None:
    assert not found(parsed(page(block(line("中 文")))), "//a:SP")


def test_alto_says_which_way_text_runs_and_how_it_is_turned() -> None:
    upward = ((0.0, 50.0), (0.0, 0.0), (10.0, 0.0), (10.0, 50.0))
    turned = Line((Word("up", 1.0, Box(0, 0, 10, 50), upward),), Box(0, 0, 10, 50), upward, 0)
    root = parsed(page(block(line("שלום")), block(turned), block(line("left"))))
    assert found(root, "//a:TextBlock/@BASEDIRECTION") == ["rtl"]
    assert [one.get("ROTATION") for one in root.iterfind(".//a:TextBlock", NS)] == [None, "90", None]


def test_alto_has_a_text_block_for_each_paragraph() -> None:
    given = Block((line("one"), line("two", 1, paragraph=1)), Box(0, 0, 900, 900))
    root = parsed(page(given))
    assert found(root, "//a:ComposedBlock/a:TextBlock/@ID") == ["par_1_1_1", "par_1_1_2"]


def test_alto_names_program_engine_time_and_settings() -> None:
    root = parsed(page(block(*lines("one"))))
    assert found(root, "//a:softwareName/text()") == ["Recto", "tesserocr"]
    assert found(root, "//a:softwareVersion/text()") == ["1.2", "5.5.4"]
    assert found(root, "//a:processingDateTime/text()") == [CREATED, CREATED]
    assert "deu+eng" in found(root, "//a:processingStepSettings/text()")[0]


@pytest.mark.parametrize(
    ("languages", "expected"), [(("deu",), ["de"]), (("deu", "eng"), []), (("script/Latin",), ["und-Latn"])]
)
def test_alto_names_the_language_where_there_is_just_one(languages: tuple[str, ...], expected: list[str]) -> None:
    assert found(parsed(page(languages=languages)), "//a:Page/@LANG") == expected
