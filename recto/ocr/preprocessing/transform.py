"""Plane transforms between a page and its preprocessed picture, and recognised pages carried through them.

Coordinates are continuous: pixel (x, y) covers the square from (x, y) to (x + 1, y + 1), so that a box's right edge is
left + width and a scaling by s maps x to s x. OpenCV counts from pixel centres instead; `for_opencv` converts.
"""

import math
from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recto.ocr.page import Block, Box, Line, Point, Quad, Word

Transform: TypeAlias = NDArray[np.float64]
"""Shape (3, 3), homogeneous, float64: maps points of a step's input onto its output."""

IDENTITY: Final[Transform] = np.eye(3)

_ROUNDING_PX: Final = 1e-6
"""What floating point may add to a coordinate; without this a box that lies on whole pixels could grow by one."""


def translation(dx_px: float, dy_px: float) -> Transform:
    """Moves by (dx, dy)."""
    return np.array([[1, 0, dx_px], [0, 1, dy_px], [0, 0, 1]], dtype=np.float64)


def scaling(factor_x: float, factor_y: float) -> Transform:
    """Scales about the top left corner."""
    return np.diag([factor_x, factor_y, 1.0])


def rotation(angle_deg: float) -> Transform:
    """Turns the content counter-clockwise, as seen with y pointing downwards, about the top left corner."""
    radians = math.radians(angle_deg)
    sine, cosine = math.sin(radians), math.cos(radians)
    return np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]], dtype=np.float64)


def for_opencv(transform: Transform) -> Transform:
    """The same transform between pixel centres, which OpenCV's warps count from."""
    return translation(-0.5, -0.5) @ transform @ translation(0.5, 0.5)


def inverse(transform: Transform) -> Transform:
    """The transform back. No step is singular."""
    return np.linalg.inv(transform).astype(np.float64)


def map_points(transform: Transform, points: Sequence[Point]) -> list[Point]:
    """The points' images; perspective included."""
    homogeneous = (
        np.column_stack([np.asarray(points, dtype=np.float64).reshape(-1, 2), np.ones(len(points))]) @ transform.T
    )
    return [(float(x / w), float(y / w)) for x, y, w in homogeneous]


def map_blocks(transform: Transform, blocks: tuple[Block, ...], width_px: int, height_px: int) -> tuple[Block, ...]:
    """Blocks carried through `transform` onto a page of that size: quads exactly, boxes as the upright bounds, cut at its edges."""
    return tuple(
        Block(
            lines=tuple(_map_line(transform, line, width_px, height_px) for line in block.lines),
            box=_bounds(map_points(transform, _corners(block.box)), width_px, height_px),
        )
        for block in blocks
    )


def _map_line(transform: Transform, line: Line, width_px: int, height_px: int) -> Line:
    quad = _map_quad(transform, line.quad)
    baseline = None
    if line.baseline:
        start, end = map_points(transform, line.baseline)
        baseline = (start, end)
    return Line(
        words=tuple(_map_word(transform, word, width_px, height_px) for word in line.words),
        box=_bounds(quad, width_px, height_px),
        quad=quad,
        paragraph=line.paragraph,
        baseline=baseline,
    )


def _map_word(transform: Transform, word: Word, width_px: int, height_px: int) -> Word:
    quad = _map_quad(transform, word.quad)
    return Word(word.text, word.confidence, _bounds(quad, width_px, height_px), quad)


def _map_quad(transform: Transform, quad: Quad) -> Quad:
    one, two, three, four = map_points(transform, quad)
    return one, two, three, four


def _corners(box: Box) -> Quad:
    right, bottom = box.left + box.width, box.top + box.height
    return (box.left, box.top), (right, box.top), (right, bottom), (box.left, bottom)


def _bounds(points: Sequence[Point], width_px: int, height_px: int) -> Box:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    left, right = _interval(min(xs), max(xs), width_px)
    top, bottom = _interval(min(ys), max(ys), height_px)
    return Box(left, top, right - left, bottom - top)


def _interval(low: float, high: float, size_px: int) -> tuple[int, int]:
    """Whole pixels that cover [low, high], cut to [0, size_px] and never empty."""
    first = min(max(math.floor(low + _ROUNDING_PX), 0), size_px - 1)
    last = min(max(math.ceil(high - _ROUNDING_PX), first + 1), size_px)
    return first, last
