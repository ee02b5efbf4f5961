import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.ocr.page import MAX_SIDE_PX
from recto.ocr.pdf_files import RENDER_DPI, rendering_dpi


def test_rendering_of_a_usual_page_is_at_300_dpi() -> None:
    assert rendering_dpi(595, 842, 100_000_000) == RENDER_DPI


@given(st.floats(0.01, 20_000), st.floats(0.01, 20_000), st.integers(10_000, 200_000_000))
def test_rendering_of_any_page_stays_within_the_limits(width_pt: float, height_pt: float, max_page_px: int) -> None:
    dpi = rendering_dpi(width_pt, height_pt, max_page_px)
    width_px, height_px = math.ceil(width_pt * dpi / 72), math.ceil(height_pt * dpi / 72)
    assert 0 < dpi <= RENDER_DPI
    assert width_px * height_px <= max_page_px * (1 + 1e-9)
    assert max(width_px, height_px) <= MAX_SIDE_PX


@pytest.mark.parametrize("side_pt", [float("inf"), float("nan")])
def test_rendering_of_a_page_without_a_size_is_refused(side_pt: float) -> None:
    with pytest.raises(ValueError, match="size"):
        rendering_dpi(side_pt, 842, 1_000_000)
