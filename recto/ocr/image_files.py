"""Image files through Pillow: PNG, JPEG, WebP, BMP, GIF and multi-page TIFF as grey pages.

An animation is not a document: of a GIF, WebP or a phone's multi-picture JPEG the first picture is the one page.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recto.errors import DocumentDamaged, DocumentError, DocumentTooLarge, PageDamaged, PageNotInDocument, PageTooLarge
from recto.ocr.page import MAX_SIDE_PX, PageImage

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray

# Pillow's own guard is one number for all and warns long before it refuses. Here every page's header is held against the
# caller's limit before its pixels are decoded.
Image.MAX_IMAGE_PIXELS = None

_FORMATS: Final = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")  # JPEG covers MPO
_ORIENTATION_TAG: Final = 0x0112  # Exif 2.32, table 4
_DAMAGED: Final = "Open it in an image viewer and save it anew, or scan the original again."


def count_pages(path: Path, max_pages: int) -> int:
    """Number of pages, counted no further than `max_pages` + 1. A TIFF directory that cannot be read counts as a page."""
    with _open(path) as image:
        if image.format != "TIFF":
            return 1
        for count in range(1, max_pages + 1):
            try:
                image.seek(count)
            except EOFError:
                return count
            except MemoryError:
                raise
            except Exception:  # noqa: BLE001 - whatever the parser met: the page is counted, and named when it is decoded
                return count + 1
        return max_pages + 1


def check_single_page(path: Path, max_page_px: int) -> None:
    """DocumentTooLarge where the only page is too large: such a document fails before any page is tried."""
    with _open(path) as image:
        try:
            _check_size(image.size, 1, max_page_px)
        except PageTooLarge as error:
            raise DocumentTooLarge(error.detail, **error.members) from error


def decode_page(path: Path, number: int, max_page_px: int) -> PageImage:
    """Page `number` (from 1), upright as its EXIF orientation says. PageNotInDocument, PageTooLarge or PageDamaged."""
    with _open(path) as image, _page_errors(number):
        _seek(image, number)
        _check_size(image.size, number, max_page_px)
        orientation = _orientation(image)
        dpi = _trusted_dpi(image)
        if image.format in ("JPEG", "MPO"):
            image.draft("L", image.size)  # libjpeg gives the luminance alone: a third of the memory
        image.load()
        return PageImage(turned_upright(_grey(image), orientation), dpi)


def turned_upright(pixels: GreyArray, orientation: int) -> GreyArray:
    """`pixels` as they are meant to be seen; `orientation` as in Exif 2.32 (table 4): 1 to 8. Other values mean 1."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.T
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def is_plausible_dpi(dpi: float, width_px: int, height_px: int) -> bool:
    """Whether a resolution can be that of a scanned page of this size.

    72 and 96 are what programs write that know nothing; scanners give 100 to 1,200. And the page it implies has a long side of 50 mm
    (a card) to 1.5 m (a poster).
    """
    if not 99 <= dpi <= 1201:  # PNG counts per metre: 100 dpi is 99.9998
        return False
    return 2 <= max(width_px, height_px) / dpi <= 60


def composited(grey: GreyArray, alpha: GreyArray) -> GreyArray:
    """Grey over white by `alpha` (0 clear to 255 opaque); over black where white paper would leave nothing to see."""
    on_white = _over(grey, alpha, 255)
    # White text on a clear ground: whatever can be seen is nearly as light as paper.
    if alpha.min() < 128 and np.percentile(on_white, 0.1) > 192:
        return _over(grey, alpha, 0)
    return on_white


def scaled_to_bytes(values: NDArray[Any]) -> GreyArray:
    """Grey of more than 8 bits (integers, or floats of any range) as uint8, scaled and never clipped.

    Integers are held against the full scale of 8, 12 or 16 bits, the least that holds them; others against their own range.
    """
    low, high = float(values.min()), float(values.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("The pixels are not numbers.")
    if low >= 0 and high <= 65_535 and values.dtype.kind in "ui":
        low, high = 0.0, next(full for full in (255.0, 4095.0, 65_535.0) if high <= full)
    span = max(high - low, 1e-9)
    scaled = np.empty(values.shape, np.uint8)
    for rows in _strips(values.shape[0]):
        scaled[rows] = np.rint((values[rows].astype(np.float64) - low) * (255.0 / span))
    return scaled


def _over(grey: GreyArray, alpha: GreyArray, background: int) -> GreyArray:
    blended = np.empty_like(grey)
    for rows in _strips(grey.shape[0]):
        opaque = alpha[rows].astype(np.uint16)
        blended[rows] = (grey[rows] * opaque + background * (255 - opaque) + 127) // 255
    return blended


def _strips(height: int) -> Iterator[slice]:
    """Rows, 64 at a time: wider numbers for all of a page at once would be many times its size."""
    return (slice(top, top + 64) for top in range(0, height, 64))


def _grey(image: Image.Image) -> GreyArray:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return scaled_to_bytes(np.asarray(image))
    if image.mode == "LAB":
        return np.array(image.getchannel("L"), dtype=np.uint8)
    if image.has_transparency_data:
        layered = image if image.mode == "RGBA" else image.convert("RGBA")
        return composited(np.asarray(layered.convert("L")), np.asarray(layered.getchannel("A")))
    if image.mode in ("P", "CMYK", "HSV"):
        image = image.convert("RGB")
    return np.array(image.convert("L"), dtype=np.uint8)


def _seek(image: Image.Image, number: int) -> None:
    if image.format != "TIFF" and number != 1:
        raise PageNotInDocument(f"The image is one page; there is no page {number}.")
    try:
        image.seek(number - 1)
    except EOFError as error:
        raise PageNotInDocument(f"The document has no page {number}.") from error


def _check_size(size: tuple[int, int], number: int, max_page_px: int) -> None:
    width_px, height_px = size
    if width_px * height_px > max_page_px:
        raise PageTooLarge(
            f"Page {number} has {width_px} x {height_px} pixels; at most {max_page_px} are read. Scan it at 300 dpi, or scale it down.",
            max_page_px=max_page_px,
        )
    if max(size) > MAX_SIDE_PX:
        raise PageTooLarge(
            f"Page {number} is {max(size)} pixels long; at most {MAX_SIDE_PX} can be read. Cut it into shorter pieces.",
            max_side_px=MAX_SIDE_PX,
        )


def _orientation(image: Image.Image) -> int:
    if image.format == "TIFF":
        return 1  # Pillow turns TIFF pages itself while it decodes them
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - EXIF that cannot be parsed says nothing of the orientation; the pixels may be fine
        return 1


def _trusted_dpi(image: Image.Image) -> float | None:
    given = image.info.get("dpi")
    try:
        across, down = (float(value) for value in given) if given else (0.0, 0.0)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    if not is_plausible_dpi(across, *image.size) or abs(across - down) > 0.02 * across:
        return None
    return across


@contextmanager
def _open(path: Path) -> Iterator[Image.Image]:
    with path.open("rb") as file:
        try:
            image = Image.open(file, formats=_FORMATS)
        except MemoryError:
            raise
        except Exception as error:
            raise DocumentDamaged(f"The image cannot be read: its header is damaged. {_DAMAGED}") from error
        with image:
            yield image


@contextmanager
def _page_errors(number: int) -> Iterator[None]:
    try:
        yield
    except (DocumentError, MemoryError):
        raise
    except Exception as error:  # Pillow's decoders raise whatever their parsers meet, from OSError to struct.error
        raise PageDamaged(f"Page {number} cannot be decoded: its data are damaged or break off. {_DAMAGED}") from error
