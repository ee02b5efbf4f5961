"""Pictures that no decoder here knows, told apart from damaged ones: to scan them anew would not help, to save them otherwise does."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Final

from PIL import TiffImagePlugin

from recto.ocr.images.tiff_directories import TiffFrom

_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
"""The marker that begins a picture in a JPEG (ITU-T T.81, table B.1), and in a JPEG-LS (T.87)."""
_USUAL_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2})
_USUAL_BITS: Final = 8
_MOST_SEGMENTS: Final = 10_000

_PACKINGS: Final = frozenset(
    {"raw", "tiff_raw_16", "tiff_ccitt", "group3", "group4", "tiff_lzw", "tiff_jpeg", "jpeg"}
    | {"tiff_adobe_deflate", "tiff_deflate", "packbits", "lzma", "zstd"}
)
"""How a TIFF may be compressed, in Pillow's names: what its libtiff decodes."""
_MOST_BITS: Final = 64
_BIG: Final = 43
"""In the third byte of a BigTIFF, as TiffFrom shows it."""


def is_rare_jpeg(path: Path) -> bool:
    """Whether it is neither a sequential nor a progressive JPEG of 8 bits with Huffman's codes; False where that cannot be told."""
    with path.open("rb") as file:
        file.seek(2)
        for _ in range(_MOST_SEGMENTS):
            head = file.read(5)
            if len(head) < 5 or head[0] != 0xFF:
                return False
            if head[1] in _FRAMES:
                return head[1] not in _USUAL_FRAMES or head[4] != _USUAL_BITS
            file.seek(int.from_bytes(head[2:4], "big") - 3, 1)
    return False


def is_rare_tiff(path: Path, offset: int) -> bool:
    """Whether the page whose directory is at `offset`, and which Pillow does not open, says clearly what it is."""
    try:
        tags = _tags(path, offset)
        bits = tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))
        return is_rarely_packed(tags) or all(0 < depth <= _MOST_BITS for depth in bits)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - Pillow's parser raises whatever it meets in a directory that is damaged
        return False


def is_rarely_packed(tags: TiffImagePlugin.ImageFileDirectory_v2) -> bool:
    """Whether a TIFF's page is compressed in a way that is not decoded."""
    return TiffImagePlugin.COMPRESSION_INFO.get(tags.get(TiffImagePlugin.COMPRESSION, 1)) not in _PACKINGS


def _tags(path: Path, offset: int) -> TiffImagePlugin.ImageFileDirectory_v2:
    with TiffFrom(path, offset) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on tags that it reads past
        header = file.read(8)
        tags = TiffImagePlugin.ImageFileDirectory_v2(header + (file.read(8) if header[2] == _BIG else b""))
        file.seek(offset)
        tags.load(file)
    return tags
