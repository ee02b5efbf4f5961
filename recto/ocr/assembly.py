"""Lines and blocks put together from words anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recto.ocr.layout import quad_of, union
from recto.ocr.page import Block, Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from recto.ocr.page import Word


def with_words(blocks: Iterable[Block], words_by_line: Sequence[Sequence[Word]]) -> list[Block]:
    """The blocks with other words in their lines, given for each line in order; lines and blocks without words are left out."""
    number, rebuilt = 0, []
    for block in blocks:
        lines = []
        for line in block.lines:
            words = tuple(words_by_line[number])
            if words:
                lines.append(line if words == line.words else line_of(words, line.paragraph, line))
            number += 1
        if lines:
            rebuilt.append(block if tuple(lines) == block.lines else block_of(lines))
    return rebuilt


def line_of(words: Iterable[Word], paragraph: int, like: Line | None = None) -> Line:
    """A line of upright words from left to right; its baseline is that of `like`, or runs along the words' feet.

    The words of a line that is not upright keep their order and its corners.
    """
    if like and not like.baseline:
        return Line(tuple(words), like.box, like.quad, paragraph)
    ordered = tuple(sorted(words, key=lambda word: word.box.left))
    box = union(word.box for word in ordered)
    feet = float(np.median([word.box.top + word.box.height for word in ordered]))
    baseline = like.baseline if like else ((box.left, feet), (box.left + box.width, feet))
    return Line(ordered, box, quad_of(box), paragraph, baseline)


def block_of(lines: Sequence[Line]) -> Block:
    """A block around the lines."""
    return Block(tuple(lines), union(line.box for line in lines))
