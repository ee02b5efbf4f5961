"""Perspective: a sheet photographed at an angle, found by its edges or by its lines of text, and seen from straight above again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from recto.ocr.preprocessing.ink import paper_of
from recto.ocr.preprocessing.lines import Slopes, find_lines, slopes_of
from recto.ocr.preprocessing.sheet import find_sheet
from recto.ocr.preprocessing.skew import Skew, measure_skew
from recto.ocr.preprocessing.slant import measure_slants
from recto.ocr.preprocessing.transform import Matrix, Transform, for_opencv, inverse, map_points, plane

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray, Point, Quad
    from recto.ocr.preprocessing.ink import Letters, Small

_MIN_LINE_LETTERS: Final = 10.0
"""Shorter lines, in letter heights, say little about slopes."""
_MIN_LINES_ON_SHEET: Final = 4
_MIN_LINES: Final = 8
_MAX_TEXT_OUTSIDE: Final = 0.03
_MIN_MOVE: Final = 0.01
"""A sheet whose corners are nearer to an upright rectangle's, by its sides, is cut out as it lies: resampling blurs small letters."""
_STRAIGHT_DEG: Final = 0.3
_MAX_SCATTER: Final = 1.5
_MAX_REST: Final = 0.5
_MAX_TURN_DEG: Final = 4.0
_MIN_CONVERGENCE_DEG: Final = 1.5
_MIN_AGREEMENT_DEG: Final = 1.5
"""The lines' slope in the middle has to be the page's skew within this, or within half of what they converge by: else other lines were followed."""
_MAX_REST_OF_TEXT: Final = 0.5
_MIN_EXTENT: Final = 0.3
_MAX_SLANT_REST: Final = 0.02
_MAX_LEAN: Final = 0.2
_MAX_SLANT_CHANGE: Final = 0.35
"""Strokes that lean more, or in less order, are taken for a slanted typeface or for noise."""
_MAX_GROWTH: Final = 1.6
"""By text alone: how much larger than in the middle a corner may become."""


@dataclass(frozen=True, slots=True)
class Perspective:
    """`corners` are those of an upright rectangle of the sheet, in pixels of the page; found by text they may lie beyond its edges.

    `convergence_deg` is by how much the lines' slopes differ between the page's upper and lower end.
    """

    corners: Quad
    found_by: Literal["sheet", "text"]
    convergence_deg: float


def measure_perspective(grey: GreyArray, letters: Letters, reduced: Small) -> Perspective | None:
    """None where the page lies flat, or where that is in doubt.

    A sheet's edges count only where its text agrees: hardly any text lies outside, and its lines are more parallel, and nearly level, when seen
    from above. Where no sheet is seen, the text's own vanishing points say how the page lies (Clark & Mirmehdi, "Rectifying perspective
    views of text in 3D scenes using vanishing points", 2003; here by lines of feet and by the slant of strokes).
    """
    lines = find_lines(letters)
    if lines is None:
        return None
    slopes = _long(slopes_of(lines), _MIN_LINE_LETTERS * lines.letter_px)
    if len(slopes.x) < _MIN_LINES_ON_SHEET:
        return None
    sheet = find_sheet(grey, reduced)
    vanishing = _of_lines(slopes, grey.shape)
    if sheet and _agrees(sheet, slopes, math.degrees(vanishing.rest)):
        corners = sheet if _is_askew(sheet) else _upright(sheet)
        return Perspective(corners, "sheet", _convergence_deg(vanishing, slopes, grey.shape))
    return _by_text(grey, slopes, vanishing, measure_skew(letters))


def rectified(grey: GreyArray, corners: Quad, factor: float = 1.0) -> tuple[GreyArray, Transform]:
    """The quadrilateral as an upright rectangle of its longer sides' lengths, so that nothing is lost, and the transform.

    Text that is to grow anyway grows by `factor` in the same step, so that it is resampled once only.

    Its shape is that of Zhang & He, "Whiteboard scanning and image enhancement" (2007), section 3.3, where the camera's focal length
    comes out of the corners, else that of the sides. Bicubic interpolation; what lay outside the picture is the paper's grey.
    """
    width, height = (max(1, round(side_px * factor)) for side_px in _size(corners, grey.shape))
    transform = _onto_rectangle(corners, width, height)
    pixels = cv2.warpPerspective(
        grey,
        for_opencv(transform),
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(paper_of(grey), 0, 0, 0),
    )
    return np.asarray(pixels, dtype=np.uint8), transform


def _onto_rectangle(corners: Quad, width: float, height: float) -> Transform:
    target = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    return plane(np.asarray(cv2.getPerspectiveTransform(np.array(corners, np.float32), target), dtype=np.float64))


def _size(corners: Quad, shape: tuple[int, ...]) -> tuple[float, float]:
    """Sides of the rectangle in pixels: its longer sides' lengths, the shorter of both directions stretched to the true shape."""
    one, two, three, four = corners
    width = max(math.dist(one, two), math.dist(four, three))
    height = max(math.dist(one, four), math.dist(two, three))
    aspect = _true_aspect(corners, shape)
    if aspect is not None and 0.8 < aspect / (width / height) < 1.25:
        width, height = max(width, height * aspect), max(height, width / aspect)
    return width, height


def _true_aspect(corners: Quad, shape: tuple[int, ...]) -> float | None:
    """Width by height of the rectangle, were the camera's axis in the picture's centre; None where two sides are about parallel."""
    centre = np.array([shape[1] / 2, shape[0] / 2])
    scale = max(shape)
    m1, m2, m4, m3 = (np.append((np.array(corner) - centre) / scale, 1.0) for corner in corners)
    k2 = np.dot(np.cross(m1, m4), m3) / np.dot(np.cross(m2, m4), m3)
    k3 = np.dot(np.cross(m1, m4), m2) / np.dot(np.cross(m3, m4), m2)
    n2, n3 = k2 * m2 - m1, k3 * m3 - m1
    if min(abs(n2[2]), abs(n3[2])) < 0.02:
        return None
    focal_squared = -(n2[0] * n3[0] + n2[1] * n3[1]) / (n2[2] * n3[2])
    if not 0.3 < focal_squared < 30:
        return None
    metric = np.array([1 / focal_squared, 1 / focal_squared, 1.0])
    return float(math.sqrt(np.dot(n2 * metric, n2) / np.dot(n3 * metric, n3)))


def _long(slopes: Slopes, least_px: float) -> Slopes:
    keep = slopes.length_px >= least_px
    return Slopes(slopes.x[keep], slopes.y[keep], slopes.slope[keep], slopes.length_px[keep])


def _is_askew(corners: Quad) -> bool:
    """Whether some corner is clearly off those of the upright rectangle that fits best."""
    one, two, three, four = np.array(corners)
    left, right = (one[0] + four[0]) / 2, (two[0] + three[0]) / 2
    top, bottom = (one[1] + two[1]) / 2, (four[1] + three[1]) / 2
    off = np.abs([one[0] - left, two[0] - right, one[1] - top, three[1] - bottom])
    return bool((off / [right - left, right - left, bottom - top, bottom - top]).max() >= _MIN_MOVE)


def _upright(corners: Quad) -> Quad:
    """The largest upright rectangle of whole pixels within corners that are nearly one."""
    one, two, three, four = corners
    left, right = math.ceil(max(one[0], four[0])), math.floor(min(two[0], three[0]))
    top, bottom = math.ceil(max(one[1], two[1])), math.floor(min(three[1], four[1]))
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _agrees(corners: Quad, slopes: Slopes, scatter_deg: float) -> bool:
    """Whether the text lies on the sheet, and its lines are about level, and twice as parallel as before or about as
    parallel as their scatter allows."""
    outline = np.array(corners, np.float32)
    centres = zip(slopes.x.tolist(), slopes.y.tolist(), strict=True)
    inside = np.array([cv2.pointPolygonTest(outline, centre, False) >= 0 for centre in centres])
    length = slopes.length_px
    if length[~inside].sum() > _MAX_TEXT_OUTSIDE * length.sum() or inside.sum() < _MIN_LINES_ON_SHEET:
        return False
    after = _mapped_angles_deg(_onto_rectangle(corners, *_size(corners, (1, 1))), slopes)[inside]
    before = np.degrees(np.arctan(slopes.slope[inside]))
    allowed_deg = max(_MAX_SCATTER * scatter_deg, _MAX_REST * _spread(before, length[inside]), _STRAIGHT_DEG)
    is_parallel = _spread(after, length[inside]) <= allowed_deg
    return is_parallel and abs(_median(after, length[inside])) <= _MAX_TURN_DEG


def _mapped_angles_deg(transform: Transform, slopes: Slopes) -> NDArray[np.float64]:
    """The lines' angles after the transform, positive downwards."""
    half = slopes.length_px / 2
    ends = [
        np.array(map_points(transform, list(zip(slopes.x + s * half, slopes.y + s * half * slopes.slope, strict=True))))
        for s in (-1, 1)
    ]
    dx, dy = (ends[1] - ends[0]).T
    return np.asarray(np.degrees(np.arctan2(dy, dx)), dtype=np.float64)


def _median(values: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    order = np.argsort(values)
    share = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(share, share[-1] / 2)])


def _spread(values: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """Weighted median distance from the weighted median."""
    return _median(np.abs(values - _median(values, weight)), weight)


@dataclass(frozen=True, slots=True)
class _Vanishing:
    """Lines through the point (1, b, w) have slope = b + w (along slope - across). `rest` is their median distance from that slope."""

    b: float
    w: float
    rest: float


def _vanishing(
    along: NDArray[np.float64], across: NDArray[np.float64], slope: NDArray[np.float64], weight: NDArray[np.float64]
) -> _Vanishing:
    """The point that the lines run through, homogeneous, in the units of `along` and `across`; least squares reweighted."""
    regressor = along * slope - across
    keep = np.ones_like(weight)
    b = w = rest = 0.0
    for _ in range(8):
        share = weight * keep / np.sum(weight * keep)
        middle, mean = float(share @ regressor), float(share @ slope)
        spread = float(share @ np.square(regressor - middle))
        w = float(share @ ((regressor - middle) * (slope - mean))) / max(spread, 1e-9)
        b = mean - w * middle
        off = np.abs(slope - b - w * regressor)
        rest = _median(off, weight)
        keep = 1 / (1 + np.square(off / max(2 * rest, 1e-4)))
    return _Vanishing(b, w, rest)


def _of_lines(slopes: Slopes, shape: tuple[int, ...]) -> _Vanishing:
    """From the picture's centre, in units of its longer side."""
    (height, width), unit = shape, max(shape)
    return _vanishing(
        (slopes.x - width / 2) / unit, (slopes.y - height / 2) / unit, slopes.slope, slopes.length_px / unit
    )


def _convergence_deg(lines: _Vanishing, slopes: Slopes, shape: tuple[int, ...]) -> float:
    return math.degrees(abs(lines.w)) * float(np.ptp(slopes.y)) / max(shape)


def _by_text(grey: GreyArray, slopes: Slopes, lines: _Vanishing, skew: Skew | None) -> Perspective | None:
    """By the vanishing points of lines and of strokes; None where lines hardly converge, do so in no order, or are not those of the page's skew."""
    if len(slopes.x) < _MIN_LINES or np.ptp(slopes.y) < _MIN_EXTENT * grey.shape[0]:
        return None
    convergence_deg = _convergence_deg(lines, slopes, grey.shape)
    is_orderly = lines.rest <= _MAX_REST_OF_TEXT * _spread(slopes.slope, slopes.length_px)
    if convergence_deg < _MIN_CONVERGENCE_DEG or not is_orderly:
        return None
    off_deg = abs(math.degrees(lines.b) + skew.angle_deg) if skew else 0.0
    if off_deg > max(_MIN_AGREEMENT_DEG, convergence_deg / 2):
        return None
    across = np.array([1.0, lines.b, lines.w])
    corners = _corners(across, _downwards(grey, lines.b), grey.shape)
    return Perspective(corners, "text", convergence_deg) if corners else None


def _downwards(grey: GreyArray, slope: float) -> NDArray[np.float64]:
    """The point (c, 1, u) that strokes run towards; square to the lines where strokes do not say."""
    square = np.array([-slope, 1.0, 0.0])
    slants = measure_slants(grey)
    if slants is None:
        return square
    (height, width), unit = grey.shape, max(grey.shape)
    found = _vanishing((slants.y - height / 2) / unit, (slants.x - width / 2) / unit, slants.slant, slants.weight)
    if found.rest > _MAX_SLANT_REST or abs(found.b + slope) > _MAX_LEAN or abs(found.w) > _MAX_SLANT_CHANGE:
        return square
    return np.array([found.b, 1.0, found.w])


def _corners(across: NDArray[np.float64], down: NDArray[np.float64], shape: tuple[int, ...]) -> Quad | None:
    """The upright rectangle around the picture, seen from above, brought back into it; None where a corner runs off."""
    height, width = shape
    unit = max(shape)
    to_centre = np.array([[1 / unit, 0, -width / 2 / unit], [0, 1 / unit, -height / 2 / unit], [0, 0, 1]])
    horizon = np.cross(across, down)
    horizon = horizon / horizon[2]
    flat = np.array([[1, 0, 0], [0, 1, 0], horizon])
    axes = np.column_stack([(flat @ across)[:2], (flat @ down)[:2]])
    level = np.eye(3)
    level[:2, :2] = np.linalg.inv(axes / np.hypot(*axes))
    matrix: Matrix = level @ flat @ to_centre
    rim = np.array([(0.0, 0.0, 1.0), (width, 0.0, 1.0), (width, height, 1.0), (0.0, height, 1.0)])
    nearness = (rim @ matrix.T)[:, 2]
    if nearness.min() < 1 / _MAX_GROWTH:
        return None
    seen = np.array(map_points(plane(matrix), [(float(px), float(py)) for px, py, _ in rim]))
    (left, top), (right, bottom) = seen.min(axis=0), seen.max(axis=0)
    back = inverse(plane(matrix))
    rectangle: list[Point] = [(left, top), (right, top), (right, bottom), (left, bottom)]
    one, two, three, four = map_points(back, rectangle)
    return one, two, three, four
