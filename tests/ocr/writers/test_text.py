from io import BytesIO

from recto.ocr.page import Block, Box, Document, Line, Page, Word
from recto.ocr.writers.text import write_text

DOCUMENT = Document(2, (), "2026-01-01T00:00:00Z", "Recto")
BOX = Box(0, 0, 1, 1)
QUAD = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def line(text: str, paragraph: int = 0) -> Line:
    return Line(tuple(Word(word, 1.0, BOX, QUAD) for word in text.split()), BOX, QUAD, paragraph)


def page(*blocks: tuple[Line, ...]) -> Page:
    return Page(1, 10, 10, 300.0, ("eng",), "none", (), tuple(Block(lines, BOX) for lines in blocks))


def written(*pages: Page) -> str:
    sink = BytesIO()
    write_text(DOCUMENT, iter(pages), sink)
    return sink.getvalue().decode("utf-8")


def test_text_of_paragraphs_and_blocks_has_blank_lines_between() -> None:
    blocks = (line("one two"), line("three"), line("four", 1)), (line("fünf"),)
    assert written(page(*blocks)) == "one two\nthree\n\nfour\n\nfünf\n"


def test_text_of_pages_has_form_feeds_between() -> None:
    assert written(page((line("a"),)), page((line("b"),))) == "a\n\fb\n"


def test_text_of_a_blank_page_keeps_its_place() -> None:
    assert written(page((line("a"),)), page(), page((line("c"),))) == "a\n\f\fc\n"


def test_text_of_no_pages_is_empty() -> None:
    assert written() == ""
