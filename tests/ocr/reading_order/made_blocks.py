"""Blocks as a layout analysis would yield them, set by hand, and the text of what became of them."""

from collections.abc import Iterable
from dataclasses import replace

from recto.ocr.layout import union
from recto.ocr.page import Block, Line
from recto.ocr.preprocessing.transform import map_blocks, rotation
from tests.ocr.writers.made_pages import line

PROSE = (
    "the baker opens his little shop and",
    "lights the oven, for people come from",
    "distant farms to buy his bread, as no",
    "other baker in the valley makes it so",
    "well; in winter the windows are white",
    "with frost and children draw stars on",
    "the glass while their mothers wait in",
    "the warm room until the bread is done",
)
"""A column of 37 characters, 592 pixels wide."""


def block(*lines: Line) -> Block:
    return Block(lines, union(line.box for line in lines))


def column(left: int, *texts: str, rows: Iterable[int] | None = None) -> Block:
    """One line a row, in the rows given or from the first on; rows are 48 pixels high, and lines 32."""
    return block(*(line(text, row, left=left) for row, text in zip(rows or range(len(texts)), texts, strict=True)))


def turned(blocks: Iterable[Block], angle_deg: float) -> tuple[Block, ...]:
    """On a page that lies askew, or on its side."""
    return map_blocks(rotation(angle_deg), tuple(blocks), 30_000, 30_000)


def without_baselines(given: Block) -> Block:
    return replace(given, lines=tuple(replace(line, baseline=None) for line in given.lines))


def texts(blocks: Iterable[Block]) -> list[str]:
    return [line.text for block in blocks for line in block.lines]
