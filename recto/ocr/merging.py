"""Two readings of one page made one: where they differ, the words that are likelier right; what only one has seen, where it is likely.

After Fiscus, "A post-processing system to yield reduced word error rates: recognizer output voting error reduction (ROVER)" (1997), with
places on the page for the alignment and the estimate of trust.py for the vote.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from recto.ocr.assembly import block_of, line_of, with_words
from recto.ocr.layout import union
from recto.ocr.trust import trust

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from recto.ocr.page import Block, Box, Line, Word

_FAIR_TRUST: Final = 0.43
"""A word that is less likely right costs more by its falsehood than it is worth: about half of word F1 at which pages are doubtful."""
_LEAD: Final = 0.03
"""By how much better the second reading has to be: it saw less of the page around the words."""
_ADDED_TRUST: Final = 0.6
_SAME_X: Final = 0.4
"""Of the narrower word's width: so much common room makes two boxes one place."""
_SAME_Y: Final = 0.5
_MAX_GAP: Final = 2.5
"""In heights of the word: what stands further away from a line is a line of its own."""

Boxes = NDArray[np.float64]
"""Shape (n, 4): left, top, right, bottom in pixels."""


@dataclass(frozen=True, slots=True)
class Merged:
    """`blocks` are the merged reading; `replaced` and `added` count the words that come from the second one."""

    blocks: tuple[Block, ...]
    replaced: int
    added: int


@dataclass(frozen=True, slots=True)
class _Place:
    """One word and where it is from: its line's number in its reading."""

    word: Word
    line: int


def merge(first: tuple[Block, ...], second: tuple[Block, ...], is_ink: Callable[[Word], bool]) -> Merged:
    """The first reading with the better words of the second; both in pixels of one picture, in which lines are level.

    Lines and their order are the first's. Upright text that runs from left to right is merged; other words of the second are left out, and
    words that only the second has where `is_ink` says that there is no print.
    """
    lines = [line for block in first for line in block.lines]
    ours = [_Place(word, number) for number, line in enumerate(lines) for word in line.words]
    theirs = [
        _Place(word, number)
        for number, line in enumerate(line for block in second for line in block.lines if line.baseline)
        for word in line.words
    ]
    kept: dict[int, list[Word]] = {number: list(line.words) for number, line in enumerate(lines)}
    replaced, additions = 0, []
    for mine, others in _places(ours, theirs):
        if not mine:
            additions += [place for place in others if trust(place.word) >= _ADDED_TRUST and is_ink(place.word)]
        elif others and all(lines[place.line].baseline for place in mine) and _is_better(others, mine):
            moved = _put(kept, lines, mine, others)
            additions += [place for place in others if place not in moved]
            replaced += len(others)
    added = [line for line in _new_lines(additions) if not _joined(kept, lines, line)]
    blocks = with_words(first, [kept[number] for number in range(len(lines))])
    for line in added:
        blocks = _with_line(blocks, line)
    return Merged(tuple(blocks), replaced, len(additions))


def _is_better(others: Sequence[_Place], mine: Sequence[_Place]) -> bool:
    return _worth(others) > _worth(mine) + _LEAD


def _worth(places: Sequence[_Place]) -> float:
    """What the words add to the page: those expected right, less what words cost that are not."""
    return sum(trust(place.word) - _FAIR_TRUST for place in places)


def _put(
    kept: dict[int, list[Word]], lines: Sequence[Line], mine: Sequence[_Place], others: Sequence[_Place]
) -> list[_Place]:
    """Put the others in the place of mine, each into the line that it stands in; those that stand in none of them are left over."""
    for place in mine:
        kept[place.line] = [word for word in kept[place.line] if word is not place.word]
    numbers = sorted({place.line for place in mine})
    moved = []
    for place in others:
        shares = [_common_height(place.word.box, lines[number].box) for number in numbers]
        best = int(np.argmax(shares))
        if shares[best] >= _SAME_Y:
            kept[numbers[best]].append(place.word)
            moved.append(place)
    return moved


def _new_lines(additions: Sequence[_Place]) -> list[list[Word]]:
    """Added words that stood in one line of the second reading, parted where they stand far from each other."""
    by_line: dict[int, list[Word]] = defaultdict(list)
    for place in additions:
        by_line[place.line].append(place.word)
    pieces: list[list[Word]] = []
    for words in by_line.values():
        ordered = sorted(words, key=lambda word: word.box.left)
        pieces.append([ordered[0]])
        for before, word in pairwise(ordered):
            gap_px = word.box.left - before.box.left - before.box.width
            if gap_px > _MAX_GAP * max(word.box.height, before.box.height):
                pieces.append([])
            pieces[-1].append(word)
    return pieces


def _joined(kept: dict[int, list[Word]], lines: Sequence[Line], piece: list[Word]) -> bool:
    """Whether the words continue a line, or stand in a gap of one: then they are put there."""
    bounds = union(word.box for word in piece)
    reach_px = _MAX_GAP * bounds.height
    for number, line in enumerate(lines):
        box = line.box
        is_beside = box.left - reach_px <= bounds.left + bounds.width and bounds.left <= box.left + box.width + reach_px
        if line.baseline and is_beside and kept[number] and _common_height(bounds, box) >= _SAME_Y:
            kept[number] += piece
            return True
    return False


def _with_line(blocks: list[Block], words: list[Word]) -> list[Block]:
    """The line within the block that surrounds it, else as a block of its own before the first that begins further down beside it."""
    bounds = union(word.box for word in words)
    middle = bounds.top + bounds.height / 2
    for index, block in enumerate(blocks):
        if _surrounds(block.box, bounds):
            before = sum(line.box.top + line.box.height / 2 < middle for line in block.lines)
            paragraph = block.lines[max(before - 1, 0)].paragraph
            lines = [*block.lines[:before], line_of(words, paragraph), *block.lines[before:]]
            return [*blocks[:index], block_of(lines), *blocks[index + 1 :]]
    index = next((i for i, block in enumerate(blocks) if _is_below(block.box, bounds)), len(blocks))
    return [*blocks[:index], block_of([line_of(words, 0)]), *blocks[index:]]


def _surrounds(box: Box, inner: Box) -> bool:
    middle = inner.top + inner.height / 2
    return (
        box.left - inner.height <= inner.left
        and inner.left + inner.width <= box.left + box.width + inner.height
        and box.top <= middle <= box.top + box.height
    )


def _is_below(box: Box, other: Box) -> bool:
    is_beside = box.left < other.left + other.width and other.left < box.left + box.width
    return is_beside and box.top > other.top


def _common_height(one: Box, other: Box) -> float:
    """The height that both share, by that of the lower one."""
    common = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    return common / max(1, min(one.height, other.height))


def _places(ours: Sequence[_Place], theirs: Sequence[_Place]) -> list[tuple[list[_Place], list[_Place]]]:
    """Words of both readings that stand in one place of the page: connected by overlap, in the order of the first's words."""
    group = list(range(len(ours) + len(theirs)))

    def root(index: int) -> int:
        while group[index] != index:
            group[index] = group[group[index]]
            index = group[index]
        return index

    for one, other in zip(*np.nonzero(_overlaps(_boxes(ours), _boxes(theirs))), strict=True):
        group[root(len(ours) + int(other))] = root(int(one))
    places: dict[int, tuple[list[_Place], list[_Place]]] = defaultdict(lambda: ([], []))
    for index, place in enumerate(ours):
        places[root(index)][0].append(place)
    for index, place in enumerate(theirs):
        places[root(len(ours) + index)][1].append(place)
    return list(places.values())


def _boxes(places: Sequence[_Place]) -> Boxes:
    boxes = (place.word.box for place in places)
    rows = [(box.left, box.top, box.left + box.width, box.top + box.height) for box in boxes]
    return np.array(rows, dtype=np.float64).reshape(-1, 4)


def _overlaps(ours: Boxes, theirs: Boxes) -> NDArray[np.bool_]:
    """Shape (ours, theirs): whether the boxes share a place."""
    shared = np.ones((len(ours), len(theirs)), np.bool_)
    for low, high, share in ((0, 2, _SAME_X), (1, 3, _SAME_Y)):
        common = np.minimum.outer(ours[:, high], theirs[:, high]) - np.maximum.outer(ours[:, low], theirs[:, low])
        shared &= common > share * np.minimum.outer(ours[:, high] - ours[:, low], theirs[:, high] - theirs[:, low])
    return shared
