"""Placed words as lines and blocks, in the order in which a person reads them.

Words that follow each other in the file on one baseline make a line; a wide gap with text on both sides divides columns. Lines that stand
one below the other make a block where neither has another neighbour there. Blocks are sorted as in T. Breuel, "High performance
document layout analysis" (2003): what stands above comes first, and so does the left column of two; where that says nothing, the
order of the file stands.
"""

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recto.ocr.page import Block, Box, Line, Point, Quad, Word
from recto.ocr.pdf.text_glyphs import Frame, PlacedWord, is_right_to_left, turned_runs

_SAME_BASELINE: Final = 0.35
_SCRIPT_SHIFT: Final = 0.65
_COLUMN_GAP: Final = 1.5
_STRANGERS_GAP: Final = 0.6
_LINE_PITCH: Final = 2.6
_INDENT: Final = 0.8
"""All in font sizes: shift within a line, and of exponents and indices; gap between columns; gap between words that the file does not have in sequence; distance of
the lines of a block; indentation of a paragraph."""

_COLUMN_WORDS: Final = 3
"""Words that stand on either side of a gutter: cells of a table have fewer, and their rows are read as lines."""

_SCRIPTS_IN_A_ROW: Final = 2
_SIZE_RATIO: Final = 1.3
_PARAGRAPH_PITCH: Final = 1.3

_MOST_SORTED_BLOCKS: Final = 400
"""Beyond, as on maps, no order is right, and sorting takes the cube of the number."""


@dataclass(slots=True)
class _Row:
    """A line in the making: words in reading order, and its bounds in its frame."""

    words: list[PlacedWord]

    left: float = 0.0
    right: float = 0.0
    top: float = 0.0
    bottom: float = 0.0
    baseline: float = 0.0
    size: float = 0.0
    order: int = 0

    def __post_init__(self) -> None:
        words = self.words
        self.left, self.right = min(word.left for word in words), max(word.right for word in words)
        self.top, self.bottom = min(word.top for word in words), max(word.bottom for word in words)
        main = max(words, key=lambda word: (round(word.size, 1), len(word.text)))
        self.baseline, self.size = main.baseline, main.size
        self.order = min(word.order for word in words)


def blocks_of(words: Sequence[PlacedWord], width_px: int, height_px: int) -> tuple[Block, ...]:
    """The words of a page of that size as blocks of its text layer, in reading order. Text that runs another way comes last."""
    by_frame: dict[tuple[int, int], list[PlacedWord]] = defaultdict(list)
    for word in words:
        by_frame[round(word.frame.x * 20), round(word.frame.y * 20)].append(word)
    groups = sorted(by_frame.values(), key=len, reverse=True)
    return tuple(
        _block(rows, width_px, height_px) for group in groups for rows in _ordered(_stacked(_rows(group)), group)
    )


def _rows(words: Sequence[PlacedWord]) -> list[_Row]:
    runs: list[list[PlacedWord]] = []
    for word in words:
        if runs and _continues(runs[-1], word):
            runs[-1].append(word)
        else:
            runs.append([word])
    rows = [_Row(part) for run in runs for part in _without_gutters(run)]
    return [_Row(_in_reading_order(row.words)) for row in _joined(rows)]


def _continues(run: list[PlacedWord], word: PlacedWord) -> bool:
    last, size = run[-1], max(run[-1].size, word.size)
    # What follows an exponent is on the baseline of what stood before it.
    if not any(_on_one_line(earlier, word) for earlier in run[-_SCRIPTS_IN_A_ROW - 1 :]):
        return False
    forward = word.left > last.left and word.left > last.right - 0.5 * size
    return forward or is_right_to_left(last.text) or is_right_to_left(word.text)


def _on_one_line(one: PlacedWord | _Row, other: PlacedWord | _Row) -> bool:
    """Whether two neighbours share a baseline, or one is an exponent or an index of the other."""
    large, small = (one, other) if one.size >= other.size else (other, one)
    shift = abs(one.baseline - other.baseline) / large.size
    raised = small.size < 0.9 * large.size and _gap(one, other) < _STRANGERS_GAP * large.size
    return shift <= (_SCRIPT_SHIFT if raised else _SAME_BASELINE)


def _without_gutters(run: list[PlacedWord]) -> list[list[PlacedWord]]:
    """A run of words, divided where a gap has words enough on both sides to be that between two columns."""
    places = [
        index
        for index in range(1, len(run))
        if _gap(run[index - 1], run[index]) > _COLUMN_GAP * max(run[index - 1].size, run[index].size)
    ]
    edges = [0, *places, len(run)]
    parts: list[list[PlacedWord]] = []
    for first, last in pairwise(edges):
        part = run[first:last]
        if parts and min(len(part), len(parts[-1])) < _COLUMN_WORDS:
            parts[-1] = parts[-1] + part
        else:
            parts.append(part)
    return parts


def _gap(one: PlacedWord | _Row, other: PlacedWord | _Row) -> float:
    return max(other.left - one.right, one.left - other.right)


def _joined(rows: list[_Row]) -> list[_Row]:
    """Rows of one baseline that nearly touch, although the file has them apart: bold words drawn later, exponents, filled-in forms."""
    kept: list[_Row] = []
    for row in sorted(rows, key=lambda row: (row.baseline, row.left)):
        place = next((index for index in range(len(kept) - 1, -1, -1) if _touches(kept[index], row)), None)
        if place is None:
            kept.append(row)
        else:
            kept[place] = _Row(sorted(kept[place].words + row.words, key=lambda word: word.left))
    return kept


def _touches(one: _Row, other: _Row) -> bool:
    if not _on_one_line(one, other):
        return False
    return -0.3 * max(one.size, other.size) < _gap(one, other) < _STRANGERS_GAP * min(one.size, other.size)


def _in_reading_order(words: list[PlacedWord]) -> list[PlacedWord]:
    texts = [word.text for word in words]
    if not any(map(is_right_to_left, texts)):
        return words
    right_to_left = is_right_to_left("".join(texts))
    order = sorted(range(len(words)), key=lambda index: words[index].left, reverse=right_to_left)
    return [words[index] for index in turned_runs(order, texts, right_to_left)]


def _stacked(rows: list[_Row]) -> list[list[_Row]]:
    """Rows that follow each other downwards, each the only neighbour of the other, as blocks from top to bottom."""
    rows = sorted(rows, key=lambda row: row.baseline)
    below: dict[int, list[int]] = defaultdict(list)
    above: dict[int, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        for other in _neighbours_below(rows, index, row):
            below[index].append(other)
            above[other].append(index)
    blocks: list[list[_Row]] = []
    member: dict[int, list[_Row]] = {}
    for index, row in enumerate(rows):
        parent = above[index][0] if len(above[index]) == 1 else None
        if parent is not None and len(below[parent]) == 1 and _alike(rows[parent], row):
            member[index] = member[parent]
        else:
            member[index] = []
            blocks.append(member[index])
        member[index].append(row)
    return blocks


def _neighbours_below(rows: list[_Row], index: int, row: _Row) -> Iterable[int]:
    """Rows next below that are in sight: none of them stands before another."""
    seen: list[int] = []
    for other in range(index + 1, len(rows)):
        candidate = rows[other]
        if candidate.baseline - row.baseline > _LINE_PITCH * row.size:
            break
        if candidate.baseline - row.baseline <= _SAME_BASELINE * row.size or not _above_each_other(row, candidate):
            continue
        if not any(_above_each_other(rows[found], candidate) for found in seen):
            seen.append(other)
    return seen


def _above_each_other(one: _Row, other: _Row) -> bool:
    return min(one.right, other.right) - max(one.left, other.left) > 0.3 * min(one.size, other.size)


def _alike(one: _Row, other: _Row) -> bool:
    return max(one.size, other.size) < _SIZE_RATIO * min(one.size, other.size)


def _ordered(blocks: list[list[_Row]], words: Sequence[PlacedWord]) -> list[list[_Row]]:
    """Topological sort; of the blocks that may come next, the one that the file has first."""
    by_file = sorted(blocks, key=lambda rows: min(row.order for row in rows))
    if not 1 < len(by_file) <= _MOST_SORTED_BLOCKS:
        return by_file
    right_to_left = is_right_to_left("".join(word.text for word in words))
    earlier = _precedence(_bounds(by_file), right_to_left)
    waiting = np.ones(len(by_file), bool)
    result: list[list[_Row]] = []
    while waiting.any():
        free = waiting & ~(earlier & waiting[:, None]).any(axis=0)
        chosen = int(np.argmax(free if free.any() else waiting))  # a circle: blocks that overlap
        waiting[chosen] = False
        result.append(by_file[chosen])
    return result


def _bounds(blocks: list[list[_Row]]) -> NDArray[np.float64]:
    """Shape (blocks, 4): left, right, top, bottom."""
    return np.array(
        [
            (
                min(row.left for row in rows),
                max(row.right for row in rows),
                min(row.top for row in rows),
                max(row.bottom for row in rows),
            )
            for rows in blocks
        ]
    )


def _precedence(bounds: NDArray[np.float64], right_to_left: bool) -> NDArray[np.bool_]:
    """Shape (blocks, blocks): whether the first comes before the second.

    Breuel lets everything on the left come first. Here columns have to stand beside each other for it, in some of their blocks: a page
    number below the left column does not come before the right one, nor a heading on the left before a title above.
    """
    left, right, top, bottom = bounds.T
    middle = (top + bottom) / 2
    shared = np.minimum(right[:, None], right) > np.maximum(left[:, None], left)
    above = shared & (middle[:, None] < middle)
    beside = (left[:, None] >= right) if right_to_left else (right[:, None] <= left)
    level = np.minimum(bottom[:, None], bottom) > np.maximum(top[:, None], top)
    beside &= (shared @ level) & (level @ shared)
    # Something between the two in height that lies over both divides the page: what is above it comes first.
    low, high = np.minimum(middle[:, None], middle), np.maximum(middle[:, None], middle)
    for index in range(len(bounds)):
        between = (low < middle[index]) & (middle[index] < high)
        beside &= ~(between & shared[index][:, None] & shared[index])
    return np.asarray(above | beside & ~above.T)


def _block(rows: list[_Row], width_px: int, height_px: int) -> Block:
    numbers = _paragraphs(rows)
    lines = tuple(_line(row, number, width_px, height_px) for row, number in zip(rows, numbers, strict=True))
    return Block(lines, _around([line.box for line in lines]), "text_layer")


def _paragraphs(rows: list[_Row]) -> list[int]:
    """The paragraph of each row: a new one begins after a larger distance, or with a row that is moved in."""
    pitches = [other.baseline - row.baseline for row, other in pairwise(rows)]
    usual = statistics.median_low(pitches) if pitches else math.inf
    left, number, numbers = min(row.left for row in rows), 0, [0]
    for index in range(1, len(rows)):
        row, last = rows[index], rows[index - 1]
        inset, last_inset = (row.left - left) / row.size, (last.left - left) / last.size
        returns = index + 1 == len(rows) or (rows[index + 1].left - left) / row.size < _INDENT / 2
        indented = inset > _INDENT and last_inset < _INDENT / 2 and returns
        number += pitches[index - 1] > _PARAGRAPH_PITCH * usual or indented
        numbers.append(number)
    return numbers


def _line(row: _Row, paragraph: int, width_px: int, height_px: int) -> Line:
    frame = row.words[0].frame
    words = []
    for word in row.words:
        quad = _quad(word.frame, word.left, word.right, word.top, word.bottom)
        words.append(Word(word.text, 1.0, _box(quad, width_px, height_px), quad))
    quad = _quad(frame, row.left, row.right, row.top, row.bottom)
    baseline = (frame.to_xy(row.left, row.baseline), frame.to_xy(row.right, row.baseline))
    return Line(tuple(words), _around([word.box for word in words]), quad, paragraph, baseline)


def _quad(frame: Frame, left: float, right: float, top: float, bottom: float) -> Quad:
    corner: Callable[[float, float], Point] = frame.to_xy
    return corner(left, top), corner(right, top), corner(right, bottom), corner(left, bottom)


def _box(quad: Quad, width_px: int, height_px: int) -> Box:
    """Upright bounds in whole pixels, within the page, and at least one pixel large."""
    xs, ys = zip(*quad, strict=True)
    left = min(max(math.floor(min(xs)), 0), width_px - 1)
    top = min(max(math.floor(min(ys)), 0), height_px - 1)
    right, bottom = min(math.ceil(max(xs)), width_px), min(math.ceil(max(ys)), height_px)
    return Box(left, top, max(right - left, 1), max(bottom - top, 1))


def _around(boxes: Sequence[Box]) -> Box:
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    right = max(box.left + box.width for box in boxes)
    bottom = max(box.top + box.height for box in boxes)
    return Box(left, top, right - left, bottom - top)
