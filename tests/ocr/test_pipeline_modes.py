"""Pages that have text already: taken, read anew, or left alone, as `mode` and the text itself ask for."""

from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from fpdf import FPDF
from fpdf.enums import TextMode
from PIL import Image

from recto.errors import PageDamaged
from recto.ocr.document_file import DocumentFile
from recto.ocr.documents import Limits
from recto.ocr.engines.select import choose_engine
from recto.ocr.options import Mode, Options
from recto.ocr.page import Page
from recto.ocr.pipeline import recognise_page
from recto.ocr.reading import Reader
from recto.ocr.writers.json import page_from_json, page_to_json
from tests.drawing import DPI, LINES, draw_page

TYPED = "This sentence is text of the page itself and was typed by its author."
PRINTED = ("A picture shows these printed words", "which are no text of the page")
POINTS_PER_PIXEL = 72 / DPI


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(choose_engine("auto"), Limits(20, 100_000_000), ("eng",))


def pdf_of(path: Path, text: str, picture: tuple[str, ...] = (), *, over_picture: bool = False) -> Path:
    """A page with a typed text, and a picture of printed lines below it or, for an OCR program's invisible text, behind it."""
    pdf = FPDF(unit="pt", format=(595, 420))
    pdf.add_page()
    pdf.set_font("Helvetica", size=11)
    if picture:
        image = Image.fromarray(draw_page(picture).pixels)
        stream = BytesIO()
        image.save(stream, "PNG")
        width, height = (side * POINTS_PER_PIXEL for side in image.size)
        pdf.image(stream, x=0, y=0 if over_picture else 150, w=width, h=height)
    if over_picture:
        pdf.text_mode = TextMode.INVISIBLE
    for row, line in enumerate(text.splitlines()):
        pdf.text(40, 52 + row * 16.5, line)
    pdf.output(str(path))
    return path


def read(path: Path, reader: Reader, mode: Mode = "auto", languages: tuple[str, ...] = ("eng",)) -> Page:
    return recognise_page(DocumentFile(path), 1, Options(mode=mode, languages=languages), reader)


def words(page: Page) -> str:
    return " ".join(word.text for word in page.words)


def shifted(text: str) -> str:
    """Every letter three further on: what a PDF with a wrong character map yields."""
    return "".join(chr(ord(letter) + 3) if letter.isalpha() else letter for letter in text)


def test_text_of_a_page_is_taken_without_being_read(tmp_path: Path, reader: Reader) -> None:
    page = read(pdf_of(tmp_path / "typed.pdf", TYPED), reader)
    assert words(page) == TYPED
    assert page.text_layer == "used"
    assert {block.origin for block in page.blocks} == {"text_layer"}
    assert page.confidence == 1.0
    assert page.traineddata == ()


def test_picture_on_a_page_with_text_is_read_and_the_text_is_not(tmp_path: Path, reader: Reader) -> None:
    page = read(pdf_of(tmp_path / "both.pdf", TYPED, PRINTED), reader)
    assert words(page) == " ".join((TYPED, *PRINTED))
    assert [block.origin for block in page.blocks] == ["text_layer", "recognised"]
    assert [data.language for data in page.traineddata] == ["eng"]
    assert page_from_json(page_to_json(page)) == page


def test_skip_takes_the_text_and_leaves_the_picture(tmp_path: Path, reader: Reader) -> None:
    page = read(pdf_of(tmp_path / "both.pdf", TYPED, PRINTED), reader, "skip")
    assert words(page) == TYPED
    assert page.text_layer == "used"


def test_force_reads_everything_from_the_pixels(tmp_path: Path, reader: Reader) -> None:
    page = read(pdf_of(tmp_path / "both.pdf", TYPED, PRINTED), reader, "force")
    assert words(page) == " ".join((TYPED, *PRINTED))
    assert {block.origin for block in page.blocks} == {"recognised"}
    assert page.text_layer == "ignored"


@pytest.mark.parametrize("mode", ["auto", "force", "skip"])
def test_page_without_text_is_read_in_every_mode(tmp_path: Path, reader: Reader, mode: Mode) -> None:
    page = read(pdf_of(tmp_path / "scan.pdf", "", PRINTED), reader, mode)
    assert words(page) == " ".join(PRINTED)
    assert page.text_layer == "none"


def test_invisible_text_of_another_program_is_taken_and_its_scan_is_not_read(tmp_path: Path, reader: Reader) -> None:
    text = "\n".join(LINES)
    page = read(pdf_of(tmp_path / "ocr.pdf", text, LINES, over_picture=True), reader)
    assert words(page) == " ".join(LINES)
    assert page.text_layer == "used"
    assert {block.origin for block in page.blocks} == {"text_layer"}


@pytest.mark.parametrize("over", [1, len(LINES) // 4])
def test_scan_is_read_where_an_invisible_text_over_it_says_little_of_it(
    tmp_path: Path, reader: Reader, over: int
) -> None:
    page = read(pdf_of(tmp_path / "ocr.pdf", "\n".join(LINES[:over]), LINES, over_picture=True), reader)
    assert {block.origin for block in page.blocks} == {"text_layer", "recognised"}
    for line in LINES[over:]:
        assert line in words(page)
    assert page.text_layer == "used"


def test_layer_over_a_scan_that_cannot_be_decoded_is_taken_and_a_stamp_is_not(tmp_path: Path, reader: Reader) -> None:
    path = pdf_of(tmp_path / "ocr.pdf", "\n".join(LINES), LINES, over_picture=True)
    assert words(read(without_picture_data(path), reader)) == " ".join(LINES)
    stamp = pdf_of(tmp_path / "stamp.pdf", "This is page seven", LINES, over_picture=True)
    with pytest.raises(PageDamaged):
        read(without_picture_data(stamp), reader)


def without_picture_data(path: Path) -> Path:
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        for picture in pdf.pages[0].obj.Resources.XObject.as_dict().values():
            picture.write(b"nothing", filter=pikepdf.Name.FlateDecode)
        pdf.save(path)
    return path


def test_text_that_is_nonsense_is_recognised_as_such_and_the_page_read(tmp_path: Path, reader: Reader) -> None:
    page = read(pdf_of(tmp_path / "wrong.pdf", shifted("\n".join(LINES)), LINES, over_picture=True), reader)
    assert words(page) == " ".join(LINES)
    assert page.text_layer == "garbled"
    assert {block.origin for block in page.blocks} == {"recognised"}


def test_force_says_of_a_layer_that_is_nonsense_that_it_is(tmp_path: Path, reader: Reader) -> None:
    path = pdf_of(tmp_path / "wrong.pdf", shifted("\n".join(LINES)), LINES, over_picture=True)
    assert read(path, reader, "force").text_layer == "garbled"


def test_strange_text_that_is_what_the_page_shows_is_taken(tmp_path: Path, reader: Reader) -> None:
    codes = "XK7TR9 QWZ4PL BVC8MN\nHJ5KDF GT2RWX ZP9QLM\nNB6VCX LK3JHG FD8SAP"
    page = read(pdf_of(tmp_path / "codes.pdf", codes), reader)
    assert words(page) == codes.replace("\n", " ")
    assert page.text_layer == "used"


def test_words_of_text_and_picture_stand_on_the_same_page(tmp_path: Path, reader: Reader) -> None:
    page = read(pdf_of(tmp_path / "both.pdf", TYPED, PRINTED), reader)
    drawn = draw_page(PRINTED)
    top_px = 150 / POINTS_PER_PIXEL * page.dpi / DPI
    for word, truth in zip(page.blocks[1].lines[0].words, drawn.words, strict=False):
        left, top = truth.quad[0]
        assert word.quad[0] == pytest.approx((left * page.dpi / DPI, top_px + top * page.dpi / DPI), abs=3)


def test_languages_of_a_text_layer_are_found_out_without_reading(tmp_path: Path, reader: Reader) -> None:
    german = "Der Zug nach Hamburg wartet noch auf verspätete Reisende, und niemand weiß, wann er endlich abfährt."
    page = read(pdf_of(tmp_path / "german.pdf", german), reader, languages=("auto",))
    assert page.languages == ("deu",)


def test_languages_of_a_scan_are_found_out_and_named(tmp_path: Path, reader: Reader) -> None:
    page = read(pdf_of(tmp_path / "scan.pdf", "", LINES), reader, languages=("auto",))
    assert page.languages == ("eng",)
    assert "language" in [step.name for step in page.preprocessing]
    assert words(page) == " ".join(LINES)
