import json
import re

import pytest
from hypothesis import given, settings
from lxml import etree

from recto.ocr.engines.hocr import parse_hocr
from recto.ocr.engines.select import choose_engine
from recto.ocr.layout import quad_of
from recto.ocr.page import Block, Box, Line, Page, Word
from recto.ocr.writers.hocr import write_hocr
from tests.drawing import draw_page
from tests.ocr.writers.made_pages import PAGES, block, line, lines, page, written

X = {"x": "http://www.w3.org/1999/xhtml"}


def parsed(*pages: Page) -> etree._Element:
    return etree.fromstring(written(write_hocr, *pages))


def titles(*pages: Page, kind: str) -> list[str]:
    return [str(node.get("title")) for node in parsed(*pages).iterfind(f".//*[@class='{kind}']")]


def read_back(*pages: Page) -> tuple[Block, ...]:
    """By the parser that reads Tesseract's own hOCR."""
    return parse_hocr(written(write_hocr, *pages).decode("utf-8"))


def test_hocr_of_a_page_that_was_read_reads_back_equal() -> None:
    expected = choose_engine("auto").recognise(draw_page().pixels, 300, ("eng",))
    found = read_back(page(*expected))
    assert [one.box for one in found] == [one.box for one in expected]
    assert [facts(one) for one in lines_of(found)] == [facts(one) for one in lines_of(expected)]
    assert confidences(found) == pytest.approx(confidences(expected), abs=0.005)
    assert baselines(found) == pytest.approx(baselines(expected), abs=0.1)


def lines_of(blocks: tuple[Block, ...]) -> list[Line]:
    return [one for found in blocks for one in found.lines]


def facts(one: Line) -> tuple[object, ...]:
    """All but what hOCR rounds."""
    return one.box, one.quad, one.paragraph, [(word.text, word.box, word.quad) for word in one.words]


def confidences(blocks: tuple[Block, ...]) -> list[float]:
    return [word.confidence for one in lines_of(blocks) for word in one.words]


def baselines(blocks: tuple[Block, ...]) -> list[float]:
    """All coordinates of all baselines in a row; every line has one."""
    ends = [one.baseline for one in lines_of(blocks)]
    assert all(ends)
    return [value for points in ends for point in points or () for value in point]


@settings(deadline=None)  # a busy machine is no fault
@given(PAGES)
def test_hocr_of_any_page_reads_back_with_boxes_in_order(given_page: Page) -> None:
    found = [word.box for one in read_back(given_page) for given in one.lines for word in given.words]
    expected = [word.box for word in given_page.words]
    remaining = iter(expected)
    assert all(box in remaining for box in found)


@settings(deadline=None)  # a busy machine is no fault
@given(PAGES)
def test_hocr_of_any_page_is_xml_with_ids_that_are_used_once(given_page: Page) -> None:
    identifiers = [str(node.get("id")) for node in parsed(given_page).iter() if node.get("id")]
    assert len(identifiers) == len(set(identifiers))


@pytest.mark.parametrize("angle_deg", [90, 180, 270])
def test_hocr_of_turned_text_has_its_angle_and_polygons(angle_deg: int) -> None:
    box = Box(10, 20, 30, 200) if angle_deg != 180 else Box(10, 20, 200, 30)
    turned = Line((Word("up", 0.5, box, quad_of(box, angle_deg)),), box, quad_of(box, angle_deg), 0)
    assert read_back(page(Block((turned,), box))) == (Block((turned,), box),)
    assert "poly " in titles(page(Block((turned,), box)), kind="ocrx_word")[0]


def test_hocr_measures_a_baseline_from_the_lines_bottom_left_corner() -> None:
    box = Box(100, 100, 200, 40)
    given = Line((Word("x", 1.0, box, quad_of(box)),), box, quad_of(box), 0, ((110.0, 131.0), (310.0, 135.0)))
    (title,) = titles(page(block(given)), kind="ocr_line")
    assert title == "bbox 100 100 300 140; baseline 0.0200 -9.2; x_size 40"


def test_hocr_polygon_of_a_word_that_lies_askew_is_in_whole_pixels() -> None:
    quad = ((10.0, 20.6), (30.4, 19.0), (30.4, 29.0), (10.4, 30.1))
    askew = Line((Word("x", 0.5, Box(10, 19, 21, 12), quad),), Box(10, 19, 21, 12), quad, 0)
    assert titles(page(block(askew)), kind="ocrx_word") == [
        "bbox 10 19 31 31; poly 10 21 30 19 30 29 10 30; x_wconf 50"
    ]


def test_hocr_of_an_upright_word_needs_no_polygon() -> None:
    assert titles(page(block(line("word"))), kind="ocrx_word") == ["bbox 100 100 164 132; x_wconf 90"]


def test_hocr_page_says_its_size_number_and_resolution() -> None:
    assert titles(page(number=7), kind="ocr_page") == ["bbox 0 0 2480 3508; ppageno 6; scan_res 300 300"]


def test_hocr_head_has_what_the_specification_requires() -> None:
    root = parsed(page(block(*lines("שלום")), languages=("heb",)))
    metadata = {str(node.get("name")): str(node.get("content")) for node in root.iterfind(".//x:meta[@name]", X)}
    assert metadata["ocr-system"] == "Recto 1.2, tesserocr 5.5.4"
    assert metadata["ocr-langs"] == "he"
    classes = {str(node.get("class")) for node in root.iter("{*}*") if node.get("class")}
    assert classes <= set(metadata["ocr-capabilities"].split())
    assert {"ocrp_poly", "ocrp_lang", "ocrp_dir"} <= set(metadata["ocr-capabilities"].split())


def test_hocr_marks_direction_and_the_one_language() -> None:
    root = parsed(
        page(block(line("שלום עולם")), block(line("left")), languages=("heb",)),
        page(number=2, languages=("deu", "eng")),
    )
    assert [node.get("dir") for node in root.iterfind(".//x:p", X)] == ["rtl", None]
    assert [node.get("lang") for node in root.iterfind(".//x:div[@class='ocr_page']", X)] == ["he", None]


def test_hocr_pages_carry_their_own_facts_in_comments() -> None:
    comments = [str(node.text) for node in parsed(page(number=1), page(number=2)).iter(etree.Comment)]
    found = [json.loads(re.sub(r"^ \w+ ", "", comment)) for comment in comments]
    assert [fact.get("number") for fact in found] == [None, 1, 2]
    assert found[0]["warnings"][0]["detail"] == "Page 3 … <x> -- ]]>"
