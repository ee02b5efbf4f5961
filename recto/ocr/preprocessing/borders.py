"""Borders: what a scanner or a camera has put around the paper, cut off or painted in the paper's grey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from recto.ocr.preprocessing.ink import find_letters, reduced
from recto.ocr.preprocessing.lines import find_lines
from recto.ocr.preprocessing.transform import Transform, translation

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray
    from recto.ocr.preprocessing.ink import Letters, Mask

_LONG_SIDE_PX: Final = 500
_TEXT_PX: Final = 15
"""What is thinner than this on the reduced page, and not at its rim, is no border."""
_DARK: Final = 0.45
"""Of the paper's grey: borders are darker, paper in shadow is lighter."""
_MIN_PAPER: Final = 60.0
_MIN_SHARE: Final = 0.004
_MAX_SHARE: Final = 0.6
_FULL: Final = 0.8
"""Share of a row or column that is dark where it is cut."""
_MAX_CUT: Final = 0.3
_MAX_LOOSE_LETTERS: Final = 2
_TEXT_LETTERS: Final = 6
"""So many letters in one line are text."""


@dataclass(frozen=True, slots=True, eq=False)
class Borders:
    """The paper is within `left`, `top`, `right`, `bottom` (exclusive), in pixels of the page.

    `dark` shows what is border on the page reduced by `scale`, also within: wedges beside paper that lies askew. `paper` is the grey of
    the paper, `share` how much of the page is border.
    """

    left: int
    top: int
    right: int
    bottom: int
    dark: Mask
    scale: float
    paper: float
    share: float


def measure_borders(grey: GreyArray, letters: Letters) -> Borders | None:
    """Dark areas that touch the page's edge, are too thick for text and hold none; None where there are none.

    The page is closed (grey morphology, Serra 1982) at a reduced size, so that letters vanish and thick areas stay; the
    areas that reach the edge are taken. Rows and columns that are full of them are cut as long as no letters are lost.
    """
    scale = min(1.0, _LONG_SIDE_PX / max(grey.shape))
    small = reduced(grey, scale)
    paper = float(np.percentile(small, 75))
    rim = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    if paper < _MIN_PAPER or min(small.shape) < 4 * _TEXT_PX or np.mean(rim < _DARK * paper) < 0.02:
        return None
    areas = _dark_at_the_edge(small, _DARK * paper)
    if np.mean(areas > 0) < _MIN_SHARE:
        return None
    inverse = find_letters(np.asarray(cv2.bitwise_not(grey), dtype=np.uint8))
    with_text = [*_areas_with_text(areas, letters, scale), *_areas_with_text(areas, inverse, scale)]
    dark = np.where((areas > 0) & ~np.isin(areas, with_text), 255, 0).astype(np.uint8)
    share = float(np.mean(dark > 0))
    if not _MIN_SHARE <= share <= _MAX_SHARE:
        return None
    cuts = _cuts(dark, _loose_letters(letters, dark, scale))
    left, right = _edges(grey, cuts[0], cuts[2], scale, _DARK * paper)
    top, bottom = _edges(grey.T, cuts[1], cuts[3], scale, _DARK * paper)
    return Borders(left, top, right, bottom, dark, scale, paper, share)


def cropped(grey: GreyArray, borders: Borders) -> tuple[GreyArray, Transform]:
    """The page without its borders, what is left of them inside painted like paper, and the transform."""
    part = slice(borders.top, borders.bottom), slice(borders.left, borders.right)
    pixels = grey[part].copy()
    wide = cv2.dilate(borders.dark, np.ones((3, 3), np.uint8))
    mask = cv2.resize(wide, grey.shape[::-1], interpolation=cv2.INTER_NEAREST)[part]
    pixels[(mask > 0) & (pixels < 0.8 * borders.paper)] = round(borders.paper)
    return pixels, translation(-borders.left, -borders.top)


def _dark_at_the_edge(small: GreyArray, threshold: float) -> NDArray[np.int32]:
    """Areas of the reduced page that are dark over more than a letter's size and touch the edge, each by its number; else 0.

    The edge counts as going on outside.
    """
    room = _TEXT_PX
    padded = cv2.copyMakeBorder(small, room, room, room, room, cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((_TEXT_PX, _TEXT_PX), np.uint8))
    dark = (closed[room:-room, room:-room] < threshold).astype(np.uint8)
    _, labels = cv2.connectedComponents(dark, connectivity=4)
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return np.where(np.isin(labels, rim), labels, 0).astype(np.int32)


def _areas_with_text(areas: NDArray[np.int32], letters: Letters, scale: float) -> list[int]:
    """Numbers of the areas that letters stand in: shadows over text, or dark parts of the page with light text on them."""
    lines = find_lines(letters)
    if lines is None:
        return []
    area = _at(areas, lines.x * scale, (lines.y - lines.letter_px / 2) * scale)
    return [
        int(number)
        for number in np.unique(area[area > 0])
        if (np.bincount(lines.line[area == number]) >= _TEXT_LETTERS).any()
    ]


def _at(areas: NDArray[np.int32] | Mask, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int32]:
    """What the areas have at the places."""
    height, width = areas.shape
    column = np.clip(x.astype(np.intp), 0, width - 1)
    row = np.clip(y.astype(np.intp), 0, height - 1)
    return areas[row, column].astype(np.int32)


def _loose_letters(letters: Letters, dark: Mask, scale: float) -> NDArray[np.float64]:
    """Middles of the letters that stand beside the dark areas, on the reduced page; shape (n, 2)."""
    x, y = (letters.left + letters.width / 2) * scale, (letters.bottom - letters.height / 2) * scale
    near = cv2.dilate(dark, np.ones((5, 5), np.uint8))
    is_loose = _at(np.asarray(near, dtype=np.uint8), x, y) == 0
    return np.column_stack([x[is_loose], y[is_loose]])


def _cuts(dark: Mask, letters: NDArray[np.float64]) -> tuple[int, int, int, int]:
    """Pixels of the reduced page to cut at the left, top, right and bottom, where hardly any letters are lost."""
    height, width = dark.shape
    left, right = _full(dark, letters[:, 0])
    top, bottom = _full(np.ascontiguousarray(dark[:, left : width - right].T), letters[:, 1])
    again_left, again_right = _full(dark[top : height - bottom], letters[:, 0])
    return max(left, again_left), top, max(right, again_right), bottom


def _full(dark: Mask, letters: NDArray[np.float64]) -> tuple[int, int]:
    """How many columns at the left and at the right are dark almost throughout, none where letters would be cut with them."""
    width = dark.shape[1]
    is_full = (dark > 0).mean(axis=0) >= _FULL
    most = int(_MAX_CUT * width)
    left = int(np.argmin(is_full)) if not is_full.all() else 0
    right = int(np.argmin(is_full[::-1])) if not is_full.all() else 0
    is_left_free = left <= most and np.sum(letters < left) <= _MAX_LOOSE_LETTERS
    is_right_free = right <= most and np.sum(letters > width - right) <= _MAX_LOOSE_LETTERS
    return (left if is_left_free else 0), (right if is_right_free else 0)


def _edges(grey: GreyArray, low: int, high: int, scale: float, threshold: float) -> tuple[int, int]:
    """The first column of paper and the one behind the last, found on the page itself around the cuts of the reduced one."""
    width = grey.shape[1]
    first, last = low / scale, width - high / scale
    return (_first_light(grey, first, scale, threshold) if low else 0), (
        width - _first_light(grey[:, ::-1], width - last, scale, threshold) if high else width
    )


def _first_light(grey: GreyArray, about: float, scale: float, threshold: float) -> int:
    reach = 2 / scale
    start, stop = max(0, int(about - reach)), min(grey.shape[1], int(about + reach) + 1)
    is_light = np.median(grey[::4, start:stop], axis=0) >= threshold
    return start + int(np.argmax(is_light)) if is_light.any() else stop
