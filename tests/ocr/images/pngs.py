"""What PNGs are put together of."""

import struct
import zlib


def chunk(name: bytes, data: bytes) -> bytes:
    """With its length and checksum (PNG specification, third edition, section 5.3)."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
