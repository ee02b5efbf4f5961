"""Blocks that share rows, put together to one block of whole rows."""

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import Final

from recto.ocr.layout import along, angle_deg, union
from recto.ocr.page import Block, Line, Quad
from recto.ocr.reading_order.pieces import Extent, Piece, by_block, extent_of, line_height
from recto.ocr.reading_order.rows import Blocks, Pair

_INSIDE_SHARE: Final = 0.5
_TORN_SHARE: Final = 0.3
"""Where more rows than these have another beside them, the region holds columns of text."""
_PARAGRAPH_EM: Final = 1.0

Row = list[Piece]


@dataclass(frozen=True, slots=True)
class Region:
    """A block to be put in order, and its edges on the straightened page."""

    block: Block
    extent: Extent


def regions_of(blocks: tuple[Block, ...], pieces: list[Piece], pairs: list[Pair]) -> list[Region]:
    """Blocks without rows as they are, the others put together where the first of them stood."""
    lines, regions = by_block(pieces), {}
    for group in _groups(lines, pairs):
        members = [piece for block in sorted(group) for piece in lines[block]]
        rows = _rows(members, [pair for pair in pairs if pair[0].block in group])
        if not _is_torn(rows):
            together = _block_of(rows, [blocks[block] for block in sorted(group)])
            regions[min(group)] = Region(together, extent_of(members))
            for block in group:
                del lines[block]
    regions |= {block: Region(blocks[block], extent_of(alone)) for block, alone in lines.items()}
    return [regions[block] for block in sorted(regions)]


def _groups(lines: Blocks, pairs: list[Pair]) -> list[set[int]]:
    """Sets of blocks that are one region: linked by rows, or standing among those that are."""
    extents = {block: extent_of(members) for block, members in lines.items()}
    groups: list[set[int]] = []
    for left, right in pairs:
        groups = _joined(groups, {left.block, right.block})
    while True:
        grown = groups
        for group in groups:
            around = extent_of(piece for block in group for piece in lines[block])
            grown = _joined(grown, group | {block for block, own in extents.items() if _stands_in(own, around)})
        if len(grown) == len(groups) and all(group in groups for group in grown):
            return groups
        groups = grown


def _joined(groups: list[set[int]], new: set[int]) -> list[set[int]]:
    apart = [group for group in groups if group.isdisjoint(new)]
    return [*apart, new.union(*(group for group in groups if not group.isdisjoint(new)))]


def _stands_in(own: Extent, around: Extent) -> bool:
    across = min(own.right, around.right) - max(own.left, around.left)
    down = min(own.bottom, around.bottom) - max(own.top, around.top)
    return across > _INSIDE_SHARE * own.width and down > _INSIDE_SHARE * own.height


def _rows(pieces: list[Piece], pairs: list[Pair]) -> list[Row]:
    """From left to right, and down the page."""
    following = {left.place: right for left, right in pairs}
    later = {right.place for _, right in pairs}
    rows = [[piece] for piece in pieces if piece.place not in later]
    for row in rows:
        while row[-1].place in following:
            row.append(following[row[-1].place])
    return sorted(rows, key=_middle)


def _middle(row: Row) -> float:
    return median(piece.extent.middle for piece in row)


def _is_torn(rows: list[Row]) -> bool:
    """Whether many rows stand beside others: one order down the page would mix them."""
    beside = sum(_are_beside(above, below) for above, below in pairwise(rows))
    return beside > _TORN_SHARE * len(rows)


def _are_beside(above: Row, below: Row) -> bool:
    return _middle(below) - _middle(above) < min(extent_of(above).height, extent_of(below).height) / 2


def _block_of(rows: list[Row], members: list[Block]) -> Block:
    """One block of the rows, with a new paragraph where the space above a row is wider than usual."""
    gaps = [extent_of(below).top - extent_of(above).bottom for above, below in pairwise(rows)]
    usual = median(gaps or [0.0]) + _PARAGRAPH_EM * line_height(piece for row in rows for piece in row)
    lines, paragraph = [], 0
    for row, gap in zip(rows, (usual, *gaps), strict=True):
        paragraph += gap > usual
        lines.append(replace(_joined_line([piece.line for piece in row]), paragraph=paragraph))
    return replace(members[0], lines=tuple(lines), box=union(block.box for block in members))


def _joined_line(lines: list[Line]) -> Line:
    first, last = lines[0], lines[-1]
    return Line(
        words=tuple(word for line in lines for word in line.words),
        box=union(line.box for line in lines),
        quad=_hull([line.quad for line in lines]),
        paragraph=first.paragraph,
        baseline=(first.baseline[0], last.baseline[1]) if first.baseline and last.baseline else None,
    )


def _hull(quads: list[Quad]) -> Quad:
    """The rectangle around all of them that is turned like the longest."""
    if len(quads) == 1:
        return quads[0]
    turn_deg = angle_deg(max(quads, key=lambda quad: math.dist(quad[0], quad[1])))
    cosine, sine = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))
    across = [along(quad, turn_deg) for quad in quads]
    down = [along(quad, turn_deg - 90) for quad in quads]
    left, right = min(start for start, _ in across), max(end for _, end in across)
    top, bottom = min(start for start, _ in down), max(end for _, end in down)
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    one, two, three, four = ((u * cosine + v * sine, v * cosine - u * sine) for u, v in corners)
    return one, two, three, four
