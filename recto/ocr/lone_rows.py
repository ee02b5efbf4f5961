"""Lone rows: short rows of marks at the head and the foot of a page that stand apart from all else, as page numbers do.

Tesseract's layout analysis takes a row of one to a few letters for noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from recto.ocr.layout import union
from recto.ocr.page import Box
from recto.ocr.preprocessing.ink import MAX_LONG_SIDE_PX, components_of, ink_mask, reduced

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from recto.ocr.page import GreyArray

# All sizes are in heights of the page's words, most of which have a letter that rises.
_LETTER: Final = (0.5, 1.4)
_WIDEST: Final = 2.0
"""Of a letter's own height: two digits may touch."""
_SPECK: Final = 0.35
"""What is smaller in both directions is dirt, and may lie beside a row."""
_DOT: Final = 0.1
_BY_LETTERS: Final = (1.0, 0.4)
"""So near, across and down, small marks are dots of the letters."""
_DASH: Final = (0.25, 1.8)
_FLAT: Final = 0.6
"""How wide dashes are, and how high at most by their width. They stand across the middle of the letters."""
_MIDDLE: Final = (0.25, 0.8)
_DASH_HEIGHT: Final = 0.5
_DASH_GAP: Final = 2.5
_TOUCH: Final = 0.2
_GAP: Final = 1.2
_APART_ACROSS: Final = 3.0
_APART_DOWN: Final = 0.4
"""How far away all else is, beside the row and above and below it."""
_FROM_EDGE: Final = 0.5
_MOST_LETTERS: Final = 8
_MOST_ROWS: Final = 3
"""A margin with more of them is a picture, or dirt."""
_MOST_MARKS: Final = 400


@dataclass(frozen=True, slots=True)
class LoneRow:
    """`box` holds the marks that may be letters; `dashes` are the one before them and the one behind, or none. All in pixels of the page."""

    box: Box
    dashes: tuple[Box, ...] = ()


def lone_rows(grey: GreyArray, body: Box, read: Sequence[Box], word_px: float) -> list[LoneRow]:
    """The lone rows above and below the page's body of text, of marks that are about as high as its words are (`word_px`).

    Nothing that was `read` (boxes of words) is near them.
    """
    bands = ((0, body.top), (body.top + body.height, grey.shape[0]))
    rows = [row for top, bottom in bands if bottom - top >= word_px for row in _rows(grey, top, bottom, word_px)]
    height_px, width_px = grey.shape
    page = _grown(Box(0, 0, width_px, height_px), -_FROM_EDGE * word_px, -_FROM_EDGE * word_px)
    inside = [row for row in rows if _holds(page, row.box)]
    return [row for row in inside if not any(_touch(_surroundings(row, word_px), box) for box in read)]


def _rows(grey: GreyArray, top: int, bottom: int, word_px: float) -> list[LoneRow]:
    """Those between two heights of the page; none where there are too many."""
    marks = [mark for mark in _marks(grey, top, bottom) if max(mark.width, mark.height) >= _DOT * word_px]
    if len(marks) > _MOST_MARKS:
        return []
    rows = [_lone_row(letters, marks, word_px) for letters in _side_by_side(marks, word_px)]
    lone = [row for row in rows if row]
    return lone if len(lone) <= _MOST_ROWS else []


def _marks(grey: GreyArray, top: int, bottom: int) -> list[Box]:
    """The boxes of what is darker than its surroundings, from the left to the right, but for what the edges of the band cut."""
    scale = min(1.0, MAX_LONG_SIDE_PX / max(grey.shape))
    small = reduced(grey[max(top, 0) : bottom], scale)
    found = components_of(ink_mask(small)).stats[1:, :4] / scale
    return [
        Box(round(x), round(y) + max(top, 0), max(1, round(width)), max(1, round(height)))
        for x, y, width, height in sorted(found.tolist())
    ]


def _side_by_side(marks: Sequence[Box], word_px: float) -> Iterator[list[Box]]:
    """Marks of the size of letters that stand in one row, one behind the other."""
    low, high = (share * word_px for share in _LETTER)
    waiting = [
        mark
        for mark in marks
        if low <= mark.height <= high and mark.width <= _WIDEST * mark.height and not _is_flat(mark, word_px)
    ]
    while waiting:
        letters, others = waiting[:1], waiting[:0]
        for mark in waiting[1:]:
            (letters if _continues(letters, mark, word_px) else others).append(mark)
        waiting = others
        yield letters


def _continues(letters: Sequence[Box], mark: Box, word_px: float) -> bool:
    row = union(letters)
    shared = min(row.top + row.height, mark.top + mark.height) - max(row.top, mark.top)
    return shared >= 0.5 * min(row.height, mark.height) and mark.left - row.left - row.width <= _GAP * word_px


def _lone_row(letters: Sequence[Box], marks: Sequence[Box], word_px: float) -> LoneRow | None:
    """The letters with the small marks by them and the dashes around them; None where they are many, or something else is near."""
    if len(letters) > _MOST_LETTERS:
        return None
    core = union(letters)
    before = [mark for mark in marks if _is_dash(mark, core, word_px) and mark.left < core.left]
    behind = [mark for mark in marks if _is_dash(mark, core, word_px) and mark.left > core.left]
    dashes = (before[-1], behind[0]) if before and behind else ()
    by_letters = _grown(core, *(share * word_px for share in _BY_LETTERS))
    parts = [mark for mark in marks if mark not in dashes and _holds(by_letters, mark)]
    row = LoneRow(union(parts), dashes)
    around = _surroundings(row, word_px)
    others = [mark for mark in marks if mark not in dashes and mark not in parts]
    if any(_touch(around, mark) for mark in others if max(mark.width, mark.height) >= _SPECK * word_px):
        return None
    return row


def _surroundings(row: LoneRow, word_px: float) -> Box:
    """Where nothing else may be."""
    return _grown(union((row.box, *row.dashes)), _APART_ACROSS * word_px, _APART_DOWN * word_px)


def _is_dash(mark: Box, core: Box, word_px: float) -> bool:
    """Whether it is flat and stands where a dash would that belongs to the letters."""
    gap = max(core.left - mark.left - mark.width, mark.left - core.left - core.width)
    place = (mark.top + mark.height / 2 - core.top) / core.height
    is_beside = -_TOUCH * word_px <= gap <= _DASH_GAP * word_px and _MIDDLE[0] <= place <= _MIDDLE[1]
    return is_beside and _is_flat(mark, word_px)


def _is_flat(mark: Box, word_px: float) -> bool:
    """Whether it has the shape of a dash."""
    narrowest, widest = (share * word_px for share in _DASH)
    return narrowest <= mark.width <= widest and mark.height <= min(_DASH_HEIGHT * word_px, _FLAT * mark.width)


def _grown(box: Box, across_px: float, down_px: float) -> Box:
    across, down = math.ceil(across_px), math.ceil(down_px)
    return Box(box.left - across, box.top - down, box.width + 2 * across, box.height + 2 * down)


def _holds(box: Box, mark: Box) -> bool:
    return (
        box.left <= mark.left
        and mark.left + mark.width <= box.left + box.width
        and box.top <= mark.top
        and mark.top + mark.height <= box.top + box.height
    )


def _touch(box: Box, mark: Box) -> bool:
    return (
        mark.left < box.left + box.width
        and box.left < mark.left + mark.width
        and mark.top < box.top + box.height
        and box.top < mark.top + mark.height
    )
