"""The chain of a TIFF's directories, one a page, walked without Pillow: it loses the pages behind a damaged directory.

The layout is that of TIFF 6.0 (section 2) and of BigTIFF, its extension to offsets of 64 bits.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

_WIDTH_TAG: Final = 256
_HEIGHT_TAG: Final = 257
_NUMBERS: Final = {1: "B", 3: "H", 4: "L", 16: "Q"}  # BYTE, SHORT, LONG, and LONG8 of BigTIFF
_MAX_ENTRIES: Final = 65_535
_BIG: Final = 43
_LEAST_WALK: Final = 1024
_BIG_MARK: Final = b"MM\x00+"
MARK_FOR_PILLOW: Final = b"MM+\x00"
"""Pillow looks for BigTIFF's 43 in the third byte, also where the order of bytes has it in the fourth."""


@dataclass(frozen=True, slots=True)
class Directory:
    """Where a page's directory lies in the file, and the page's width and height as stored; None where it does not say them.

    `offset` is None where the chain is torn: the directory of this page and those of all pages behind it cannot be found.
    """

    offset: int | None
    size_px: tuple[int, int] | None


_TORN: Final = Directory(None, None)


@dataclass(frozen=True, slots=True)
class _Layout:
    """The byte order, and struct's formats of the numbers that are wider in BigTIFF."""

    order: str
    count: str = "H"
    entry: str = "HHL4s"
    offset: str = "L"
    offset_at: int = 4

    def unpack(self, numbers: str, content: bytes, at: int = 0) -> tuple[Any, ...]:
        return struct.unpack_from(self.order + numbers, content, at)

    def read(self, numbers: str, file: BinaryIO) -> tuple[Any, ...]:
        return self.unpack(numbers, file.read(struct.calcsize(self.order + numbers)))


class TiffFrom(io.BufferedReader):
    """A TIFF file that begins with the directory at `offset`, so that any page opens whatever state the ones before it are in.

    For Pillow alone, after `complete_pillow`: the mark of a big-endian BigTIFF is the one that Pillow understands.
    """

    def __init__(self, path: Path, offset: int) -> None:
        super().__init__(io.FileIO(path))
        head = super().read(16)
        layout = _layout(head)
        self._header = header_for_pillow(head[: layout.offset_at] + struct.pack(layout.order + layout.offset, offset))
        self.seek(0)

    def read(self, size: int | None = -1, /) -> bytes:
        """The file's bytes; in its header stand the other offset and mark."""
        at = self.tell()
        content = super().read(size)
        header = self._header[at : at + len(content)]
        return header + content[len(header) :] if header else content


def header_for_pillow(header: bytes) -> bytes:
    """The header of a TIFF, marked as Pillow understands it."""
    return MARK_FOR_PILLOW + header[4:] if header.startswith(_BIG_MARK) else header


def find_directories(path: Path, at_most: int) -> tuple[Directory, ...]:
    """The directories in the order of the pages, no more than `at_most`; none where the header is damaged.

    The last files' directories are kept: pages are opened one by one, and to walk the chain for each would take the square of their number.
    """
    state = path.stat()
    identity = (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns)
    walked = max(_LEAST_WALK, 1 << (at_most - 1).bit_length())  # few lengths, so that the same walk serves many pages
    return _directories(path.resolve(), identity, walked)[:at_most]


@lru_cache(maxsize=2)
def _directories(path: Path, _identity: tuple[int, ...], at_most: int) -> tuple[Directory, ...]:
    with path.open("rb") as file:
        return tuple(islice(_walk(file), at_most))


def _walk(file: BinaryIO) -> Iterator[Directory]:
    """Where the chain breaks off, or leads back to where it was, a directory stands in for those that are lost."""
    try:
        layout, seen = _layout(file.read(16)), set[int]()
        end = file.seek(0, io.SEEK_END)
        file.seek(layout.offset_at)
        (offset,) = layout.read(layout.offset, file)
    except struct.error:
        return
    while offset:
        try:
            if offset >= end:
                raise ValueError("No directory lies there.")  # nor may a file system let one seek as far
            size_px, following = _read_directory(file, layout, offset)
        except (struct.error, ValueError):  # it breaks off
            yield _TORN
            return
        yield Directory(offset, size_px)
        seen.add(offset)
        if following in seen:
            yield _TORN
            return
        offset = following


def _read_directory(file: BinaryIO, layout: _Layout, offset: int) -> tuple[tuple[int, int] | None, int]:
    """The page's size, and where the next directory lies (0: nowhere). ValueError where there is no directory."""
    file.seek(offset)
    (count,) = layout.read(layout.count, file)
    if not 0 < count <= _MAX_ENTRIES:
        raise ValueError("No directory has so many entries.")
    entry_bytes = struct.calcsize(layout.order + layout.entry)
    content = file.read(count * entry_bytes)
    values: dict[int, int] = {}
    for at in range(0, count * entry_bytes, entry_bytes):
        tag, kind, _, value = layout.unpack(layout.entry, content, at)
        if tag in (_WIDTH_TAG, _HEIGHT_TAG) and kind in _NUMBERS:
            (values[tag],) = layout.unpack(_NUMBERS[kind], value)
    (following,) = layout.read(layout.offset, file)
    size_px = (values.get(_WIDTH_TAG, 0), values.get(_HEIGHT_TAG, 0))
    return (size_px if all(size_px) else None), following


def _layout(head: bytes) -> _Layout:
    order = "<" if head.startswith(b"II") else ">"
    (version,) = struct.unpack_from(order + "H", head, 2)
    return _Layout(order, "Q", "HHQ8s", "Q", 8) if version == _BIG else _Layout(order)
