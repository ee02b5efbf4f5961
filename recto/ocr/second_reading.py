"""Second reading: lines that were read doubtfully are read once more in larger print, and the better words of both readings are kept.

At another size, and without rules that touch the letters, Tesseract finds other bounds of lines and words and makes other mistakes. It is shown the rows of pixels around
them alone, and around print that the first reading missed, with the lines that read well painted over, so that a page costs as much more as it is doubtful, and a good page nothing: on paper
without print Tesseract looks for lines in the grain, for three seconds a page.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from recto.ocr.merging import merge
from recto.ocr.page import Block, Step, words_of
from recto.ocr.preprocessing.ink import ink_mask, paper_of
from recto.ocr.preprocessing.rules import measure_rules, without_rules
from recto.ocr.preprocessing.text_size import largest_factor, scaled
from recto.ocr.preprocessing.transform import inverse, map_blocks, map_points, translation
from recto.ocr.trust import is_known_script, line_trust

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from recto.ocr.page import Box, GreyArray, Line, Word
    from recto.ocr.preprocessing.ink import Mask
    from recto.ocr.preprocessing.transform import Transform

_SURE: Final = 0.85
"""A line whose characters are right with this probability is not read again. On 75 pages of five sets 0.9 left as many errors for a tenth more work,
0.8 two in a hundred more."""
_GROWTH: Final = 1.25
_LETTER_SHARE: Final = 0.75
"""Of a word's height."""
_MARGIN: Final = 0.1
"""Of a word's height: painted over around it as well."""
_MIN_DEPTH: Final = 0.6
_ROOM: Final = 2
"""Letters' heights: what is shown above and below. On 75 pages of five sets more made no difference."""
_LEAST_INK: Final = 0.5
"""Of a letter's height: pixels of ink in a row, as two or three letters have, from which on it may have print that the first reading missed. Without such rows pages with
many rules lose some of their lines; from 1 on about half as many."""


@dataclass(frozen=True, slots=True)
class SecondReading:
    """The merged blocks, and the steps to record; none where nothing was doubtful."""

    blocks: tuple[Block, ...]
    steps: tuple[Step, ...] = ()


def read_again(
    pixels: GreyArray,
    blocks: tuple[Block, ...],
    recognise: Callable[[GreyArray, float], tuple[Block, ...]],
    *,
    may_lose_rules: bool = True,
) -> SecondReading:
    """The blocks, in pixels of the picture that they were read from, with what a second reading made better.

    `recognise` reads a picture that is larger by the given factor, and without rules that touch text if it `may_lose_rules`. Other scripts than Latin, Greek and Cyrillic stay as
    they are: trust.py knows too little about them.
    """
    judged = [(line, line_trust(line) >= _SURE) for block in blocks for line in block.lines]
    sure = [line for line, is_sure in judged if is_sure]
    places = [line.box for line, is_sure in judged if not is_sure]
    if not places or largest_factor(*pixels.shape) < _GROWTH or not is_known_script(blocks):
        return SecondReading(blocks)
    doubtful, letter_px = _painted_over(pixels, sure), _letter_px(blocks)
    ink = ink_mask(doubtful)
    rows = _rows_to_show(ink, places, letter_px)
    rules = measure_rules(ink, letter_px, places) if may_lose_rules else None
    picture, growth = scaled((without_rules(doubtful, rules) if rules else doubtful)[rows], _GROWTH)
    again = _put_back(recognise(picture, _GROWTH), growth, rows, pixels.shape)
    merged = merge(blocks, again, _ink_test(pixels, blocks))
    counts = {"doubtful_lines": len(places), "replaced_words": merged.replaced, "added_words": merged.added}
    step = Step("second_reading", {name: float(count) for name, count in counts.items()})
    return SecondReading(
        merged.blocks, (step, Step("rules", {"rule_share": round(rules.share, 5)})) if rules else (step,)
    )


def _rows_to_show(ink: Mask, places: Iterable[Box], letter_px: float) -> NDArray[np.intp]:
    """The numbers of the rows of pixels, ascending, in and around the doubtful lines and what else is left that may be print."""
    tall_px = max(1, round(letter_px))
    inked_px = cv2.reduce(ink, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32F) / 255
    is_shown = (cv2.blur(inked_px, (1, tall_px)) >= _LEAST_INK * letter_px).astype(np.uint8)
    for box in places:
        is_shown[box.top : box.top + box.height] = 1
    room = np.ones((2 * _ROOM * tall_px + 1, 1), np.uint8)
    return np.flatnonzero(cv2.dilate(is_shown, room))


def _put_back(
    blocks: tuple[Block, ...], growth: Transform, rows: NDArray[np.intp], shape: tuple[int, ...]
) -> tuple[Block, ...]:
    """The blocks' lines, a block each, back from the grown picture of these rows onto the page of that shape (height, width)."""
    height_px, width_px = shape
    shrunk, placed = inverse(growth), list[Block]()
    for line in (line for block in blocks for line in block.lines):
        ((_, middle),) = map_points(shrunk, [(0.0, line.box.top + line.box.height / 2)])
        row = min(int(middle), len(rows) - 1)
        back = translation(0, float(rows[row] - row)) @ shrunk
        placed += map_blocks(back, (Block((line,), line.box),), width_px, height_px)
    return tuple(placed)


def _letter_px(blocks: tuple[Block, ...]) -> float:
    """The height of letters without what rises and hangs, from the words' boxes, most of which have one of both."""
    return _LETTER_SHARE * float(np.median([word.box.height for word in words_of(blocks)]))


def _ink_test(pixels: GreyArray, blocks: tuple[Block, ...]) -> Callable[[Word], bool]:
    """Whether a word is nearly as dark as the page's others: with most of the page painted over, Tesseract reads what shines through it."""
    paper = paper_of(pixels)

    @cache
    def usual() -> float:
        return float(np.median([_depth(pixels, word, paper) for word in words_of(blocks)]))

    return lambda word: _depth(pixels, word, paper) >= _MIN_DEPTH * usual()


def _depth(pixels: GreyArray, word: Word, paper: float) -> float:
    """By how much the word's darkest strokes are darker than the paper."""
    box = word.box
    area = pixels[max(box.top, 0) : box.top + box.height, max(box.left, 0) : box.left + box.width]
    return paper - _fifth_percentile(area) if area.size else 0.0


def _fifth_percentile(area: GreyArray) -> float:
    """NumPy's own takes a tenth of a millisecond for a word, most of it before it looks at the pixels."""
    place = 0.05 * (area.size - 1)
    below, above = math.floor(place), math.ceil(place)
    greys = np.partition(area, (below, above), axis=None)
    return float(greys[below]) + (place - below) * (float(greys[above]) - float(greys[below]))


def _painted_over(pixels: GreyArray, lines: list[Line]) -> GreyArray:
    """The picture with paper where the words of the lines are."""
    painted, paper = pixels.copy(), int(paper_of(pixels))
    for line in lines:
        for box in (word.box for word in line.words):
            margin_px = max(1, int(_MARGIN * box.height))
            rows = slice(max(0, box.top - margin_px), box.top + box.height + margin_px)
            columns = slice(max(0, box.left - margin_px), box.left + box.width + margin_px)
            painted[rows, columns] = paper
    return painted
