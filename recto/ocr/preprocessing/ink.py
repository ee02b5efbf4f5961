"""Ink on paper at a reduced size, and the connected components that look like letters: what the measurements are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray

Mask: TypeAlias = NDArray[np.uint8]
"""Shape (height, width), dtype uint8: 255 where there is ink, else 0."""

MAX_LONG_SIDE_PX: Final = 2000
"""Pages are measured at no more than this: letters of 300-dpi print keep ten pixels, and measuring takes 0.1 s."""

_SMALL_PX: Final = 500
_WINDOW_PX: Final = 51
_PAPER_WINDOW_SHARE: Final = 1 / 30
"""Of the long side."""
LEAST_CONTRAST: Final = 20
"""A pixel is ink where it is this much darker than the mean of the window around it, of 255."""


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """`labels` has the mask's shape, 0 where there is none; `stats`, shape (n, 5), OpenCV's statistics, whose first row is that of label 0."""

    labels: NDArray[np.int32]
    stats: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Letters:
    """Components that may be letters, a set that is equal to itself alone. Arrays of shape (n,), in pixels of the page as given, not of the reduced one.

    `height`, `width`, `left` and `bottom` (exclusive) are those of the components' upright boxes; `scale` is what the page was
    reduced by before they were found (at most 1): the boxes are exact to 1 / scale pixels.
    """

    height: NDArray[np.float64]
    width: NDArray[np.float64]
    left: NDArray[np.float64]
    bottom: NDArray[np.float64]
    scale: float


def find_letters(grey: GreyArray, contrast: int = LEAST_CONTRAST) -> Letters:
    """Components of the ink that have the size and shape of letters or of some letters that touch.

    The threshold is local (the window's mean less a constant; Sezgin & Sankur 2004, section 6), so that shadows and yellowed paper do
    not count as ink. Grain that is darker than its surroundings by `contrast` of 255 does.
    """
    scale = min(1.0, MAX_LONG_SIDE_PX / max(grey.shape))
    stats = components_of(ink_mask(reduced(grey, scale), contrast)).stats[1:]
    return letters_of(stats[are_like_letters(stats, max(grey.shape) * scale / 12)], scale)


def letters_of(stats: NDArray[np.int32], scale: float) -> Letters:
    """The components of a page that was reduced by `scale`, by OpenCV's statistics of them."""
    chosen = stats.astype(np.float64) / scale
    return Letters(
        height=chosen[:, cv2.CC_STAT_HEIGHT],
        width=chosen[:, cv2.CC_STAT_WIDTH],
        left=chosen[:, cv2.CC_STAT_LEFT],
        bottom=chosen[:, cv2.CC_STAT_TOP] + chosen[:, cv2.CC_STAT_HEIGHT],
        scale=scale,
    )


def darkness_of_marks(grey: GreyArray, paper: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How much darker than `paper` the darkest place of each mark is that may be a letter, and its weight, the root of its area.

    Shapes (n,) both. Half of the contrast that letters must have is enough here: fainter marks are looked for.
    """
    mask = ink_mask(grey, LEAST_CONTRAST // 2)
    found = components_of(mask)
    keep = are_like_letters(found.stats, max(grey.shape) / 12)
    keep[0] = False
    darkest = np.full(len(found.stats), 255, np.uint8)
    np.minimum.at(darkest, found.labels[mask > 0], cv2.blur(grey, (2, 2))[mask > 0])
    return paper - darkest[keep].astype(np.float64), np.sqrt(found.stats[keep, cv2.CC_STAT_AREA])


def reduced(grey: GreyArray, scale: float) -> GreyArray:
    """The page scaled by `scale` (at most 1), averaging over the area of each pixel."""
    if scale >= 1.0:
        return grey
    height, width = grey.shape
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class Small:
    """A page reduced by `scale` (at most 1), so that what is as wide as text vanishes by a closing of some pixels: edges and thick areas stay."""

    pixels: GreyArray
    scale: float


def small_of(grey: GreyArray) -> Small:
    """Made once for all that look for the sheet and for what lies around it: it takes 10 ms."""
    scale = min(1.0, _SMALL_PX / max(grey.shape))
    return Small(reduced(grey, scale), scale)


def halved(grey: GreyArray, long_side_px: int) -> GreyArray:
    """The page halved until it is no longer than that: the mean of each four pixels, which takes a tenth of the time of another scale."""
    while max(grey.shape) > long_side_px and min(grey.shape) > 1:
        height, width = grey.shape[0] // 2, grey.shape[1] // 2
        whole = grey[: 2 * height, : 2 * width]
        grey = np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return grey


def paper_window_px(grey: GreyArray) -> int:
    """The odd width of a window in which some paper is always seen: wider than letters and their strokes' ends."""
    return max(9, int(max(grey.shape) * _PAPER_WINDOW_SHARE) | 1)


def paper_of(grey: GreyArray) -> float:
    """The grey of the paper: of most of the page's lighter half."""
    return float(np.percentile(grey[::8, ::8], 75))


def ink_mask(grey: GreyArray, contrast: int = LEAST_CONTRAST) -> Mask:
    """Where the page is darker than its surroundings, by at least `contrast` of 255."""
    mask = cv2.adaptiveThreshold(
        grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, _WINDOW_PX, float(contrast)
    )
    return np.asarray(mask, dtype=np.uint8)


def are_like_letters(stats: NDArray[np.int32], tallest_px: float, widest: float = 8) -> NDArray[np.bool_]:
    """Which components, by OpenCV's statistics of them, have the size and shape of letters or of some letters that touch, at most `widest` heights wide."""
    height, width, area = (stats[:, column] for column in (cv2.CC_STAT_HEIGHT, cv2.CC_STAT_WIDTH, cv2.CC_STAT_AREA))
    keep = (height >= 4) & (height <= tallest_px) & (width >= 2) & (width <= widest * height) & (height <= 8 * width)
    keep &= area >= 0.08 * height * width  # frames and arcs enclose much and fill little
    return np.asarray(keep)


def components_of(mask: Mask) -> Components:
    """What hangs together, corners included.

    By blocks of four pixels (Grana, Borghesani & Cucchiara, "Optimized block-based connected components labeling with decision trees", 2010), which
    gives the same numbers as what OpenCV does by itself, in half the time.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(mask, 8, cv2.CV_32S, cv2.CCL_BBDT)
    return Components(np.asarray(labels, dtype=np.int32), np.asarray(stats, dtype=np.int32))
