"""Plain text, UTF-8: a line per line, a blank line between paragraphs, a form feed between pages, as pdftotext has it."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import BinaryIO

from recto.ocr.page import Document, Line, Page

_FORM_FEED = "\f"


def write_text(document: Document, pages: Iterable[Page], sink: BinaryIO) -> None:
    """Only the pages' text; what `document` says has no place in it. A page without text is empty between its form feeds."""
    del document
    for index, page in enumerate(pages):
        text = "\n".join(_paragraphs(page))
        sink.write(((_FORM_FEED if index else "") + text).encode("utf-8"))


def _paragraphs(page: Page) -> Iterator[str]:
    for block in page.blocks:
        for _, lines in groupby(block.lines, key=_paragraph):
            yield "".join(f"{line.text}\n" for line in lines)


def _paragraph(line: Line) -> int:
    return line.paragraph
