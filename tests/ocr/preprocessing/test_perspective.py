import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recto.ocr.page import Quad
from recto.ocr.preprocessing.ink import find_letters, small_of
from recto.ocr.preprocessing.perspective import Perspective, measure_perspective, rectified
from recto.ocr.preprocessing.transform import map_points
from tests.drawing import blank_page, draw_page
from tests.ocr.preprocessing.photographs import flat_page, found_words, photographed

SIZE = (2000, 1800)
SKEWED: Quad = ((180, 130), (1850, 60), (1900, 1700), (90, 1600))


def measured(picture: np.typing.NDArray[np.uint8]) -> Perspective | None:
    return measure_perspective(picture, find_letters(picture), small_of(picture))


@pytest.mark.parametrize(("desk", "found_by"), [(70, "sheet"), (None, "text")])
def test_perspective_of_a_photographed_page_is_undone_and_words_come_back(desk: int | None, found_by: str) -> None:
    page = photographed(flat_page(), SKEWED, SIZE, desk)
    perspective = measured(page.pixels)
    assert perspective is not None
    assert perspective.found_by == found_by
    assert perspective.convergence_deg > 2
    pixels, transform = rectified(page.pixels, perspective.corners)
    for word in page.words:
        (left, top), (right, top_again), _, _ = map_points(transform, word.quad)
        assert abs(math.degrees(math.atan2(top_again - top, right - left))) < 1
    distances = found_words(pixels, page, transform)
    assert np.median(distances) <= 1
    assert np.percentile(distances, 99) <= 3


def test_rectifying_keeps_the_shape_of_the_sheet_and_its_resolution() -> None:
    page = flat_page()
    height, width = page.pixels.shape
    # Seen by a camera from two widths away: turned about both of the sheet's axes.
    world = (np.array([(0, 0), (width, 0), (width, height), (0, height)]) - (width / 2, height / 2)) / width
    sine, cosine = math.sin(math.radians(25)), math.cos(math.radians(25))
    x, y, z = world[:, 0] * cosine, world[:, 1], world[:, 0] * sine
    y, z = y * cosine - z * sine, y * sine + z * cosine + 2
    seen = np.column_stack([x / z, y / z])
    one, two, three, four = [(float(x), float(y)) for x, y in seen * 1.8 * width + (1000, 900)]
    corners: Quad = (one, two, three, four)
    pixels, _ = rectified(photographed(page, corners, SIZE, 60).pixels, corners)
    assert pixels.shape[1] / pixels.shape[0] == pytest.approx(width / height, rel=0.02)
    assert pixels.shape[0] >= math.dist(one, four) - 1


def test_rectifying_by_a_factor_grows_the_page_in_the_same_step() -> None:
    page = photographed(flat_page(), SKEWED, SIZE, 60)
    small, _ = rectified(page.pixels, SKEWED)
    large, transform = rectified(page.pixels, SKEWED, factor=1.5)
    assert np.array(large.shape) == pytest.approx(1.5 * np.array(small.shape), abs=1)
    assert map_points(transform, SKEWED)[2] == pytest.approx(large.shape[::-1], abs=1e-3)


def test_sheet_that_lies_upright_is_cut_out_pixel_for_pixel() -> None:
    page = flat_page().pixels
    height, width = page.shape
    picture = np.full((height + 200, width + 260), 60, np.uint8)
    picture[80 : 80 + height, 100 : 100 + width] = page
    perspective = measured(picture)
    assert perspective is not None
    pixels, transform = rectified(picture, perspective.corners)
    ((x, y),) = map_points(transform, [(0, 0)])
    left, top = -round(x), -round(y)
    assert [left, top] == pytest.approx([100, 80], abs=1)
    assert np.array_equal(pixels, picture[top : top + pixels.shape[0], left : left + pixels.shape[1]])


def test_perspective_of_plain_pages_is_none() -> None:
    for page in (draw_page().pixels, draw_page(skew_deg=4).pixels, flat_page().pixels, blank_page(), blank_page(9, 9)):
        assert measured(page) is None


def test_perspective_of_lines_side_by_side_is_none() -> None:
    line = draw_page(("Every morning the baker opens his shop",)).pixels
    assert measured(np.ascontiguousarray(np.tile(line, (1, 5)))) is None


def test_sheet_with_text_beside_it_is_left() -> None:
    page = flat_page().pixels
    height, width = page.shape
    picture = np.full((height + 700, width + 200), 150, np.uint8)
    picture[50 : 50 + height, 100 : 100 + width] = page
    below = page[120:700]
    picture[height + 100 : height + 100 + len(below), 100 : 100 + width][below < 150] = 20
    assert measured(picture) is None


@given(st.lists(st.floats(-60, 60), min_size=8, max_size=8), st.tuples(st.floats(0, 1), st.floats(0, 1)))
@settings(max_examples=30, deadline=None)
def test_rectifying_maps_the_corners_onto_the_picture_and_back(moves: list[float], place: tuple[float, float]) -> None:
    square = np.array([(70, 70), (330, 70), (330, 270), (70, 270)]) + np.array(moves).reshape(4, 2)
    one, two, three, four = [(float(x), float(y)) for x, y in square]
    pixels, transform = rectified(np.full((340, 400), 90, np.uint8), (one, two, three, four))
    height, width = pixels.shape
    corners = [(0, 0), (width, 0), (width, height), (0, height)]
    assert np.array(map_points(transform, (one, two, three, four))) == pytest.approx(np.array(corners), abs=1e-2)
    assert pixels.min() == pixels.max() == 90
