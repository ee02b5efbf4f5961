import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.ocr.preprocessing.aspect import squared
from tests.drawing import draw_page


@pytest.mark.parametrize("aspect", [204 / 98, 0.5])
def test_squaring_brings_back_the_shape_of_the_page(aspect: float) -> None:
    page = draw_page().pixels
    height, width = page.shape
    flat = (width, round(height / aspect)) if aspect > 1 else (round(width * aspect), height)
    pixels, transform = squared(np.asarray(cv2.resize(page, flat, interpolation=cv2.INTER_AREA), np.uint8), aspect)
    assert np.abs(np.subtract(pixels.shape, page.shape)).max() <= 1
    assert np.abs(pixels[: height - 1, : width - 1].astype(int) - page[: height - 1, : width - 1]).mean() < 8
    assert (transform.matrix @ np.array([*flat, 1]))[:2] == pytest.approx(pixels.shape[::-1])


@given(st.integers(1, 60), st.integers(1, 60), st.floats(0.4, 2.5))
def test_squaring_never_loses_pixels(width: int, height: int, aspect: float) -> None:
    pixels, transform = squared(np.full((height, width), 77, np.uint8), aspect)
    assert pixels.shape[0] >= height
    assert pixels.shape[1] >= width
    assert (transform.matrix @ np.array([width, height, 1]))[:2] == pytest.approx(pixels.shape[::-1])
    assert pixels.min() == pixels.max() == 77
