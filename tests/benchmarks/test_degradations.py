"""What the accuracy benchmark damages pages with."""

import math

import cv2
import numpy as np
import pytest

from benchmarks.degradations import FAMILIES, STRENGTHS, Picture, damaged
from tests.drawing import draw_page

PAGE = np.full((1500, 1100), 240, np.uint8)
PAGE[100:900, 50:1050] = draw_page(size_pt=10).pixels[:800, :1000]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("strength", STRENGTHS)
def test_damage_is_the_same_for_the_same_seed_and_changes_the_page(family: str, strength: str) -> None:
    first, again = (damaged(PAGE, family, strength, "page.png", seed=3) for _ in range(2))
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert first.shape != PAGE.shape or not np.array_equal(first, PAGE)


@pytest.mark.parametrize("family", FAMILIES)
def test_damage_to_a_page_in_colour_keeps_its_colour(family: str) -> None:
    yellowed = (PAGE[..., None] * np.array([0.7, 0.9, 1.0])).astype(np.uint8)
    page = damaged(yellowed, family, "mild", "page.png")
    assert page.ndim == 3
    blue, red = page[..., 0].mean(), page[..., 2].mean()
    assert blue > red if family == "inverted" else blue < red


def test_jpeg_and_tilt_of_medium_strength_are_what_the_figures_are_stated_for() -> None:
    assert np.array_equal(damaged(PAGE, "jpeg", "medium", "a.png"), _recompressed(PAGE, quality=30))
    height, width = PAGE.shape
    expected = round(width * math.cos(math.radians(5)) + height * math.sin(math.radians(5)))
    assert damaged(PAGE, "tilts", "medium", "a.png").shape[1] == expected


def test_a_page_smaller_than_100_dpi_is_not_made_larger() -> None:
    small = PAGE[:900, :700]
    assert damaged(small, "100_dpi", "strong", "page.png").shape == small.shape


def _recompressed(page: Picture, quality: int) -> Picture:
    data = cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


@pytest.mark.parametrize("family", ["uneven_light", "noise", "borders", "perspective"])
def test_another_seed_damages_otherwise(family: str) -> None:
    first, other = (damaged(PAGE, family, "strong", "page.png", seed) for seed in (0, 1))
    assert first.shape != other.shape or not np.array_equal(first, other)
