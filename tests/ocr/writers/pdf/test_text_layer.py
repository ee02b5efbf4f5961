"""Where the invisible text lies, and what PDF readers make of it."""

import io
import math
import re
import unicodedata
from pathlib import Path

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pikepdf import Array, Name

from recto.ocr.document_file import DocumentFile
from recto.ocr.page import Line, Page, Quad
from recto.ocr.pdf.pdf_files import render_page
from recto.ocr.writers.pdf.page_space import displayed_box, pixels_to_user_space
from recto.ocr.writers.pdf.text_direction import visual_order
from tests.drawing import DPI, LINES, draw_page, save_pdf
from tests.ocr.writers.pdf.samples import (
    innermost_actual_text,
    line_of,
    page_of,
    pdfium_selected_text,
    pdfium_text,
    pdfium_word_centres,
    plumber_words,
    poppler_text,
    recognised,
    rendered,
    same_look,
    upright,
    written,
)

WORDS = [word for line in LINES for word in line.split()]
NEAR_PX = 6  # 1.4 points at 300 dpi


def blank_pdf(path: Path, width_pt: float = 600, height_pt: float = 400) -> Path:
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(width_pt, height_pt))
    pdf.save(path)
    return path


def text_page(*lines: list[tuple[str, Quad]]) -> Page:
    """Words on a page of 600 x 400 points at 144 dpi."""
    return page_of([line_of(words) for words in lines], 1200, 800, dpi=144)


def laid_out(texts: list[str], top: float, *, right_to_left: bool = False, gap: float = 16) -> list[tuple[str, Quad]]:
    """Words in a row, each as wide as it has characters, in logical order."""
    words: list[tuple[str, Quad]] = []
    x: float = 1100 if right_to_left else 100
    for text in texts:
        width = 20 * len(text)
        left = x - width if right_to_left else x
        words.append((text, upright(left, top, left + width, top + 40)))
        x = left - gap if right_to_left else left + width + gap
    return words


def centres(page: Page) -> list[tuple[float, float]]:
    """Of each word's length: heights are those of the line."""
    return [(sum(x for x, _ in word.quad) / 4, sum(y for _, y in word.quad) / 4) for word in page.words]


@pytest.mark.parametrize("skew_deg", [0.0, 0.7, -2.0, 5.0, -9.0])
def test_layer_of_a_skewed_page_lies_on_its_words(tmp_path: Path, skew_deg: float) -> None:
    drawn = draw_page(skew_deg=skew_deg)
    page = recognised(drawn, LINES)
    pdf = written([page], save_pdf(tmp_path / "scan.pdf", [drawn.pixels]))
    found = pdfium_word_centres(pdf, WORDS, (page.width_px, page.height_px))
    cosine, sine = math.cos(math.radians(-skew_deg)), math.sin(math.radians(-skew_deg))
    for (x, y), (true_x, true_y) in zip(found, centres(page), strict=True):
        along = (x - true_x) * cosine + (y - true_y) * sine
        across = (y - true_y) * cosine - (x - true_x) * sine
        assert abs(along) < NEAR_PX
        assert abs(across) < 16  # a line is as high as its highest letters: "on" has its middle below


@pytest.mark.parametrize("skew_deg", [0.0, 1.0, 3.0, -5.0])
def test_layer_of_a_skewed_page_is_read_in_order(tmp_path: Path, skew_deg: float) -> None:
    drawn = draw_page(skew_deg=skew_deg)
    pdf = written([recognised(drawn, LINES)], save_pdf(tmp_path / "scan.pdf", [drawn.pixels]))
    assert poppler_text(pdf, tmp_path).split("\n\n")[0].splitlines() == list(LINES)
    assert [line.rstrip() for line in pdfium_text(pdf).splitlines() if line.strip()] == list(LINES)
    assert [word[0] for word in plumber_words(pdf)] == WORDS


def test_innermost_actual_text_of_a_skewed_line_is_that_of_its_words(tmp_path: Path) -> None:
    drawn = draw_page(skew_deg=3)
    pdf = written([recognised(drawn, LINES)], save_pdf(tmp_path / "scan.pdf", [drawn.pixels]))
    # Lines end without a space: the line, or the space that parts two of them, does.
    assert innermost_actual_text(pdf) == "".join(LINES)


def turned(page: Page, turn: int) -> Page:
    """The page turned clockwise by so many degrees."""
    width, height = page.width_px, page.height_px

    def moved(quad: Quad) -> Quad:
        one, two, three, four = (
            {0: (x, y), 90: (height - y, x), 180: (width - x, height - y), 270: (y, width - x)}[turn] for x, y in quad
        )
        return one, two, three, four

    lines = [line_of([(word.text, moved(word.quad)) for word in line.words]) for line in page.blocks[0].lines]
    return page_of(lines, *((height, width) if turn % 180 else (width, height)))


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_text_that_runs_in_any_direction_keeps_its_order_and_its_gaps(tmp_path: Path, turn: int, rotate: int) -> None:
    page = turned(recognised(draw_page(), LINES), turn)
    sides = [page.width_px * 72 / DPI, page.height_px * 72 / DPI]
    path = blank_pdf(tmp_path / "blank.pdf", *(reversed(sides) if rotate % 180 else sides))
    with pikepdf.open(path, allow_overwriting_input=True) as opened:
        opened.pages[0].obj.Rotate = rotate
        opened.save(path)
    pdf = written([page], path)
    assert pdfium_selected_text(pdf).split() == WORDS
    assert sorted(poppler_text(pdf, tmp_path).split()) == sorted(WORDS)
    found = pdfium_word_centres(pdf, WORDS, (page.width_px, page.height_px))
    for (x, y), (true_x, true_y) in zip(found, centres(page), strict=True):
        along, across = (x - true_x, y - true_y) if turn % 180 == 0 else (y - true_y, x - true_x)
        assert abs(along) < NEAR_PX
        assert abs(across) < 16


@pytest.mark.parametrize("turn", [90, 270])
def test_lines_that_run_up_or_down_do_not_join_over_their_ends(tmp_path: Path, turn: int) -> None:
    rows = [["Lines", "that"], ["begin", "level", "and"], ["end", "here"], ["or", "there", "or", "elsewhere"]]
    page = turned(text_page(*(laid_out(words, 100 + 80 * n) for n, words in enumerate(rows))), turn)
    pdf = written([page], blank_pdf(tmp_path / "blank.pdf", 400, 600))
    assert pdfium_selected_text(pdf).split() == [word for words in rows for word in words]


def test_words_boxes_are_those_of_the_quads(tmp_path: Path) -> None:
    drawn = draw_page()
    page = recognised(drawn, LINES)
    pdf = written([page], save_pdf(tmp_path / "scan.pdf", [drawn.pixels]))
    points = 72 / 300
    for (text, left, top, right, bottom), word in zip(plumber_words(pdf), page.words, strict=True):
        assert text == word.text
        assert left == pytest.approx(word.quad[0][0] * points, abs=0.5)
        assert right == pytest.approx(word.quad[1][0] * points, abs=0.5)
        assert top <= word.quad[0][1] * points + 0.5
        assert bottom >= word.quad[3][1] * points - 0.5
        assert bottom - top < 14


def test_words_of_a_line_share_its_edges_so_that_readers_find_it(tmp_path: Path) -> None:
    drawn = draw_page()
    pdf = written([recognised(drawn, LINES)], save_pdf(tmp_path / "scan.pdf", [drawn.pixels]))
    edges = {(round(top, 1), round(bottom, 1)) for _, _, top, _, bottom in plumber_words(pdf)}
    assert len(edges) == len(LINES)


def test_words_of_a_curved_line_keep_their_own_heights(tmp_path: Path) -> None:
    steps = [(f"word{n}", upright(100 + 150 * n, 100 + 30 * n, 230 + 150 * n, 140 + 30 * n)) for n in range(5)]
    pdf = written([text_page(steps)], blank_pdf(tmp_path / "blank.pdf"))
    for (_, _, top, _, bottom), (_, quad) in zip(plumber_words(pdf), steps, strict=True):
        assert top == pytest.approx(quad[0][1] / 2, abs=0.5)
        assert bottom == pytest.approx(quad[2][1] / 2, abs=0.5)
    assert poppler_text(pdf, tmp_path).split() == [text for text, _ in steps]


@pytest.mark.parametrize("turn", [0, 90, 180, 270, -90])
@pytest.mark.parametrize("box", [None, (50, 70, 450, 270)])
def test_layer_follows_the_turn_and_the_boxes_of_the_page(
    tmp_path: Path, turn: int, box: tuple[int, int, int, int] | None
) -> None:
    path = tmp_path / "page.pdf"
    with pikepdf.new() as made:
        page = made.add_blank_page(page_size=(600, 400))
        page.obj.MediaBox = Array([-20, 30, 580, 430])
        if box:
            page.obj.CropBox = Array(box)
        page.obj.Rotate = turn
        page.obj.UserUnit = 2
        page.obj.Contents = made.make_stream(b"0 0 1 rg 100 150 60 20 re f")
        made.save(path)
    image = render_page(DocumentFile(path), 1, 100_000_000)
    height, width = image.pixels.shape
    ys, xs = (image.pixels < 200).nonzero()
    mark = upright(xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
    # The mark's long side is the reading direction; its top is up in the page's own space.
    first = {0: 0, 90: 1, 180: 2, 270: 3}[turn % 360]
    quad = tuple(mark[(first + corner) % 4] for corner in range(4))
    assert len(quad) == 4
    pdf = written([page_of([line_of([("mark", quad)])], width, height, dpi=image.dpi or 300)], path)
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        content = opened.pages[0].Contents[0].read_bytes().decode("latin-1")
    a, b, c, d, x, y = map(float, re.search(r"(\S+) (\S+) (\S+) (\S+) (\S+) (\S+) Tm", content).groups())  # type: ignore[union-attr]
    assert (a, b, c, d) == pytest.approx((1, 0, 0, 1), abs=0.01)
    assert (x, y) == pytest.approx((100, 150), abs=0.6)
    assert same_look(path.read_bytes(), pdf)


@pytest.mark.parametrize(
    ("lines", "right_to_left"),
    [
        ([["Hyphen-ated", "words,", "and", "(brackets)."], ["A", "second", "line!"]], False),
        ([["Größe", "naïve", "Łódź", "Žižek"], ["ﬁne", "ﬂow", "œuvre", "æsthetic"]], False),
        ([["Ελληνικά", "και", "русский", "текст"]], False),
        ([["e\u0301te\u0301", "a\u0308rger", "n\u0303"]], False),
        ([["𝕏𝔸", "𐍈𐍉", "x"]], False),
        ([["你好世界", "再见"], ["東京都", "日本語テキスト"], ["한국어", "문장"]], False),
        ([["שלום", "עולם"], ["מה", "שלומך", "היום"]], True),
        ([["السلام", "عليكم"], ["مرحبا", "بالعالم", "لا"]], True),
        ([["مُحَمَّد", "رَسُول"]], True),
    ],
)
def test_text_of_every_script_comes_back_in_reading_order(
    tmp_path: Path, lines: list[list[str]], right_to_left: bool
) -> None:
    page = text_page(*(laid_out(words, 100 + 60 * n, right_to_left=right_to_left) for n, words in enumerate(lines)))
    pdf = written([page], blank_pdf(tmp_path / "blank.pdf"))
    expected = [" ".join(words) for words in lines]
    assert poppler_text(pdf, tmp_path).strip("\n\f").splitlines() == expected
    # PDFium takes ligatures that are one character apart.
    apart = str.maketrans({"ﬁ": "fi", "ﬂ": "fl"})
    found = [unicodedata.normalize("NFC", line.rstrip()) for line in pdfium_text(pdf).splitlines()]
    assert found == [unicodedata.normalize("NFC", line.translate(apart)) for line in expected]


@pytest.mark.parametrize(
    ("words", "right_to_left"),
    [
        (["हिन्दी", "में"], False),
        (["ที่นี่", "น้ำ"], False),
        (["cafe\u0301s", "n\u0303"], False),
        (["שָׁלוֹם", "עוֹלָם"], True),
        (["حَبيبي", "مُحَمَّد"], True),
    ],
)
def test_marks_on_letters_are_selected_with_them(tmp_path: Path, words: list[str], right_to_left: bool) -> None:
    pdf = written([text_page(laid_out(words, 100, right_to_left=right_to_left))], blank_pdf(tmp_path / "blank.pdf"))
    selected = unicodedata.normalize("NFC", pdfium_selected_text(pdf).strip())
    assert selected == unicodedata.normalize("NFC", " ".join(words))


def test_words_from_both_directions_come_back_in_order_from_pdfium(tmp_path: Path) -> None:
    logical = ["שלום", "123", "עולם", "abc"]
    pdf = written([text_page(laid_out(logical, 100, right_to_left=True))], blank_pdf(tmp_path / "blank.pdf"))
    assert pdfium_text(pdf).strip() == " ".join(logical)


def test_words_that_nearly_touch_are_still_two(tmp_path: Path) -> None:
    page = text_page(laid_out(["one", "two", "three"], 100, gap=1), laid_out(["four", "five"], 160, gap=-4))
    pdf = written([page], blank_pdf(tmp_path / "blank.pdf"))
    assert poppler_text(pdf, tmp_path).split() == ["one", "two", "three", "four", "five"]
    assert pdfium_text(pdf).split() == ["one", "two", "three", "four", "five"]


def test_phrase_is_found_across_a_word_gap(tmp_path: Path) -> None:
    import pypdfium2

    drawn = draw_page(skew_deg=2)
    pdf = written([recognised(drawn, LINES)], save_pdf(tmp_path / "scan.pdf", [drawn.pixels]))
    text = pypdfium2.PdfDocument(pdf)[0].get_textpage()
    assert text.search("brown fox jumps").get_next() is not None


def test_words_without_extent_do_not_stop_the_page(tmp_path: Path) -> None:
    point: Quad = ((50, 50), (50, 50), (50, 50), (50, 50))
    pdf = written([text_page([("dot", point)], laid_out(["fine"], 100))], blank_pdf(tmp_path / "blank.pdf"))
    assert "fine" in pdfium_text(pdf)


def test_layer_of_a_page_without_words_adds_nothing(tmp_path: Path) -> None:
    pdf = written([text_page()], blank_pdf(tmp_path / "blank.pdf"))
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert "/Font" not in opened.pages[0].obj.get(Name.Resources, {})


def test_layer_is_invisible(tmp_path: Path) -> None:
    path = blank_pdf(tmp_path / "blank.pdf")
    pdf = written([text_page(laid_out(["nothing", "to", "see"], 100))], path)
    assert rendered(pdf, 3.0)[0].min() == 255


def test_visual_order_turns_only_what_is_written_from_the_right() -> None:
    assert visual_order("שלום") == "םולש"
    assert visual_order("abc") == "abc"
    assert visual_order("é") == "é"


@given(
    turn=st.sampled_from([0, 90, 180, 270]),
    box=st.tuples(st.floats(-500, 500), st.floats(-500, 500), st.floats(1, 2000), st.floats(1, 2000)),
    at=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_pixels_of_the_page_map_into_its_box(
    turn: int, box: tuple[float, float, float, float], at: tuple[float, float]
) -> None:
    pdf = pikepdf.new()
    page = pdf.add_blank_page(page_size=(100, 100))
    left, bottom, width, height = box
    page.obj.MediaBox = Array([left + width, bottom + height, left, bottom])  # corners may come in any order
    page.obj.Rotate = turn
    a, b, c, d, e, f = pixels_to_user_space(page, 400, 300).shorthand
    x_px, y_px = at[0] * 400, at[1] * 300
    x, y = a * x_px + c * y_px + e, b * x_px + d * y_px + f
    shown = displayed_box(page)
    assert shown.llx - 1e-2 <= x <= shown.urx + 1e-2
    assert shown.lly - 1e-2 <= y <= shown.ury + 1e-2
    # Neither mirrored nor turned against the display: right and down stay on that side of each other.
    assert a * d - b * c < 0


def test_line_of_helpers_is_as_long_as_its_words() -> None:
    line: Line = line_of(laid_out(["one", "two"], 100))
    assert line.quad[0] == pytest.approx((100, 100))
    assert line.quad[2] == pytest.approx((236, 140))
