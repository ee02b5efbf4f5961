"""What the accuracy benchmark damages pages with."""

import numpy as np
import pytest

from benchmarks.degradations import FAMILIES, STRENGTHS, damaged
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


@pytest.mark.parametrize("family", ["uneven_light", "noise", "borders", "perspective"])
def test_another_seed_damages_otherwise(family: str) -> None:
    first, other = (damaged(PAGE, family, "strong", "page.png", seed) for seed in (0, 1))
    assert first.shape != other.shape or not np.array_equal(first, other)
