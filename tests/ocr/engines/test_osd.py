import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.errors import PageUnreadable
from recto.ocr.engines.osd import Script, osd_view, parse_osd, script_of

ANSWER = """Page number: 0
Orientation in degrees: 270
Rotate: 90
Orientation confidence: 24.75
Script: Latin
Script confidence: 26.97
"""


def test_answer_of_the_command_yields_script_and_counter_clockwise_angle() -> None:
    assert parse_osd(ANSWER) == Script("Latin", 26.97, 90, 24.75)


@pytest.mark.parametrize("broken", ["", ANSWER.replace("Script: Latin\n", ""), ANSWER.replace("24.75", "nan of it")])
def test_answer_that_breaks_off_is_unreadable(broken: str) -> None:
    with pytest.raises(PageUnreadable):
        parse_osd(broken)


@pytest.mark.parametrize(("clockwise_deg", "angle_deg"), [(0, 0), (90, 270), (180, 180), (270, 90)])
def test_clockwise_turns_become_counter_clockwise_ones(clockwise_deg: int, angle_deg: int) -> None:
    assert script_of("Han", 1.0, clockwise_deg, 1.0).text_angle_deg == angle_deg


@given(st.integers(1, 32_767), st.integers(1, 40), st.integers(1, 2400))
def test_view_of_any_page_is_small_and_has_a_resolution(height_px: int, width_px: int, dpi: int) -> None:
    view, view_dpi = osd_view(np.full((height_px, width_px), 255, np.uint8), dpi)
    assert min(view.shape) >= 1
    assert max(view.shape) <= 2500
    assert view_dpi >= 70
