import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.ocr.page import Block, Box, Line, Word
from recto.ocr.preprocessing.transform import (
    IDENTITY,
    Transform,
    for_opencv,
    inverse,
    map_blocks,
    map_points,
    rotation,
    scaling,
    translation,
)

WIDTH, HEIGHT = 500, 400
ANGLES = st.floats(-180, 180)
FACTORS = st.floats(0.05, 8)
SHIFTS = st.floats(-1e4, 1e4)
POINTS = st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))


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


@given(ANGLES, POINTS, POINTS)
def test_rotation_keeps_distances(angle_deg: float, a: tuple[float, float], b: tuple[float, float]) -> None:
    turned_a, turned_b = map_points(rotation(angle_deg), [a, b])
    assert math.dist(turned_a, turned_b) == pytest.approx(math.dist(a, b), abs=1e-6)


def test_rotation_by_a_positive_angle_is_counter_clockwise_as_seen() -> None:
    (turned,) = map_points(rotation(90), [(1, 0)])
    assert turned == pytest.approx((0, -1))


@given(FACTORS)
def test_scaling_for_opencv_maps_pixel_centres(factor: float) -> None:
    (centre,) = map_points(for_opencv(scaling(factor, factor)), [(0, 0)])
    assert centre == pytest.approx((factor / 2 - 0.5, factor / 2 - 0.5))


def test_blocks_through_the_identity_are_equal() -> None:
    block = block_of(Box(10, 20, 30, 40))
    assert map_blocks(IDENTITY, (block,), WIDTH, HEIGHT) == (block,)


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
