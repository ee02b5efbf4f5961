import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recto.ocr.preprocessing.borders import Borders, cropped, measure_borders
from recto.ocr.preprocessing.ink import find_letters, small_of
from recto.ocr.preprocessing.transform import IDENTITY, inverse, map_points
from tests.drawing import blank_page, draw_page
from tests.ocr.preprocessing.photographs import flat_page, found_words

Picture = np.typing.NDArray[np.uint8]


def measured(picture: Picture) -> Borders | None:
    return measure_borders(picture, find_letters(picture), small_of(picture))


def bordered(page: Picture, left: int, top: int, right: int, bottom: int, grey: int = 15) -> Picture:
    return np.asarray(
        cv2.copyMakeBorder(page, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(grey, 0, 0, 0)), dtype=np.uint8
    )


SIDE = st.sampled_from([0, 0, 35, 80, 140])


@given(st.tuples(SIDE, SIDE, SIDE, SIDE).filter(any), st.integers(0, 50))
@settings(max_examples=15, deadline=None)
def test_borders_on_any_side_are_cut_to_the_pixel(sides: tuple[int, int, int, int], grey: int) -> None:
    page = flat_page().pixels
    borders = measured(bordered(page, *sides, grey))
    assert borders is not None
    assert (borders.left, borders.top) == (sides[0], sides[1])
    assert (borders.right, borders.bottom) == (sides[0] + page.shape[1], sides[1] + page.shape[0])


def test_borders_are_cut_and_words_come_back() -> None:
    page = flat_page()
    picture = bordered(page.pixels, 90, 0, 40, 70)
    noisy = np.clip(picture + np.random.default_rng(1).normal(0, 10, picture.shape), 0, 255).astype(np.uint8)
    noisy[:-70, 90:-40] = page.pixels
    picture = noisy
    borders = measured(picture)
    assert borders is not None
    pixels, transform = cropped(picture, borders)
    assert pixels.shape == page.pixels.shape
    assert np.array_equal(pixels, page.pixels)
    assert map_points(inverse(transform), [(0, 0)]) == [(90, 0)]
    assert found_words(pixels, page, IDENTITY).max() <= 1


def test_wedges_beside_paper_that_lies_askew_are_painted() -> None:
    page = flat_page().pixels.copy()
    height, width = page.shape
    wedge = np.array([(width, 0), (width, height), (width - 110, height)])
    picture = np.asarray(cv2.fillConvexPoly(page, wedge, (10, 0, 0, 0)), dtype=np.uint8)
    borders = measured(picture)
    assert borders is not None
    assert borders.share == pytest.approx(110 / width / 2, rel=0.2)
    pixels, _ = cropped(picture, borders)
    assert np.mean(pixels[:, -90:] < 100) < 0.01


def test_borders_of_plain_pages_are_none() -> None:
    for page in (draw_page().pixels, flat_page().pixels, blank_page(), blank_page() // 20, blank_page(9, 9)):
        assert measured(page) is None


def test_dark_band_with_light_text_is_part_of_the_page() -> None:
    picture = bordered(flat_page().pixels, 0, 160, 0, 0)
    cv2.putText(picture, "A HEADING ON A DARK GROUND", (60, 100), cv2.FONT_HERSHEY_DUPLEX, 2, (240, 0, 0), 3)
    assert measured(picture) is None


def test_dark_picture_at_the_edge_is_not_painted() -> None:
    page = flat_page().pixels.copy()
    page[-600:-50, :500] = 20
    assert measured(page) is None


def test_shadow_that_fades_is_not_painted() -> None:
    page = flat_page().pixels
    height, width = page.shape
    distance = np.hypot(*np.meshgrid(np.arange(width), np.arange(height)))
    shadow = np.clip(distance / 900, 0.02, 1) ** 2
    borders = measured((page * shadow).astype(np.uint8))
    assert borders is None


def test_shadow_over_text_is_left() -> None:
    picture = flat_page().pixels.copy()
    picture[:, :700] = (picture[:, :700] * 0.3).astype(np.uint8)
    assert measured(picture) is None
