"""Noise: specks and grain, and the page without them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray

_MIN_SPECKS: Final = 0.006
"""Scans and drawn pages have at most 0.003, pages with specks on one percent of their pixels about 0.008."""
_MIN_GRAIN: Final = 11.0
"""Scans have at most 4, drawn paper 8."""
_AWAY: Final = 60
"""A speck is at least this much off the median around it, of 255, and half as much off the nearest of its neighbours."""
_BLUR_PX: Final = 0.8
_LAPLACIAN: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


@dataclass(frozen=True, slots=True)
class Noise:
    """`speck_share` is the share of pixels that stand alone, 0 to 1; `grain` the standard deviation of what varies from pixel to pixel."""

    speck_share: float
    grain: float

    @property
    def is_disturbing(self) -> bool:
        """Whether the page is to be smoothed."""
        return self.has_specks or self.has_grain

    @property
    def remaining_grain(self) -> float:
        """The grain that is left once the page was smoothed."""
        return self.grain / (2 * math.sqrt(math.pi) * _BLUR_PX) if self.has_grain else self.grain

    @property
    def has_specks(self) -> bool:
        """Pepper and salt."""
        return self.speck_share >= _MIN_SPECKS

    @property
    def has_grain(self) -> bool:
        """As of a sensor in the dark."""
        return self.grain >= _MIN_GRAIN


def measure_noise(grey: GreyArray) -> Noise:
    """What disturbs the middle of the page.

    Grain after Immerkaer, "Fast noise variance estimation" (1996), with the median in the place of the mean, so that letters have no say.
    """
    height, width = grey.shape
    part = grey[height // 4 : height - height // 4, width // 4 : width - width // 4]
    if min(part.shape) < 3:
        return Noise(0.0, 0.0)
    specks = float(np.mean(_specks(part, np.asarray(cv2.medianBlur(part, 3), dtype=np.uint8))))
    # In whole numbers, and to 255 alone: the median of so many is far below, and a table of 256 counts finds it at once.
    detail = cv2.convertScaleAbs(cv2.filter2D(part, cv2.CV_16S, _LAPLACIAN))
    counts = np.cumsum(cv2.calcHist([detail], [0], None, [256], [0, 256]))
    return Noise(specks, float(np.searchsorted(counts, counts[-1] / 2)) / (0.6745 * 6))


def smoothed(grey: GreyArray, noise: Noise) -> GreyArray:
    """The page with the noise that was measured taken away. No point moves.

    Specks alone give way to the median around them (the switching median of Sun & Neuvo, "Detail-preserving median based filters in image
    processing", 1994), so that strokes stay; grain to a blur of 0.8 pixels.
    """
    pixels = grey
    if noise.has_specks:
        median = np.asarray(cv2.medianBlur(grey, 3), dtype=np.uint8)
        pixels = np.where(_specks(grey, median), median, grey)
    if noise.has_grain:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), _BLUR_PX), dtype=np.uint8)
    return np.asarray(pixels, dtype=np.uint8)


def _specks(grey: GreyArray, median: GreyArray) -> NDArray[np.bool_]:
    """Single pixels that stand out from all eight neighbours. Strokes of letters, also thin ones, go on in one of them at least."""
    ring = np.ones((3, 3), np.uint8)
    ring[1, 1] = 0
    # OpenCV's differences of bytes end at 0 instead of going below.
    is_darker = cv2.subtract(cv2.erode(grey, ring), grey) > _AWAY // 2
    is_lighter = cv2.subtract(grey, cv2.dilate(grey, ring)) > _AWAY // 2
    return np.asarray((is_darker | is_lighter) & (cv2.absdiff(grey, median) >= _AWAY))
