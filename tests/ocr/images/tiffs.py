"""TIFF files built byte by byte: layouts that Pillow does not write, and damage in a known place."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHORT: Final = 3
LONG: Final = 4
RATIONAL: Final = 5
_FORMATS: Final = {SHORT: "H", LONG: "L", RATIONAL: "L"}
_STRIPS: Final = (273, 279)
_TILES: Final = (324, 325)

Tags = dict[int, tuple[int, tuple[int, ...]]]


@dataclass(frozen=True)
class TiffPage:
    """The tags of a page but for where its data lie, and the data: strips or tiles as they stand in the file."""

    tags: Tags
    chunks: Sequence[bytes]
    tiled: bool = False


@dataclass
class _File:
    order: str
    big: bool
    content: bytearray = field(default_factory=bytearray)

    def pack(self, numbers: str, *values: int) -> bytes:
        return struct.pack(self.order + numbers, *values)

    def append(self, content: bytes) -> int:
        """Where it begins: at an even place, as TIFF wants it."""
        self.content += b"\0" * (len(self.content) % 2)
        self.content += content
        return len(self.content) - len(content)


def tiff(pages: Sequence[TiffPage], order: str = "<", big: bool = False) -> bytes:
    """A file of those pages; every directory stands behind its page's data."""
    file = _File(order, big)
    mark = b"II" if order == "<" else b"MM"
    file.content += mark + (file.pack("HHHQ", 43, 8, 0, 0) if big else file.pack("HL", 42, 0))
    link = 8 if big else 4
    for page in pages:
        link = _append_page(file, page, link)
    return bytes(file.content)


def grey_page(values: NDArray[np.generic], photometric: int = 1) -> TiffPage:
    """One uncompressed strip of grey in the array's own type, its byte order the file's."""
    height, width = values.shape
    kind = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    tags = tags_of(width, height, (values.dtype.itemsize * 8,), photometric) | {339: (SHORT, (kind,))}
    return TiffPage(tags, [values.tobytes()])


def tags_of(width: int, height: int, bits: tuple[int, ...], photometric: int, compression: int = 1) -> Tags:
    """What every page says of itself."""
    return {
        256: (LONG, (width,)),
        257: (LONG, (height,)),
        258: (SHORT, bits),
        259: (SHORT, (compression,)),
        262: (SHORT, (photometric,)),
        277: (SHORT, (len(bits),)),
        278: (LONG, (height,)),
    }


def directory_offsets(content: bytes | bytearray) -> Iterator[int]:
    """Where the directories of a little-endian classic TIFF stand."""
    (offset,) = struct.unpack_from("<L", content, 4)
    while offset:
        yield offset
        (count,) = struct.unpack_from("<H", content, offset)
        (offset,) = struct.unpack_from("<L", content, offset + 2 + 12 * count)


def _append_page(file: _File, page: TiffPage, link: int) -> int:
    """Writes a page and enters it at `link`; returns where the next one is to be entered."""
    offsets_tag, counts_tag = _TILES if page.tiled else _STRIPS
    tags = page.tags | {
        offsets_tag: (LONG, tuple(file.append(chunk) for chunk in page.chunks)),
        counts_tag: (LONG, tuple(len(chunk) for chunk in page.chunks)),
    }
    entries = b"".join(_entry(file, tag, *tags[tag]) for tag in sorted(tags))
    directory = file.append(file.pack("Q" if file.big else "H", len(tags)) + entries + bytes(8 if file.big else 4))
    file.content[link : link + (8 if file.big else 4)] = file.pack("Q" if file.big else "L", directory)
    return len(file.content) - (8 if file.big else 4)


def _entry(file: _File, tag: int, kind: int, values: tuple[int, ...]) -> bytes:
    room = 8 if file.big else 4
    content = file.pack(_FORMATS[kind] * len(values), *values)
    if len(content) > room:
        content = file.pack("Q" if file.big else "L", file.append(content))
    count = len(values) // 2 if kind == RATIONAL else len(values)
    return file.pack("HHQ" if file.big else "HHL", tag, kind, count) + content.ljust(room, b"\0")
