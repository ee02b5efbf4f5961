"""How much of a picture's print the words over it say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from recto.ocr.page import Box, Line, Word
from recto.ocr.uncovered import uncovered, wiped
from tests.drawing import LINES, blank_page, draw_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recto.ocr.page import Quad

DRAWN = draw_page()
PICTURE = DRAWN.pixels


def line_of(quads: Sequence[Quad]) -> Line:
    words = tuple(Word("word", 1.0, bounds(quad), quad) for quad in quads)
    first, last = quads[0], quads[-1]
    around = (first[0], last[1], last[2], first[3])
    return Line(words, bounds(around), around, 0)


def bounds(quad: Quad) -> Box:
    xs, ys = zip(*quad, strict=True)
    left, top = round(min(xs)), round(min(ys))
    return Box(left, top, round(max(xs)) - left, round(max(ys)) - top)


def layer(count: int, off_px: float = 0.0) -> list[Line]:
    """The first lines of the drawn page, each word some pixels too far to the right and below."""
    lengths, words, lines = [len(line.split()) for line in LINES[:count]], list(DRAWN.words), []
    for length in lengths:
        quads = [tuple((x + off_px, y + off_px) for x, y in word.quad) for word in words[:length]]
        words = words[length:]
        lines.append(line_of(quads))  # type: ignore[arg-type]
    return lines


@pytest.mark.parametrize("off_px", [0, 3, -6])
def test_print_whose_words_are_there_is_covered_also_some_pixels_off(off_px: float) -> None:
    assert not uncovered(PICTURE, 0, 0, layer(len(LINES), off_px)).is_noteworthy


@pytest.mark.parametrize("count", [0, 1, len(LINES) // 2, len(LINES) - 2])
def test_print_of_which_lines_are_left_out_is_noteworthy(count: int) -> None:
    assert uncovered(PICTURE, 0, 0, layer(count)).is_noteworthy


def test_dirt_beside_print_that_is_covered_is_not_noteworthy() -> None:
    dirty, places = PICTURE.copy(), np.random.default_rng(3).integers(5, min(PICTURE.shape) - 15, (200, 2))
    for y, x in places:
        dirty[y : y + 5, x : x + 5] = 0
    assert not uncovered(dirty, 0, 0, layer(len(LINES))).is_noteworthy


def test_blank_paper_is_not_noteworthy() -> None:
    assert not uncovered(blank_page(), 0, 0, ()).is_noteworthy


def test_lines_are_counted_where_the_picture_stands_on_the_page() -> None:
    moved = [line_of([tuple((x + 500, y + 70) for x, y in word.quad) for word in line.words]) for line in layer(8)]  # type: ignore[misc]
    assert not uncovered(PICTURE, 500, 70, moved).is_noteworthy
    assert uncovered(PICTURE, 0, 0, moved).is_noteworthy


def test_words_are_wiped_out_with_their_letters_and_the_rest_stays() -> None:
    clean = wiped(PICTURE, uncovered(PICTURE, 0, 0, layer(4, 4)))
    below = round(min(y for word in layer(5)[4].words for _, y in word.quad)) - 4
    assert (clean[:below] == 255).all()
    assert np.array_equal(clean[below:], PICTURE[below:])


@pytest.mark.parametrize("turned", [False, True])
def test_watermark_covers_nothing_and_wipes_nothing(turned: bool) -> None:
    height, width = PICTURE.shape
    upright: Quad = ((0, 100), (width, 100), (width, height - 100), (0, height - 100))
    diagonal: Quad = ((0, height - 300), (width - 300, 0), (width, 300), (300, height))
    known = uncovered(PICTURE, 0, 0, [line_of([diagonal if turned else upright])])
    assert known.is_noteworthy
    assert np.array_equal(wiped(PICTURE, known), PICTURE)


def test_turned_word_wipes_out_its_quad_and_not_its_bounds() -> None:
    height, width = PICTURE.shape
    thin: Quad = ((0, height - 20), (width - 20, 0), (width, 20), (20, height))
    clean = wiped(PICTURE, uncovered(PICTURE, 0, 0, [line_of([thin])]))
    kept = np.count_nonzero(clean < 128) / np.count_nonzero(PICTURE < 128)
    assert 0.8 < kept < 1


def test_print_under_a_few_words_that_have_nothing_to_do_with_it_is_noteworthy() -> None:
    """Of an old layer between the lines, whose boxes hold some parts of letters by chance."""
    between = min(word.quad[2][1] for word in DRAWN.words) - 3
    stray = line_of([((100, between), (300, between), (300, between + 20), (100, between + 20))])
    assert uncovered(PICTURE, 0, 0, [stray]).is_noteworthy
