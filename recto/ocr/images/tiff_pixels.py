"""Kinds of TIFF pixels that Pillow's own table lacks or gets wrong; held against what tifffile writes."""

from __future__ import annotations

from typing import Final, TypeAlias

from PIL import TiffImagePlugin

from recto.ocr.images.tiff_directories import MARK_FOR_PILLOW, header_for_pillow

_OLD_JPEG: Final = 6
"""Which may point to its data by tags of its own (TIFF 6.0, section 22)."""
_BIG_ENDIAN: Final = b"MM"
_Kind: TypeAlias = tuple[bytes, int, tuple[int], int, tuple[int, ...], tuple[int, ...]]
_MISSING: Final[dict[_Kind, tuple[str, str]]] = {
    # byte order, PhotometricInterpretation, SampleFormat, FillOrder, BitsPerSample, ExtraSamples: mode, raw mode
    (_BIG_ENDIAN, 0, (1,), 1, (16,), ()): ("I;16B", "I;16B"),
    (_BIG_ENDIAN, 1, (1,), 1, (12,), ()): ("I;16", "I;12"),
    (_BIG_ENDIAN, 1, (1,), 1, (32,), ()): ("I", "I;32B"),
}
_NATIVE: Final = {"F;32BF": "F;32NF", "I;16BS": "I;16NS", "I;32B": "I;32N", "I;32BS": "I;32NS"}


class _Directory(TiffImagePlugin.ImageFileDirectory_v2):
    """Knows a BigTIFF in either order of bytes."""

    def __init__(self, ifh: bytes = b"II*\0\0\0\0\0", prefix: bytes | None = None, group: int | None = None) -> None:
        super().__init__(header_for_pillow(ifh), prefix, group)


def complete_pillow() -> None:
    """Adds the missing kinds, and lets libtiff decode uncompressed pages as well: it alone knows all of their layouts."""
    TiffImagePlugin.OPEN_INFO.update(_MISSING)
    TiffImagePlugin.READ_LIBTIFF = True
    TiffImagePlugin.PREFIXES.append(MARK_FOR_PILLOW)
    TiffImagePlugin.ImageFileDirectory_v2 = _Directory  # type: ignore[misc]


def prepare_decoding(image: TiffImagePlugin.TiffImageFile) -> None:
    """To be called before a page is loaded. OSError where the page does not say where its data lie: libtiff would give a black page.

    libtiff hands out numbers in the machine's byte order; of 32 bits and with a sign, Pillow takes them for the file's.
    """
    tags = image.tag_v2
    offsets = tags.get(TiffImagePlugin.STRIPOFFSETS) or tags.get(TiffImagePlugin.TILEOFFSETS) or ()
    if tags.get(TiffImagePlugin.COMPRESSION) != _OLD_JPEG and not (offsets and all(offsets)):
        raise OSError("The page has no data.")
    if image.tile and image.tile[0].codec_name == "libtiff":
        tile = image.tile[0]
        raw_mode, *others = tile.args if isinstance(tile.args, tuple) else (tile.args,)
        image.tile = [tile._replace(args=(_NATIVE.get(raw_mode, raw_mode), *others))]
