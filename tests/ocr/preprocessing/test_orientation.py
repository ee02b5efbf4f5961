import numpy as np
import pytest

from recto.ocr.preprocessing.ink import find_letters
from recto.ocr.preprocessing.orientation import quarter_turned, suspected_text_angle_deg
from recto.ocr.preprocessing.transform import inverse, map_points
from tests.drawing import blank_page, draw_page


@pytest.mark.parametrize("skew_deg", [0, 4, -11])
@pytest.mark.parametrize("turn_deg", [0, 90, 180, 270])
def test_turn_of_a_page_is_seen_by_its_letters(turn_deg: int, skew_deg: float) -> None:
    pixels, _ = quarter_turned(draw_page(skew_deg=skew_deg).pixels, turn_deg)
    assert suspected_text_angle_deg(find_letters(pixels)) == turn_deg


def test_page_without_letters_is_taken_as_upright() -> None:
    assert suspected_text_angle_deg(find_letters(blank_page())) == 0


@pytest.mark.parametrize("turn_deg", [0, 90, 180, 270])
def test_quarter_turn_moves_every_pixel_where_its_transform_says(turn_deg: int) -> None:
    page = np.arange(12, dtype=np.uint8).reshape(3, 4)
    turned, transform = quarter_turned(page, turn_deg)
    for y in range(3):
        for x in range(4):
            ((to_x, to_y),) = map_points(transform, [(x + 0.5, y + 0.5)])
            assert turned[int(to_y), int(to_x)] == page[y, x]


def test_quarter_turn_is_counter_clockwise() -> None:
    page = np.zeros((3, 5), np.uint8)
    page[0, 0] = 255  # top left
    turned, _ = quarter_turned(page, 90)
    assert turned.shape == (5, 3)
    assert turned[4, 0] == 255  # bottom left


def test_quarter_turn_and_back_is_the_same_point() -> None:
    _, transform = quarter_turned(blank_page(70, 50), 270)
    (there,) = map_points(transform, [(11.0, 13.0)])
    assert map_points(inverse(transform), [there]) == [pytest.approx((11.0, 13.0))]
