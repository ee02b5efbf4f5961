"""Pages whose content unpacks to more than PDFium can bear: it needs seven bytes of memory for each, and ends its process without them."""

from __future__ import annotations

import zlib
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import pikepdf

from recto.ocr.pdf.drawn_objects import content_streams
from recto.ocr.pdf.qpdf import asked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_CONTENT_BYTES: Final = 100_000_000
_MOST_DEFLATED: Final = 1032
"""Deflate makes at most this much of a byte (RFC 1951; zlib's technical details)."""

_PIECE_BYTES: Final = 1 << 20


def is_content_too_large(path: Path, password: str | None, index: int) -> bool:
    """Whether the content of page `index` (from 0) unpacks to more than MAX_CONTENT_BYTES. What forms on it draw is not counted."""
    stat = path.stat()
    return index in _large_pages(path, password, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4)
def _large_pages(path: Path, password: str | None, _mtime_ns: int, _size_bytes: int) -> frozenset[int]:
    """The pages of a file, from 0; remembered, since a process reads many pages of one document."""
    return asked(path, password, _large_pages_of, otherwise=frozenset())


def _large_pages_of(pdf: pikepdf.Pdf) -> frozenset[int]:
    return frozenset(index for index, page in enumerate(pdf.pages) if _is_large(page.obj))


def _is_large(page: pikepdf.Object) -> bool:
    left_bytes = MAX_CONTENT_BYTES
    for stream in content_streams(page):
        left_bytes -= _unpacked_bytes(stream, left_bytes)
        if left_bytes < 0:
            return True
    return False


def _unpacked_bytes(stream: pikepdf.Object, limit_bytes: int) -> int:
    """Length of a stream's data, deflated once or several times, counted no further than just over the limit; else that of the raw data."""
    length: object = stream.get("/Length")
    # In a damaged file it may be anything.
    length_bytes = length if isinstance(length, int) else len(stream.read_raw_bytes())
    times = _times_deflated(stream.get("/Filter"))
    if not times or length_bytes * _MOST_DEFLATED**times <= limit_bytes:
        return length_bytes
    found = 0
    with suppress(zlib.error):  # PDFium stops there as well
        pieces: Iterator[bytes] = iter([stream.read_raw_bytes()])
        for _ in range(times):
            pieces = _inflated(pieces)
        for piece in pieces:
            found += len(piece)
            if found > limit_bytes:
                break
    return found


def _times_deflated(filters: object) -> int:
    """How often the data is deflated; 0 where it is not, or is packed in another way as well."""
    names = list(filters.as_list()) if isinstance(filters, pikepdf.Array) else [filters]
    return len(names) if all(name == "/FlateDecode" for name in names) else 0


def _inflated(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Pieces of at most _PIECE_BYTES, so that what is packed in them is never there as a whole."""
    inflating = zlib.decompressobj()
    for piece in pieces:
        rest = piece
        while rest and not inflating.eof:
            yield inflating.decompress(rest, _PIECE_BYTES)
            rest = inflating.unconsumed_tail
        if inflating.eof:
            return
