"""Lines as the layout analysis yields them, laid on a straightened page, and what the measures of a block say of its text."""

import math
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean, median
from typing import Final

import numpy as np

from recto.ocr.layout import angle_deg
from recto.ocr.page import Block, Line, Point
from recto.ocr.scripts import columns

_FIGURE_SIGNS: Final = 14
"""A figure with its unit or currency has at most so many."""
_DASHES_AND_CURRENCIES: Final = ("Pd", "Sc")
_PROSE_LINES: Final = 3
_PROSE_COLUMNS: Final = 18
"""Narrower than a newspaper's columns are; shorter lines are taken for those of a list."""
_UNEVEN: Final = 0.2
"""By how much of their mean the widths of a character may differ from line to line. They differ more where leaders fill the lines."""
_JUSTIFIED_EM: Final = 0.5
_JUSTIFIED_SHARE: Final = 0.75
_RUNNING_SHARE: Final = 0.3
"""Of the lines after the first, those that go on with a small letter: in German, with its capitals, about two of five do."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Edges on the straightened page, in pixels."""

    left: float
    right: float
    top: float
    bottom: float

    @property
    def width(self) -> float:
        """Never negative."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Never negative."""
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """Half way down."""
        return (self.top + self.bottom) / 2


@dataclass(frozen=True, slots=True)
class Piece:
    """A line as it came, and where it lies. `block` and `place` count the page's blocks and lines from 0, as they came.

    `baseline` lies on the straightened page too; None for vertical text, which has none.
    """

    line: Line
    block: int
    place: int
    extent: Extent
    baseline: tuple[Point, Point] | None


def page_angle_deg(blocks: Iterable[Block]) -> float:
    """How far the lines are turned counter-clockwise: the median, a long line counting more; 0 where none has a baseline."""
    lines = (line for block in blocks for line in block.lines if line.baseline)
    angles = sorted((angle_deg(line.quad), len(line.text)) for line in lines)
    half, seen = sum(length for _, length in angles) / 2, 0
    for angle, length in angles:
        seen += length
        if seen >= half:
            return angle
    return 0.0


def pieces_of(blocks: Iterable[Block], turn_deg: float) -> list[Piece]:
    """Every line, in the order given, on the page turned back by `turn_deg`."""
    lines = [(block, line) for block, each in enumerate(blocks) for line in each.lines]
    return [_piece(line, block, place, turn_deg) for place, (block, line) in enumerate(lines)]


def _piece(line: Line, block: int, place: int, turn_deg: float) -> Piece:
    cosine, sine = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))

    def straight(point: Point) -> Point:
        return point[0] * cosine - point[1] * sine, point[0] * sine + point[1] * cosine

    xs, ys = zip(*map(straight, line.quad), strict=True)
    baseline = (straight(line.baseline[0]), straight(line.baseline[1])) if line.baseline else None
    return Piece(line, block, place, Extent(min(xs), max(xs), min(ys), max(ys)), baseline)


def by_block(pieces: Iterable[Piece]) -> dict[int, list[Piece]]:
    """The lines of every block that has some. The pieces are in the order in which they came."""
    return {block: list(group) for block, group in groupby(pieces, key=lambda piece: piece.block)}


def extent_of(pieces: Iterable[Piece]) -> Extent:
    """Around all of them; there has to be one."""
    extents = [piece.extent for piece in pieces]
    return Extent(
        min(extent.left for extent in extents),
        max(extent.right for extent in extents),
        min(extent.top for extent in extents),
        max(extent.bottom for extent in extents),
    )


def line_height(pieces: Iterable[Piece]) -> float:
    """The median; there has to be one. A line's box is about an em high: its letters, with what rises and descends."""
    return median(piece.extent.height for piece in pieces)


def are_figures(pieces: list[Piece]) -> bool:
    """Whether most of the lines are numbers, prices, dates, quantities, or dashes that stand for one."""
    return sum(is_figure(piece.line.text) for piece in pieces) > len(pieces) / 2


def is_figure(text: str) -> bool:
    """Whether the text is a number with what belongs to it, or a dash or a currency alone."""
    signs = [character for character in text if not character.isspace()]
    letters, digits = sum(map(str.isalpha, signs)), sum(map(str.isdigit, signs))
    if len(signs) > _FIGURE_SIGNS:
        return False
    if not letters and not digits:
        return any(unicodedata.category(character) in _DASHES_AND_CURRENCIES for character in signs)
    return digits >= letters


def is_prose(pieces: list[Piece]) -> bool:
    """Whether the lines are running text: long and evenly filled, and either justified or going on with small letters."""
    if len(pieces) < _PROSE_LINES or fmean(columns(piece.line.text) for piece in pieces) < _PROSE_COLUMNS:
        return False
    advances = [piece.extent.width / max(columns(piece.line.text), 1) for piece in pieces]
    if np.std(advances) > _UNEVEN * fmean(advances):
        return False
    running = sum(piece.line.text[:1].islower() for piece in pieces[1:])
    em = line_height(pieces)
    justified = sum(room_behind(piece, pieces) < _JUSTIFIED_EM * em for piece in pieces[:-1])
    return running >= _RUNNING_SHARE * (len(pieces) - 1) or justified >= _JUSTIFIED_SHARE * (len(pieces) - 1)


def room_behind(piece: Piece, pieces: list[Piece]) -> float:
    """What the line leaves free of the width that the lines of its block have, in pixels."""
    return extent_of(pieces).right - piece.extent.right
