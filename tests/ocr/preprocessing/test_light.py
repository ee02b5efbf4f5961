import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recto.ocr.preprocessing.light import evenly_lit, is_surely_even, measure_light
from tests.drawing import LINES, blank_page, draw_page

PAGE = draw_page(LINES * 2, size_pt=8)
Picture = np.typing.NDArray[np.uint8]


def dimmed(page: Picture, light: np.typing.NDArray[np.float64]) -> Picture:
    return np.asarray(page * light, dtype=np.uint8)


def ramp(page: Picture, darkest: float) -> np.typing.NDArray[np.float64]:
    """Light that fades from the right to the left."""
    return np.broadcast_to(np.linspace(darkest, 1, page.shape[1]), page.shape)


def shadow(page: Picture, depth: float) -> np.typing.NDArray[np.float64]:
    """A soft shadow over the left two fifths."""
    light = np.ones(page.shape)
    light[:, : page.shape[1] * 2 // 5] = depth
    return np.asarray(cv2.GaussianBlur(light, (0, 0), 40), dtype=np.float64)


@pytest.mark.parametrize("page", [PAGE.pixels, draw_page().pixels, draw_page(noise=10).pixels, blank_page()])
def test_even_page_is_not_uneven(page: Picture) -> None:
    assert not measure_light(page).is_uneven
    assert is_surely_even(page)


@given(st.integers(100, 255))
@settings(max_examples=10, deadline=None)
def test_paper_of_any_grey_is_even(grey: int) -> None:
    light = measure_light(np.minimum(PAGE.pixels, grey).astype(np.uint8))
    assert light.darkest_share == pytest.approx(0, abs=0.02)
    assert light.paper.min() >= grey - 2


@pytest.mark.parametrize("page", [blank_page(1, 1), blank_page(3000, 2), blank_page() * 0, blank_page(2, 2) * 0])
def test_light_of_a_page_of_any_size_is_measured(page: Picture) -> None:
    light = measure_light(page)
    assert not light.is_uneven
    assert evenly_lit(page, light).shape == page.shape


def test_darker_shadow_is_measured_as_darker() -> None:
    shares = [measure_light(dimmed(PAGE.pixels, shadow(PAGE.pixels, depth))).darkest_share for depth in (0.8, 0.6, 0.4)]
    assert shares == pytest.approx([0.2, 0.4, 0.6], abs=0.05)


@pytest.mark.parametrize("depth", [0.97, 0.95, 0.92, 0.9, 0.88, 0.85, 0.8, 0.6])
def test_none_is_surely_even_that_a_closer_look_finds_uneven(depth: float) -> None:
    for light in (ramp(PAGE.pixels, depth), shadow(PAGE.pixels, depth)):
        page = dimmed(PAGE.pixels, light)
        assert not (is_surely_even(page) and measure_light(page).is_uneven)
        assert is_surely_even(page) or depth < 0.97


@pytest.mark.parametrize("light", [ramp(PAGE.pixels, 0.4), shadow(PAGE.pixels, 0.5)], ids=["ramp", "shadow"])
def test_shadowed_page_becomes_even_and_its_ink_stays_dark(light: np.typing.NDArray[np.float64]) -> None:
    page = dimmed(PAGE.pixels, light)
    measured = measure_light(page)
    assert measured.is_uneven
    lit = evenly_lit(page, measured)
    paper, ink = PAGE.pixels == 255, PAGE.pixels == 0
    assert np.ptp(np.percentile(page[paper], [2, 98])) > 80
    assert np.ptp(np.percentile(lit[paper], [2, 98])) < 25
    assert np.median(lit[paper]) == pytest.approx(245, abs=5)
    assert lit[ink].max() == 0
    assert not measure_light(lit).is_uneven


def test_ink_keeps_its_share_of_the_paper() -> None:
    faded = np.maximum(PAGE.pixels, 120).astype(np.uint8)
    page = dimmed(faded, ramp(faded, 0.5))
    lit = evenly_lit(page, measure_light(page))
    assert np.median(lit[faded == 120]) == pytest.approx(245 * 120 / 255, abs=8)


def test_black_picture_stays_black() -> None:
    page = dimmed(PAGE.pixels, shadow(PAGE.pixels, 0.6))
    page[-500:-100, 300:800] = 6
    lit = evenly_lit(page, measure_light(page))
    assert lit[-420:-180, 380:720].max() < 64
