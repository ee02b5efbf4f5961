"""PDF files through PDFium. Pages are rendered as they look, form fields and annotations included."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import pypdfium2
from pypdfium2 import raw

from recto.errors import DocumentDamaged, DocumentEncrypted, PageDamaged, PageNotInDocument
from recto.ocr.page import MAX_SIDE_PX, PageImage

RENDER_DPI: Final = 300.0
"""What Tesseract's documentation recommends for print; less where the page would grow beyond a limit."""

_POINTS_PER_INCH: Final = 72.0


def count_pages(path: Path) -> int:
    """Number of pages; DocumentEncrypted or DocumentDamaged where the file does not open."""
    with _open(path) as pdf:
        return len(pdf)


def render_page(path: Path, number: int, max_page_px: int) -> PageImage:
    """Page `number` (from 1) in grey, at 300 dpi or as much of it as the limits allow. PageDamaged where PDFium gives up."""
    with _open(path) as pdf:
        if not 1 <= number <= len(pdf):
            raise PageNotInDocument(f"The document has {len(pdf)} pages; there is no page {number}.")
        try:
            # Form fields are drawn only after the form environment was set up, before the page is loaded.
            pdf.init_forms()
            page = pdf[number - 1]
            dpi = rendering_dpi(page.get_width(), page.get_height(), max_page_px)
            bitmap = page.render(scale=dpi / _POINTS_PER_INCH, grayscale=True)
            pixels = np.array(bitmap.to_numpy(), dtype=np.uint8).reshape(bitmap.height, bitmap.width)
        except (pypdfium2.PdfiumError, ValueError, OverflowError) as error:
            raise PageDamaged(
                f"Page {number} of the PDF cannot be drawn. Repair the file with a PDF tool, or print that page anew."
            ) from error
        return PageImage(pixels, dpi)


def rendering_dpi(width_pt: float, height_pt: float, max_page_px: int) -> float:
    """The resolution at which a page of that size (in points) stays within `max_page_px` and MAX_SIDE_PX. At most RENDER_DPI.

    PDFium rounds both sides up, so each may have one pixel more than the exact product: it is left for that.
    """
    width_in, height_in = (max(side_pt, 1e-3) / _POINTS_PER_INCH for side_pt in (width_pt, height_pt))
    if not (math.isfinite(width_in) and math.isfinite(height_in)):
        raise ValueError("The page's size is not a number.")
    long_in = max(width_in, height_in)
    # (w d + 1)(h d + 1) <= max_page_px, solved for d.
    half = (width_in + height_in) / 2
    by_area = (math.sqrt(half * half + width_in * height_in * (max_page_px - 1)) - half) / (width_in * height_in)
    return min(RENDER_DPI, by_area, (MAX_SIDE_PX - 1) / long_in)


@contextmanager
def _open(path: Path) -> Iterator[pypdfium2.PdfDocument]:
    try:
        pdf = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise DocumentEncrypted(
                "The PDF opens only with a password. Save it without one, or print it to a new PDF, and send that."
            ) from error
        raise DocumentDamaged(
            "The PDF cannot be opened: its structure is damaged or incomplete. Open it in a PDF viewer and save it anew, "
            "or scan the original again."
        ) from error
    try:
        yield pdf
    finally:
        pdf.close()
