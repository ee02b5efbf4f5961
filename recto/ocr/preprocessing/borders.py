"""Borders: what a scanner or a camera has put around the paper, cut off or painted in the paper's grey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from recto.ocr.preprocessing.ink import find_letters
from recto.ocr.preprocessing.lines import find_lines
from recto.ocr.preprocessing.transform import Transform, translation

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray
    from recto.ocr.preprocessing.ink import Letters, Mask, Small

_TEXT_PX: Final = 15
"""What is thinner than this on the reduced page, and not at its rim, is no border."""
_DARK: Final = 0.45
"""Of the paper's grey: borders are darker, paper in shadow is lighter."""
_MIN_PAPER: Final = 60.0
_MIN_SHARE: Final = 0.008
_MAX_SHARE: Final = 0.6
_FULL: Final = 0.8
"""Share of a row or column that is dark where it is cut."""
_MAX_CUT: Final = 0.3
_MAX_DEPTH: Final = 0.15
"""Of the page's sides: areas that reach further are not painted."""
_MAX_LOOSE_LETTERS: Final = 2
_TEXT_LETTERS: Final = 6
"""So many letters in one line are text."""
_LIGHT: Final = 0.7
_GROUND: Final = 0.65
"""Of the paper's grey: light letters are lighter, their surroundings on average darker."""
_MIN_JUMP: Final = 0.35
"""Of the paper's grey, within nine pixels of the reduced page: a border ends there, a shadow fades."""


@dataclass(frozen=True, slots=True, eq=False)
class Borders:
    """The paper is within `left`, `top`, `right`, `bottom` (exclusive), in pixels of the page.

    `painted` shows what is border within that, on the page reduced by `scale`: wedges beside paper that lies askew. `paper` is the grey
    of the paper, `share` how much of the page is border.
    """

    left: int
    top: int
    right: int
    bottom: int
    painted: Mask
    scale: float
    paper: float
    share: float


def measure_borders(grey: GreyArray, letters: Letters, reduced: Small) -> Borders | None:
    """Dark areas that touch the page's edge, are too thick for text and hold none; None where there are none.

    The page is closed (grey morphology, Serra 1982) at a reduced size, so that letters vanish and thick areas stay; the
    areas that reach the edge are taken. Rows and columns that are full of them are cut as long as no letters are lost.
    """
    small, scale = reduced.pixels, reduced.scale
    paper = float(np.percentile(small, 75))
    rim = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    if paper < _MIN_PAPER or min(small.shape) < 4 * _TEXT_PX or np.mean(rim < _DARK * paper) < 0.02:
        return None
    closed = _without_text(small)
    areas = _at_the_edge(closed < _DARK * paper)
    if np.mean(areas > 0) < _MIN_SHARE:
        return None
    with_text = [*_areas_with_text(areas, letters, scale), *_areas_with_light_text(areas, grey, small, scale, paper)]
    dark = np.where((areas > 0) & ~np.isin(areas, with_text), 255, 0).astype(np.uint8)
    share = float(np.mean(dark > 0))
    if not _MIN_SHARE <= share <= _MAX_SHARE:
        return None
    cuts = _cuts(dark, _loose_letters(letters, dark, scale))
    painted = _sharp(_within(dark, cuts), closed, _MIN_JUMP * paper)
    if not any(cuts) and not painted.any():
        return None
    left, right = _edges(grey, cuts[0], cuts[2], scale, _DARK * paper)
    top, bottom = _edges(grey.T, cuts[1], cuts[3], scale, _DARK * paper)
    return Borders(left, top, right, bottom, painted, scale, paper, share)


def cropped(grey: GreyArray, borders: Borders) -> tuple[GreyArray, Transform]:
    """The page without its borders, what is left of them inside painted like paper, and the transform."""
    part = slice(borders.top, borders.bottom), slice(borders.left, borders.right)
    pixels = grey[part].copy()
    wide = cv2.dilate(borders.painted, np.ones((3, 3), np.uint8))
    mask = cv2.resize(wide, grey.shape[::-1], interpolation=cv2.INTER_NEAREST)[part]
    pixels[(mask > 0) & (pixels < 0.8 * borders.paper)] = round(borders.paper)
    return pixels, translation(-borders.left, -borders.top)


def _without_text(small: GreyArray) -> GreyArray:
    """The reduced page without what is thin and dark; its edge counts as going on outside."""
    room = _TEXT_PX
    padded = cv2.copyMakeBorder(small, room, room, room, room, cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((_TEXT_PX, _TEXT_PX), np.uint8))
    return np.asarray(closed[room:-room, room:-room], dtype=np.uint8)


def _at_the_edge(is_dark: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Connected areas that touch the edge, each by its number; else 0."""
    _, labels = cv2.connectedComponents(is_dark.astype(np.uint8), connectivity=4)
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return np.where(np.isin(labels, rim), labels, 0).astype(np.int32)


def _within(dark: Mask, cuts: tuple[int, int, int, int]) -> Mask:
    """The dark areas less what is cut."""
    height, width = dark.shape
    left, top, right, bottom = cuts
    inside = np.zeros_like(dark)
    part = slice(top, height - bottom), slice(left, width - right)
    inside[part] = dark[part]
    return inside


def _sharp(dark: Mask, closed: GreyArray, jump: float) -> Mask:
    """The areas that end abruptly and do not reach far into the page, as a picture does."""
    nine = np.ones((9, 9), np.uint8)
    steep = cv2.subtract(cv2.dilate(closed, nine), cv2.erode(closed, nine)) >= jump
    _, labels = cv2.connectedComponents(dark, connectivity=4)
    on_rim = (dark > 0) & (cv2.erode(dark, np.ones((3, 3), np.uint8)) == 0)
    rims = np.bincount(labels[on_rim], minlength=labels.max() + 1)
    steep_rims = np.bincount(labels[on_rim & steep], minlength=labels.max() + 1)
    is_border = 2 * steep_rims >= np.maximum(rims, 1)
    height, width = dark.shape
    depth_y, depth_x = round(_MAX_DEPTH * height), round(_MAX_DEPTH * width)
    is_border[labels[depth_y : height - depth_y, depth_x : width - depth_x]] = False
    return np.where((dark > 0) & is_border[labels], 255, 0).astype(np.uint8)


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


def _areas_with_light_text(
    areas: NDArray[np.int32], grey: GreyArray, small: GreyArray, scale: float, paper: float
) -> list[int]:
    """Numbers of the areas with lines of light letters on them or beside them on the same dark ground."""
    near = cv2.dilate(areas.astype(np.float32), np.ones((2 * _TEXT_PX + 1, 2 * _TEXT_PX + 1), np.uint8))
    is_ground = cv2.blur(small, (_TEXT_PX, _TEXT_PX)) < _GROUND * paper
    _, light = cv2.threshold(grey, _LIGHT * paper, 255, cv2.THRESH_BINARY_INV)
    letters = find_letters(np.asarray(light, dtype=np.uint8))
    return _areas_with_text(np.where(is_ground, near, 0).astype(np.int32), letters, scale)


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
    return start + int(np.argmax(is_light)) if is_light.any() else int(about)
