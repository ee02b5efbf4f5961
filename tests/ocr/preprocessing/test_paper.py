"""Rows of letters on grainy paper, and the paper made white around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from recto.ocr.page import PageImage
from recto.ocr.preprocessing.paper import find_rows, whitened
from recto.ocr.preprocessing.plan import preprocess
from tests.drawing import LINES, blank_page, draw_page, scanned_line

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray


def grainy(page: GreyArray, grain: float) -> GreyArray:
    noise = np.random.default_rng(3).normal(0, grain, page.shape)
    return np.clip(page * 0.9 + noise, 0, 255).astype(np.uint8)


def with_holes(page: GreyArray) -> GreyArray:
    for y in (400, 1200):
        cv2.circle(page, (90, y), 25, 40, -1, cv2.LINE_AA)
    return page


def ruled(page: GreyArray) -> GreyArray:
    page[200::60] = 130
    return page


def stained(page: GreyArray) -> GreyArray:
    cv2.ellipse(page, (600, 500), (150, 90), 20, 0, 360, 120, -1, cv2.LINE_AA)
    cv2.circle(page, (500, 1100), 200, 150, 12, cv2.LINE_AA)
    return page


def screened(page: GreyArray) -> GreyArray:
    """Thousands of dots, as pictures are printed."""
    page[300:900:8, 300:900:8] = 0
    return np.asarray(cv2.erode(page, np.ones((5, 5), np.uint8)), dtype=np.uint8)


@pytest.mark.parametrize("text", ["42", "1847", "Contents", LINES[0]])
@pytest.mark.parametrize("grain", [0, 10, 25])
def test_rows_are_found_in_grain_and_uneven_light_where_the_letters_stand(text: str, grain: float) -> None:
    rows = find_rows(scanned_line(text, grain=grain))
    assert rows is not None
    letters = len(text.replace(" ", ""))
    assert letters / 2 <= len(rows.letters.height) <= letters
    assert rows.letters.bottom.min() > 200
    assert rows.letters.bottom.max() < 320
    assert rows.ink > 2 * rows.floor


def test_small_letters_that_touch_are_a_row_of_one_mark_and_a_bar_is_not() -> None:
    page = blank_page(300, 200)
    page[98:101, 100:180] = 60
    assert find_rows(page) is None
    page[88:101, 102:180:13] = page[88:101, 103:180:13] = page[88:101, 104:180:13] = 60
    rows = find_rows(page)
    assert rows is not None
    assert len(rows.letters.height) == 1


@pytest.mark.parametrize("grain", [0, 10, 25])
@pytest.mark.parametrize(
    "page", [blank_page(), with_holes(blank_page()), ruled(blank_page()), stained(blank_page()), screened(blank_page())]
)
def test_rows_are_found_neither_in_grain_nor_in_holes_rules_stains_and_screens(page: GreyArray, grain: float) -> None:
    assert find_rows(grainy(page, grain)) is None


@pytest.mark.parametrize("page", [blank_page(1, 1), blank_page(3000, 2), blank_page(2, 5000), blank_page() // 255])
def test_rows_are_not_found_on_pages_of_odd_shapes_and_shades(page: GreyArray) -> None:
    assert find_rows(page) is None


def test_full_page_is_no_page_of_next_to_no_ink() -> None:
    assert find_rows(draw_page(LINES * 4).pixels) is None


def test_whitened_page_is_white_but_for_its_rows_and_no_point_moves() -> None:
    scan = scanned_line()
    rows = find_rows(scan)
    assert rows is not None
    white = whitened(rows)
    assert white.shape == scan.shape
    assert (white[:150] == 255).all()
    assert (white[400:] == 255).all()
    ink = scan < 90
    assert np.median(white[ink]) < 60
    assert np.mean(white[200:320] < 128) == pytest.approx(np.mean(scan[200:320] < 128), rel=0.15)


def test_otsu_parts_ink_from_paper_once_the_paper_is_white() -> None:
    scan = scanned_line()
    rows = find_rows(scan)
    assert rows is not None
    share_of_ink = np.mean(scanned_line(grain=0, darkest=0.98) < 128)
    shares = [
        np.mean(cv2.threshold(page, 0, 1, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)[1])
        for page in (scan, whitened(rows))
    ]
    assert shares[0] > 0.2
    assert shares[1] == pytest.approx(share_of_ink, rel=0.3)


def test_light_is_levelled_with_the_paper_and_letters_of_one_line_say_their_size() -> None:
    prepared = preprocess(PageImage(scanned_line("Contents", darkest=0.5), 300.0), is_whitened=True)
    assert [step.name for step in prepared.steps] == ["noise", "paper", "text_size"]


def test_grain_is_not_taken_for_letters_that_are_too_small() -> None:
    prepared = preprocess(PageImage(grainy(blank_page(), 30), 300.0))
    assert [step.name for step in prepared.steps] == ["noise", "grain"]
