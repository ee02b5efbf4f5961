"""Curl: lines of text that bend, as in books and on sheets that do not lie flat, and straightening them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from recto.ocr.preprocessing.displacement import Displacement, resampled
from recto.ocr.preprocessing.ink import paper_of
from recto.ocr.preprocessing.lines import Lines, find_lines
from recto.ocr.preprocessing.transform import Transform, displaced, inverse

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray
    from recto.ocr.preprocessing.ink import Letters

_DEGREE: Final = 4
_MIN_LINES: Final = 8
_MIN_LENGTH: Final = 0.3
"""Of the text's width: shorter lines say little about the bend."""
_MIN_EXTENT: Final = 0.3
_MIN_AMPLITUDE: Final = 0.12
"""In letter heights: 71 of 72 flat pages have at most 0.07."""
_MIN_EXPLAINED: Final = 0.6
"""Flat pages reach 0.3, bends of that amplitude made on purpose 0.63 to 0.97."""
_MAX_STRETCH: Final = 0.3
"""By how much more two lines may lie apart here than there, per pixel between them."""
_NODES: Final = 48
"""Of the displacement along the longer side: for an arch of 60 pixels at 300 dpi bilinear interpolation is off by less than 0.1."""


@dataclass(frozen=True, slots=True, eq=False)
class Curl:
    """`displacement` leads from the flat page back to the page as it is, and moves up and down only.

    `amplitude_px` is how far letters are off their lines' straight ones by the bend, at the 95th percentile; `explained` the share of the
    letters' squared distances from straight lines that the bend takes away, at the median.
    """

    displacement: Displacement
    amplitude_px: float
    explained: float


@dataclass(frozen=True, slots=True, eq=False)
class _Bend:
    """A polynomial of x without its constant, by Legendre's basis, whose coefficients (of shape (2, degree)) change linearly with y.

    Beyond the text, `low` to `high` (x, y), it goes on as at the text's rim.
    """

    coefficients: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def at(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """How much lower than on the flat page."""
        return np.asarray(_basis(x, y, self.low, self.high) @ self.coefficients.ravel(), dtype=np.float64)


def measure_curl(letters: Letters, width_px: int, height_px: int) -> Curl | None:
    """The bend that the lines of letters' feet share, on a page without skew; None where lines are straight or share none.

    Lines of text follow the curves of a cylinder seen at an angle (Cao, Ding & Liu, "A cylindrical surface model to rectify the bound
    document image", 2003): here a polynomial across whose coefficients change linearly down the page, and a height for each line, by
    least squares reweighted with Cauchy's weights.
    """
    found = find_lines(letters)
    lines = _long(found) if found else None
    if lines is None or np.ptp(lines.y) < _MIN_EXTENT * height_px:
        return None
    bend = _fitted(lines)
    shift = bend.at(lines.x, lines.y)
    amplitude_px = float(np.percentile(np.abs(_off_straight(lines, shift)), 95))
    before = float(np.median(np.abs(_off_straight(lines, lines.y))))
    after = float(np.median(np.abs(_off_straight(lines, lines.y - shift))))
    explained = 1 - (after / max(before, 1e-9)) ** 2
    if amplitude_px < _MIN_AMPLITUDE * lines.letter_px or explained < _MIN_EXPLAINED:
        return None
    displacement = _displacement(bend, width_px, height_px)
    stretch = np.abs(np.diff(displacement.offsets_px[:, :, 1], axis=0)).max() / displacement.pitch_px
    return Curl(displacement, amplitude_px, explained) if stretch <= _MAX_STRETCH else None


def flattened(grey: GreyArray, curl: Curl) -> tuple[GreyArray, Transform]:
    """The page with its lines straight, of the same size, and its transform. Bicubic interpolation; the paper's grey at the rim."""
    return resampled(grey, curl.displacement, paper_of(grey)), inverse(displaced(curl.displacement))


def _long(lines: Lines) -> Lines | None:
    """The lines that are long enough; None where they are too few."""
    ends = np.full((2, lines.count), np.inf)
    np.minimum.at(ends[0], lines.line, lines.x)
    np.minimum.at(ends[1], lines.line, -lines.x)
    text_px = float(np.percentile(lines.x, 98) - np.percentile(lines.x, 2))
    is_long = -ends[1] - ends[0] >= _MIN_LENGTH * text_px
    if is_long.sum() < _MIN_LINES:
        return None
    keep = is_long[lines.line]
    number = (np.cumsum(is_long) - 1).astype(np.intp)
    return Lines(lines.x[keep], lines.y[keep], number[lines.line[keep]], int(is_long.sum()), lines.letter_px)


def _basis(
    x: NDArray[np.float64], y: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Shape (n, 2 * degree): the polynomials, and the same by y; x and y from -1 to 1 within the text."""
    across = np.clip(2 * (x - low[0]) / (high[0] - low[0]) - 1, -1, 1)
    down = np.clip(2 * (y - low[1]) / (high[1] - low[1]) - 1, -1, 1)
    powers = np.polynomial.legendre.legvander(across, _DEGREE)[:, 1:]
    return np.column_stack([powers, powers * down[:, None]])


def _fitted(lines: Lines) -> _Bend:
    low, high = np.array([lines.x.min(), lines.y.min()]), np.array([lines.x.max(), lines.y.max()])
    weight = np.ones_like(lines.x)
    height, coefficients = lines.y, np.zeros(2 * _DEGREE)
    for _ in range(6):
        basis = _basis(lines.x, height, low, high)
        centred = np.column_stack([_off_mean(lines, column, weight) for column in basis.T])
        y = _off_mean(lines, lines.y, weight)
        weighted = (centred * weight[:, None]).T
        normal = weighted @ centred + 1e-6 * len(y) * np.eye(2 * _DEGREE)
        coefficients = np.asarray(np.linalg.solve(normal, weighted @ y), dtype=np.float64)
        off = y - centred @ coefficients
        weight = 1 / (1 + np.square(off / (0.1 * lines.letter_px)))
        height = lines.y - basis @ coefficients
    return _Bend(coefficients.reshape(2, _DEGREE), low, high)


def _off_mean(lines: Lines, values: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values less their lines' weighted means."""
    mean = np.bincount(lines.line, weight * values, lines.count) / np.bincount(lines.line, weight, lines.count)
    return np.asarray(values - mean[lines.line], dtype=np.float64)


def _off_straight(lines: Lines, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values less a straight line through those of each line of text."""
    even = np.ones_like(values)
    x, value = _off_mean(lines, lines.x, even), _off_mean(lines, values, even)
    slope = np.bincount(lines.line, x * value, lines.count) / np.bincount(lines.line, x * x, lines.count)
    return np.asarray(value - slope[lines.line] * x, dtype=np.float64)


def _displacement(bend: _Bend, width_px: int, height_px: int) -> Displacement:
    """The bend on a grid over the page."""
    pitch_px = max(width_px, height_px) / _NODES
    columns, rows = (np.arange(int(side_px / pitch_px) + 2) * pitch_px for side_px in (width_px, height_px))
    x, y = np.meshgrid(columns, rows)
    offsets = np.zeros((*x.shape, 2))
    offsets[:, :, 1] = bend.at(x.ravel(), y.ravel()).reshape(x.shape)
    return Displacement(offsets, pitch_px)
