"""PDF files through PDFium. Pages are rendered as they look, form fields and annotations included.

PDFium answers a hostile page tree (cycles, a million pages, thousands of levels) in bounded time and memory; what a single page may
cost is bounded by the process that it runs in.
"""

import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pikepdf
import pypdfium2
from pypdfium2 import raw

from recto.errors import (
    DocumentDamaged,
    DocumentEmpty,
    DocumentEncrypted,
    PageDamaged,
    PageNotInDocument,
    PageTooLarge,
    PasswordWrong,
)
from recto.ocr.document_file import DocumentFile
from recto.ocr.page import PageImage
from recto.ocr.pdf.content_size import MAX_CONTENT_BYTES, is_content_too_large
from recto.ocr.pdf.form_nesting import MAX_DRAWN_FORMS, draws_too_many_forms
from recto.ocr.pdf.lost_content import is_content_lost, is_picture_lost, is_structure_damaged
from recto.ocr.pdf.page_scale import PAGE_MOST_DPI, PageScale, limited_dpi, page_scale, size_px

_LEAST_DPI: Final = 1.0
_NEEDS_PASSWORD: Final = (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)


@dataclass(frozen=True, slots=True)
class PdfSummary:
    """What a PDF says of itself without any page being read.

    `pages_px` are the pixels that each of its pages is rendered with at most; none where there are more than `max_pages`. `is_repaired`:
    the structure was damaged, and pages may be lost.
    """

    page_count: int
    pages_px: tuple[int, ...]
    is_signed: bool
    is_repaired: bool


def summarise(file: DocumentFile, max_pages: int, max_page_px: int) -> PdfSummary:
    """Page count, size and signature. Raises DocumentEncrypted, PasswordWrong, DocumentEmpty or DocumentDamaged."""
    with opened(file) as (pdf, is_copy):
        page_count = len(pdf)
        looked_at = range(page_count) if page_count <= max_pages else range(0)
        pages_px = tuple(_most_px(pdf, index, max_page_px) for index in looked_at)
        is_repaired = is_copy or (bool(looked_at) and is_structure_damaged(file.path, file.password))
        return PdfSummary(page_count, pages_px, _is_signed(pdf), is_repaired)


def render_page(file: DocumentFile, number: int, max_page_px: int) -> PageImage:
    """Page `number` (from 1) in grey, at the resolution of `page_scale`.

    PageDamaged where PDFium gives up, or leaves out what it cannot decode; else what `open_page` raises.
    """
    with open_page(file, number, max_page_px) as (page, scale):
        # The array takes over the bitmap's memory: there is one copy of the pixels.
        bitmap = pypdfium2.PdfBitmap.new_native(scale.width_px, scale.height_px, raw.FPDFBitmap_Gray)
        try:
            bitmap.fill_rect((255, 255, 255, 255), 0, 0, scale.width_px, scale.height_px)
            # A grey bitmap has PDFium mix greys. FPDF_GRAYSCALE gives the same to two shades of 255, and doubles the time.
            area, flags = (0, 0, scale.width_px, scale.height_px, 0), raw.FPDF_ANNOT
            raw.FPDF_RenderPageBitmap(bitmap, page, *area, flags)
            if page.formenv:
                raw.FPDF_FFLDraw(page.formenv, bitmap, page, *area, flags)
            pixels = bitmap.to_numpy()
            if is_picture_lost(page, scale, pixels) or is_content_lost(file.path, file.password, number - 1, pixels):
                raise PageDamaged(
                    f"Page {number} of the PDF cannot be drawn completely: its content or a picture on it is damaged, or breaks off. "
                    "Scan the page again, or save the file anew from its original."
                )
            return PageImage(pixels, scale.dpi)
        finally:
            bitmap.close()


@contextmanager
def open_page(file: DocumentFile, number: int, max_page_px: int) -> Iterator[tuple[pypdfium2.PdfPage, PageScale]]:
    """Page `number` (from 1) and how it becomes pixels. PageNotInDocument, PageDamaged, PageTooLarge, and what `summarise` raises."""
    with opened(file) as (pdf, _):
        if not 1 <= number <= len(pdf):
            raise PageNotInDocument(f"The document has {len(pdf)} pages; there is no page {number}.")
        if is_content_too_large(file.path, file.password, number - 1):
            raise PageTooLarge(
                f"What page {number} of the PDF draws takes more than {MAX_CONTENT_BYTES // 1_000_000} MB. Print that page as a picture, "
                "or simplify it with a PDF tool."
            )
        if draws_too_many_forms(file.path, file.password, number - 1):
            raise PageTooLarge(
                f"Page {number} of the PDF draws more than {MAX_DRAWN_FORMS} pieces that are made of each other. Print that page as a picture, "
                "or simplify it with a PDF tool."
            )
        try:
            # Form fields are drawn only after the form environment was set up, before the page is loaded.
            pdf.init_forms()
            page = _load(pdf, number - 1)
            scale = page_scale(page, max_page_px)
            _check_size(number, scale)
        except (pypdfium2.PdfiumError, ValueError, OverflowError) as error:
            raise PageDamaged(
                f"Page {number} of the PDF cannot be drawn. Repair the file with a PDF tool, or print that page anew."
            ) from error
        try:
            yield page, scale
        finally:
            page.close()


def _check_size(number: int, scale: PageScale) -> None:
    """PageTooLarge where the limits leave less than a pixel for an inch."""
    if scale.dpi < _LEAST_DPI:
        raise PageTooLarge(
            f"Page {number} of the PDF claims a size of {round(scale.width_px / scale.dpi)} x {round(scale.height_px / scale.dpi)} inches, "
            "at which nothing on it could be read. Correct the page size with a PDF tool, or print that page anew."
        )


def _load(pdf: pypdfium2.PdfDocument, index: int) -> pypdfium2.PdfPage:
    page = pdf[index]
    if min(page.get_size()) > 0:
        return page
    # A crop box beside the media box leaves nothing to see; other readers show the media box then.
    page.set_cropbox(*page.get_mediabox())
    page.close()
    return pdf[index]


def _most_px(pdf: pypdfium2.PdfDocument, index: int, max_page_px: int) -> int:
    """0 for a page that is damaged: it will not be rendered."""
    try:
        width_pt, height_pt = pdf.get_page_size(index)
        width_px, height_px = size_px(width_pt, height_pt, limited_dpi(width_pt, height_pt, max_page_px, PAGE_MOST_DPI))
    except (pypdfium2.PdfiumError, ValueError, OverflowError):
        return 0
    return width_px * height_px


def _is_signed(pdf: pypdfium2.PdfDocument) -> bool:
    """Whether a signature field is filled in: PDFium counts those that wait for a signature as well."""
    signatures = (raw.FPDF_GetSignatureObject(pdf, index) for index in range(raw.FPDF_GetSignatureCount(pdf)))
    return any(raw.FPDFSignatureObj_GetContents(signature, None, 0) > 0 for signature in signatures)


@contextmanager
def opened(file: DocumentFile) -> Iterator[tuple[pypdfium2.PdfDocument, bool]]:
    """The document, or a repaired copy of it where PDFium alone cannot make sense of the file; and whether it is the copy."""
    file.path.open("rb").close()  # an OSError says more than PDFium does
    try:
        pdf = _open_as_is(file.path, file.password)
    except (DocumentDamaged, DocumentEmpty) as error:
        with _repaired(file, error) as pdf:
            yield pdf, True
        return
    try:
        yield pdf, False
    finally:
        pdf.close()


@contextmanager
def _repaired(file: DocumentFile, damage: DocumentDamaged | DocumentEmpty) -> Iterator[pypdfium2.PdfDocument]:
    """qpdf finds the objects of files whose end was lost, or that something stands before. Raises `damage` where it does not help.

    An encrypted document stays encrypted on the disk.
    """
    with tempfile.NamedTemporaryFile(suffix=".pdf") as copy:
        try:
            with pikepdf.open(file.path, password=file.password or "", suppress_warnings=True) as source:
                source.save(copy.name, encryption=source.is_encrypted, fix_metadata_version=False)
        except (pikepdf.PasswordError, pikepdf.PdfError, ValueError, RuntimeError) as error:
            raise damage from error
        pdf = _open_as_is(Path(copy.name), file.password)
        try:
            yield pdf
        finally:
            pdf.close()


def _open_as_is(path: Path, password: str | None) -> pypdfium2.PdfDocument:
    code = raw.FPDF_ERR_SUCCESS
    for given in _password_bytes(password):
        handle = raw.FPDF_LoadDocument(str(path).encode("utf-8", "surrogateescape"), given)
        if handle:
            return _with_pages(pypdfium2.PdfDocument(handle))
        code = raw.FPDF_GetLastError()
        if code not in _NEEDS_PASSWORD:
            raise DocumentDamaged(
                "The PDF cannot be opened: its structure is damaged or incomplete. Open it in a PDF viewer and save it anew, "
                "or scan the original again."
            )
    if password:
        raise PasswordWrong("The password does not open the PDF. Check its spelling and send the document again.")
    raise DocumentEncrypted(
        "The PDF opens only with a password. Give it in the option 'password' (on the page: “Password of the PDF”), "
        "or send a copy that was saved without one."
    )


def _with_pages(pdf: pypdfium2.PdfDocument) -> pypdfium2.PdfDocument:
    if len(pdf):
        return pdf
    pdf.close()
    raise DocumentEmpty("The document has no pages. Send one that has at least one page.")


def _password_bytes(password: str | None) -> Iterator[bytes | None]:
    """The ways in which programs turn a password into bytes: UTF-8, after the normalisation that PDF 2.0 asks for, PDFDocEncoding.

    PDFium itself tries Latin-1 as well.
    """
    if not password:
        yield None
        return
    forms = dict.fromkeys((password, unicodedata.normalize("NFKC", password)))
    yield from (form.encode("utf-8", "replace") for form in forms)
    if not password.isascii():
        yield password.encode("pdfdoc", "replace")  # a codec that pikepdf brings
    yield None  # encrypted, but open to everybody
