"""Slant: by how much the strokes of letters lean, in each part of a page."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from recto.ocr.preprocessing.ink import MAX_LONG_SIDE_PX, ink_mask, reduced

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray
    from recto.ocr.preprocessing.ink import Mask

_CELLS_ACROSS: Final = 5
_CELLS_DOWN: Final = 3
_MIN_CELLS: Final = 6
_MIN_INK_PX: Final = 1500
_SLANTS: Final = np.linspace(-0.3, 0.3, 31)
_MIN_CLARITY: Final = 1.04
"""The score of the best slant by the median of all: about 1 where no strokes stand out."""


@dataclass(frozen=True, slots=True)
class Slants:
    """Arrays of shape (n,): the middle of each part of the page, in its pixels, dx / dy of the strokes there, and how clear that is."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    slant: NDArray[np.float64]
    clarity: NDArray[np.float64]


def measure_slants(grey: GreyArray, letter_px: float) -> Slants | None:
    """In each of 15 parts the shear that makes columns of ink stand out most; None where fewer than six have clear strokes.

    The projection method of Vinciarelli & Luettin ("A new normalization technique for cursive handwritten words", 2001), with the sum of
    squares as score, over stripes of a letter's height, so that no line of text needs to be found first.
    """
    scale = min(1.0, MAX_LONG_SIDE_PX / max(grey.shape))
    mask = ink_mask(reduced(grey, scale))
    stripe_px = max(4, round(1.2 * letter_px * scale))
    found = [
        (*cell, slant, clarity)
        for cell, part in _parts(mask)
        for slant, clarity in [_slant(part, stripe_px)]
        if clarity >= _MIN_CLARITY
    ]
    if len(found) < _MIN_CELLS:
        return None
    x, y, slant, clarity = np.array(found, dtype=np.float64).T
    return Slants(x / scale, y / scale, slant, clarity - 1)


def _parts(mask: Mask) -> list[tuple[tuple[float, float], Mask]]:
    """The page's parts, each with its middle."""
    height, width = mask.shape
    down = np.linspace(0, height, _CELLS_DOWN + 1).astype(int)
    across = np.linspace(0, width, _CELLS_ACROSS + 1).astype(int)
    return [
        ((float(left + right) / 2, float(top + bottom) / 2), mask[top:bottom, left:right])
        for top, bottom in pairwise(down)
        for left, right in pairwise(across)
    ]


def _slant(part: Mask, stripe_px: int) -> tuple[float, float]:
    """The part's slant and its clarity; clarity 0 where there is too little ink."""
    y, x = np.nonzero(part)
    if len(y) < _MIN_INK_PX:
        return 0.0, 0.0
    stripe, within = y // stripe_px, y % stripe_px - (stripe_px - 1) / 2
    room = part.shape[1] + 2 * stripe_px
    scores = []
    for slant in _SLANTS:
        column = np.rint(x - slant * within).astype(np.intp) + stripe_px
        ink = np.bincount(stripe * room + column)
        scores.append(float(np.square(ink).sum()))
    best = int(np.argmax(scores))
    if best in (0, len(scores) - 1):
        return 0.0, 0.0
    before, peak, after = scores[best - 1 : best + 2]
    bend = before - 2 * peak + after
    shift = 0.5 * (before - after) / bend if bend else 0.0
    return float(_SLANTS[best] + shift * (_SLANTS[1] - _SLANTS[0])), peak / float(np.median(scores))
