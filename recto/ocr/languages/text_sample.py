"""A part of a page that is enough to tell its language: a few lines of its top, middle and bottom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from recto.ocr.preprocessing.ink import find_letters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recto.ocr.page import GreyArray
    from recto.ocr.preprocessing.ink import Letters

_STRIPS: Final = 3
"""A page may be in one language above and in another below."""

_LETTERS_A_STRIP: Final = 60
_WORTH_CUTTING: Final = 1.6
"""A page with less than this many times the letters of the sample is its own sample."""

_MIN_LETTERS: Final = 8


def text_sample(grey: GreyArray) -> GreyArray | None:
    """The densest lines of three parts with equally many letters, one above the other, at the page's width; None without letters.

    The page is expected upright and its lines level.
    """
    letters = find_letters(grey)
    size, bottoms = _usual_letters(letters)
    if len(bottoms) < _MIN_LETTERS:
        return None
    if len(bottoms) < _WORTH_CUTTING * _STRIPS * _LETTERS_A_STRIP:
        return grey
    ink = _ink_of_rows(letters, grey.shape[0])
    strips = [_strip(grey, part, size, ink) for part in np.array_split(bottoms, _STRIPS)]
    paper = np.full((round(size), grey.shape[1]), np.median(strips[0]), np.uint8)
    return np.vstack([part for strip in strips for part in (paper, strip)] + [paper])


def _usual_letters(letters: Letters) -> tuple[float, NDArray[np.float64]]:
    """Median height of the letters, weighted by width, and the sorted bottoms of those that are about as tall, both in pixels."""
    if not len(letters.height):
        return 0.0, letters.bottom
    order = np.argsort(letters.height)
    widths = np.cumsum(letters.width[order])
    median = float(letters.height[order][np.searchsorted(widths, widths[-1] / 2)])
    usual = (letters.height >= median / 2) & (letters.height <= 2.5 * median)
    return median, np.sort(letters.bottom[usual])


def _ink_of_rows(letters: Letters, height_px: int) -> NDArray[np.float64]:
    """For each row of the page, how wide the letters that cross it are together."""
    change = np.zeros(height_px + 1)
    tops = np.maximum(letters.bottom - letters.height, 0)
    np.add.at(change, np.minimum(tops, height_px).astype(np.intp), letters.width)
    np.add.at(change, np.minimum(letters.bottom, height_px).astype(np.intp), -letters.width)
    return np.cumsum(change)


def _strip(grey: GreyArray, bottoms: NDArray[np.float64], letter_px: float, ink: NDArray[np.float64]) -> GreyArray:
    """The lowest strip that holds enough of the letters, cut where there is least ink: a cut line costs as much as a whole one."""
    count = min(_LETTERS_A_STRIP, len(bottoms))
    first = int(np.argmin(bottoms[count - 1 :] - bottoms[: len(bottoms) - count + 1]))
    top, bottom = bottoms[first], bottoms[first + count - 1]
    return grey[_gap(ink, top - 3 * letter_px, top - letter_px) : _gap(ink, bottom, bottom + 1.5 * letter_px) + 1]


def _gap(ink: NDArray[np.float64], start_px: float, stop_px: float) -> int:
    """The row between the two with the least ink, the middle one of equals."""
    start = min(max(0, int(start_px)), len(ink) - 2)
    rows = ink[start : max(start + 1, min(int(stop_px) + 1, len(ink) - 1))]
    least = np.flatnonzero(rows == rows.min())
    return start + int(least[len(least) // 2])
