"""Documents as pages: what a file is, how many pages it has, and one page's pixels, all under stated limits.

Headers are judged before anything is decoded. Every failure is a DocumentError with a sentence for the reader; an OSError means
that the file itself could not be opened or read from the disk.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recto.errors import DocumentEmpty, DocumentTooLarge, DocumentUnsupported
from recto.ocr.document_file import DocumentFile
from recto.ocr.images import image_files
from recto.ocr.media_types import SNIFF_BYTES, sniff, why_unsupported
from recto.ocr.page import PageImage, ResultWarning
from recto.ocr.pdf import pdf_files
from recto.ocr.pdf.text_layer import TextLayer, read_text_layer

SIGNATURE_ENDS: Final = ResultWarning(
    None,
    "signature_ends",
    "The PDF is digitally signed; a searchable PDF made from it no longer carries a valid signature. Keep the original.",
)

REPAIRED: Final = ResultWarning(
    None,
    "document_repaired",
    "The PDF's structure was damaged and was repaired as far as possible; pages or parts of pages may be missing. "
    "Compare the result with the original.",
)


@dataclass(frozen=True, slots=True)
class Limits:
    """The most pages of a document, and the most pixels (width x height) of one page and of all pages together."""

    max_pages: int
    max_page_px: int
    max_document_px: int = 100_000_000_000


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """What the headers of a document say. `warnings` concern the document as a whole.

    `pages_px`: width x height of each page as it will be read, at most; 0 for one whose size cannot be told.
    """

    media_type: str
    page_count: int
    warnings: tuple[ResultWarning, ...] = ()
    pages_px: tuple[int, ...] = ()


def inspect(file: DocumentFile, limits: Limits) -> DocumentInfo:
    """Type and page count from the headers alone.

    Raises DocumentEmpty, DocumentUnsupported, DocumentDamaged, DocumentEncrypted, PasswordWrong or DocumentTooLarge.
    """
    media_type = _media_type(file.path)
    warnings: tuple[ResultWarning, ...] = ()
    if media_type == "application/pdf":
        summary = pdf_files.summarise(file, limits.max_pages, limits.max_page_px)
        page_count, pages_px = summary.page_count, summary.pages_px
        remarks = ((REPAIRED, summary.is_repaired), (SIGNATURE_ENDS, summary.is_signed))
        warnings = tuple(remark for remark, is_due in remarks if is_due)
    else:
        pages_px = image_files.pages_px(file.path, limits.max_pages, limits.max_page_px, limits.max_document_px)
        page_count = len(pages_px)
    if not page_count:
        raise DocumentEmpty("The document has no pages. Send one that has at least one page.")
    if page_count > limits.max_pages:
        raise DocumentTooLarge(
            f"The document has more than {limits.max_pages} pages. Split it into parts and send them one by one.",
            max_pages=limits.max_pages,
        )
    if sum(pages_px) > limits.max_document_px:
        raise DocumentTooLarge(
            f"The pages of the document have {sum(pages_px)} pixels together; at most {limits.max_document_px} are read. "
            "Split it into parts and send them one by one.",
            max_document_px=limits.max_document_px,
        )
    return DocumentInfo(media_type, page_count, warnings, pages_px)


def load_page(file: DocumentFile, number: int, limits: Limits) -> PageImage:
    """Pixels of page `number`, counted from 1.

    Raises PageDamaged or PageTooLarge where only this page is at fault, PageNotInDocument where there is no such page, and what
    `inspect` raises where the document cannot be opened at all.
    """
    if _media_type(file.path) == "application/pdf":
        return pdf_files.render_page(file, number, limits.max_page_px)
    return image_files.decode_page(file.path, number, limits.max_page_px)


def text_layer(file: DocumentFile, number: int, limits: Limits) -> TextLayer | None:
    """The text that page `number` has already; None where there is none, as on every image. Raises what `load_page` raises."""
    if _media_type(file.path) != "application/pdf":
        return None
    return read_text_layer(file, number, limits.max_page_px)


def _media_type(path: Path) -> str:
    with path.open("rb") as stream:
        head = stream.read(SNIFF_BYTES)
    if not head:
        raise DocumentEmpty(
            "The file has no content. Check that it was saved or scanned completely, and send it again."
        )
    media_type = sniff(head)
    if media_type is None:
        raise DocumentUnsupported(why_unsupported(head))
    return media_type
