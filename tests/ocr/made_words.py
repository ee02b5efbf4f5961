"""Lines of words as an engine would yield them, read with a confidence that is set by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.ocr.reading_order.made_blocks import block
from tests.ocr.writers.made_pages import line

if TYPE_CHECKING:
    from recto.ocr.page import Block, Line


def read_line(text: str, *confidences: float, row: int = 0, left: int = 100, size_px: int = 32) -> Line:
    """As made_pages.line sets it: row 0 begins 100 pixels down, rows are 48 pixels high. One confidence holds for all of its words."""
    made = line(text, row, left=left, size_px=size_px)
    each = confidences if len(confidences) > 1 else confidences * len(made.words)
    words = (replace(word, confidence=confidence) for word, confidence in zip(made.words, each, strict=True))
    return replace(made, words=tuple(words))


def upwards(given: Line) -> Line:
    """A line that Tesseract would yield without a baseline: one that does not lie level."""
    return replace(given, baseline=None)


def read_block(*lines: Line) -> Block:
    """The lines of one block."""
    return block(*lines)
