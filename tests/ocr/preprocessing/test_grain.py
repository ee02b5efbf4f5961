import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recto.ocr.preprocessing.grain import Grain, measure_grain, without_grain
from tests.drawing import LINES, blank_page, draw_page, on_grainy_paper

PAGE = draw_page(LINES * 2, size_pt=8).pixels
Picture = np.typing.NDArray[np.uint8]


@pytest.mark.parametrize("page", [PAGE, blank_page(), blank_page() * 0, np.full((900, 700), 180, np.uint8)])
def test_even_paper_has_no_grain(page: Picture) -> None:
    assert not measure_grain(page).is_there


@given(st.floats(1, 8), st.integers(150, 225))
@settings(max_examples=10, deadline=None)
def test_grain_is_measured_by_its_deviation(deviation: float, paper: int) -> None:
    grain = measure_grain(on_grainy_paper(PAGE, deviation, paper))
    assert grain.is_there
    assert grain.deviation == pytest.approx(deviation, rel=0.25)


def test_paper_becomes_even_and_ink_stays() -> None:
    page = on_grainy_paper(PAGE, 4)
    evened = without_grain(page, measure_grain(page))
    paper = cv2.erode((PAGE == 255).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    ink = PAGE < 128
    assert np.ptp(np.percentile(evened[paper], [0.5, 99.5])) <= 4
    assert np.median(evened[paper]) == pytest.approx(220, abs=2)
    assert np.abs(evened[ink].astype(int) - page[ink]).max() <= 2
    assert not measure_grain(evened).is_there


def test_no_point_strays_further_than_the_grain_did() -> None:
    page = on_grainy_paper(PAGE, 3)
    evened = without_grain(page, measure_grain(page))
    assert 3 * 3 - 1 <= np.abs(evened.astype(int) - page).max() <= 5 * 3


def test_nothing_stands_out_that_did_not_before() -> None:
    ramp = np.tile(np.repeat(np.arange(256, dtype=np.uint8), 3)[::-1], (900, 1))
    grain = Grain(np.full(ramp.shape, 200, np.uint8), 4.0)
    evened = without_grain(ramp, grain)[0].astype(int)
    assert np.abs(np.diff(evened)).max() <= 3
    assert set(evened[np.abs(ramp[0].astype(int) - 200) <= 12]) == {200}
    far = np.abs(ramp[0].astype(int) - 200) >= 24
    assert np.array_equal(evened[far], ramp[0][far])


def test_slight_shadow_goes_and_a_deep_one_is_left_to_the_light() -> None:
    light = np.linspace(0.7, 1, PAGE.shape[1])
    page = on_grainy_paper((np.minimum(PAGE, 220) * light).astype(np.uint8), 3, 255)
    evened = without_grain(page, measure_grain(page)).astype(float)
    right, middle, left = (np.median(evened[:, column]) for column in (-40, PAGE.shape[1] * 3 // 4, 40))
    assert middle == pytest.approx(right, abs=2)
    assert left == pytest.approx(220 * light[40] + 30, abs=3)


def test_light_letters_in_a_black_box_stay() -> None:
    page = on_grainy_paper(PAGE, 3)
    page[600:900, 200:900] = on_grainy_paper(255 - PAGE[600:900, 200:900], 3, 230)
    evened = without_grain(page, measure_grain(page))
    letters = PAGE[600:900, 200:900] < 60
    assert np.median(evened[600:900, 200:900][letters]) > 200


@pytest.mark.parametrize("page", [blank_page(1, 1), blank_page(3000, 2), blank_page(2, 2), blank_page(2, 20_000)])
def test_page_of_any_size_is_measured(page: Picture) -> None:
    grain = measure_grain(page)
    assert grain.paper.shape == page.shape
    assert np.array_equal(without_grain(page, grain), page)
