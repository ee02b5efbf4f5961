import cv2
import numpy as np
import pytest

from recto.ocr.page import Box
from recto.ocr.preprocessing.ink import ink_mask
from recto.ocr.preprocessing.rules import _those_that_touch, measure_rules, without_rules
from tests.drawing import LINES, DrawnPage, blank_page, draw_page

PAGE = draw_page(LINES * 2, size_pt=10)
LETTER_PX = 24.0
EVERYWHERE = [Box(0, 0, 2000, 2000)]
Picture = np.typing.NDArray[np.uint8]


def rows_of_words(page: DrawnPage) -> list[tuple[int, int, int]]:
    """Left, right and the baseline's row of each line."""
    words, rows = iter(page.words), []
    for line in LINES * 2:
        quads = np.array([next(words).quad for _ in line.split()])
        rows.append((int(quads[..., 0].min()), int(quads[..., 0].max()), int(quads[:, 2, 1].min())))
    return rows


def underlined() -> Picture:
    """A rule at the feet of every line, through what hangs below."""
    pixels = PAGE.pixels.copy()
    for left, right, bottom in rows_of_words(PAGE):
        cv2.line(pixels, (left - 20, bottom + 3), (right + 20, bottom + 3), (0, 0, 0), 3)
    return pixels


def boxed() -> Picture:
    """A frame around the text that touches none of it."""
    pixels = PAGE.pixels.copy()
    height, width = pixels.shape
    cv2.rectangle(pixels, (40, 40), (width - 40, height - 40), (0, 0, 0), 3)
    return pixels


@pytest.mark.parametrize("page", [PAGE.pixels, boxed(), blank_page(), blank_page() * 0, blank_page(1, 1)], ids=str)
def test_page_without_rules_at_its_text_has_none(page: Picture) -> None:
    assert measure_rules(ink_mask(page), LETTER_PX, EVERYWHERE) is None


def test_none_touches_where_no_run_of_ink_was_thin_enough_for_a_rule() -> None:
    none = np.zeros((50, 60), np.uint8)
    assert np.array_equal(_those_that_touch(none, none + 255), none)


def test_rules_on_their_side_are_found_as_well() -> None:
    level, upright = (
        measure_rules(ink_mask(underlined()), LETTER_PX, EVERYWHERE),
        measure_rules(ink_mask(np.ascontiguousarray(np.rot90(underlined()))), LETTER_PX, EVERYWHERE),
    )
    assert level is not None
    assert upright is not None
    assert (np.rot90(level.mask) == upright.mask).mean() > 0.995


def test_rules_go_and_the_strokes_across_them_stay() -> None:
    page = underlined()
    rules = measure_rules(ink_mask(page), LETTER_PX, EVERYWHERE)
    assert rules is not None
    freed = without_rules(page, rules)
    ink, added = PAGE.pixels < 100, (page < 100) & (PAGE.pixels > 200)
    assert (freed[added] > 200).mean() > 0.75
    assert (freed[ink] < 128).mean() > 0.93
    assert np.array_equal(freed[rules.mask == 0], page[rules.mask == 0])


def test_rules_away_from_the_lines_stay() -> None:
    left, right, bottom = rows_of_words(PAGE)[0]
    first = Box(left, bottom - 30, right - left, 30)
    rules = measure_rules(ink_mask(underlined()), LETTER_PX, [first])
    assert rules is not None
    rows = np.flatnonzero(rules.mask.any(axis=1))
    assert bottom - 45 <= rows.min()
    assert rows.max() <= bottom + 15
    assert rules.share == pytest.approx((rules.mask > 0).mean())
    assert measure_rules(ink_mask(underlined()), LETTER_PX, []) is None
