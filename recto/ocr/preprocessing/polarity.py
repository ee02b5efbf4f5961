"""Polarity: light text on a dark page becomes dark text on a light one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from recto.ocr.preprocessing.ink import halved, reduced

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray

_LONG_SIDE_PX: Final = 1000
_WINDOW_PX: Final = 15
_CONTRAST: Final = 60
_CLEAR_MAJORITY: Final = 0.65


def is_inverted(grey: GreyArray) -> bool:
    """Whether the page is light text on dark: most of it is dark, and so is the ground around its strokes.

    Most of it: by Otsu's threshold (1979). The ground: strokes are thin, so that near them the mean lies closer to the ground than to
    the ink; where the window around a pixel has contrast, its mean is held against the middle of its range. A photograph, or a dark
    desk around a sheet, darkens the page but not the ground of its text.
    """
    _, dark = cv2.threshold(halved(grey, _LONG_SIDE_PX), 0, 1, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    if float(np.mean(dark)) <= 0.5:
        return False
    small = reduced(grey, min(1.0, _LONG_SIDE_PX / max(grey.shape)))
    return _dark_ground_share(small) >= _CLEAR_MAJORITY


def inverted(grey: GreyArray) -> GreyArray:
    """255 - grey. No point moves."""
    return np.asarray(cv2.bitwise_not(grey), dtype=np.uint8)


def _dark_ground_share(grey: GreyArray) -> float:
    """Of the places with contrast, the share whose surroundings are nearer to their darkest than to their lightest pixel."""
    window = np.ones((_WINDOW_PX, _WINDOW_PX), np.uint8)
    lightest = cv2.dilate(grey, window).astype(np.int16)
    darkest = cv2.erode(grey, window).astype(np.int16)
    mean = cv2.blur(grey, (_WINDOW_PX, _WINDOW_PX)).astype(np.int16)
    contrast = lightest - darkest > _CONTRAST
    if not contrast.any():
        return 0.0
    return float(np.mean(2 * mean[contrast] < (lightest + darkest)[contrast]))
