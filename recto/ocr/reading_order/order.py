"""Blocks in the order in which a person reads them. Words, their boxes and their confidence stay as they are."""

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from recto.ocr.page import Block, words_of
from recto.ocr.reading_order.pieces import Extent, is_figure, line_height, page_angle_deg, pieces_of
from recto.ocr.reading_order.regions import Region, regions_of
from recto.ocr.reading_order.rows import row_pairs
from recto.ocr.scripts import is_right_to_left

_OVERLAP_SHARE: Final = 0.5
"""Of the narrower region's width: a heading over the edge of a column does not order it."""
_TOUCHING_EM: Final = 0.5
_BAND_GAP_EM: Final = -0.25
"""Regions that overlap by less are not beside each other."""
_LEVEL_EM: Final = 0.5
_FEW_ROWS: Final = 3


def in_reading_order(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """The same words: pieces of a row joined to one line, and blocks that stand above others before them.

    Nothing changes on pages whose text runs to the left or down, nor where the measures leave a doubt. It takes milliseconds.
    """
    if sum(len(block.lines) for block in blocks) < 2 or not _runs_rightwards(blocks):
        return blocks
    pieces = pieces_of(blocks, page_angle_deg(blocks))
    regions = regions_of(blocks, pieces, row_pairs(pieces))
    return tuple(region.block for region in _from_above(regions, line_height(pieces)))


def _runs_rightwards(blocks: tuple[Block, ...]) -> bool:
    """Whether most of the text has baselines, as vertical text has not, and letters that are written to the right."""
    lines = [line for block in blocks for line in block.lines]
    level = sum(len(line.text) for line in lines if line.baseline)
    is_level = 2 * level > sum(len(line.text) for line in lines)
    return is_level and not is_right_to_left(" ".join(word.text for word in words_of(blocks)))


def _from_above(regions: list[Region], line_px: float) -> Iterator[Region]:
    """The regions as they came, but each after all those that come before it for certain.

    Breuel's topological order (High Performance Document Layout Analysis, SDIUT 2003) by his first rule alone: what stands above comes
    first where both overlap across. His second, columns from the left to the right, is left to the layout analysis. An XY cut (Nagy &
    Seth, ICPR 1984) has the last word where a page has no columns of text: among lone regions, and rows of a table.
    """
    ranks = _ranks(regions, line_px)
    waiting = list(range(len(regions)))
    stack: list[int] = []
    while waiting:
        index = stack[-1] if stack else waiting[0]
        before = next((other for other in waiting if _precedes(other, index, regions, ranks, line_px)), None)
        if before is not None:
            stack.append(before)
            continue
        waiting.remove(index)
        if stack:
            stack.pop()
        yield regions[index]


def _precedes(one: int, other: int, regions: list[Region], ranks: dict[int, int], line_px: float) -> bool:
    """A strict order: what precedes has the higher top."""
    above, below = regions[one].extent, regions[other].extent
    if above.top >= below.top:
        return False
    if one in ranks and other in ranks and ranks[one] != ranks[other]:
        return ranks[one] < ranks[other]
    overlap = min(above.right, below.right) - max(above.left, below.left)
    is_over = overlap > _OVERLAP_SHARE * min(above.width, below.width)
    return is_over and above.bottom <= below.top + _TOUCHING_EM * line_px


def _ranks(regions: list[Region], line_px: float) -> dict[int, int]:
    """The number of its band, from above, for every region that has nothing beside it or stands in a row of a table of some rows."""
    bands = _bands([region.extent for region in regions], _BAND_GAP_EM * line_px)
    kinds = [(len(band) > 1, _is_table_row([regions[index] for index in band], line_px)) for band in bands]
    found: dict[int, int] = {}
    for (has_columns, is_row), run in groupby(range(len(bands)), key=kinds.__getitem__):
        numbers = list(run)
        if not has_columns or (is_row and len(numbers) >= _FEW_ROWS):
            found |= {index: number for number in numbers for index in bands[number]}
    return found


def _bands(extents: list[Extent], gap_px: float) -> list[list[int]]:
    """What is left where white space is cut that goes right across the page, from above."""
    bands: list[list[int]] = []
    lowest = float("-inf")
    for index in sorted(range(len(extents)), key=lambda index: extents[index].top):
        if extents[index].top >= lowest + gap_px:
            bands.append([])
        bands[-1].append(index)
        lowest = max(lowest, extents[index].bottom)
    return bands


def _is_table_row(band: list[Region], line_px: float) -> bool:
    """Whether the regions begin on one line, and one of them begins or ends it with a figure."""
    tops = [region.extent.top for region in band]
    lines = [region.block.lines[0] for region in band]
    ends = (word.text for line in lines if line.words for word in (line.words[0], line.words[-1]))
    return max(tops) - min(tops) < _LEVEL_EM * line_px and any(map(is_figure, ends))
