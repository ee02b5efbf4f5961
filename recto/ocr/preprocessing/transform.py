"""Transforms between a page and its preprocessed picture, and recognised pages carried through them.

Coordinates are continuous: pixel (x, y) covers the square from (x, y) to (x + 1, y + 1), so that a box's right edge is
left + width and a scaling by s maps x to s x. OpenCV counts from pixel centres instead; `for_opencv` converts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recto.ocr.layout import quad_of
from recto.ocr.page import Block, Box, Line, Point, Quad, Word
from recto.ocr.preprocessing.displacement import Displacement

Matrix: TypeAlias = NDArray[np.float64]
"""Shape (3, 3), homogeneous, float64, invertible: maps points of a plane."""


@dataclass(frozen=True, slots=True, eq=False)
class Transform:
    """Maps points of a step's input onto its output by `stages`, the first of them first; without any, to themselves.

    `second @ first` is first, then second. Neighbouring matrices become one.
    """

    stages: tuple[Matrix | Displacement, ...]

    def __matmul__(self, before: Transform) -> Transform:
        stages = list(before.stages)
        for stage in self.stages:
            if stages and isinstance(stage, np.ndarray) and isinstance(stages[-1], np.ndarray):
                stages[-1] = stage @ stages[-1]
            else:
                stages.append(stage)
        return Transform(tuple(stages))

    @property
    def matrix(self) -> Matrix:
        """The transform as one matrix. ValueError where it is more than that."""
        if not self.stages:
            return np.eye(3)
        (stage,) = self.stages
        if isinstance(stage, Displacement):
            raise ValueError("A displacement has no matrix: map points by map_points.")
        return stage


IDENTITY: Final = Transform(())

_ROUNDING_PX: Final = 1e-6
"""What floating point may add to a coordinate; without this a box that lies on whole pixels could grow by one."""


def plane(matrix: Matrix) -> Transform:
    """Maps by a matrix: also perspective."""
    return Transform((np.asarray(matrix, dtype=np.float64),))


def translation(dx_px: float, dy_px: float) -> Transform:
    """Moves by (dx, dy)."""
    return plane(np.array([[1, 0, dx_px], [0, 1, dy_px], [0, 0, 1]], dtype=np.float64))


def scaling(factor_x: float, factor_y: float) -> Transform:
    """Scales about the top left corner."""
    return plane(np.diag([factor_x, factor_y, 1.0]))


def rotation(angle_deg: float) -> Transform:
    """Turns the content counter-clockwise, as seen with y pointing downwards, about the top left corner."""
    radians = math.radians(angle_deg)
    sine, cosine = math.sin(radians), math.cos(radians)
    return plane(np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]], dtype=np.float64))


def displaced(displacement: Displacement) -> Transform:
    """Maps by a displacement."""
    return Transform((displacement,))


def for_opencv(transform: Transform) -> Matrix:
    """The matrix of the same transform between pixel centres, which OpenCV's warps count from."""
    return (translation(-0.5, -0.5) @ transform @ translation(0.5, 0.5)).matrix


def inverse(transform: Transform) -> Transform:
    """The transform back. No step is singular."""
    return Transform(tuple(_inverse_stage(stage) for stage in reversed(transform.stages)))


def map_points(transform: Transform, points: Sequence[Point]) -> list[Point]:
    """The points' images; perspective and displacements included."""
    mapped = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    for stage in transform.stages:
        mapped = stage.mapped(mapped) if isinstance(stage, Displacement) else _projected(stage, mapped)
    return list(zip(*mapped.T.tolist(), strict=True))


def map_blocks(transform: Transform, blocks: tuple[Block, ...], width_px: int, height_px: int) -> tuple[Block, ...]:
    """Blocks carried through `transform` onto a page of that size: quads exactly, boxes as the upright bounds, cut at its edges."""
    images = iter(map_points(transform, [point for block in blocks for point in _points_of(block)]))
    return tuple(_moved_block(block, images, width_px, height_px) for block in blocks)


def _points_of(block: Block) -> Iterator[Point]:
    """All that moves with the block, for one call that maps the points of a page: a call for each word spends its time before it reckons."""
    yield from quad_of(block.box)
    for line in block.lines:
        yield from line.quad
        yield from line.baseline or ()
        for word in line.words:
            yield from word.quad


def _moved_block(block: Block, images: Iterator[Point], width_px: int, height_px: int) -> Block:
    """The block whose points, in the order of `_points_of`, have these images; as many are taken."""
    box = _bounds(_next_quad(images), width_px, height_px)
    return Block(tuple(_moved_line(line, images, width_px, height_px) for line in block.lines), box)


def _inverse_stage(stage: Matrix | Displacement) -> Matrix | Displacement:
    return stage.inverted() if isinstance(stage, Displacement) else np.linalg.inv(stage).astype(np.float64)


def _projected(matrix: Matrix, points: NDArray[np.float64]) -> NDArray[np.float64]:
    homogeneous = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return np.asarray(homogeneous[:, :2] / homogeneous[:, 2:], dtype=np.float64)


def _moved_line(line: Line, images: Iterator[Point], width_px: int, height_px: int) -> Line:
    quad = _next_quad(images)
    baseline = (next(images), next(images)) if line.baseline else None
    return Line(
        words=tuple(_moved_word(word, images, width_px, height_px) for word in line.words),
        box=_bounds(quad, width_px, height_px),
        quad=quad,
        paragraph=line.paragraph,
        baseline=baseline,
    )


def _moved_word(word: Word, images: Iterator[Point], width_px: int, height_px: int) -> Word:
    quad = _next_quad(images)
    return replace(word, box=_bounds(quad, width_px, height_px), quad=quad)


def _next_quad(images: Iterator[Point]) -> Quad:
    return next(images), next(images), next(images), next(images)


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
