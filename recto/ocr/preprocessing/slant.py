"""Slant: by how much the strokes of letters lean, in each part of a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from recto.ocr.preprocessing.ink import MAX_LONG_SIDE_PX, reduced

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray

_CELLS_ACROSS: Final = 5
_CELLS_DOWN: Final = 3
_MIN_CELLS: Final = 6
_MIN_EDGES: Final = 400
_MIN_STRENGTH: Final = 640
"""Of Scharr's gradient, which is 32 times the grey's rise from pixel to pixel: weaker edges are noise."""
_WIDEST: Final = 0.3
_WINDOWS: Final = (0.3, 0.2, 0.15, 0.1, 0.1, 0.1, 0.1)
"""Narrowing: from all edges that are nearly upright to the stems among them."""


@dataclass(frozen=True, slots=True)
class Slants:
    """Arrays of shape (n,): the middle of each part of the page, in its pixels, dx / dy of the strokes there, and its share of edges."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    slant: NDArray[np.float64]
    weight: NDArray[np.float64]


def measure_slants(grey: GreyArray) -> Slants | None:
    """In each of 15 parts the direction that most upright edges have; None where fewer than six have enough of them.

    Directions come from the gradient (Scharr 2000); the mode is found by mean shift with a narrowing window (Comaniciu & Meer 2002), so that
    stems have the say and not the flanks of round letters.
    """
    scale = min(1.0, MAX_LONG_SIDE_PX / max(grey.shape))
    x, y, slant, strength = _upright_edges(reduced(grey, scale))
    height, width = grey.shape
    column = np.minimum((x / scale * _CELLS_ACROSS / width).astype(np.intp), _CELLS_ACROSS - 1)
    row = np.minimum((y / scale * _CELLS_DOWN / height).astype(np.intp), _CELLS_DOWN - 1)
    cell = row * _CELLS_ACROSS + column
    found = []
    for number in range(_CELLS_ACROSS * _CELLS_DOWN):
        here = cell == number
        if np.count_nonzero(here) >= _MIN_EDGES:
            middle = x[here].mean() / scale, y[here].mean() / scale
            found.append((*middle, _mode(slant[here], strength[here]), np.count_nonzero(here) / len(cell)))
    if len(found) < _MIN_CELLS:
        return None
    centre_x, centre_y, mode, weight = np.array(found, dtype=np.float64).T
    return Slants(centre_x, centre_y, mode, weight)


def _upright_edges(
    grey: GreyArray,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Places, directions (dx / dy) and strengths of the edges that are nearly upright."""
    smooth = cv2.GaussianBlur(grey, (3, 3), 0)
    across = cv2.Scharr(smooth, cv2.CV_16S, 1, 0)
    down = cv2.Scharr(smooth, cv2.CV_16S, 0, 1)
    strength = np.abs(across)
    y, x = np.nonzero((strength > _MIN_STRENGTH) & (np.abs(down) < _WIDEST * strength))
    gx, gy = across[y, x].astype(np.float64), down[y, x].astype(np.float64)
    return x.astype(np.float64) + 0.5, y.astype(np.float64) + 0.5, -gy / gx, np.abs(gx)


def _mode(slant: NDArray[np.float64], strength: NDArray[np.float64]) -> float:
    centre = 0.0
    for window in _WINDOWS:
        near = np.abs(slant - centre) <= window
        if not near.any():
            break
        centre = float(np.average(slant[near], weights=strength[near]))
    return centre
