"""Whether a page came out empty because what it shows is damaged: PDFium draws nothing then, and says nothing.

Pages that look whole cost a few milliseconds. Only where the page, or the place of a picture, came out in one colour is it found
out what is wrong with the data; white paper that was scanned stays a blank page.
"""

from __future__ import annotations

import ctypes
import zlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pikepdf
from pypdfium2 import raw

from recto.ocr.pdf.drawn_objects import drawn_names, resources_of
from recto.ocr.pdf.placed_images import Matrix, Rect, area, compose, object_matrix, place_of, transformed, walk_images
from recto.ocr.pdf.qpdf import asked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pypdfium2

    from recto.ocr.page import GreyArray
    from recto.ocr.pdf.page_scale import PageScale

_LEAST_SHARE: Final = 0.02
"""Pictures that take less of the page are not looked at: logos, rules, bullets."""

_MOST_PICTURES: Final = 200
_EMPTY_SHARE: Final = 0.98
"""Where this much of a picture's place has one grey, it may have been drawn over something that was not drawn. Print has 3 % ink and more."""

_LAST_ROWS: Final[Rect] = (0, 0, 1, 0.05)
"""Of a picture, in the unit square that it fills: in one colour where its data break off."""

_LAST_BLOCKS: Final[Rect] = (0.5, 0, 1, 0.005)
"""The second half of a JPEG's last row of blocks, of which a page of 300 dpi has some four hundred."""

_MIDDLE_GREY: Final = 128
_NEAR_GREY: Final = 4
_PROGRESSIVE: Final = b"\xff\xc2"
_HEAD_BYTES: Final = 64 * 1024

_BLACK: Final = 32
_SAMPLED: Final = 4
_TRAILING_BYTES: Final = 1024
"""Where a stream's end mark is looked for: programs pad."""

_END_OF_JPEG: Final = b"\xff\xd9"
_END_OF_FACSIMILE: Final = 2 * "000000000001"
"""EOFB (ITU-T T.6, 2.4.1.1), which need not begin with a byte."""

_SIGNS_OF_DAMAGE: Final = ("reconstruct cross-reference table", "Pages tree includes")
"""Of what qpdf remarks on a file, what means that objects may be lost."""

_MOST_FORMS: Final = 50
_PIECE_BYTES: Final = 1 << 20
_MOST_PIECES: Final = 1024
_MOST_PARSED_BYTES: Final = 2_000_000
"""Content that is longer is not parsed: it takes a microsecond and 200 bytes for each byte."""


def is_content_lost(path: Path, password: str | None, index: int, pixels: GreyArray) -> bool:
    """Whether page `index` (from 0), rendered as `pixels`, is empty although its content draws something, or is not there any more."""
    if int(pixels.min()) != int(pixels.max()):
        return False
    return asked(
        path, password, lambda pdf: index < len(pdf.pages) and _is_broken(pdf, pdf.pages[index].obj), otherwise=False
    )


def is_structure_damaged(path: Path, password: str | None) -> bool:
    """Whether the table of a PDF's objects had to be guessed, or its page tree refers to what is no page: PDFium passes over both."""
    return asked(path, password, _is_guessed, otherwise=False)


def _is_guessed(pdf: pikepdf.Pdf) -> bool:
    return any(sign in str(warning) for warning in pdf.get_warnings() for sign in _SIGNS_OF_DAMAGE)


def is_picture_lost(page: pypdfium2.PdfPage, scale: PageScale, pixels: GreyArray) -> bool:
    """Whether the data of a picture on the page, rendered as `pixels`, cannot be decoded or break off."""
    visible: Rect = tuple(page.get_bbox())
    for number, (image, outer) in enumerate(walk_images(page)):
        if number >= _MOST_PICTURES:
            return False
        rect = place_of(image, outer, visible)
        if rect is None or area(rect) < _LEAST_SHARE * area(visible):
            continue
        place = _part(pixels, transformed(scale.to_pixels, rect))
        if _is_empty(place) and not _decodes(image):
            return True
        to_pixels = compose(compose(object_matrix(image), outer), scale.to_pixels)
        if _breaks_off(image, to_pixels, pixels):
            return True
    return False


def _is_broken(pdf: pikepdf.Pdf, page: pikepdf.Object) -> bool:
    contents = page.get("/Contents")
    if contents is None:
        # What a reference points to may be lost; in a whole file, a page without content is a blank one.
        return _is_guessed(pdf)
    streams = list(contents) if isinstance(contents, pikepdf.Array) else [contents]
    if not all(isinstance(stream, pikepdf.Stream) for stream in streams):
        return True
    if any(_is_cut(_filters(stream), stream.read_raw_bytes()) for stream in streams):
        return True
    content = b"\n".join(stream.read_bytes() for stream in streams)
    if _draws_what_is_gone(resources_of(page), content, set()):
        return True
    return len(content) <= _MOST_PARSED_BYTES and _ends_amid(pdf, page)


def _draws_what_is_gone(resources: pikepdf.Object, content: bytes, seen: set[tuple[int, int]]) -> bool:
    """Whether the content, or that of a form on it, draws a picture or form that the file does not have."""
    objects = resources.get("/XObject", pikepdf.Dictionary())
    for name in sorted(set(drawn_names(content))):
        drawn = objects.get(name)
        if not isinstance(drawn, pikepdf.Stream):
            return True
        if drawn.get("/Subtype") != "/Form" or drawn.objgen in seen or len(seen) >= _MOST_FORMS:
            continue
        seen.add(drawn.objgen)
        if _draws_what_is_gone(drawn.get("/Resources", resources), drawn.read_bytes(), seen):
            return True
    return False


def _ends_amid(pdf: pikepdf.Pdf, page: pikepdf.Object) -> bool:
    """Whether the content ends within a string or an array, or cannot be parsed at all."""
    pdf.get_warnings()  # what was said before goes
    try:
        pikepdf.parse_content_stream(page)
    except (
        pikepdf.PdfError,
        TypeError,
        IndexError,
    ):  # the last two for operators among operands, and inline images without parts
        return True
    return any("EOF" in str(warning) for warning in pdf.get_warnings())


def _filters(stream: pikepdf.Object) -> list[str]:
    given = stream.get("/Filter")
    if given is None:
        return []
    return [str(name)[1:] for name in (given if isinstance(given, pikepdf.Array) else [given])]


def _part(pixels: GreyArray, place: Rect) -> GreyArray:
    left, top, right, bottom = (max(round(side), 0) for side in place)
    return pixels[top:bottom, left:right]


def _is_empty(place: GreyArray) -> bool:
    sample = place[::_SAMPLED, ::_SAMPLED]
    return bool(np.bincount(sample.ravel(), minlength=1).max(initial=0) >= _EMPTY_SHARE * sample.size)


def _decodes(image: Any) -> bool:
    bitmap = raw.FPDFImageObj_GetBitmap(image)
    if bitmap:
        raw.FPDFBitmap_Destroy(bitmap)
    return bool(bitmap)


def _breaks_off(image: Any, to_pixels: Matrix, pixels: GreyArray) -> bool:
    """Whether an image that the matrix takes to its place on the rendered page lacks its end."""
    filters = list(_image_filters(image))
    if not filters:
        return False
    if filters[-1] in ("DCTDecode", "DCT"):
        last_blocks = _part(pixels, transformed(to_pixels, _LAST_BLOCKS))
        return _is_cut_jpeg(_data(image, is_decoded=len(filters) > 1), last_blocks)
    last_rows = _part(pixels, transformed(to_pixels, _LAST_ROWS))
    if not last_rows.size or int(last_rows.min()) != int(last_rows.max()):
        return False
    if filters[-1] in ("CCITTFaxDecode", "CCF"):
        tail = _data(image, is_decoded=len(filters) > 1)[-_TRAILING_BYTES:]
        # Not every program writes the end mark; rows that are missing come out black.
        bits = "".join(f"{byte:08b}" for byte in tail)
        return int(last_rows.max()) < _BLACK and _END_OF_FACSIMILE not in bits
    data = _data(image, is_decoded=False)
    return not data or _is_cut(filters, data)


def _is_cut(filters: list[str], data: bytes) -> bool:
    """Whether compressed data are damaged or end before their end. The checksum behind them is often missing, and says nothing here."""
    if not data or not filters or filters[0] not in ("FlateDecode", "Fl"):
        return False
    inflating, rest = zlib.decompressobj(-zlib.MAX_WBITS), data.lstrip(b"\r\n")[2:]
    try:
        for _ in range(_MOST_PIECES):
            inflating.decompress(rest, _PIECE_BYTES)
            rest = inflating.unconsumed_tail
            if inflating.eof or not rest:
                return not inflating.eof
    except zlib.error:
        return True
    return False


def _is_cut_jpeg(data: bytes, last_rows: GreyArray) -> bool:
    """Whether a JPEG without its end mark lacks part of the picture: blocks that are missing come out in the middle grey.

    One of several scans (ITU-T T.81, SOF2) comes out blurred all over instead.
    """
    if _END_OF_JPEG in data[-_TRAILING_BYTES:]:
        return False
    is_grey = last_rows.size > 0 and bool((np.abs(last_rows.astype(np.int16) - _MIDDLE_GREY) <= _NEAR_GREY).all())
    return is_grey or _PROGRESSIVE in data[:_HEAD_BYTES]


def _image_filters(image: Any) -> Iterator[str]:
    for index in range(max(raw.FPDFImageObj_GetImageFilterCount(image), 0)):
        length = raw.FPDFImageObj_GetImageFilter(image, index, None, 0)
        name = ctypes.create_string_buffer(length)
        raw.FPDFImageObj_GetImageFilter(image, index, name, length)
        yield name.value.decode("latin-1")


def _data(image: Any, *, is_decoded: bool) -> bytes:
    """The image's stream as it is in the file, or without the filters that are no picture formats."""
    read = raw.FPDFImageObj_GetImageDataDecoded if is_decoded else raw.FPDFImageObj_GetImageDataRaw
    length = read(image, None, 0)
    data = ctypes.create_string_buffer(length)
    read(image, data, length)
    return data.raw
