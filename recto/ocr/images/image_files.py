"""Image files through Pillow as grey pages: what they say of themselves, and their pixels under stated limits.

Every page of a TIFF is a page. An animation is not a document: of a GIF, WebP, AVIF or a phone's HEIC or multi-picture JPEG the
first picture (a HEIC names which is the first) is the one page.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np
from PIL import Image, PngImagePlugin, TiffImagePlugin

from recto.errors import (
    DocumentDamaged,
    DocumentError,
    DocumentTooLarge,
    DocumentUnsupported,
    PageDamaged,
    PageNotInDocument,
    PageTooLarge,
    PageUnsupported,
)
from recto.ocr.images.grey import to_grey
from recto.ocr.images.png_chunks import has_metadata_behind_pixels
from recto.ocr.images.rare_kinds import is_rare_jpeg, is_rare_tiff, is_rarely_packed
from recto.ocr.images.resolution import page_resolution
from recto.ocr.images.tiff_directories import TiffFrom, find_directories
from recto.ocr.images.tiff_pixels import complete_pillow, prepare_decoding
from recto.ocr.media_types import sniff_file
from recto.ocr.page import MAX_SIDE_PX, PageImage

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray

# Pillow's own guard is one number for all and warns long before it refuses. Here every page's header is held against the
# caller's limit before its pixels are decoded.
Image.MAX_IMAGE_PIXELS = None
complete_pillow()
logging.getLogger("PIL").setLevel(logging.CRITICAL)  # what is wrong is said by an exception

_FORMATS: Final = {
    "image/png": ("PNG",),
    "image/jpeg": ("JPEG",),  # also MPO
    "image/tiff": ("TIFF",),
    "image/heic": ("HEIF",),
    "image/heif": ("HEIF",),
    "image/avif": ("AVIF",),
    "image/webp": ("WEBP",),
    "image/jp2": ("JPEG2000",),
    "image/j2c": ("JPEG2000",),
    "image/bmp": ("BMP", "DIB"),
    "image/gif": ("GIF",),
    "image/x-portable-anymap": ("PPM",),
}
"""Pillow's names for what media_types.py tells apart."""

_ORIENTATION_TAG: Final = 0x0112  # Exif 2.32, table 4
_UPRIGHT: Final = 1
_EXIF_OF_HEIF: Final = "original_orientation"
_DAMAGED: Final = "Open it in an image viewer and save it anew as PNG, or scan the original again."
_DAMAGED_TIFF: Final = "Save the TIFF anew with the program that made it, or scan {pages} again."


def pages_px(path: Path, max_pages: int, max_page_px: int, max_document_px: int) -> tuple[int, ...]:
    """Pixels of every page, from the headers alone and no further than page `max_pages` + 1. A TIFF page that cannot be read has 0.

    DocumentDamaged where there is none to read; DocumentTooLarge where the only page, or all of them together, have too many pixels.
    """
    sizes = _page_sizes(path, max_pages + 1)
    if len(sizes) == 1 and sizes[0]:
        _check_only_page(sizes[0], max_page_px)
    found = tuple(size[0] * size[1] if size else 0 for size in sizes)
    document_px = sum(found)
    if len(sizes) <= max_pages and document_px > max_document_px:
        raise DocumentTooLarge(
            f"The pages have {document_px} pixels together; at most {max_document_px} are read. Split the document into parts and "
            "send them one by one, or scan it at 300 dpi.",
            max_document_px=max_document_px,
        )
    return found


def decode_page(path: Path, number: int, max_page_px: int) -> PageImage:
    """Page `number` (from 1), upright as its orientation says. PageTooLarge, PageDamaged, and what `open_frame` raises."""
    with open_frame(path, number) as image, _page_errors(number, image):
        _check_size(image.size, number, max_page_px)
        stored = _stored_orientation(image)
        dpi, pixel_aspect = page_resolution(image, is_on_side=stored >= 5)
        if image.format in ("JPEG", "MPO"):
            image.draft("L", image.size)  # libjpeg gives the luminance alone: a third of the memory
        load_quietly(image)
        return PageImage(turned_upright(to_grey(image), _yet_to_turn(image, stored)), dpi, pixel_aspect)


@contextmanager
def open_frame(path: Path, number: int) -> Iterator[Image.Image]:
    """Page `number` (from 1) as Pillow has it before decoding: format, mode, size and info are there, for the pixels `load_quietly`.

    What `load_quietly` raises is for the caller to judge. PageNotInDocument, PageDamaged and PageUnsupported (of a TIFF's page),
    DocumentDamaged or DocumentUnsupported.
    """
    media_type = _media_type(path)
    _prepare_pillow(media_type)
    with _opened(path, media_type, number) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on metadata that it reads past
        try:
            image = Image.open(file, formats=_FORMATS[media_type])
        except MemoryError:
            raise
        except Exception as error:  # Pillow's parsers raise whatever they meet
            raise _refusal(path, media_type, number) from error
        with image:
            if image.format == "HEIF" and _turns_itself(path):
                image.info[_EXIF_OF_HEIF] = None
            yield image


def load_quietly(image: Image.Image) -> None:
    """Decodes the picture. libtiff tells its complaints to file descriptor 2 besides returning them: they are kept from there."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        image.load()
        return
    prepare_decoding(image)
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        image.load()
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def orientation_of(image: Image.Image) -> int:
    """How the decoded picture is yet to be turned, as in Exif 2.32 (table 4): 1 to 8. 1 where what it says is no orientation."""
    return _yet_to_turn(image, _stored_orientation(image))


def _yet_to_turn(image: Image.Image, stored: int) -> int:
    return _UPRIGHT if image.format == "TIFF" else stored  # a TIFF is turned while it is decoded


def turned_upright(pixels: GreyArray, orientation: int) -> GreyArray:
    """`pixels` as they are meant to be seen; `orientation` as in Exif 2.32 (table 4): 1 to 8. Other values mean 1."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.T
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _page_sizes(path: Path, at_most: int) -> list[tuple[int, int] | None]:
    """Width and height of every page in pixels, None where it cannot be read."""
    if _media_type(path) != "image/tiff":
        with open_frame(path, 1) as image:
            return [image.size]
    sizes = [directory.size_px for directory in find_directories(path, at_most)]
    if not any(sizes):
        raise DocumentDamaged(
            f"The TIFF has no page that can be read: its structure is damaged. {_DAMAGED_TIFF.format(pages='the original')}"
        )
    return sizes


def _check_only_page(size_px: tuple[int, int], max_page_px: int) -> None:
    """DocumentTooLarge where the only page is too large: such a document fails before any page is tried."""
    try:
        _check_size(size_px, 1, max_page_px)
    except PageTooLarge as error:
        raise DocumentTooLarge(error.detail, **error.members) from error


def _check_size(size_px: tuple[int, int], number: int, max_page_px: int) -> None:
    width_px, height_px = size_px
    if width_px * height_px > max_page_px:
        raise PageTooLarge(
            f"Page {number} has {width_px} x {height_px} pixels; at most {max_page_px} are read. Scan it at 300 dpi, or scale it down.",
            max_page_px=max_page_px,
        )
    if max(size_px) > MAX_SIDE_PX:
        raise PageTooLarge(
            f"Page {number} is {max(size_px)} pixels long; at most {MAX_SIDE_PX} can be read. Cut it into shorter pieces.",
            max_side_px=MAX_SIDE_PX,
        )


def _stored_orientation(image: Image.Image) -> int:
    try:
        of_heif = image.info.get(_EXIF_OF_HEIF)  # pillow-heif takes it out of the EXIF
        orientation = int(of_heif or _exif(image).get(_ORIENTATION_TAG, _UPRIGHT))
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - EXIF that cannot be parsed says nothing of the orientation; the pixels may be fine
        return _UPRIGHT
    return orientation if 1 <= orientation <= 8 else _UPRIGHT


def _exif(image: Image.Image) -> Image.Exif:
    """Of a PNG without decoding it, unless Pillow can find it in no other way."""
    is_seen = isinstance(image, PngImagePlugin.PngImageFile) and image.fp and not has_metadata_behind_pixels(image.fp)
    return Image.Image.getexif(image) if is_seen else image.getexif()


def _turns_itself(path: Path) -> bool:
    """Whether a HEIF has a turn or mirror of its own, which libheif obeys and which makes its EXIF's orientation void."""
    with path.open("rb") as file:
        while len(head := file.read(8)) == 8:
            box_bytes = int.from_bytes(head[:4], "big")
            if head[4:] == b"meta":
                properties = file.read(box_bytes - 8)
                return b"irot" in properties or b"imir" in properties
            if box_bytes < 8:
                break
            file.seek(box_bytes - 8, 1)
    return False


def _media_type(path: Path) -> str:
    media_type = sniff_file(path)
    if media_type not in _FORMATS:
        raise DocumentDamaged(f"The file is no image any more. {_DAMAGED}")
    return media_type


def _prepare_pillow(media_type: str) -> None:
    """Sets up the decoders that take several threads: here one process has one core. Imported only where they are needed."""
    if media_type in ("image/heic", "image/heif"):
        from pi_heif import register_heif_opener

        register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
    elif media_type == "image/avif":
        from PIL import AvifImagePlugin

        AvifImagePlugin.DEFAULT_MAX_THREADS = 1


def _opened(path: Path, media_type: str, number: int) -> BinaryIO:
    """The file for Pillow to read page `number` from."""
    if media_type == "image/tiff":
        directories = find_directories(path, max(number, 1))
        if not 1 <= number <= len(directories):
            raise PageNotInDocument(f"The document has {len(directories)} pages; there is no page {number}.")
        offset = directories[number - 1].offset
        if offset is None:
            raise PageDamaged(
                f"Page {number} and any behind it cannot be found: the TIFF is torn there. {_DAMAGED_TIFF.format(pages='these pages')}"
            )
        return TiffFrom(path, offset)
    if number != 1:
        raise PageNotInDocument(f"The image is one page; there is no page {number}.")
    return path.open("rb")


def _refusal(path: Path, media_type: str, number: int) -> DocumentError:
    """Why Pillow does not open page `number`."""
    if media_type == "image/tiff":
        offset = find_directories(path, number)[number - 1].offset
        is_rare = offset is not None and is_rare_tiff(path, offset)
        return _rare_page(number) if is_rare else _damaged_page(number, "TIFF")
    if media_type == "image/jpeg" and is_rare_jpeg(path):
        return DocumentUnsupported(
            "The JPEG is of a rare kind, such as JPEG-LS or one of 12 bits, which Recto does not read. Save it as PNG or as a usual JPEG, "
            "and send that."
        )
    return DocumentDamaged(f"The image cannot be read: its header is damaged or of a rare kind. {_DAMAGED}")


def _rare_page(number: int) -> PageUnsupported:
    return PageUnsupported(
        f"Page {number} of the TIFF is compressed, or has its shades and colours, in a rare way that Recto does not read. Save it with "
        "8 or 16 bits, without compression or with LZW, and send that."
    )


def _damaged_page(number: int, image_format: str | None) -> PageDamaged:
    """`image_format` is Pillow's name. Of a TIFF the one page is to be mended, not the whole file turned into a picture."""
    step = _DAMAGED_TIFF.format(pages="that page") if image_format == "TIFF" else _DAMAGED
    return PageDamaged(
        f"Page {number} cannot be decoded: its data are damaged, break off, or are of a rare kind. {step}"
    )


@contextmanager
def _page_errors(number: int, image: Image.Image) -> Iterator[None]:
    try:
        yield
    except (DocumentError, MemoryError):
        raise
    except Exception as error:  # Pillow's decoders raise whatever their parsers meet, from OSError to struct.error
        if isinstance(image, TiffImagePlugin.TiffImageFile) and is_rarely_packed(image.tag_v2):
            raise _rare_page(number) from error
        raise _damaged_page(number, image.format) from error
