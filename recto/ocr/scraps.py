"""Scraps: what Tesseract reads in stains, rules, stamps and pictures, and what is hardly text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from recto.ocr.assembly import with_words
from recto.ocr.page import Step
from recto.ocr.trust import is_known_script, line_trust, trust

if TYPE_CHECKING:
    from recto.ocr.page import Block, Line, Word

_HARDLY: Final = 0.2
_HARDLY_LINE: Final = 0.25
_SURELY: Final = 0.75
"""On drawn pages of a line or less (benchmarks/short_pages.py) 0.8 and more, what is read in rules and stains 0.7 and less."""
_MAX_LETTERS: Final = 3
"""Longer words are kept, however unlikely: of a long word a reader can guess what it stands for."""


def without_scraps(blocks: tuple[Block, ...]) -> tuple[tuple[Block, ...], Step | None]:
    """The blocks without signs and words of up to three letters that are hardly right, and without lines that are hardly right as a whole.

    The step says how many words were left out; None where there were none. Other scripts than Latin, Greek and Cyrillic stay as they are.
    """
    if not is_known_script(blocks):
        return blocks, None
    lines = [line for block in blocks for line in block.lines]
    kept = [_kept(line) for line in lines]
    left_out = sum(len(line.words) - len(words) for line, words in zip(lines, kept, strict=True))
    if not left_out:
        return blocks, None
    return tuple(with_words(blocks, kept)), Step("scraps", {"left_out_words": float(left_out)})


def only_sure(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """The lines that are surely text: all that may be read on a page that was read as blank at first. Other scripts have to be read as surely."""
    lines = [line for block in blocks for line in block.lines]
    return tuple(with_words(blocks, [line.words if line_trust(line) >= _SURELY else () for line in lines]))


def _kept(line: Line) -> list[Word]:
    if line_trust(line) < _HARDLY_LINE:
        return []
    return [word for word in line.words if not _is_scrap(word)]


def _is_scrap(word: Word) -> bool:
    return sum(character.isalnum() for character in word.text) <= _MAX_LETTERS and trust(word) < _HARDLY
