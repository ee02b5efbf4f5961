"""Paper: a page of next to no ink with its paper made white, so that only rows of letters are left.

Tesseract parts ink from paper by Otsu's threshold (1979) over the whole page. Where ink covers less than about a hundredth of it, that threshold parts
the paper's lighter grain, or its brighter side, from its darker one, and the page is answered as empty. Here the threshold comes from the paper alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from recto.ocr.preprocessing.ink import (
    MAX_LONG_SIDE_PX,
    Letters,
    Mask,
    are_like_letters,
    components_of,
    letters_of,
    reduced,
)
from recto.ocr.preprocessing.light import evenly_lit, measure_light

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray

Darkness: TypeAlias = NDArray[np.float32]
"""By how much darker than the paper each pixel is, of 255; shape (height, width)."""
Stats: TypeAlias = NDArray[np.int32]
"""OpenCV's statistics of components, shape (n, 5)."""

_BLUR_PX: Final = 1.0
_SIGMAS: Final = 4.0
_LEAST_DARKNESS: Final = 18.0
"""A mark is darker than the paper by four standard deviations of its smoothed grain, and by this, of 255."""
_CORE: Final = 1.6
"""And somewhere by this many times as much: grain passes the first threshold at many places, and hardly the second."""
_CLEAR: Final = 2.0
"""The ink of all marks is so many times as dark."""
_LEAST_HEIGHT_PX: Final = 6
_WIDEST: Final = 20
_STROKES: Final = 3
"""One mark alone is a row where it has so many strokes side by side: small letters that touch, up to 20 heights wide."""
_MOST_MARKS: Final = 600
"""Pages with more marks are pictures, or full of print that would have been read."""
_REACH: Final = 1.5
"""Letters of a row are no further apart than this, in heights of the higher one."""
_MOST_UNLIKE: Final = 2.6
"""And no higher than this by each other: as a capital by a small letter."""
_MARGIN: Final = 0.6
"""Kept around a row's letters for dots, accents and signs, in their heights."""
_WHITE: Final = 255.0
_INK: Final = 10.0
_INK_PERCENTILE: Final = 90


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What looks like rows of letters: the levelled page, the mask of what is kept of it, at a reduced size, and the letters.

    `paper` is the grey of the levelled paper; `floor` and `ink` are the darkness below which a mark is paper, and that of the ink, of 255.
    """

    level: GreyArray
    kept: Mask
    letters: Letters
    paper: float
    floor: float
    ink: float


def find_rows(grey: GreyArray) -> Rows | None:
    """The page's rows of letters; None where no two marks stand in a row, or where there are as many marks as in a picture."""
    level = evenly_lit(grey, measure_light(grey))
    scale = min(1.0, MAX_LONG_SIDE_PX / max(grey.shape))
    small = cv2.GaussianBlur(reduced(level, scale), (0, 0), _BLUR_PX)
    paper = float(np.median(small))
    darkness = paper - small.astype(np.float32)
    grain = 1.4826 * float(np.median(np.abs(darkness)))  # the standard deviation, letters having no say
    floor = max(_LEAST_DARKNESS, _SIGMAS * grain)
    labels, stats = _marks(darkness, floor)
    stats = _in_rows(stats, darkness)
    if not len(stats):
        return None
    kept = _surroundings(stats, small.shape)
    ink = float(np.percentile(darkness[(labels > 0) & (kept > 0)], _INK_PERCENTILE))
    return Rows(level, kept, letters_of(stats, scale), paper, floor, ink) if ink >= _CLEAR * floor else None


def whitened(rows: Rows) -> GreyArray:
    """White but for the rows, which are stretched from the paper's grain (255) to their ink (10). No point moves.

    Soft thresholding (Donoho, "De-noising by soft-thresholding", 1995) of the darkness, so that strokes keep soft edges.
    """
    height, width = rows.level.shape
    kept = cv2.resize(rows.kept, (width, height), interpolation=cv2.INTER_NEAREST)
    floor = rows.floor / 2
    share = np.clip((rows.paper - np.arange(256) - floor) / (rows.ink - floor), 0, 1)
    stretched = cv2.LUT(rows.level, np.round(_WHITE - share * (_WHITE - _INK)).astype(np.uint8))
    return np.where(kept > 0, stretched, np.uint8(_WHITE)).astype(np.uint8)


def _marks(darkness: Darkness, floor: float) -> tuple[NDArray[np.int32], Stats]:
    """Labels and OpenCV's statistics of what is darker than `floor` and somewhere clearly so; the label of all else is 0."""
    found = components_of((darkness > floor).astype(np.uint8))
    is_dark = np.zeros(len(found.stats), bool)
    is_dark[found.labels[darkness > _CORE * floor]] = True
    return np.where(is_dark[found.labels], found.labels, 0), found.stats[is_dark]


def _in_rows(stats: Stats, darkness: Darkness) -> Stats:
    """The marks that may be letters, by their size, and stand in rows; none where there are too many to be a few lines."""
    is_like = are_like_letters(stats, max(darkness.shape) / 12, _WIDEST)
    stats = stats[is_like & (stats[:, cv2.CC_STAT_HEIGHT] >= _LEAST_HEIGHT_PX)]
    if len(stats) > _MOST_MARKS:
        return stats[:0]
    return stats[_have_neighbours(stats) | _have_strokes(stats, darkness)]


def _have_neighbours(stats: Stats) -> NDArray[np.bool_]:
    """Which marks have another beside them, at the same height and of about the same size."""
    left, top, width, height = (stats[:, column].astype(np.float64) for column in range(4))
    result = np.zeros(len(stats), bool)
    for one in range(len(stats)):
        gap = np.maximum(left - left[one] - width[one], left[one] - left - width)
        higher, lower = np.maximum(height, height[one]), np.minimum(height, height[one])
        shared = np.minimum(top + height, top[one] + height[one]) - np.maximum(top, top[one])
        beside = (
            (gap < _REACH * higher) & (gap > -0.5 * higher) & (higher <= _MOST_UNLIKE * lower) & (shared >= 0.6 * lower)
        )
        beside[one] = False
        result[one] = beside.any()
    return result


def _have_strokes(stats: Stats, darkness: Darkness) -> NDArray[np.bool_]:
    """Which marks are some strokes side by side."""
    boxes = stats[:, :4].tolist()
    counts = [_strokes(darkness[top : top + height, left : left + width]) for left, top, width, height in boxes]
    return np.array(counts, np.float64) >= _STROKES


def _strokes(mark: Darkness) -> float:
    """How often the rows of a mark come from its lighter half to its darker one; a quarter of the rows do so more often."""
    is_dark = np.pad(mark > mark.max() / 2, ((0, 0), (1, 0)))
    return float(np.percentile(np.count_nonzero(is_dark[:, 1:] & ~is_dark[:, :-1], axis=1), 75))


def _surroundings(stats: Stats, shape: tuple[int, ...]) -> Mask:
    """The boxes of the marks, grown by a share of their heights."""
    kept = np.zeros(shape, np.uint8)
    for left, top, width, height in stats[:, :4].tolist():
        margin = round(_MARGIN * height) + 2
        kept[max(top - margin, 0) : top + height + margin, max(left - 2 * margin, 0) : left + width + 2 * margin] = 255
    return kept
