"""Pages at a reduced size: nothing moves, and every pixel is the mean of its area."""

import cv2
import numpy as np
import pytest

from recto.ocr.preprocessing.ink import components_of, halved, ink_mask, reduced
from tests.drawing import draw_page


@pytest.mark.parametrize("scale", [0.9, 0.57, 0.5, 0.4, 0.25, 0.143, 0.1])
@pytest.mark.parametrize("shape", [(700, 500), (701, 503), (603, 407)])
def test_what_is_reduced_lies_where_it_was_and_has_the_same_grey(shape: tuple[int, int], scale: float) -> None:
    page = np.full(shape, 255, np.uint8)
    page[300:400, 200:350] = 0
    small = reduced(page, scale)
    for found, whole in zip(small.shape, shape, strict=True):
        assert whole * scale - 2 < found <= whole * scale + 0.5
    darkness = 255.0 - small
    rows, columns = darkness.sum(1), darkness.sum(0)
    assert np.average(np.arange(small.shape[0]) + 0.5, weights=rows) == pytest.approx(350 * scale, abs=0.5)
    assert np.average(np.arange(small.shape[1]) + 0.5, weights=columns) == pytest.approx(275 * scale, abs=0.5)
    assert darkness.sum() / scale**2 == pytest.approx(255 * 100 * 150, rel=0.03)


def test_components_are_those_of_opencv_by_itself() -> None:
    mask = ink_mask(draw_page(noise=30).pixels)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    found = components_of(mask)
    assert len(found.stats) > 100
    assert np.array_equal(found.labels, labels)
    assert np.array_equal(found.stats, stats)


def test_what_meets_at_a_corner_is_one_component() -> None:
    found = components_of(np.eye(4, dtype=np.uint8))
    assert found.stats[1:, cv2.CC_STAT_AREA].tolist() == [4]
    assert np.array_equal(found.labels, np.eye(4))


def test_page_that_is_as_small_stays_as_it_is() -> None:
    page = np.zeros((30, 40), np.uint8)
    assert reduced(page, 1.0) is page
    assert halved(page, 40) is page


@pytest.mark.parametrize("shape", [(1, 5000), (5000, 1), (3, 9000)])
def test_strip_keeps_a_pixel(shape: tuple[int, int]) -> None:
    small = reduced(np.zeros(shape, np.uint8), 1 / 18)
    assert min(small.shape) == 1
    assert max(small.shape) == pytest.approx(max(shape) / 18, abs=1)
    assert min(halved(np.zeros(shape, np.uint8), 500).shape) == 1
