"""Plain text, UTF-8: a running paragraph on one line, a blank line between paragraphs, a form feed between pages, as pdftotext has it.

What a result says of its making is not in it: it would be taken for the document's own words.
"""

from collections.abc import Iterable
from typing import BinaryIO, Final

from recto.ocr.document_file import DocumentFile
from recto.ocr.page import Document, Page
from recto.ocr.writers.paragraphs import paragraphs_on

_FORM_FEED: Final = "\f"


def write_text(document: Document, pages: Iterable[Page], file: DocumentFile, sink: BinaryIO) -> None:
    """Only the pages' text; what `document` says has no place in it. A page without text is empty between its form feeds."""
    del document, file
    sink.writelines(((_FORM_FEED if index else "") + page_text(page)).encode() for index, page in enumerate(pages))


def searched_text(page: Page) -> str:
    """The paragraphs of one page as people search them: words that were divided at a line's end made whole, as in `result.md`."""
    paragraphs = paragraphs_on(page, whole_words=True)
    return "\n\n".join("\n".join(paragraph.lines) for paragraph in paragraphs)


def page_text(page: Page) -> str:
    """The paragraphs of one page; ends with a line end, and is empty where the page is blank.

    A divided word keeps its hyphen and its line end, as printed: plain text is what transcripts are compared with.
    """
    paragraphs = paragraphs_on(page, whole_words=False)
    return "\n".join("".join(f"{line}\n" for line in paragraph.lines) for paragraph in paragraphs)
