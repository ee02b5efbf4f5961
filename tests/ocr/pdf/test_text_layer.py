"""The text of PDF pages that were written by hand: what comes out, and where it stands on the rendered page."""

import math
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from numpy.typing import NDArray
from pikepdf import Dictionary, Name

from recto.errors import PageNotInDocument
from recto.ocr.page import Box, Word
from recto.ocr.pdf.pdf_files import render_page
from recto.ocr.pdf.text_layer import TextLayer, read_text_layer
from tests.drawing import LINES
from tests.ocr.pdf.pdf_pages import HEIGHT_PT, add_annotation, page_of, saved, text

PAGE_PX = 50_000_000
PX_PER_PT = 300 / 72


def layer_of(pdf: pikepdf.Pdf, tmp_path: Path) -> TextLayer:
    layer = read_text_layer(saved(pdf, tmp_path / "page.pdf"), 1, PAGE_PX)
    assert layer is not None
    return layer


def lines_of(layer: TextLayer) -> list[str]:
    return [line.text for block in layer.blocks for line in block.lines]


def words_of(layer: TextLayer) -> list[Word]:
    return [word for block in layer.blocks for line in block.lines for word in line.words]


def read(content: str, tmp_path: Path, letters: dict[str, str] | None = None) -> list[str]:
    return lines_of(layer_of(page_of(content, letters), tmp_path))


def scattered(angle_deg: float) -> str:
    """Words that stand far apart, each turned by that angle about its own start."""
    cosine, sine = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    texts = ["Quick", "brown", "Fxj", "jumps", "Over", "lazy", "gpqy", "Thorn", "river", "HOME", "walks", "along"]
    return "".join(
        f"BT /F 14 Tf {cosine:.6f} {sine:.6f} {-sine:.6f} {cosine:.6f} {60 + index % 4 * 85} {60 + index // 4 * 90} Tm ({word}) Tj ET\n"
        for index, word in enumerate(texts)
    )


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("angle_deg", [0, 90, 180, 270, 4, 20, 60])
def test_quads_of_words_are_the_bounds_of_their_ink(tmp_path: Path, angle_deg: float, rotate: int) -> None:
    pdf = page_of(scattered(angle_deg))
    pdf.pages[0].obj["/Rotate"] = rotate
    pixels = render_page(saved(pdf, tmp_path / "page.pdf"), 1, PAGE_PX).pixels
    layer = layer_of(pdf, tmp_path)
    assert (layer.height_px, layer.width_px) == pixels.shape
    words = words_of(layer)
    assert len(words) == 12
    off = np.array([_distance_from_ink(word, pixels < 128) for word in words])
    assert np.median(off) <= 1
    assert np.quantile(off, 0.99) <= 3


def _distance_from_ink(word: Word, ink: NDArray[np.bool_]) -> list[float]:
    """How far each side of the quad is from the outermost dark pixel, in pixels."""
    (x, y), (right_x, right_y), _, (low_x, low_y) = word.quad
    width, height = math.hypot(right_x - x, right_y - y), math.hypot(low_x - x, low_y - y)
    rows, columns = np.nonzero(ink)
    dx, dy = (right_x - x) / width, (right_y - y) / width
    us = (columns + 0.5 - x) * dx + (rows + 0.5 - y) * dy
    vs = (rows + 0.5 - y) * dx - (columns + 0.5 - x) * dy
    near = (us > -12) & (us < width + 12) & (vs > -12) & (vs < height + 12)
    return [abs(us[near].min()), abs(us[near].max() - width), abs(vs[near].min()), abs(vs[near].max() - height)]


@pytest.mark.parametrize("box", ["CropBox", "MediaBox"])
def test_text_of_a_cropped_page_stands_where_it_is_rendered(tmp_path: Path, box: str) -> None:
    pdf = page_of(text(150, 120, "Here") + text(20, 20, "Outside") + text(52, 290, "Above"))
    pdf.pages[0].obj["/" + box] = pikepdf.Array([50, 100, 350, 280])
    layer = layer_of(pdf, tmp_path)
    assert lines_of(layer) == ["Here"]
    box_of_word = words_of(layer)[0].box
    assert box_of_word.left == pytest.approx(100 * PX_PER_PT, abs=6)
    assert box_of_word.top + box_of_word.height == pytest.approx(160 * PX_PER_PT, abs=2)


def test_text_comes_as_lines_of_paragraphs_with_baselines(tmp_path: Path) -> None:
    content = "".join(text(40, 260 - 15 * row - 10 * (row > 3), line, 11) for row, line in enumerate(LINES))
    layer = layer_of(page_of(content), tmp_path)
    [block] = layer.blocks
    assert [line.text for line in block.lines] == list(LINES)
    assert [line.paragraph for line in block.lines] == [0] * 4 + [1] * 4
    assert block.origin == "text_layer"
    assert {word.confidence for word in words_of(layer)} == {1.0}
    baseline = block.lines[0].baseline
    assert baseline is not None
    assert baseline[0][1] == pytest.approx((HEIGHT_PT - 260) * PX_PER_PT, abs=0.5)
    assert not layer.is_invisible
    assert layer.unmapped_share == 0


def test_text_of_a_turned_page_reads_as_its_reader_sees_it(tmp_path: Path) -> None:
    pdf = page_of("BT /F 12 Tf 0 1 -1 0 100 50 Tm (First line) Tj 0 -15 Td (second line) Tj ET")
    pdf.pages[0].obj["/Rotate"] = 90
    layer = layer_of(pdf, tmp_path)
    assert lines_of(layer) == ["First line", "second line"]
    assert words_of(layer)[0].quad[0][0] < words_of(layer)[0].quad[1][0]


def test_hyphen_at_the_end_of_a_line_stays(tmp_path: Path) -> None:
    assert read(text(20, 200, "a long hyphen-") + text(20, 185, "ated line"), tmp_path) == [
        "a long hyphen-",
        "ated line",
    ]


def test_ligatures_marks_and_signs_without_ink_become_plain_letters(tmp_path: Path) -> None:
    letters = {"A": "\ufb03", "B": "e", "C": "\u0301", "'": "\u200b", "E": "fl", "F": "\U0001d400"}
    assert read(text(20, 200, "oAce BC a'b Eow F"), tmp_path, letters) == ["office \u00e9 ab flow \U0001d400"]


HEBREW = {"A": "\u05d0", "B": "\u05d1", "C": "\u05d2", "D": "\u05d3", "L": "\u05dc\u05d0"}


@pytest.mark.parametrize(
    ("drawn", "spoken"),
    [
        ("DCBA BA", "\u05d0\u05d1 \u05d0\u05d1\u05d2\u05d3"),
        ("BA 42 CD", "\u05d3\u05d2 42 \u05d0\u05d1"),
        ("ABCD it is DCBA", "\u05d0\u05d1\u05d2\u05d3 it is \u05d3\u05d2\u05d1\u05d0"),
        ("one BA CD two", "one \u05d3\u05d2 \u05d0\u05d1 two"),
        ("BLA", "\u05d0\u05dc\u05d0\u05d1"),
    ],
)
def test_text_from_right_to_left_comes_as_it_is_spoken(tmp_path: Path, drawn: str, spoken: str) -> None:
    assert read(text(20, 200, drawn), tmp_path, HEBREW) == [spoken]


def test_text_from_right_to_left_may_be_drawn_in_any_order(tmp_path: Path) -> None:
    letter_by_letter = text(50, 200, "A") + text(42, 200, "B") + text(34, 200, "C")
    assert read(letter_by_letter, tmp_path, HEBREW) == ["\u05d0\u05d1\u05d2"]


def test_bold_that_is_drawn_twice_counts_once(tmp_path: Path) -> None:
    content = text(20, 200, "Bold words") + text(20, 150, "other line") + text(20.4, 200, "Bold words")
    assert read(content, tmp_path) == ["Bold words", "other line"]


def test_text_that_nobody_can_see_is_not_on_the_page(tmp_path: Path) -> None:
    hidden = [
        text(500, 100, "beside"),
        text(20, 100, "nothing", 0.001),
        "q 0 0 10 10 re W n " + text(100, 100, "clipped") + "Q ",
    ]
    assert read(text(20, 200, "seen") + "".join(hidden), tmp_path) == ["seen"]


def test_text_within_a_form_is_clipped_where_the_form_is(tmp_path: Path) -> None:
    pdf = page_of(text(20, 250, "page") + "q 1 0 0 1 100 0 cm /X Do Q")
    page = pdf.pages[0].obj
    page.Resources.XObject.X = pdf.make_stream(
        (text(20, 200, "inside") + text(20, 20, "cut")).encode(), Type=Name.XObject, Subtype=Name.Form,
        BBox=pikepdf.Array([0, 100, 200, 300]), Resources=page.Resources,
    )  # fmt: skip
    assert lines_of(layer_of(pdf, tmp_path)) == ["page", "inside"]


@pytest.mark.parametrize("content", ["", "0 g 20 20 50 50 re f", text(500, 500, "beside")])
def test_page_without_text_has_no_layer(tmp_path: Path, content: str) -> None:
    assert read_text_layer(saved(page_of(content), tmp_path / "page.pdf"), 1, PAGE_PX) is None


def test_text_of_a_page_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PageNotInDocument):
        read_text_layer(saved(page_of(""), tmp_path / "page.pdf"), 2, PAGE_PX)


def test_characters_without_a_letter_are_counted(tmp_path: Path) -> None:
    letters = {"A": "\ue001", "B": "\ufffd", "C": "\x01"}
    layer = layer_of(page_of(text(20, 200, "ABC abc"), letters), tmp_path)
    assert layer.unmapped_share == 0.5
    assert lines_of(layer) == ["\ufffd\ufffd\ufffd abc"]


SCAN = "q 400 0 0 300 0 0 cm /I Do Q\n"


def test_invisible_text_over_a_scan_is_the_work_of_another_program(tmp_path: Path) -> None:
    layer = layer_of(page_of(SCAN + text(20, 200, "read before", more="3 Tr")), tmp_path)
    assert layer.is_invisible


def test_scan_with_a_stamp_of_visible_text_is_still_to_be_read(tmp_path: Path) -> None:
    layer = layer_of(page_of(SCAN + text(20, 280, "Page 7 of 9")), tmp_path)
    assert not layer.is_invisible
    assert layer.image_boxes == (Box(0, 0, layer.width_px, layer.height_px),)


def test_pictures_are_listed_strips_together_and_small_ones_not_at_all(tmp_path: Path) -> None:
    strips = "".join(f"q 100 0 0 10 50 {50 + 10 * index} cm /I Do Q\n" for index in range(8))
    icon = "q 10 0 0 10 300 20 cm /I Do Q\n"
    other = "q 60 0 0 60 250 50 cm /I Do Q\n"
    layer = layer_of(page_of(text(20, 250, "A page with pictures") + strips + icon + other), tmp_path)
    expected = [(50, 170, 100, 80), (250, 190, 60, 60)]
    found = sorted((box.left, box.top, box.width, box.height) for box in layer.image_boxes)
    assert found == [pytest.approx([side * PX_PER_PT for side in sides], abs=2) for sides in expected]


def test_annotation_with_text_is_to_be_read_from_pixels(tmp_path: Path) -> None:
    pdf = page_of(text(20, 250, "A page with notes"))
    add_annotation(pdf, (100, 100, 200, 130), text(5, 5, "A note"), Subtype=Name.FreeText)
    add_annotation(pdf, (20, 20, 80, 40), "1 0 0 RG 0 0 60 20 re S", Subtype=Name.Square)
    add_annotation(pdf, (220, 20, 280, 40), text(5, 5, "Hidden"), Subtype=Name.FreeText, F=2)
    [box] = layer_of(pdf, tmp_path).image_boxes
    assert (box.left, box.top) == pytest.approx((100 * PX_PER_PT, 170 * PX_PER_PT), abs=1)


def test_form_field_with_a_value_is_to_be_read_from_pixels(tmp_path: Path) -> None:
    pdf = page_of(text(20, 250, "Name:") + text(20, 200, "City:"))
    fields = [
        add_annotation(
            pdf, (80, bottom, 200, bottom + 16), text(2, 4, value) if value else "0 0 1 1 re f", Subtype=Name.Widget,
            FT=Name.Tx, T=pikepdf.String(name), V=pikepdf.String(value), DA=pikepdf.String("/F 12 Tf 0 g"),
        )
        for bottom, name, value in ((245, "name", "Miller"), (195, "city", ""))
    ]  # fmt: skip
    pdf.Root.AcroForm = Dictionary(Fields=pikepdf.Array(fields), DR=pdf.pages[0].obj.Resources)
    [box] = layer_of(pdf, tmp_path).image_boxes
    assert box.top == pytest.approx((HEIGHT_PT - 261) * PX_PER_PT, abs=1)
