"""Pictures that are small as files and large as anything else, drawn in code."""

import io
import struct
import zlib
from typing import Final

from PIL import Image

from tests.ocr.images.pngs import chunk

_PNG_HEAD: Final = b"\x89PNG\r\n\x1a\n"
_ZEROS: Final = bytes(1 << 20)


def png(width_px: int, height_px: int, extra: bytes = b"", rows: int | None = None) -> bytes:
    """A white PNG of 1 bit a pixel; `rows` of data, all where it is None, and no row of more than a million pixels. `extra`: chunks before the data."""
    header = struct.pack(">LLBBBBB", width_px, height_px, 1, 0, 0, 0, 0)
    row = b"\0" + b"\xff" * ((min(width_px, 1 << 20) + 7) // 8)
    pack = zlib.compressobj(9)
    parts = [pack.compress(row) for _ in range(height_px if rows is None else rows)]
    data = b"".join([*parts, pack.flush()])
    return _PNG_HEAD + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def inflating(megabytes: int) -> bytes:
    """Zeros, deflated: a thousandth of their size."""
    pack = zlib.compressobj(9)
    parts = [pack.compress(_ZEROS) for _ in range(megabytes)]
    return b"".join([*parts, pack.flush()])


def png_with_text(megabytes: int) -> bytes:
    """A small page whose comment and colour profile become so large."""
    packed = inflating(megabytes)
    text, profile = chunk(b"zTXt", b"Comment\0\0" + packed), chunk(b"iCCP", b"ICC\0\0" + packed)
    return png(800, 300, profile + text)


def tiff_g4(side_px: int) -> bytes:
    """A white page of one strip, packed by CCITT G4: some bits a row."""
    file = io.BytesIO()
    Image.new("1", (side_px, side_px), 1).save(file, "TIFF", compression="group4")
    return file.getvalue()


def tiff_of_pages(count: int) -> bytes:
    """So many directories of one small page each, which all show the same strip."""
    strip_at = 8
    body = bytearray(b"II*\0" + struct.pack("<L", 8 + 128) + b"\xff" * 128)
    tags = [(256, 4, 1, 32), (257, 4, 1, 32), (258, 3, 1, 1), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, strip_at)]
    tags += [(277, 3, 1, 1), (278, 4, 1, 32), (279, 4, 1, 128)]
    for number in range(count):
        entries = b"".join(struct.pack("<HHLL", *tag) for tag in tags)
        following = len(body) + 2 + len(entries) + 4
        body += struct.pack("<H", len(tags)) + entries
        body += struct.pack("<L", following if number + 1 < count else 0)
    return bytes(body)


def tiff_in_a_circle() -> bytes:
    """The second page's next one is the first."""
    content = bytearray(tiff_of_pages(2))
    content[-4:] = struct.pack("<L", 8 + 128)
    return bytes(content)


def gif(width_px: int, height_px: int, frames: int) -> bytes:
    """A GIF of that screen with so many frames of one pixel."""
    head = b"GIF89a" + struct.pack("<HHBBB", width_px, height_px, 0x80, 0, 0) + bytes(3) + b"\xff" * 3
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return head + frame * frames + b";"


def jpeg(side_px: int) -> bytes:
    """A header of that size, progressive, with the scan of a small picture."""
    file = io.BytesIO()
    Image.new("L", (64, 64), 255).save(file, "JPEG", progressive=True)
    content = bytearray(file.getvalue())
    at = content.index(b"\xff\xc2")
    content[at + 5 : at + 9] = struct.pack(">HH", side_px, side_px)
    return bytes(content)


def webp(side_px: int) -> bytes:
    """A white page, without loss."""
    file = io.BytesIO()
    Image.new("L", (side_px, side_px), 255).save(file, "WEBP", lossless=True, quality=0, method=0)
    return file.getvalue()


def jpeg_2000(side_px: int) -> bytes:
    """A small picture whose headers say that it is so large, in one tile."""
    file = io.BytesIO()
    Image.new("L", (64, 64), 255).save(file, "JPEG2000")
    content = bytearray(file.getvalue())
    at = content.index(b"ihdr") + 4
    content[at : at + 8] = struct.pack(">LL", side_px, side_px)
    size = content.index(b"\xff\x51") + 6
    content[size : size + 8] = struct.pack(">LL", side_px, side_px)
    content[size + 16 : size + 24] = struct.pack(">LL", side_px, side_px)
    return bytes(content)


def bmp(side_px: int) -> bytes:
    """A header of that size and no pixels."""
    header = struct.pack("<LllHHLLllLL", 40, side_px, side_px, 1, 1, 0, 0, 2835, 2835, 2, 2)
    return b"BM" + struct.pack("<LHHL", 62, 0, 0, 62) + header + b"\0\0\0\0\xff\xff\xff\0"


def pnm(side_px: int) -> bytes:
    """A header of that size and one pixel."""
    return b"P5 %d %d 255\n\xff" % (side_px, side_px)
