"""What was read on one page, with what people have corrected, as the writers have it: from its checkpoint, so also before its job has ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

from recto.file_storage.base import FileStorage, checkpoint_name
from recto.ocr.corrections import Correction, corrected, replaced_text
from recto.ocr.document_file import DocumentFile
from recto.ocr.page import Document, Page
from recto.ocr.writers.json import page_from_json, write_json
from recto.ocr.writers.text import page_text, searched_text

_NO_FILE: Final = DocumentFile(Path())
_NO_DOCUMENT: Final = Document(1, (), "", "")


@dataclass(frozen=True, slots=True)
class PageText:
    """The text of a page as it stands in `result.txt`, without form feeds, and its mean confidence from 0 to 1; None without words."""

    text: str
    confidence: float | None


@dataclass(frozen=True, slots=True)
class ReadPage:
    """Where the checkpoint of a page is: the job, the attempt that has read it, its number."""

    uuid: str
    token: str
    number: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a correction does: the words that it replaces, and the confidence of the page with it."""

    replaced: str
    confidence: float | None


def page_as_json(storage: FileStorage, page: ReadPage, corrections: Sequence[Correction]) -> bytes:
    """The page as it stands in `result.json`, where a page has a line of its own. FileNotFound, StorageUnavailable."""
    sink = BytesIO()
    write_json(_NO_DOCUMENT, [corrected(_as_read(storage, page), corrections)], _NO_FILE, sink)
    return sink.getvalue().splitlines()[1] + b"\n"


def page_as_text(storage: FileStorage, page: ReadPage, corrections: Sequence[Correction]) -> bytes:
    """Its text alone, in UTF-8. FileNotFound, StorageUnavailable."""
    return read_page_text(storage, page, corrections).text.encode()


def read_page_text(storage: FileStorage, page: ReadPage, corrections: Sequence[Correction] = ()) -> PageText:
    """FileNotFound, StorageUnavailable."""
    found = corrected(_as_read(storage, page), corrections)
    return PageText(page_text(found), found.confidence)


def page_as_searched(storage: FileStorage, page: ReadPage, corrections: Sequence[Correction]) -> str:
    """What the index of the search has of the page. FileNotFound, StorageUnavailable."""
    return searched_text(corrected(_as_read(storage, page), corrections))


def confidence_with(storage: FileStorage, page: ReadPage, corrections: Sequence[Correction]) -> float | None:
    """Mean of the words of the page with the corrections; None without words. FileNotFound, StorageUnavailable."""
    return corrected(_as_read(storage, page), corrections).confidence


def outcome(storage: FileStorage, page: ReadPage, standing: Sequence[Correction], correction: Correction) -> Outcome:
    """What one more correction does to the page. CorrectionInvalid where it does not fit it; FileNotFound, StorageUnavailable."""
    before = corrected(_as_read(storage, page), standing)
    return Outcome(replaced_text(before, correction), corrected(before, [correction]).confidence)


def _as_read(storage: FileStorage, page: ReadPage) -> Page:
    with storage.open(page.uuid, checkpoint_name(page.token, page.number)) as file:
        return page_from_json(file.read())
