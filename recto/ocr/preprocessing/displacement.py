"""Smooth shifts that no plane transform describes, such as those of a curled page: of points, and of pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray

_MAX_ITERATIONS: Final = 50
_CLOSE_PX: Final = 1e-4
_STRIP_ROWS: Final = 256
"""Pixels are moved in strips of so many rows: the maps of a whole page would take eight times its memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Displacement:
    """Moves point p to p + offset(p), or back where `is_inverse`.

    `offsets_px` has the shape (rows, columns, 2), float64, x before y: the offsets at (column * pitch_px, row * pitch_px), at least two
    rows and columns. They are interpolated bilinearly between and stay as at the rim beyond. Neighbours differ by less than half a
    `pitch_px`, so that the way back exists and is found.
    """

    offsets_px: NDArray[np.float64]
    pitch_px: float
    is_inverse: bool = False

    def inverted(self) -> Displacement:
        """The way back."""
        return replace(self, is_inverse=not self.is_inverse)

    def mapped(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """The images of points of shape (n, 2); the way back by fixed-point iteration, to 0.0001 pixels."""
        if not self.is_inverse:
            return points + self._offsets(points)
        found = points - self._offsets(points)
        for _ in range(_MAX_ITERATIONS):
            better = points - self._offsets(found)
            step_px = np.abs(better - found).max(initial=0.0)
            found = better
            if step_px < _CLOSE_PX:
                break
        return found

    def _offsets(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        columns = _hats(points[:, 0] / self.pitch_px, self.offsets_px.shape[1])
        rows = _hats(points[:, 1] / self.pitch_px, self.offsets_px.shape[0])
        return np.asarray(np.einsum("nr,rcd,nc->nd", rows, self.offsets_px, columns, optimize=True), dtype=np.float64)


def resampled(grey: GreyArray, displacement: Displacement, paper: float) -> GreyArray:
    """The picture of the same size that shows at each point what `grey` has at the point's image; what lies outside is `paper`.

    Bicubic interpolation. `displacement` is no inverse.
    """
    height, width = grey.shape
    pixels = np.empty_like(grey)
    xs, ys = np.arange(width, dtype=np.float64) + 0.5, np.arange(height, dtype=np.float64) + 0.5
    columns = _hats(xs / displacement.pitch_px, displacement.offsets_px.shape[1])
    across = np.einsum("rcd,xc->drx", displacement.offsets_px, columns, optimize=True).astype(np.float32)
    across[0] += (xs - 0.5).astype(np.float32)
    place = np.clip(ys / displacement.pitch_px, 0, len(displacement.offsets_px) - 1)
    upper = np.minimum(place.astype(np.intp), len(displacement.offsets_px) - 2)
    lower_share = (place - upper).astype(np.float32)[:, None]
    for top in range(0, height, _STRIP_ROWS):
        rows = slice(top, top + _STRIP_ROWS)
        # Plain arithmetic rather than a matrix product: one process runs on each core, and threads of BLAS would fight over them.
        above, below = across[:, upper[rows]], across[:, upper[rows] + 1]
        map_x, map_y = above + lower_share[rows] * (below - above)
        map_y += (ys[rows, None] - 0.5).astype(np.float32)
        pixels[rows] = cv2.remap(
            grey, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT, borderValue=(paper, 0, 0, 0)
        )
    return pixels


def _hats(places: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Weights of bilinear interpolation, shape (n, count): how much each node says at each place, which counts in nodes."""
    inside = np.clip(places, 0, count - 1)
    return np.maximum(0.0, 1.0 - np.abs(inside[:, None] - np.arange(count)[None, :]))
