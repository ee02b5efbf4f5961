"""The parts that a PNG is made of (PNG specification, third edition, section 5), without decoding its pixels."""

import io
import os
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO, Final, NamedTuple

_SIGNATURE_BYTES: Final = 8
_AROUND_BYTES: Final = 12
"""Of a chunk besides its data: length, name and checksum, four bytes each."""
_MAY_HOLD_EXIF: Final = frozenset({b"eXIf", b"tEXt", b"zTXt", b"iTXt"})
"""Texts as well: programs older than `eXIf` wrote it there."""


class Chunk(NamedTuple):
    """Made by the hundred: libpng writes pixels in pieces of 8 KiB. `offset` in bytes of the length field, with which the chunk begins."""

    name: bytes
    offset: int
    size_bytes: int

    @property
    def end(self) -> int:
        """The offset behind its checksum."""
        return self.offset + self.size_bytes + _AROUND_BYTES


def chunks(file: IO[bytes]) -> Iterator[Chunk]:
    """The chunks in order, as far as they lie in the file; each costs a read of eight bytes. May move the file's position."""
    return _chunks(_reader(file))


def _chunks(read_at: Callable[[int, int], bytes]) -> Iterator[Chunk]:
    offset = _SIGNATURE_BYTES
    while True:
        head = read_at(8, offset)
        if len(head) < 8:
            return
        chunk = Chunk(head[4:], offset, int.from_bytes(head[:4], "big"))
        yield chunk
        offset = chunk.end


def _reader(file: IO[bytes]) -> Callable[[int, int], bytes]:
    """So many bytes from an offset on. Of a file on disk nothing but these: a buffer would be filled anew for each."""
    try:
        return partial(os.pread, file.fileno())
    except io.UnsupportedOperation:  # it lies in memory

        def read_at(size: int, offset: int) -> bytes:
            file.seek(offset)
            return file.read(size)

        return read_at


def has_metadata_behind_pixels(file: IO[bytes]) -> bool:
    """Whether EXIF may come after the pixels, where Pillow finds it only by decoding them. Leaves the file's position as it was."""
    position = file.tell()
    try:
        is_behind = False
        for chunk in chunks(file):
            is_behind = is_behind or chunk.name == b"IDAT"
            if is_behind and chunk.name in _MAY_HOLD_EXIF:
                return True
        return False
    finally:
        file.seek(position)


def split_pixels(png: bytes) -> tuple[bytes, bytes]:
    """The same PNG without pixels, its IDAT chunk empty, and what was in all of them: for readers that only need what a picture says of itself.

    ValueError where the file ends before its pixels do, or has none.
    """
    pixels = [chunk for chunk in _chunks(lambda size, offset: png[offset : offset + size]) if chunk.name == b"IDAT"]
    if not pixels or pixels[-1].end > len(png):
        raise ValueError("The pixels end before they should.")
    whole = memoryview(png)
    data = b"".join(whole[chunk.offset + 8 : chunk.offset + 8 + chunk.size_bytes] for chunk in pixels)
    empty = bytes(4) + b"IDAT" + zlib.crc32(b"IDAT").to_bytes(4, "big")
    return b"".join((whole[: pixels[0].offset], empty, whole[pixels[-1].end :])), data
