"""The sheet in a photograph: the quadrilateral of paper that lies on something darker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray, Point, Quad
    from recto.ocr.preprocessing.ink import Small

_TEXT_PX: Final = 15
"""What is thinner than this on the reduced page is text on the paper."""
_MIN_CONTRAST: Final = 25.0
_MIN_RISE: Final = 12
"""What an edge rises by within four pixels of the reduced page, in grey."""
_DEPTH: Final = 0.45
"""Sides are looked for within this share of the picture's width or height."""
_MAX_SLOPE: Final = 0.4
_SLOPES: Final = 81
_MIN_SUPPORT: Final = 0.4
"""Share of a side along which its edge is seen."""
_MIN_SHARE: Final = 0.25
_MAX_SIDES_RATIO: Final = 2.0
_MIN_ANGLE_DEG: Final = 55.0
_SAMPLES: Final = 80
_MAX_MISS_PX: Final = 1.0
"""On the reduced page: how far the edge may be from the straight side, where it counts as seen."""

_Points = NDArray[np.float64]
_Side = tuple[_Points, _Points]
"""A point on the side and the side's direction."""


def find_sheet(grey: GreyArray, reduced: Small) -> Quad | None:
    """Corners of the sheet: top left, top right, bottom right, bottom left, to a fraction of a pixel; None where none is clear.

    Text is closed away (grey closing); what then rises inwards votes for a line on each of the four sides (Duda & Hart, "Use of the
    Hough transformation to detect lines and curves in pictures", 1972, with slopes in the place of angles), so that shadows, and edges
    that are seen in part, do no harm; each side is then fitted to the steepest places across it on the page itself. A side
    without an edge is the picture's rim; two of the sides have to be seen.
    """
    small, scale = _without_text(reduced.pixels), reduced.scale
    if min(small.shape) < 4 * _TEXT_PX or not _has_dark_rim(small):
        return None
    found = [_voted_side(small, side) for side in range(4)]
    if sum(line is not None for line in found) < 2:
        return None
    rough = [line or _rim(small.shape, side) for side, line in enumerate(found)]
    corners = np.array([_crossing(rough[corner - 1], rough[corner]) for corner in range(4)])
    if not _is_sheet(corners, small.shape):
        return None
    sides = [
        _fitted_side(grey, corners, side, scale) if line else _rim(grey.shape, side) for side, line in enumerate(found)
    ]
    fitted = [side for side in sides if side is not None]
    if len(fitted) < 4:
        return None
    one, two, three, four = (_crossing(fitted[corner - 1], fitted[corner]) for corner in range(4))
    return _point(one), _point(two), _point(three), _point(four)


def _without_text(small: GreyArray) -> GreyArray:
    return np.asarray(cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((_TEXT_PX, _TEXT_PX), np.uint8)), dtype=np.uint8)


def _point(place: _Points) -> Point:
    return float(place[0]), float(place[1])


def _has_dark_rim(small: GreyArray) -> bool:
    """Whether the picture's rim is much darker than its middle somewhere: the cheap look that spares most scans the rest."""
    rim = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    return float(np.percentile(small, 75)) - float(np.percentile(rim, 20)) >= _MIN_CONTRAST


def _voted_side(small: GreyArray, side: int) -> _Side | None:
    """The line that most edges along this side (0 top, 1 right, 2 bottom, 3 left) vote for; None where too few agree."""
    height, width = small.shape
    seen = (small.T, small[:, ::-1], small[::-1].T, small)[side]
    found = _voted_line(np.ascontiguousarray(seen))
    if found is None:
        return None
    (x0, y0), (x1, y1) = found
    ends = (
        ((y0, x0), (y1, x1)),
        ((width - x0, y0), (width - x1, y1)),
        ((y1, height - x1), (y0, height - x0)),
        ((x1, y1), (x0, y0)),
    )[side]
    return _through(np.array(ends[0]), np.array(ends[1]))


def _voted_line(seen: GreyArray) -> tuple[Point, Point] | None:
    """On a picture turned so that the side is at its left: where the side's line crosses the top and the bottom."""
    height, width = seen.shape
    depth = round(_DEPTH * width)
    smooth = cv2.blur(seen, (3, 3)).astype(np.int16)
    rise = np.zeros((height, depth), np.int16)
    rise[:, 2 : depth - 2] = smooth[:, 4:depth] - smooth[:, : depth - 4]
    is_edge = rise >= _MIN_RISE
    is_edge[:, 1:] &= rise[:, 1:] > rise[:, :-1]
    is_edge[:, :-1] &= rise[:, :-1] >= rise[:, 1:]
    y, x = np.nonzero(is_edge)
    best, place = 0.0, (0.0, 0.0)
    for slope in np.linspace(-_MAX_SLOPE, _MAX_SLOPE, _SLOPES):
        at_middle = np.rint(x - slope * (y - height / 2)).astype(np.intp) + height
        votes = np.bincount(at_middle, minlength=2 * height + width)
        near = votes[:-2] + 2 * votes[1:-1] + votes[2:]
        top = int(near.argmax())
        if near[top] > best:
            best, place = float(near[top]), (top + 1 - height + 0.5, float(slope))
    if best < 2 * _MIN_SUPPORT * height:
        return None
    middle, slope = place
    return (middle - slope * height / 2, 0.0), (middle + slope * height / 2, float(height))


def _rim(shape: tuple[int, ...], side: int) -> _Side:
    """The picture's own edge."""
    height, width = shape
    corners = np.array([(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)])
    return _through(corners[side], corners[(side + 1) % 4])


def _through(start: _Points, end: _Points) -> _Side:
    return start, (end - start) / np.hypot(*(end - start))


def _is_sheet(corners: _Points, shape: tuple[int, ...]) -> bool:
    """Large, with corners that a flat rectangle has when it is seen at an angle."""
    along = np.roll(corners, -1, axis=0) - corners
    length = np.hypot(*along.T)
    turn = np.degrees(np.arctan2(*along.T[::-1]))
    angle = 180 - (np.roll(turn, -1) - turn) % 360
    ratio = max(length[0] / length[2], length[2] / length[0], length[1] / length[3], length[3] / length[1])
    area = cv2.contourArea(corners.astype(np.float32))
    is_large = area >= _MIN_SHARE * shape[0] * shape[1]
    return bool(is_large and ratio <= _MAX_SIDES_RATIO and (np.abs(angle - 90) <= 90 - _MIN_ANGLE_DEG).all())


def _fitted_side(grey: GreyArray, corners: _Points, side: int, scale: float) -> _Side | None:
    """The side fitted to the page, in its pixels; None where its edge is not straight.

    Along profiles across the side the edge is where they rise most.
    """
    start, end = corners[side] / scale, corners[(side + 1) % 4] / scale
    along = (end - start) / np.hypot(*(end - start))
    inward = np.array([-along[1], along[0]])
    reach = np.arange(-6.0, 6.01, 0.25 * max(1.0, 2 * scale)) / scale
    share = np.linspace(0.04, 0.96, _SAMPLES)
    place = (start + share[:, None] * (end - start))[:, None, :] + reach[None, :, None] * inward
    rise = np.diff(_sampled(grey, place, scale), axis=1)
    edge = _peak(rise, rise.argmax(axis=1), reach)
    slope, offset, seen = _robust_line(share, edge, _MAX_MISS_PX / scale)
    if seen < _MIN_SUPPORT:
        return None
    return _through(start + offset * inward, end + (offset + slope) * inward)


def _sampled(grey: GreyArray, place: _Points, scale: float) -> _Points:
    """Grey values at continuous places, of the page blurred as far as the samples lie apart."""
    low = np.floor(place.reshape(-1, 2).min(axis=0)).astype(int) - 4
    high = np.ceil(place.reshape(-1, 2).max(axis=0)).astype(int) + 5
    low, high = np.maximum(low, 0), np.minimum(high, grey.shape[::-1])
    part = np.ascontiguousarray(grey[low[1] : high[1], low[0] : high[0]])
    local = (place - low - 0.5).astype(np.float32)
    sigma = 0.25 / scale
    if sigma > 0.4:
        part = np.asarray(cv2.GaussianBlur(part, (0, 0), sigma), dtype=np.uint8)
    values = cv2.remap(part, local[..., 0], local[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return values.astype(np.float64)


def _peak(rise: _Points, best: NDArray[np.intp], reach: _Points) -> _Points:
    """Where each profile rises most, between its samples: the centre of the rise around its steepest step."""
    window = np.clip(best[:, None] + np.arange(-2, 3), 0, rise.shape[1] - 1)
    weight = np.maximum(np.take_along_axis(rise, window, axis=1), 0) + 1e-9
    middle = (reach[:-1] + reach[1:]) / 2
    return np.asarray((weight * middle[window]).sum(axis=1) / weight.sum(axis=1), dtype=np.float64)


def _robust_line(t: _Points, value: _Points, near: float) -> tuple[float, float, float]:
    """Slope and offset of a line that is about 0, and the share of values near it (least squares reweighted, Cauchy's weights)."""
    slope = offset = 0.0
    for width in (4.0, 2.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25):
        off = value - slope * t - offset
        weight = 1 / (1 + np.square(off / (width * near)))
        slope, offset = (float(term) for term in np.polyfit(t, value, 1, w=np.sqrt(weight)))
    return slope, offset, float(np.mean(np.abs(value - slope * t - offset) <= near))


def _crossing(one: _Side, other: _Side) -> _Points:
    """Where two sides meet. Sides next to each other are never parallel: their slopes are limited."""
    (p, d), (q, e) = one, other
    t, _ = np.linalg.solve(np.column_stack([d, -e]), q - p)
    return np.asarray(p + t * d, dtype=np.float64)
