"""Text size: how tall the letters are, and scaling a page whose letters are far from what Tesseract reads best."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from PIL import Image

from recto.ocr.page import MAX_SIDE_PX
from recto.ocr.preprocessing.transform import Transform, scaling

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray
    from recto.ocr.preprocessing.ink import Letters

_MIN_LETTERS: Final = 30
_MAX_SPREAD: Final = 0.7
_SMALL_PX: Final = 14.0
_LARGE_PX: Final = 16.0
_SMALL_TARGET_PX: Final = 16.0
_LARGE_TARGET_PX: Final = 14.0
"""Letters of less than 14 pixels grow to 16, those of more than 16 shrink to 14; between them a page keeps its size."""

MAX_SCALED_PX: Final = 40_000_000


@dataclass(frozen=True, slots=True)
class TextSize:
    """`letter_px` is the median height of the letters, weighted by their width: in Latin print a little above the x-height.

    `spread` is the distance between the quartiles by the median: about 0.4 in running text (x-height and capitals), more where sizes
    are mixed or the components are no letters.
    """

    letter_px: float
    spread: float


def measure_text_size(letters: Letters, least: int = _MIN_LETTERS) -> TextSize | None:
    """None where there are fewer than `least` letters, too few to tell. Weighting by width lets specks and dots count for little."""
    if len(letters.height) < least:
        return None
    order = np.argsort(letters.height)
    height, share = letters.height[order], np.cumsum(letters.width[order])
    lower, median, upper = height[np.searchsorted(share, np.array([0.25, 0.5, 0.75]) * share[-1])]
    return TextSize(float(median), float((upper - lower) / median))


def scale_for(size: TextSize | None) -> float:
    """The factor that a page is to be scaled by; 1 where its text is of a usual size or where that is in doubt.

    Tesseract scales every line to one height before it reads it, but finds lines, words and their bounds in the page as it is
    given. Of 14 to 30 pixels those up to 16 read best (docs/accuracy.md), and smaller pages take less time.
    """
    if size is None or size.spread > _MAX_SPREAD:
        return 1.0
    if size.letter_px < _SMALL_PX:
        return _SMALL_TARGET_PX / size.letter_px
    if size.letter_px > _LARGE_PX:
        return _LARGE_TARGET_PX / size.letter_px
    return 1.0


def largest_factor(height_px: int, width_px: int) -> float:
    """The factor by which a page of that size grows to the most that memory and the engine are asked to take."""
    return min(math.sqrt(MAX_SCALED_PX / (width_px * height_px)), MAX_SIDE_PX / max(width_px, height_px))


def scaled(grey: GreyArray, factor: float) -> tuple[GreyArray, Transform]:
    """The page scaled by about `factor` (sides are whole pixels), and its transform.

    Bicubic interpolation (Keys 1981), downwards of as many pixels as there are to four of the new ones, which leaves strokes sharper than
    the mean over each pixel's area.
    """
    height, width = grey.shape
    size = max(1, round(width * factor)), max(1, round(height * factor))
    if factor > 1:
        pixels = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    else:
        pixels = np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BICUBIC), dtype=np.uint8)
    return pixels, scaling(size[0] / width, size[1] / height)
