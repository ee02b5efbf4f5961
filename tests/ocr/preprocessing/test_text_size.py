import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.ocr.preprocessing.ink import find_letters
from recto.ocr.preprocessing.text_size import TextSize, measure_text_size, scale_for, scaled
from tests.drawing import blank_page, draw_page


def test_text_size_grows_with_the_drawn_text() -> None:
    sizes = [measure_text_size(find_letters(draw_page(size_pt=size).pixels)) for size in (8, 12, 16, 24)]
    letters = [size.letter_px for size in sizes if size]
    assert len(letters) == 4
    assert letters == pytest.approx([letters[0] * factor for factor in (1, 1.5, 2, 3)], rel=0.1)


def test_text_size_of_a_blank_page_is_unknown() -> None:
    assert measure_text_size(find_letters(blank_page())) is None


def test_text_size_ignores_specks_and_rules() -> None:
    page = draw_page().pixels.copy()
    clean = measure_text_size(find_letters(page))
    random = np.random.default_rng(1)
    page[random.integers(0, page.shape[0], 4000), random.integers(0, page.shape[1], 4000)] = 0
    page[60:64, 20:-20] = 0
    dirty = measure_text_size(find_letters(page))
    assert clean is not None
    assert dirty is not None
    assert dirty.letter_px == pytest.approx(clean.letter_px, rel=0.15)


@pytest.mark.parametrize("size", [None, TextSize(9, 1.2), TextSize(14, 0.4), TextSize(15, 0.4), TextSize(16, 0.4)])
def test_scale_for_usual_or_doubtful_text_is_one(size: TextSize | None) -> None:
    assert scale_for(size) == 1


def test_scale_for_small_text_is_up_and_for_huge_text_down() -> None:
    assert scale_for(TextSize(8, 0.4)) == 2
    assert scale_for(TextSize(90, 0.4)) == pytest.approx(14 / 90)


@given(st.integers(1, 60), st.integers(1, 60), st.floats(0.1, 3))
def test_scaling_maps_the_page_onto_the_scaled_page(width: int, height: int, factor: float) -> None:
    pixels, transform = scaled(np.full((height, width), 77, np.uint8), factor)
    corner = transform.matrix @ np.array([width, height, 1])
    assert corner[:2] == pytest.approx(pixels.shape[::-1])
    assert pixels.min() == pixels.max() == 77
