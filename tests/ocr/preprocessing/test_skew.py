import numpy as np
import pytest

from recto.ocr.preprocessing.ink import find_letters
from recto.ocr.preprocessing.skew import MAX_SKEW_DEG, deskewed, measure_skew
from recto.ocr.preprocessing.transform import map_points
from tests.drawing import blank_page, draw_page


@pytest.mark.parametrize("angle_deg", [-14, -5, -1.3, -0.4, 0, 0.4, 2, 5, 9.5, 14])
def test_skew_of_drawn_lines_is_measured_to_a_tenth_of_a_degree(angle_deg: float) -> None:
    skew = measure_skew(find_letters(draw_page(skew_deg=angle_deg).pixels))
    assert skew is not None
    assert skew.angle_deg == pytest.approx(angle_deg, abs=0.1)
    assert skew.clarity > 4


def test_skew_on_dark_noisy_paper_is_measured_all_the_same() -> None:
    page = draw_page(skew_deg=3, noise=15).pixels // 2
    skew = measure_skew(find_letters(page))
    assert skew is not None
    assert skew.angle_deg == pytest.approx(3, abs=0.15)


def test_skew_of_a_blank_page_is_unknown() -> None:
    assert measure_skew(find_letters(blank_page())) is None


def test_skew_of_scattered_spots_is_unclear() -> None:
    random, page = np.random.default_rng(3), blank_page()
    for x, y in random.integers(20, 1180, (300, 2)):
        page[y : y + 9, x : x + 8] = 0
    skew = measure_skew(find_letters(page))
    assert skew is not None
    assert skew.clarity < 2


def test_deskewing_levels_the_lines_and_keeps_every_corner() -> None:
    page = draw_page(skew_deg=6).pixels
    level, transform = deskewed(page, 6)
    rest = measure_skew(find_letters(level))
    assert rest is not None
    assert abs(rest.angle_deg) < 0.1
    height, width = page.shape
    corners = np.array(map_points(transform, [(0, 0), (width, 0), (width, height), (0, height)]))
    assert corners.min() >= -1e-6
    assert corners[:, 0].max() <= level.shape[1] + 1e-6
    assert corners[:, 1].max() <= level.shape[0] + 1e-6


def test_deskewing_moves_pixels_where_its_transform_says() -> None:
    page = blank_page(400, 300)
    page[99:102, 199:202] = 0
    level, transform = deskewed(page, MAX_SKEW_DEG)
    ((x, y),) = map_points(transform, [(200.5, 100.5)])
    rows, columns = np.nonzero(level < 128)
    assert columns.mean() + 0.5 == pytest.approx(x, abs=0.3)
    assert rows.mean() + 0.5 == pytest.approx(y, abs=0.3)


def test_deskewing_of_grey_paper_fills_the_corners_with_it() -> None:
    level, _ = deskewed(np.full((300, 300), 190, np.uint8), 10)
    assert level.min() == level.max() == 190
