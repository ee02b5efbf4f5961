from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from recto.ocr.lone_rows import LoneRow, lone_rows
from recto.ocr.page import Box
from tests.drawing import blank_page

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray

BODY = Box(100, 300, 1000, 900)
WORD_PX = 32.0
DIGIT = Box(600, 150, 20, 30)
BEFORE, BEHIND = Box(560, 163, 16, 5), Box(645, 163, 16, 5)


def page_of(*marks: Box) -> GreyArray:
    """White paper with the marks, and the body's text."""
    page = blank_page(1200, 1500)
    for box in (*marks, *(Box(100, top, 1000, 20) for top in range(300, 1200, 60))):
        page[box.top : box.top + box.height, box.left : box.left + box.width] = 0
    return page


def found(*marks: Box, read: tuple[Box, ...] = ()) -> list[LoneRow]:
    return lone_rows(page_of(*marks), BODY, read, WORD_PX)


def test_mark_alone_at_the_head_is_a_row() -> None:
    assert found(DIGIT) == [LoneRow(DIGIT)]


def test_mark_alone_at_the_foot_is_a_row() -> None:
    digit = Box(600, 1300, 20, 30)
    assert found(digit) == [LoneRow(digit)]


def test_marks_side_by_side_are_one_row_with_their_dots() -> None:
    assert found(DIGIT, Box(626, 150, 20, 30), Box(655, 174, 5, 5)) == [LoneRow(Box(600, 150, 60, 30))]


def test_dashes_on_both_sides_are_told_from_the_row() -> None:
    assert found(BEFORE, DIGIT, BEHIND) == [LoneRow(DIGIT, (BEFORE, BEHIND))]


def test_specks_near_a_row_do_no_harm() -> None:
    assert found(DIGIT, Box(680, 160, 6, 6), Box(560, 120, 5, 5)) == [LoneRow(DIGIT)]


@pytest.mark.parametrize(
    "marks",
    [
        (),
        (DIGIT, Box(690, 150, 30, 40)),
        (DIGIT, Box(600, 186, 300, 8)),
        (BEFORE, DIGIT),
        (Box(600, 150, 400, 4),),
        (Box(600, 150, 8, 8), Box(620, 152, 9, 7)),
        (Box(600, 60, 90, 110),),
        (Box(600, 4, 20, 30),),
        (Box(8, 150, 20, 30),),
        (Box(600, 340, 20, 14),),
        tuple(Box(300 + 26 * number, 150, 20, 30) for number in range(9)),
        tuple(Box(150 + 250 * number, 150, 20, 30) for number in range(4)),
    ],
    ids=(
        "nothing",
        "a larger mark beside it",
        "a rule below it",
        "one dash",
        "a rule",
        "specks",
        "a drawing",
        "at the upper edge",
        "at the left edge",
        "between lines",
        "nine marks",
        "four rows",
    ),
)
def test_margin_with_anything_else_has_no_row(marks: tuple[Box, ...]) -> None:
    assert found(*marks) == []


def test_row_that_was_read_or_stands_beside_what_was_is_none() -> None:
    assert found(DIGIT, read=(DIGIT,)) == []
    assert found(DIGIT, read=(Box(500, 150, 60, 30),)) == []
    assert found(DIGIT, read=(Box(100, 150, 200, 30),)) == [LoneRow(DIGIT)]


def test_margin_full_of_grain_has_no_row() -> None:
    page = page_of()
    page[:290] = np.random.default_rng(1).integers(0, 255, (290, 1200), np.uint8)
    assert lone_rows(page, BODY, (), WORD_PX) == []


def test_page_without_margins_has_no_row() -> None:
    assert lone_rows(page_of(DIGIT), Box(0, 10, 1200, 1480), (), WORD_PX) == []


def test_row_on_a_page_that_is_measured_in_small_is_found_within_two_pixels() -> None:
    page = np.kron(page_of(DIGIT), np.ones((3, 3), np.uint8))
    (row,) = lone_rows(page, Box(300, 900, 3000, 2700), (), 3 * WORD_PX)
    found_at = (row.box.left, row.box.top, row.box.width, row.box.height)
    assert np.abs(np.subtract(found_at, (1800, 450, 60, 90))).max() <= 4
