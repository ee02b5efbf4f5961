"""Decoded pictures of every colour, depth and transparency as grey, as a viewer shows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageChops
from PIL.TiffImagePlugin import BITSPERSAMPLE, PHOTOMETRIC_INTERPRETATION, SAMPLEFORMAT

if TYPE_CHECKING:
    from PIL import Image

    from recto.ocr.page import GreyArray

_MIN_IS_WHITE: Final = 0  # TIFF 6.0, PhotometricInterpretation
_UNSIGNED: Final = (1,)  # TIFF 6.0, SampleFormat
_SIGNED: Final = (2,)
_FULL_SCALES: Final = {"u": (255.0, 4095.0, 65_535.0), "i": (255.0, 4095.0, 32_767.0, 65_535.0), "f": (1.0,)}
_DARK: Final = 64
_LIGHT: Final = 192


def to_grey(image: Image.Image) -> GreyArray:
    """The pixels of a decoded picture, not yet turned. ValueError where they are no numbers."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _of_many_bits(image)
    if has_signed_bytes(image):
        return scaled_to_bytes(np.asarray(image).view(np.int8))
    if image.mode in ("La", "RGBa"):  # colours that were multiplied by their alpha
        image = image.convert(image.mode.upper())
    if image.has_transparency_data:
        layered = image if image.mode in ("LA", "RGBA") else image.convert("RGBA")
        return composited(np.asarray(_luminance(layered)), np.asarray(layered.getchannel("A")))
    return np.array(_luminance(image), dtype=np.uint8)


def has_signed_bytes(image: Image.Image) -> bool:
    """Whether it is a TIFF whose shades of 8 bits have a sign, which Pillow takes for a part of the shade."""
    return image.mode == "L" and getattr(image, "tag_v2", {}).get(SAMPLEFORMAT) == _SIGNED


def composited(grey: GreyArray, alpha: GreyArray) -> GreyArray:
    """Grey over white by `alpha` (0 clear to 255 opaque); over black where white paper would leave nothing to see of it.

    Where dark and light writing stand apart on a ground that is mostly clear, no ground shows both to an engine: the light one
    becomes dark. Where they touch, as in outlined letters, they stay as they are, over mid-grey.
    """
    if alpha.min() >= 128:
        return _over(grey, alpha, 255)
    seen = alpha >= 128
    seen_px = int(np.count_nonzero(seen))
    dark, light = seen & (grey < _DARK), seen & (grey > _LIGHT)
    if seen_px < 0.5 * grey.size and min(np.count_nonzero(dark), np.count_nonzero(light)) > 0.1 * seen_px:
        if _are_apart(dark, light):
            return _over(np.minimum(grey, 255 - grey), alpha, 255)
        return _over(grey, alpha, 128)
    on_white = _over(grey, alpha, 255)
    # White text on a clear ground: whatever can be seen is nearly as light as paper.
    if np.percentile(on_white, 0.1) > _LIGHT:
        return _over(grey, alpha, 0)
    return on_white


def scaled_to_bytes(values: NDArray[Any]) -> GreyArray:
    """Grey of more than 8 bits (integers, or floats of any range) as uint8, scaled and never clipped.

    Integers are held against the full scale of 8, 12 or 16 bits, the least that holds them, and floats from 0 to 1 against 1; all
    others against their own range. What is not a number becomes white. ValueError where none of them is a number.
    """
    low, high = _full_scale(values)
    scaled = np.empty(values.shape, np.uint8)
    for rows in _strips(values.shape[0]):
        numbers = np.nan_to_num(values[rows].astype(np.float64), nan=high, posinf=high, neginf=low)
        scaled[rows] = np.rint((numbers - low) * (255.0 / (high - low)))
    return scaled


def _full_scale(values: NDArray[Any]) -> tuple[float, float]:
    """What is black and what is white; white is larger."""
    finite = values if values.dtype.kind in "ui" else values[np.isfinite(values)]
    if not finite.size:
        raise ValueError("The pixels are not numbers.")
    low, high = float(finite.min()), float(finite.max())
    scales = _FULL_SCALES[values.dtype.kind]
    if low >= 0 and high <= scales[-1]:
        return 0.0, next(full for full in scales if high <= full)
    if high > low:
        return low, high
    return (0.0, high) if high > 0 else (high, high + 1.0)  # one value all over the page


def _are_apart(dark: NDArray[np.bool_], light: NDArray[np.bool_]) -> bool:
    """Whether hardly any dark pixel has a light one within a letter's stroke of it."""
    around_light = cv2.dilate(light.view(np.uint8), np.ones((15, 15), np.uint8))
    return int(np.count_nonzero(dark & (around_light > 0))) < 0.05 * int(np.count_nonzero(dark))


def _of_many_bits(image: Image.Image) -> GreyArray:
    """Pillow keeps 16 and 32 bits as the file has them: of a TIFF, also where 0 is white or where they have no sign."""
    tags, values = getattr(image, "tag_v2", {}), np.asarray(image)
    if image.mode == "I" and tags.get(BITSPERSAMPLE) == (32,) and tags.get(SAMPLEFORMAT, _UNSIGNED) == _UNSIGNED:
        values = values.view(np.uint32)
    grey = scaled_to_bytes(values)
    if tags and tags.get(PHOTOMETRIC_INTERPRETATION, _MIN_IS_WHITE) == _MIN_IS_WHITE:
        np.subtract(255, grey, out=grey)
    clear = image.info.get("transparency")
    if isinstance(clear, int):  # PNG's tRNS: one grey that is to be clear
        return composited(grey, np.where(values == clear, 0, 255).astype(np.uint8))
    return grey


def _luminance(image: Image.Image) -> Image.Image:
    """The picture in mode L, its alpha left aside."""
    if image.mode == "LA":
        return image.getchannel("L")
    if image.mode == "CMYK" and image.format in ("JPEG", "MPO") and "adobe" not in image.info:
        # Pillow takes every CMYK JPEG for one of Adobe's, which store ink inverted and have a marker of their own.
        image = ImageChops.invert(image)
    if image.mode in ("CMYK", "HSV", "LAB"):
        image = image.convert("RGB")
    return image if image.mode == "L" else image.convert("L")


def _over(grey: GreyArray, alpha: GreyArray, background: int) -> GreyArray:
    blended = np.empty_like(grey)
    for rows in _strips(grey.shape[0]):
        opaque = alpha[rows].astype(np.uint16)
        blended[rows] = (grey[rows] * opaque + background * (255 - opaque) + 127) // 255
    return blended


def _strips(height: int) -> Iterator[slice]:
    """Rows, 64 at a time: wider numbers for all of a page at once would be many times its size."""
    return (slice(top, top + 64) for top in range(0, height, 64))
