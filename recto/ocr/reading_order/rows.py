"""Which pieces of different columns are one row of a table, a price list or a form.

Tesseract finds columns by the tab stops of their edges (Smith, Hybrid Page Layout Analysis via Tab-Stop Detection, ICDAR 2009), so
that prices beside a text come out as a column of their own, after it. What tells a table from columns of text is known from table
recognition: cells of a row stand on one baseline, are short, and many hold figures (Hu et al., Medium-Independent Table Detection,
SPIE 2000). Running text is never joined to a row, but for a line that was torn. When in doubt pieces stay apart.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import pairwise
from statistics import fmean, median
from typing import Final

from recto.ocr.page import Line, Point
from recto.ocr.reading_order.pieces import (
    Extent,
    Piece,
    are_figures,
    by_block,
    extent_of,
    is_prose,
    line_height,
    room_behind,
)
from recto.ocr.scripts import columns, is_right_to_left

_BASELINE_EM: Final = 0.35
_BESIDE_SHARE: Final = 0.7
"""Pieces are level whose baselines differ by less, or which stand beside each other with so much of the lower one's height."""
_SIZE_RATIO: Final = 2.0
"""What is higher is a brace, a picture, or several lines taken for one."""
_SPACE_EM: Final = 0.5
_WIDE_SPACE_EM: Final = 2.0
_CELL_COLUMNS: Final = 30
_FEW_ROWS: Final = 3
_PAIRED_SHARE: Final = 0.8
_SHORT_SHARE: Final = 0.2
"""What the last line of a paragraph leaves free; ragged lines leave less."""
_OPEN_EM: Final = 2.0
"""From baseline to baseline: no column of text is set so wide, while the rows of forms are."""

Pair = tuple[Piece, Piece]
Baseline = tuple[Point, Point]
Blocks = dict[int, list[Piece]]


def row_pairs(pieces: list[Piece]) -> list[Pair]:
    """Left and right neighbours that belong to one row; a piece is the left one of at most one pair, and the right one of at most one."""
    blocks, neighbours = by_block(pieces), list(_neighbours(pieces))
    prose = {block for block, lines in blocks.items() if is_prose(lines)}
    figures = {block for block, lines in blocks.items() if are_figures(lines)}
    cells = [pair for pair in neighbours if prose.isdisjoint(_blocks_of(pair))]
    found = [pair for pair in neighbours if _are_one_line(pair, blocks)]
    found += [pair for pair in cells if not figures.isdisjoint(_blocks_of(pair))]
    found += _figures_of_paragraphs(neighbours, prose, figures, blocks)
    rows = {left.place for left, _ in _with_cells_of_words(found, cells, blocks)}
    return [pair for pair in neighbours if pair[0].place in rows]


def _blocks_of(pieces: Iterable[Piece]) -> set[int]:
    return {piece.block for piece in pieces}


def _neighbours(pieces: list[Piece]) -> Iterator[Pair]:
    """Pieces that are level and have nothing level between them."""
    upright = [piece for piece in pieces if piece.baseline is not None and not is_right_to_left(piece.line.text)]
    upright.sort(key=lambda piece: piece.extent.middle)
    middles = [piece.extent.middle for piece in upright]
    taken: set[int] = set()
    for left in sorted(upright, key=lambda piece: piece.extent.left):
        reach = _SIZE_RATIO * left.extent.height
        near = upright[
            bisect_left(middles, left.extent.middle - reach) : bisect_left(middles, left.extent.middle + reach)
        ]
        following = [other for other in near if _is_behind(left, other) and _are_level(left, other)]
        right = min(following, key=lambda piece: piece.extent.left, default=None)
        if right and right.place not in taken:
            taken.add(right.place)
            yield left, right


def _is_behind(left: Piece, right: Piece) -> bool:
    tolerance_px = min(left.extent.height, right.extent.height) / 2
    return right.extent.left > max(left.extent.left, left.extent.right - tolerance_px)


def _are_level(left: Piece, right: Piece) -> bool:
    sizes = sorted((left.extent.height, right.extent.height))
    if sizes[1] > _SIZE_RATIO * sizes[0] or left.baseline is None or right.baseline is None:
        return False
    beside_px = min(left.extent.bottom, right.extent.bottom) - max(left.extent.top, right.extent.top)
    return beside_px > _BESIDE_SHARE * sizes[0] or abs(_step(left.baseline, right.baseline)) < _BASELINE_EM * sizes[0]


def _step(left: Baseline, right: Baseline) -> float:
    """How far the right baseline begins below the end of the left one, where the longer of both goes on across the gap; in pixels."""
    (start_x, start_y), (end_x, end_y) = max(left, right, key=lambda baseline: baseline[1][0] - baseline[0][0])
    slope = (end_y - start_y) / (end_x - start_x) if end_x > start_x else 0.0
    return right[0][1] - left[1][1] - slope * (right[0][0] - left[1][0])


def _are_one_line(pair: Pair, blocks: Blocks) -> bool:
    """Whether only a space parts the pieces, or a wide one where one of them stands in a gap of the other's block."""
    left, right = pair
    size, gap = min(left.extent.height, right.extent.height), right.extent.left - left.extent.right
    if gap < _SPACE_EM * size or left.block == right.block:
        return gap < _WIDE_SPACE_EM * size
    one, other = extent_of(blocks[left.block]), extent_of(blocks[right.block])
    return gap < _WIDE_SPACE_EM * size and (_holds(one, other, size / 2) or _holds(other, one, size / 2))


def _holds(outer: Extent, inner: Extent, tolerance_px: float) -> bool:
    across = outer.left <= inner.left and inner.right <= outer.right
    return across and outer.top - tolerance_px <= inner.top and inner.bottom <= outer.bottom + tolerance_px


def _figures_of_paragraphs(
    neighbours: list[Pair], prose: set[int], figures: set[int], blocks: Blocks
) -> Iterator[Pair]:
    """Numbers and prices each of which stands where a paragraph begins or ends, as no figures of another column do."""
    mixed = [pair for pair in neighbours if len(_blocks_of(pair) & prose) == len(_blocks_of(pair) & figures) == 1]
    for chain in _chains(mixed):
        numbered = _blocks_of(piece for pair in chain for piece in pair) & figures
        texts = [piece for pair in chain for piece in pair if piece.block in prose]
        is_whole = len(chain) > 1 and len(chain) == sum(len(blocks[block]) for block in numbered)
        if is_whole and all(_bounds_paragraph(piece, blocks[piece.block]) for piece in texts):
            yield from chain


def _bounds_paragraph(piece: Piece, lines: list[Piece]) -> bool:
    """Whether the line is a paragraph's first or last."""
    index = lines.index(piece)
    return index in (0, len(lines) - 1) or _ends_paragraph(piece, lines) or _ends_paragraph(lines[index - 1], lines)


def _ends_paragraph(piece: Piece, lines: list[Piece]) -> bool:
    return room_behind(piece, lines) > _SHORT_SHARE * extent_of(lines).width


def _with_cells_of_words(found: list[Pair], cells: list[Pair], blocks: Blocks) -> list[Pair]:
    """The pairs, and those of columns of words that are a table by themselves or go on one that was found."""
    short = {
        block for block, lines in blocks.items() if fmean(columns(piece.line.text) for piece in lines) <= _CELL_COLUMNS
    }
    undecided = _chains(pair for pair in cells if _blocks_of(pair) <= short)
    while True:
        rows = {piece.place for pair in found for piece in pair}
        tables = [chain for chain in undecided if _is_table(chain, blocks) or _goes_on(chain, rows, blocks)]
        if not tables:
            return found
        found = [*found, *(pair for chain in tables for pair in chain)]
        undecided = [chain for chain in undecided if chain not in tables]


def _chains(pairs: Iterable[Pair]) -> list[list[Pair]]:
    """Pairs that stand below each other, as the cells of two columns do, from above."""
    chains: list[list[Pair]] = []
    for pair in sorted(pairs, key=lambda pair: pair[0].extent.middle):
        above = next((chain for chain in chains if all(map(_share_column, chain[-1], pair))), None)
        if above:
            above.append(pair)
        else:
            chains.append([pair])
    return chains


def _share_column(above: Piece, below: Piece) -> bool:
    overlap = min(above.extent.right, below.extent.right) - max(above.extent.left, below.extent.left)
    return overlap > min(above.extent.width, below.extent.width) / 2


def _is_table(chain: list[Pair], blocks: Blocks) -> bool:
    """Whether the left pieces are labels, or nearly all lines have a partner and stand further apart than lines of a column do."""
    if 2 * sum(_is_label(left.line) for left, _ in chain) > len(chain):
        return True
    if len(chain) < _FEW_ROWS or len(chain) < _PAIRED_SHARE * min(_lines_beside(chain, blocks)):
        return False
    gaps = [below.extent.middle - above.extent.middle for (above, _), (below, _) in pairwise(chain)]
    return median(gaps) > _OPEN_EM * line_height(piece for pair in chain for piece in pair)


def _is_label(line: Line) -> bool:
    return line.text.rstrip(" ._").endswith(":")


def _goes_on(chain: list[Pair], rows: set[int], blocks: Blocks) -> bool:
    """Whether the pairs widen rows that were found, line by line."""
    widening = sum(any(piece.place in rows for piece in pair) for pair in chain)
    paired = len(chain) >= _FEW_ROWS and len(chain) >= _PAIRED_SHARE * max(_lines_beside(chain, blocks))
    return paired and widening > len(chain) / 2


def _lines_beside(chain: list[Pair], blocks: Blocks) -> tuple[int, int]:
    """How many lines the blocks on the left and on the right have."""
    left, right = ({pair[side].block for pair in chain} for side in (0, 1))
    return sum(len(blocks[block]) for block in left), sum(len(blocks[block]) for block in right)
