"""Lines of text: which letters stand beside each other on one line, also where lines slope, converge or bend."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from recto.ocr.preprocessing.ink import Letters

_MAX_STEP: Final = 0.25
_MAX_SLOPE: Final = 0.1
"""How much lower or higher a neighbour's foot may be, in letter heights, and what the gap adds: less than a descender, so that those
are passed over on lines that slope as well."""
_MAX_GAP: Final = 3.0
_MIN_GAP: Final = -0.3
_MAX_HEIGHT_RATIO: Final = 2.2
_MIN_LETTERS: Final = 6
_NONE: Final = -1


@dataclass(frozen=True, slots=True)
class Lines:
    """Letters that stand in lines: `x`, `y` of the middle of their feet in pixels, `line` (intp) counts from 0; all of shape (n,).

    `letter_px` is the median height of all letters; `count` that of the lines, which have six letters or more.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    line: NDArray[np.intp]
    count: int
    letter_px: float


@dataclass(frozen=True, slots=True)
class Slopes:
    """One straight line for each line of text, arrays of shape (lines,): a point on it, dy / dx, and its length in pixels."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    slope: NDArray[np.float64]
    length_px: NDArray[np.float64]


@lru_cache(maxsize=1)
def find_lines(letters: Letters) -> Lines | None:
    """Chains of letters that are each other's nearest neighbour to the right and to the left. None where there are no chains.

    Nearest-neighbour clustering (O'Gorman, "The document spectrum for page layout analysis", 1993, section IV), with feet in the place
    of centres, so that lines part at large gaps but follow any bend.
    """
    if len(letters.height) < _MIN_LETTERS:
        return None
    letter_px = float(np.median(letters.height))
    following = _neighbours(letters, letter_px)
    chain = _chains(following)
    size = np.bincount(chain)
    is_line = size >= _MIN_LETTERS
    if not is_line.any():
        return None
    keep = is_line[chain]
    number = np.cumsum(is_line) - 1
    x = letters.left + letters.width / 2
    return Lines(x[keep], letters.bottom[keep], number[chain[keep]].astype(np.intp), int(is_line.sum()), letter_px)


def slopes_of(lines: Lines) -> Slopes:
    """Straight lines by least squares, once more without the letters that are far off: descenders and specks."""
    weight = np.ones_like(lines.x)
    for _ in range(3):
        x, y, slope = _fit(lines, weight)
        off = np.abs(lines.y - y[lines.line] - slope[lines.line] * (lines.x - x[lines.line]))
        weight = 1 / (1 + np.square(off / (0.12 * lines.letter_px)))
    ends = np.full((2, lines.count), np.inf)
    np.minimum.at(ends[0], lines.line, lines.x)
    np.minimum.at(ends[1], lines.line, -lines.x)
    return Slopes(x, y, slope, -ends[1] - ends[0])


def _fit(
    lines: Lines, weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Weighted centre and slope of each line."""

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(lines.line, weight * values, lines.count), dtype=np.float64)

    mass = total(np.ones_like(lines.x))
    x, y = total(lines.x) / mass, total(lines.y) / mass
    dx, dy = lines.x - x[lines.line], lines.y - y[lines.line]
    return x, y, total(dx * dy) / np.maximum(total(dx * dx), 1e-9)


def _neighbours(letters: Letters, letter_px: float) -> NDArray[np.intp]:
    """For each letter the index of the one that follows it on its line, or -1."""
    order = np.argsort(letters.bottom)
    foot, height, left = letters.bottom[order], letters.height[order], letters.left[order]
    right = left + letters.width[order]
    count = len(order)
    gap_after, gap_before = np.full(count, np.inf), np.full(count, np.inf)
    after, before = np.full(count, _NONE, np.intp), np.full(count, _NONE, np.intp)
    place = np.arange(count)
    for lag in range(1, count):
        near = np.flatnonzero(foot[lag:] - foot[:-lag] <= (_MAX_STEP + _MAX_SLOPE * _MAX_GAP) * letter_px)
        if not len(near):
            break
        for one, other in ((near, near + lag), (near + lag, near)):
            gap = left[other] - right[one]
            fits = (gap > _MIN_GAP * letter_px) & (gap < _MAX_GAP * letter_px) & (right[other] > right[one])
            fits &= np.abs(foot[other] - foot[one]) <= _MAX_STEP * letter_px + _MAX_SLOPE * np.maximum(gap, 0)
            ratio = height[one] / height[other]
            fits &= (ratio < _MAX_HEIGHT_RATIO) & (ratio > 1 / _MAX_HEIGHT_RATIO)
            nearer = fits & (gap < gap_after[one])
            gap_after[one[nearer]], after[one[nearer]] = gap[nearer], place[other[nearer]]
            nearer = fits & (gap < gap_before[other])
            gap_before[other[nearer]], before[other[nearer]] = gap[nearer], place[one[nearer]]
    mutual = (after != _NONE) & (before[after] == place)
    following = np.full(count, _NONE, np.intp)
    following[order[mutual]] = order[after[mutual]]
    return following


def _chains(following: NDArray[np.intp]) -> NDArray[np.intp]:
    """The number of each letter's chain. Chains have no loops: what follows ends further to the right."""
    is_head = np.ones(len(following), np.bool_)
    is_head[following[following != _NONE]] = False
    current = np.flatnonzero(is_head)
    number = np.arange(len(current))
    chain = np.zeros(len(following), np.intp)
    while len(current):
        chain[current] = number
        current = following[current]
        goes_on = current != _NONE
        current, number = current[goes_on], number[goes_on]
    return chain
