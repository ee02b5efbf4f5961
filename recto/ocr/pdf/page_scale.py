"""How a PDF page becomes pixels: at which resolution it is rendered, and where a point of the page then lies."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import pypdfium2

from recto.ocr.page import MAX_SIDE_PX
from recto.ocr.pdf.placed_images import Matrix, PlacedImage, Rect, area, placed_images

RENDER_DPI: Final = 300.0
"""What Tesseract's documentation recommends for print: for pages that are drawn, not scanned."""

_AS_IS_DPI: Final = (190.0, 410.0)
"""Scans between these (fax machines have 196, 204 and 406 dpi) are rendered pixel by pixel: any other size would blur them."""

_COARSE_GOAL_DPI: Final = 250.0
"""Coarser scans are enlarged by the smallest whole number that reaches this."""

PAGE_MOST_DPI: Final = _AS_IS_DPI[1]
"""No page is rendered finer."""

_SCAN_SHARE: Final = 0.5
"""A page is a scan where pictures of one resolution cover this much of it."""

_POINTS_PER_INCH: Final = 72.0


@dataclass(frozen=True, slots=True)
class PageScale:
    """A page in pixels, and the matrix that takes its points (as the file counts them) to these pixels.

    PDFium ignores /UserUnit: an inch is 72 of the page's units, whatever size on paper the file claims for them.
    """

    width_px: int
    height_px: int
    dpi: float
    to_pixels: Matrix


def page_scale(page: pypdfium2.PdfPage, max_page_px: int) -> PageScale:
    """The scale that `page` is rendered with. ValueError where the page has no usable size."""
    width_pt, height_pt = page.get_size()
    visible: Rect = tuple(page.get_bbox())
    if not area(visible) > 0:
        raise ValueError("The page has no visible area.")
    wanted = wanted_dpi(scan_dpi(placed_images(page), visible))
    dpi = limited_dpi(width_pt, height_pt, max_page_px, wanted)
    width_px, height_px = size_px(width_pt, height_pt, dpi)
    return PageScale(width_px, height_px, dpi, _to_pixels(visible, page.get_rotation(), width_px, height_px))


def scan_dpi(images: Iterable[PlacedImage], visible: Rect) -> float | None:
    """Resolution of the pictures that a page mainly consists of, the finest where several layers do; None for a drawn page."""
    covered: dict[int, float] = defaultdict(float)
    finest: dict[int, float] = {}
    for image in images:
        if image.dpi < 1:
            continue  # a colour that fills an area
        step = round(math.log(image.dpi) * 50)  # strips of one scan differ by a few thousandths
        covered[step] += area(image.rect)
        finest[step] = max(image.dpi, finest.get(step, 0.0))
    enough = _SCAN_SHARE * area(visible)
    found = max((finest[step] for step, size in covered.items() if size >= enough), default=None)
    # The file's numbers have single precision.
    return None if found is None else round(found, 3)


def wanted_dpi(scanned_at: float | None) -> float:
    """A whole multiple or fraction of the scan's own resolution that text can be read well at."""
    if scanned_at is None:
        return RENDER_DPI
    least, most = _AS_IS_DPI
    if scanned_at < least:
        return scanned_at * math.ceil(_COARSE_GOAL_DPI / scanned_at)
    if scanned_at > most:
        return scanned_at / max(math.ceil(scanned_at / most), round(scanned_at / RENDER_DPI))
    return scanned_at


def limited_dpi(width_pt: float, height_pt: float, max_page_px: int, dpi: float) -> float:
    """`dpi`, or as much of it as keeps a page of that size (in points) within `max_page_px` and MAX_SIDE_PX.

    Either side may have one pixel more than the exact product. ValueError where a side is not a number.
    """
    width_in, height_in = (max(side_pt, 1e-3) / _POINTS_PER_INCH for side_pt in (width_pt, height_pt))
    if not (math.isfinite(width_in) and math.isfinite(height_in)):
        raise ValueError("The page's size is not a number.")
    long_in = max(width_in, height_in)
    # (w d + 1)(h d + 1) <= max_page_px, solved for d.
    half = (width_in + height_in) / 2
    by_area = (math.sqrt(half * half + width_in * height_in * (max_page_px - 1)) - half) / (width_in * height_in)
    return min(dpi, by_area, (MAX_SIDE_PX - 1) / long_in)


def size_px(width_pt: float, height_pt: float, dpi: float) -> tuple[int, int]:
    """Rounded, not up: programs round the sizes of pages, and one pixel more would make PDFium stretch a scan that fits exactly."""
    width_px, height_px = (max(round(side_pt * dpi / _POINTS_PER_INCH), 1) for side_pt in (width_pt, height_pt))
    return width_px, height_px


def _to_pixels(visible: Rect, rotation_deg: int, width_px: int, height_px: int) -> Matrix:
    """`rotation_deg` is clockwise, as /Rotate has it. `visible` is the page before that."""
    left, bottom, right, top = visible
    turned = rotation_deg in (90, 270)
    x_px, y_px = (height_px, width_px) if turned else (width_px, height_px)
    x, y = x_px / (right - left), y_px / (top - bottom)
    if rotation_deg == 90:
        return 0.0, x, y, 0.0, -bottom * y, -left * x
    if rotation_deg == 180:
        return -x, 0.0, 0.0, y, right * x, -bottom * y
    if rotation_deg == 270:
        return 0.0, -x, -y, 0.0, top * y, right * x
    return x, 0.0, 0.0, -y, -left * x, top * y
