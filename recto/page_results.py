"""What was read on one page, as the writers have it: from its checkpoint, so also before its job has ended."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

from recto.file_storage.base import FileStorage, checkpoint_name
from recto.ocr.document_file import DocumentFile
from recto.ocr.page import Document, Page
from recto.ocr.writers.json import page_from_json, write_json
from recto.ocr.writers.paragraphs import paragraphs_on
from recto.ocr.writers.text import page_text

_NO_FILE: Final = DocumentFile(Path())
_NO_DOCUMENT: Final = Document(1, (), "", "")


@dataclass(frozen=True, slots=True)
class PageText:
    """The text of a page as it stands in `result.txt`, without form feeds, and its mean confidence from 0 to 1; None without words."""

    text: str
    confidence: float | None


def page_as_json(storage: FileStorage, uuid: str, token: str, number: int) -> bytes:
    """The page as it stands in `result.json`, where a page has a line of its own. FileNotFound, StorageUnavailable."""
    sink = BytesIO()
    write_json(_NO_DOCUMENT, [_page(storage, uuid, token, number)], _NO_FILE, sink)
    return sink.getvalue().splitlines()[1] + b"\n"


def page_as_text(storage: FileStorage, uuid: str, token: str, number: int) -> bytes:
    """Its text alone, in UTF-8. FileNotFound, StorageUnavailable."""
    return read_page_text(storage, uuid, token, number).text.encode()


def read_page_text(storage: FileStorage, uuid: str, token: str, number: int) -> PageText:
    """FileNotFound, StorageUnavailable."""
    page = _page(storage, uuid, token, number)
    return PageText(page_text(page), page.confidence)


def page_as_searched(storage: FileStorage, uuid: str, token: str, number: int) -> str:
    """The page's paragraphs, words that were divided at a line's end made whole, as in `result.md`. FileNotFound, StorageUnavailable."""
    paragraphs = paragraphs_on(_page(storage, uuid, token, number), whole_words=True)
    return "\n\n".join("\n".join(paragraph.lines) for paragraph in paragraphs)


def _page(storage: FileStorage, uuid: str, token: str, number: int) -> Page:
    with storage.open(uuid, checkpoint_name(token, number)) as file:
        return page_from_json(file.read())
