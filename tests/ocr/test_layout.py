import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.ocr.layout import (
    along,
    angle_deg,
    height_px,
    is_upright_box,
    paragraphs_of,
    quad_of,
    quarter_turn_deg,
    union,
)
from recto.ocr.page import Block, Box, Quad
from tests.ocr.writers.made_pages import BOXES, line

BOX = Box(10, 20, 30, 40)


def lying(turn_deg: float) -> Quad:
    """A word of 100 by 20 pixels at (500, 500), turned counter-clockwise about its first corner."""
    cosine, sine = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))
    one, two, three, four = (
        (500 + x * cosine + y * sine, 500 - x * sine + y * cosine) for x, y in ((0, 0), (100, 0), (100, 20), (0, 20))
    )
    return one, two, three, four


@given(st.floats(-179, 179))
def test_angle_of_a_turned_word_is_its_turn(turn_deg: float) -> None:
    assert angle_deg(lying(turn_deg)) == pytest.approx(turn_deg, abs=1e-6)
    assert height_px(lying(turn_deg)) == pytest.approx(20)


@given(st.floats(-179, 179))
def test_word_is_as_long_along_its_own_direction_as_it_is(turn_deg: float) -> None:
    start, end = along(lying(turn_deg), turn_deg)
    assert end - start == pytest.approx(100)


@pytest.mark.parametrize(
    ("turn_deg", "quarter"), [(0, 0), (-5, 0), (44, 0), (46, 90), (90, 90), (178, 180), (-178, 180), (-92, 270)]
)
def test_quarter_turn_is_the_nearest(turn_deg: float, quarter: int) -> None:
    assert quarter_turn_deg(lying(turn_deg)) == quarter


def test_angle_of_a_quad_without_extent_is_none() -> None:
    assert angle_deg(((1.0, 1.0),) * 4) == 0


@given(st.lists(BOXES, min_size=1, max_size=4))
def test_union_holds_every_box_and_touches_one_on_each_side(boxes: list[Box]) -> None:
    whole = union(boxes)
    assert whole.left == min(box.left for box in boxes)
    assert whole.top == min(box.top for box in boxes)
    assert whole.left + whole.width == max(box.left + box.width for box in boxes)
    assert whole.top + whole.height == max(box.top + box.height for box in boxes)


@pytest.mark.parametrize(("turn_deg", "upright"), [(0, True), (90, False), (180, False), (270, False)])
def test_quad_of_a_turned_box_says_more_than_the_box(turn_deg: int, upright: bool) -> None:
    assert is_upright_box(quad_of(BOX, turn_deg), BOX) == upright


def test_paragraphs_leave_out_lines_without_words() -> None:
    block = Block((line("a"), line(""), line("b"), line("c", paragraph=1)), BOX)
    assert [[one.text for one in lines] for lines in paragraphs_of(block)] == [["a", "b"], ["c"]]
