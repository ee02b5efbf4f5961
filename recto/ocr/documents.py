"""Documents as pages: what a file is, how many pages it has, and one page's pixels, all under stated limits.

Headers are judged before anything is decoded. Every failure is a DocumentError with a sentence for the reader; an OSError means
that the file itself could not be opened or read from the disk.
"""

from dataclasses import dataclass
from pathlib import Path

from recto.errors import DocumentEmpty, DocumentTooLarge, DocumentUnsupported
from recto.ocr import image_files, pdf_files
from recto.ocr.media_types import ACCEPTED, SNIFF_BYTES, sniff
from recto.ocr.page import PageImage


@dataclass(frozen=True, slots=True)
class Limits:
    """The most pages of a document, and the most pixels (width x height) of one page."""

    max_pages: int
    max_page_px: int


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """What the headers of a document say."""

    media_type: str
    page_count: int


def inspect(path: Path, limits: Limits) -> DocumentInfo:
    """Type and page count from the headers alone.

    Raises DocumentEmpty, DocumentUnsupported, DocumentDamaged, DocumentEncrypted or DocumentTooLarge.
    """
    media_type = _media_type(path)
    if media_type == "application/pdf":
        page_count = pdf_files.count_pages(path)
    else:
        page_count = image_files.count_pages(path, limits.max_pages)
    if not page_count:
        raise DocumentEmpty("The document has no pages. Send one that has at least one page.")
    if page_count > limits.max_pages:
        raise DocumentTooLarge(
            f"The document has more than {limits.max_pages} pages. Split it into parts and send them one by one.",
            max_pages=limits.max_pages,
        )
    if media_type != "application/pdf" and page_count == 1:
        image_files.check_single_page(path, limits.max_page_px)
    return DocumentInfo(media_type, page_count)


def load_page(path: Path, number: int, limits: Limits) -> PageImage:
    """Pixels of page `number`, counted from 1.

    Raises PageDamaged or PageTooLarge where only this page is at fault, PageNotInDocument where there is no such page, and what
    `inspect` raises where the document cannot be opened at all.
    """
    if _media_type(path) == "application/pdf":
        return pdf_files.render_page(path, number, limits.max_page_px)
    return image_files.decode_page(path, number, limits.max_page_px)


def _media_type(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(SNIFF_BYTES)
    if not head:
        raise DocumentEmpty(
            "The file has no content. Check that it was saved or scanned completely, and send it again."
        )
    media_type = sniff(head)
    if media_type is None:
        accepted = ", ".join(ACCEPTED.values())
        raise DocumentUnsupported(f"The file is no document that Recto reads. Convert it to one of: {accepted}.")
    return media_type
