import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.ocr.page import Block, Box, Line, Word
from recto.ocr.preprocessing.displacement import Displacement, resampled
from recto.ocr.preprocessing.transform import (
    IDENTITY,
    Transform,
    displaced,
    for_opencv,
    inverse,
    map_blocks,
    map_points,
    plane,
    rotation,
    scaling,
    translation,
)

WIDTH, HEIGHT = 500, 400
ANGLES = st.floats(-180, 180)
FACTORS = st.floats(0.05, 8)
SHIFTS = st.floats(-1e4, 1e4)
POINTS = st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))

OFFSETS = st.lists(st.floats(-20, 20), min_size=18, max_size=18)
ON_PAGE = st.tuples(st.floats(0, WIDTH), st.floats(0, HEIGHT))


def smooth(offsets_px: list[float]) -> Displacement:
    return Displacement(np.array(offsets_px).reshape(3, 3, 2), 200.0)


def block_of(box: Box) -> Block:
    right, bottom = box.left + box.width, box.top + box.height
    quad = ((box.left, box.top), (right, box.top), (right, bottom), (box.left, bottom))
    line = Line((Word("word", 0.5, box, quad),), box, quad, 0, ((box.left, bottom), (right, bottom)))
    return Block((line,), box)


@given(ANGLES, FACTORS, SHIFTS, SHIFTS, POINTS)
def test_any_steps_and_their_inverse_bring_a_point_back(
    angle_deg: float, factor: float, dx: float, dy: float, point: tuple[float, float]
) -> None:
    there = translation(dx, dy) @ rotation(angle_deg) @ scaling(factor, factor)
    (back,) = map_points(inverse(there), map_points(there, [point]))
    assert back == pytest.approx(point, abs=1e-5)


@given(OFFSETS, st.floats(-20, 20), st.floats(-1e-4, 1e-4), st.floats(-1e-4, 1e-4), ON_PAGE)
def test_displacements_among_planes_bring_a_point_back(
    offsets_px: list[float], angle_deg: float, g: float, h: float, point: tuple[float, float]
) -> None:
    perspective = plane(np.array([[1, 0, 3], [0, 1, -5], [g, h, 1]]))
    there = rotation(angle_deg) @ displaced(smooth(offsets_px).inverted()) @ perspective
    (back,) = map_points(inverse(there), map_points(there, [point]))
    assert back == pytest.approx(point, abs=1e-3)


def test_composition_merges_neighbouring_planes_only() -> None:
    bend = displaced(smooth([1.0] * 18))
    assert len((translation(1, 2) @ rotation(3) @ bend @ scaling(2, 2) @ IDENTITY).stages) == 3
    assert (IDENTITY @ IDENTITY).stages == ()
    assert np.array_equal(IDENTITY.matrix, np.eye(3))


def test_displacement_has_no_matrix() -> None:
    with pytest.raises(ValueError, match="map_points"):
        _ = displaced(smooth([1.0] * 18)).matrix


@given(OFFSETS)
def test_resampling_moves_pixels_where_the_way_back_says(offsets_px: list[float]) -> None:
    bend = smooth(offsets_px)
    page = np.full((HEIGHT, WIDTH), 200, np.uint8)
    page[199:202, 249:252] = 0
    rows, columns = np.nonzero(resampled(page, bend, 200.0) < 100)
    ((x, y),) = map_points(displaced(bend.inverted()), [(250.5, 200.5)])
    assert columns.mean() + 0.5 == pytest.approx(x, abs=0.5)
    assert rows.mean() + 0.5 == pytest.approx(y, abs=0.5)


@given(ANGLES, POINTS, POINTS)
def test_rotation_keeps_distances(angle_deg: float, a: tuple[float, float], b: tuple[float, float]) -> None:
    turned_a, turned_b = map_points(rotation(angle_deg), [a, b])
    assert math.dist(turned_a, turned_b) == pytest.approx(math.dist(a, b), abs=1e-6)


def test_rotation_by_a_positive_angle_is_counter_clockwise_as_seen() -> None:
    (turned,) = map_points(rotation(90), [(1, 0)])
    assert turned == pytest.approx((0, -1))


@given(FACTORS)
def test_scaling_for_opencv_maps_pixel_centres(factor: float) -> None:
    centre = for_opencv(scaling(factor, factor)) @ np.array([0, 0, 1])
    assert centre == pytest.approx([factor / 2 - 0.5, factor / 2 - 0.5, 1])


def test_blocks_through_the_identity_are_equal() -> None:
    block = block_of(Box(10, 20, 30, 40))
    assert map_blocks(IDENTITY, (block,), WIDTH, HEIGHT) == (block,)


def test_many_blocks_move_as_each_by_itself() -> None:
    bare = block_of(Box(200, 100, 60, 30))
    without_baseline = replace(bare, lines=(replace(bare.lines[0], baseline=None),))
    several = (block_of(Box(10, 20, 30, 40)), without_baseline, Block((), Box(5, 5, 5, 5)), block_of(Box(50, 9, 99, 9)))
    for transform in (rotation(3), displaced(smooth([float(number % 7) for number in range(18)]))):
        alone = [map_blocks(transform, (block,), WIDTH, HEIGHT)[0] for block in several]
        for block, single in zip(map_blocks(transform, several, WIDTH, HEIGHT), alone, strict=True):
            assert block.box == single.box
            assert [line.baseline is None for line in block.lines] == [line.baseline is None for line in single.lines]
            for line, other in zip(block.lines, single.lines, strict=True):
                assert np.array(line.quad) == pytest.approx(np.array(other.quad), abs=1e-3)
                assert [word.box for word in line.words] == [word.box for word in other.words]


def test_page_without_blocks_has_none_afterwards() -> None:
    for transform in (IDENTITY, rotation(3), inverse(displaced(smooth([1.0] * 18)))):
        assert map_blocks(transform, (), WIDTH, HEIGHT) == ()


def test_blocks_scaled_up_and_down_again_are_equal() -> None:
    block = block_of(Box(10, 20, 30, 40))
    (large,) = map_blocks(scaling(3, 3), (block,), 3 * WIDTH, 3 * HEIGHT)
    assert large.box == Box(30, 60, 90, 120)
    assert map_blocks(scaling(1 / 3, 1 / 3), (large,), WIDTH, HEIGHT)[0].box == block.box


@given(
    ANGLES,
    FACTORS,
    st.builds(Box, st.integers(0, 499), st.integers(0, 399), st.integers(1, 600), st.integers(1, 600)),
)
def test_boxes_through_any_steps_lie_within_the_page(angle_deg: float, factor: float, box: Box) -> None:
    transform: Transform = translation(5, -7) @ rotation(angle_deg) @ scaling(factor, factor)
    (mapped,) = map_blocks(transform, (block_of(box),), WIDTH, HEIGHT)
    for found in (mapped.box, mapped.lines[0].box, mapped.lines[0].words[0].box):
        assert found.left >= 0
        assert found.top >= 0
        assert found.width >= 1
        assert found.height >= 1
        assert found.left + found.width <= WIDTH
        assert found.top + found.height <= HEIGHT


@given(
    st.floats(-15, 15),
    st.builds(Box, st.integers(150, 200), st.integers(150, 200), st.integers(1, 80), st.integers(1, 80)),
)
def test_boxes_inside_the_page_hold_their_quads(angle_deg: float, box: Box) -> None:
    (mapped,) = map_blocks(rotation(angle_deg), (block_of(box),), WIDTH, HEIGHT)
    word = mapped.lines[0].words[0]
    xs, ys = np.array(word.quad).T
    assert word.box.left <= xs.min() + 1e-5
    assert xs.max() <= word.box.left + word.box.width + 1e-5
    assert word.box.top <= ys.min() + 1e-5
    assert ys.max() <= word.box.top + word.box.height + 1e-5
