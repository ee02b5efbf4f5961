import numpy as np
import pytest

from recto.ocr.preprocessing.curl import Curl, flattened, measure_curl
from recto.ocr.preprocessing.ink import find_letters
from recto.ocr.preprocessing.transform import map_points
from tests.drawing import blank_page, draw_page
from tests.ocr.preprocessing.photographs import curled, flat_page, found_words


def measured(picture: np.typing.NDArray[np.uint8]) -> Curl | None:
    return measure_curl(find_letters(picture), picture.shape[1], picture.shape[0])


@pytest.mark.parametrize("depth_px", [25, -40, 60])
def test_curl_of_bent_lines_is_straightened_and_words_come_back(depth_px: float) -> None:
    page = curled(flat_page(), depth_px)
    curl = measured(page.pixels)
    assert curl is not None
    assert curl.explained > 0.8
    pixels, transform = flattened(page.pixels, curl)
    assert pixels.shape == page.pixels.shape
    rest = measured(pixels)
    assert rest is None or rest.amplitude_px < 0.2 * curl.amplitude_px
    distances = found_words(pixels, page, transform)
    assert np.median(distances) <= 1
    assert np.percentile(distances, 99) <= 3


def test_curl_moves_up_and_down_only() -> None:
    curl = measured(curled(flat_page(), 40).pixels)
    assert curl is not None
    _, transform = flattened(flat_page().pixels, curl)
    points = [(100.0, 200.0), (900.0, 700.0)]
    assert [x for x, _ in map_points(transform, points)] == pytest.approx([100, 900])


def test_curl_of_straight_or_missing_lines_is_none() -> None:
    for page in (flat_page().pixels, draw_page().pixels, draw_page(noise=20).pixels, blank_page(), blank_page(9, 9)):
        assert measured(page) is None


def test_curl_of_lines_that_wave_each_its_own_way_is_none() -> None:
    page = flat_page().pixels
    random = np.random.default_rng(4)
    waves = page.copy()
    pitch = 68
    for top in range(0, page.shape[0] - pitch, pitch):
        phase = random.uniform(0, 6)
        for x in range(page.shape[1]):
            shift = round(6 * np.sin(x / 60 + phase))
            waves[top : top + pitch, x] = np.roll(page[top : top + pitch, x], shift)
    assert measured(waves) is None
