"""Page numbers that stand alone at the head or the foot of a page, which are not read with its text: each is read by itself, as one line.

It counts where two readings of up to three, in different sizes, are sure of it and agree, before any is sure of something else. Dashes around a number are known by their
shape: an engine that sees them beside one digit takes all three for other letters.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from recto.ocr.assembly import block_of, line_of
from recto.ocr.layout import quad_of, union
from recto.ocr.lone_rows import lone_rows
from recto.ocr.page import Box, Step, Word, words_of
from recto.ocr.preprocessing.text_size import scaled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from recto.ocr.lone_rows import LoneRow
    from recto.ocr.page import Block, GreyArray

_SIZES_PX: Final = (22.0, 18.0, 28.0)
"""How high words are made before they are read. Of 48 drawn numbers in grain, two sure readings of these three had 45 and no wrong one, two of the first and the last 37;
each alone had up to 4 wrong ones in larger sizes."""
_MOST_UNSURE: Final = 1
_SURE: Final = 0.8
_SURE_BETWEEN_DASHES: Final = 0.7
"""Marks between two dashes are hardly dirt."""
_LEAST_LINES: Final = 3
_BODY_CHARACTERS: Final = 15
"""Lines of so many characters are text, shorter ones may stand in a margin."""
_EDGE: Final = 0.2
_PADDING: Final = 0.6
"""Kept of the page around the row, and added to it in the colour of the paper, in heights of words."""
_FRINGE: Final = 0.08
"""Wiped out around dashes, in heights of words."""
_EN_DASH: Final = 0.5
"""Dashes of this width and more are longer than hyphens, if they are thin by their width: typewriters have one dash."""
_THIN: Final = 0.25
_JOINED: Final = 0.3
"""Dashes that are nearer than this, in heights of words, belong to the number's word."""

_ARABIC: Final = "[1-9][0-9]{0,3}"
_ROMAN: Final = "(?=[ivxl]{2})(?:xl|l?x{0,3})(?:ix|iv|v?i{0,3})"
_FIGURE: Final = f"(?:{_ARABIC}|{_ROMAN}|{_ROMAN.upper()})"
_BARE: Final = re.compile(rf"{_FIGURE}\.?")
_ENCLOSED: Final = re.compile(
    rf"\[ ?{_FIGURE} ?\]|\( ?{_FIGURE} ?\)|[-–—] ?{_FIGURE} ?[-–—]|(?:Seite|Page|PAGE|Blatt|[Pp]ag\.|S\.|p\.) ?{_FIGURE}"
)
_STROKES: Final = frozenset("1iI.")
"""A figure of these alone may be scratches, if nothing encloses it."""


def with_page_numbers(
    pixels: GreyArray, blocks: tuple[Block, ...], recognise_line: Callable[[GreyArray, float], tuple[Word, ...]]
) -> tuple[tuple[Block, ...], Step | None]:
    """The blocks, in pixels of the picture that they were read from, with the page numbers above and below the text as blocks of their own.

    `recognise_line` reads a picture of one line that is larger by the given factor. The step says how many numbers were added; None where there were none.
    """
    lines = [line for block in blocks for line in block.lines]
    text = [line.box for line in lines if line.baseline and len(line.text) >= _BODY_CHARACTERS]
    if len(text) < _LEAST_LINES:
        return blocks, None
    words, body = list(words_of(blocks)), union(text)
    word_px = float(np.median([word.box.height for word in words]))
    above: list[Block] = []
    below: list[Block] = []
    for row in lone_rows(pixels, body, [word.box for word in words], word_px):
        number = _read(pixels, row, word_px, recognise_line)
        if number:
            (above if row.box.top < body.top else below).append(block_of([line_of(number, 0)]))
    count = len(above) + len(below)
    return (*above, *blocks, *below), Step("page_numbers", {"added_numbers": float(count)}) if count else None


def is_page_number(text: str) -> bool:
    """Whether the text has the form of a page number, such as 12, xiv, 7., [7], Page 2 or - 2 -. Single strokes have to be enclosed."""
    return bool(_ENCLOSED.fullmatch(text) or (_BARE.fullmatch(text) and not _STROKES.issuperset(text)))


def _read(
    pixels: GreyArray, row: LoneRow, word_px: float, recognise_line: Callable[[GreyArray, float], tuple[Word, ...]]
) -> list[Word]:
    """The row's words; none where it is no page number, or not surely one."""
    picture, left = _cut_out(pixels, row, word_px)
    least = _SURE_BETWEEN_DASHES if row.dashes else _SURE
    sure_text, unsure = "", 0
    for size_px in _SIZES_PX:
        growth = size_px / word_px
        words = recognise_line(scaled(picture, growth)[0], growth)
        text = " ".join(word.text for word in words)
        if min((word.confidence for word in words), default=0.0) < least:
            unsure += 1
        elif text == sure_text:
            return _with_dashes(_placed(words, row, left, growth), row, word_px)
        elif sure_text or not _is_number_of(row, text):
            return []
        else:
            sure_text = text
        if unsure > _MOST_UNSURE:
            return []
    return []


def _is_number_of(row: LoneRow, text: str) -> bool:
    """Whether the text is a page number if the row's dashes stand around it."""
    return is_page_number(f"-{text}-" if row.dashes else text)


def _cut_out(pixels: GreyArray, row: LoneRow, word_px: float) -> tuple[GreyArray, int]:
    """The row's letters without its dashes and with paper around them, and where on the page that picture begins."""
    edge, padding, box = round(_EDGE * word_px), round(_PADDING * word_px), row.box
    left, top = max(box.left - edge, 0), max(box.top - edge, 0)
    cut = pixels[top : box.top + box.height + edge, left : box.left + box.width + edge].copy()
    paper, fringe = int(np.percentile(cut, 75)), max(1, round(_FRINGE * word_px))
    for dash in row.dashes:
        rows = slice(max(dash.top - top - fringe, 0), max(dash.top + dash.height - top + fringe, 0))
        columns = slice(max(dash.left - left - fringe, 0), max(dash.left + dash.width - left + fringe, 0))
        cut[rows, columns] = paper
    return np.pad(cut, padding, constant_values=paper), left - padding


def _placed(words: Sequence[Word], row: LoneRow, left: int, growth: float) -> list[Word]:
    """The words on the page: as high as the row, and one alone as wide."""
    if len(words) == 1:
        return [replace(words[0], box=row.box, quad=quad_of(row.box))]
    boxes = [
        Box(left + round(word.box.left / growth), row.box.top, max(1, round(word.box.width / growth)), row.box.height)
        for word in words
    ]
    return [replace(word, box=box, quad=quad_of(box)) for word, box in zip(words, boxes, strict=True)]


def _with_dashes(words: list[Word], row: LoneRow, word_px: float) -> list[Word]:
    """The words between the row's dashes: words of their own where there is a space."""
    if not row.dashes:
        return words
    before, behind = row.dashes
    first, last = words[0].box, words[-1].box
    gap_px = max(first.left - before.left - before.width, behind.left - last.left - last.width)
    sign = "–" if _are_long(row.dashes, word_px) else "-"
    if gap_px >= _JOINED * word_px or len(words) > 1:
        dashes = [replace(words[0], text=sign, box=box, quad=quad_of(box)) for box in row.dashes]
        return [dashes[0], *words, dashes[1]]
    box = union((before, first, behind))
    return [replace(words[0], text=f"{sign}{words[0].text}{sign}", box=box, quad=quad_of(box))]


def _are_long(dashes: Sequence[Box], word_px: float) -> bool:
    width_px = float(np.mean([dash.width for dash in dashes]))
    height_px = float(np.mean([dash.height for dash in dashes]))
    return width_px >= _EN_DASH * word_px and height_px <= _THIN * width_px
