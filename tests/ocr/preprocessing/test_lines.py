import numpy as np
import pytest

from recto.ocr.preprocessing.ink import find_letters
from recto.ocr.preprocessing.lines import find_lines, slopes_of
from tests.drawing import LINES, blank_page, draw_page


@pytest.mark.parametrize("skew_deg", [-3, 0, 2.5])
def test_lines_of_a_drawn_page_are_found_with_their_slope(skew_deg: float) -> None:
    lines = find_lines(find_letters(draw_page(skew_deg=skew_deg).pixels))
    assert lines is not None
    slopes = slopes_of(lines)
    is_long = slopes.length_px > 20 * lines.letter_px
    assert is_long.sum() >= len(LINES) - 1
    assert np.degrees(np.arctan(slopes.slope[is_long])) == pytest.approx(-skew_deg, abs=0.15)


def test_lines_hold_letters_of_one_height_above_the_foot() -> None:
    lines = find_lines(find_letters(draw_page().pixels))
    assert lines is not None
    for number in range(lines.count):
        assert np.ptp(lines.y[lines.line == number]) < lines.letter_px
    assert lines.line.max() + 1 == lines.count


def test_lines_of_a_blank_page_are_none() -> None:
    assert find_lines(find_letters(blank_page())) is None


def test_lines_of_letters_far_apart_are_none() -> None:
    page = blank_page()
    for x in range(100, 1100, 200):
        page[400:430, x : x + 25] = 0
    assert find_lines(find_letters(page)) is None
