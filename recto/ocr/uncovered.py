"""What of a picture's print the words over it do not say: a layer that another OCR program left may hold all of it, or next to nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from recto.ocr.preprocessing.ink import find_letters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from recto.ocr.page import GreyArray, Line, Quad, Word
    from recto.ocr.preprocessing.ink import Letters

_MIN_LETTERS: Final = 3
_LEAST_SHARE: Final = 0.15
_MANY_LETTERS: Final = 30
"""Print that is left out is read from this share of the picture's letters on, or from this many."""

_MARGIN_PX: Final = 2
_REACH: Final = 0.35
"""Letters belong to a word that they are nearer to than this, in heights of the word: layers are often some pixels off."""

_LINE_REACH: Final = 0.35
"""Lines of a layer also speak for the print before and behind them, in their own lengths: Helvetica is a fifth narrower than some faces."""

_SIZES: Final = (0.5, 2.5)
"""Heights of print that is left out, in medians of that which is covered: smaller is dirt, larger is drawings."""

_MOST_COMPARED: Final = 4000
_SMALL: Final = 0.25
_MANY_SMALL: Final = 10
"""A word that stands over so many letters of less than this much of its height is a watermark: the print below shows through."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Uncovered:
    """Whether enough print is left to be read, and what may be wiped out before that: quads of words, and boxes of their letters.

    Both in pixels of the picture; `boxes` has the shape (n, 4): left, top, right and bottom.
    """

    is_noteworthy: bool
    quads: tuple[NDArray[np.float64], ...]
    boxes: NDArray[np.float64]


def uncovered(picture: GreyArray, left: int, top: int, lines: Iterable[Line]) -> Uncovered:
    """Judges a picture whose corner lies at (left, top) of the page, and lines of words in the page's pixels."""
    letters = find_letters(picture)
    height_px, width_px = picture.shape
    in_words, near_words, quads = (*np.zeros((2, letters.height.size), bool), list[NDArray[np.float64]]())
    for line in lines:
        words = [_moved(word.quad, left, top) for word in line.words if _overlaps(word, left, top, width_px, height_px)]
        for quad in words:
            inside, small = _letters_of(quad, letters)
            if np.count_nonzero(small) < _MANY_SMALL:
                in_words |= inside
                quads.append(quad)
            else:
                near_words |= inside & ~small
                words = []
        if words:
            near_words |= _contains(_lengthened(_moved(line.quad, left, top)), *_middles(letters))
    return Uncovered(_is_noteworthy(letters, in_words | near_words), tuple(quads), _boxes(letters, in_words))


def wiped(picture: GreyArray, known: Uncovered) -> GreyArray:
    """The picture with the paper's grey where the words stand, turned ones as they lie."""
    result = picture.copy()
    paper = int(np.median(picture))
    for quad in known.quads:
        cv2.fillConvexPoly(result, np.round(_grown(quad, _MARGIN_PX)).astype(np.int32), paper)
    for left, top, right, bottom in np.round(known.boxes).astype(int).tolist():
        result[max(top - 1, 0) : bottom + 1, max(left - 1, 0) : right + 1] = paper
    return result


def _moved(quad: Quad, left: int, top: int) -> NDArray[np.float64]:
    return np.array(quad, dtype=np.float64) - (left, top)


def _lengthened(quad: NDArray[np.float64]) -> NDArray[np.float64]:
    """A line that reaches further: letters of a layer are often narrower than the print, and its lines end early."""
    along = _LINE_REACH * (quad[1] - quad[0])
    return quad + np.outer([-1, 1, 1, -1], along)


def _middles(letters: Letters) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return letters.left + letters.width / 2, letters.bottom - letters.height / 2


def _boxes(letters: Letters, chosen: Flags) -> NDArray[np.float64]:
    left, bottom = letters.left[chosen], letters.bottom[chosen]
    return np.stack([left, bottom - letters.height[chosen], left + letters.width[chosen], bottom], axis=1)


def _overlaps(word: Word, left: int, top: int, width_px: int, height_px: int) -> bool:
    box = word.box
    return (
        box.left < left + width_px
        and box.left + box.width > left
        and box.top < top + height_px
        and box.top + box.height > top
    )


def _letters_of(quad: NDArray[np.float64], letters: Letters) -> tuple[Flags, Flags]:
    """The letters whose middles lie in the word or near it, and those within it that are far smaller than it."""
    height_px = float(min(np.hypot(*(quad[3] - quad[0])), np.hypot(*(quad[1] - quad[0]))))
    x, y = _middles(letters)
    inside = _contains(_grown(quad, max(_REACH * height_px, _MARGIN_PX)), x, y)
    small = _contains(quad, x, y) & (np.maximum(letters.height, letters.width) < _SMALL * height_px)
    return inside, small


def _contains(quad: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]) -> Flags:
    """Whether points lie within a quad, whichever way it is turned."""
    (left, top), (right, bottom) = quad.min(axis=0), quad.max(axis=0)
    result = np.asarray((x >= left) & (x <= right) & (y >= top) & (y <= bottom))
    near = np.flatnonzero(result)
    if near.size:
        points = np.stack([x[near], y[near]], axis=1)
        ends = quad[[1, 2, 3, 0]] - quad
        towards = points[:, None, :] - quad
        side = ends[:, 0] * towards[:, :, 1] - ends[:, 1] * towards[:, :, 0]  # of each edge, for each point
        result[near] = (side >= 0).all(axis=1) | (side <= 0).all(axis=1)
    return result


def _grown(quad: NDArray[np.float64], margin_px: float) -> NDArray[np.float64]:
    """The quad with every side moved out."""
    along, down = _unit(quad[1] - quad[0]), _unit(quad[3] - quad[0])
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=np.float64)
    return quad + margin_px * (signs[:, :1] * along + signs[:, 1:] * down)


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    length = float(np.hypot(*vector))
    return vector / length if length else vector


def _is_noteworthy(letters: Letters, covered: Flags) -> bool:
    outside = ~covered
    if not covered.any():
        return bool(np.count_nonzero(outside) >= _MIN_LETTERS)
    # A few letters under a word may be there by chance: then all of them say how large the print is.
    usual = float(np.median(letters.height[covered] if np.count_nonzero(covered) >= _MANY_SMALL else letters.height))
    outside &= (letters.height >= _SIZES[0] * usual) & (letters.height <= _SIZES[1] * usual)
    count = _in_company(letters, outside)
    return count >= _MIN_LETTERS and (count >= _MANY_LETTERS or count >= _LEAST_SHARE * covered.size)


def _in_company(letters: Letters, chosen: Flags) -> int:
    """How many of the letters have two others beside them, or above and below where lines run down the page."""
    rows = np.flatnonzero(chosen)[:_MOST_COMPARED]
    height = letters.height[rows]
    x, y = letters.left[rows] + letters.width[rows] / 2, letters.bottom[rows] - height / 2
    count = 0
    for index in range(rows.size):
        across, down = np.abs(x - x[index]), np.abs(y - y[index])
        near, same = 3 * height[index], 0.6 * height[index]
        beside = (across < near) & (down < same)
        below = (down < near) & (across < same)
        count += int(max(beside.sum(), below.sum()) > 2)  # itself among them
    return count
