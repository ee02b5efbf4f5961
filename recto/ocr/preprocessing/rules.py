"""Rules: long thin lines that touch letters, such as underlines and the lines of forms, and the page without them.

Rules that stand apart from the text stay: Tesseract finds the cells of a table by them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from recto.ocr.preprocessing.ink import Mask, components_of, paper_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from recto.ocr.page import Box, GreyArray

_MIN_LENGTH: Final = 8.0
_MIN_LENGTH_PX: Final = 50
_MAX_THICKNESS: Final = 0.35
"""Of a letter's height, both."""
_MIN_TOUCHED: Final = 0.08
"""Of a rule's length: with so much ink against it a rule touches text. Rules that cross others at the corners of cells have less."""
_LINE_MARGIN: Final = 0.5
"""Of a line's height: how far around it a rule is the line's."""
_REACH_PX: Final = 4
"""A stroke goes on across a rule where ink lies on both sides of it within this distance of its edges."""

Area: TypeAlias = tuple[slice, slice]
"""Rows and columns of pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """`mask` is 255 on what can go: rules that touch text, without the strokes across them."""

    mask: Mask

    @property
    def share(self) -> float:
        """Of the page's area, 0 to 1."""
        return cv2.countNonZero(self.mask) / self.mask.size


def measure_rules(ink: Mask, letter_px: float, lines: Sequence[Box]) -> Rules | None:
    """The horizontal and vertical rules that touch these lines of letters that high (see TextSize); None where there are none.

    Rules are what opening by a long segment leaves (Serra 1982). Size and places are given, since letters on a rule are one component with it,
    and ornaments have rules as well.
    """
    areas, on_its_side = [_around(line) for line in lines], _transposed(ink)
    turned, mask = [(columns, rows) for rows, columns in areas], np.zeros_like(ink)
    for seen, other, around, found in ((ink, on_its_side, areas, mask), (on_its_side, ink, turned, mask.T)):
        rules = _rules_along(seen, other, around, letter_px)
        if rules is not None:
            for area in around:
                found[area] |= rules[area]
    return Rules(mask) if mask.any() else None


def without_rules(grey: GreyArray, rules: Rules) -> GreyArray:
    """The page with paper in the place of the rules. No point moves."""
    return np.where(rules.mask > 0, np.uint8(paper_of(grey)), grey)


def _around(line: Box) -> Area:
    """Where a rule is the line's."""
    margin_px = round(_LINE_MARGIN * line.height)
    rows = slice(max(0, line.top - margin_px), line.top + line.height + margin_px)
    return rows, slice(max(0, line.left - margin_px), line.left + line.width + margin_px)


def _rules_along(ink: Mask, on_its_side: Mask, areas: Sequence[Area], letter_px: float) -> Mask | None:
    """What can go of the rules along the rows; None where there are none in these areas. `on_its_side` is the ink transposed."""
    long = _runs(on_its_side, max(_MIN_LENGTH_PX, int(_MIN_LENGTH * letter_px)) | 1, areas)
    if long is None:
        return None
    too_thick = cv2.morphologyEx(long, cv2.MORPH_OPEN, np.ones((max(3, int(_MAX_THICKNESS * letter_px)), 1), np.uint8))
    thin = np.where(too_thick > 0, np.uint8(0), long)
    rules: Mask = np.asarray(cv2.dilate(thin, np.ones((3, 1), np.uint8)), dtype=np.uint8)
    rest = np.asarray(cv2.subtract(ink, rules), dtype=np.uint8)
    touched = _those_that_touch(rules, rest)
    touched[_between_ink(rest, round(_MAX_THICKNESS * letter_px) + _REACH_PX) > 0] = 0
    return touched


def _runs(on_its_side: Mask, length_px: int, areas: Sequence[Area]) -> Mask | None:
    """The opening by a segment along the rows of ink that is given transposed; None where nothing is left in these areas and next to them.

    In steps of twice the length, since OpenCV's own takes as long as the segment is, and of eight rows in a byte.
    """
    columns, rows = on_its_side.shape
    if length_px > columns:
        return None
    packed = np.packbits(on_its_side, axis=1)
    begins = packed
    for step in _doublings(length_px):
        begins = begins[:-step] & begins[step:]
    runs = np.zeros_like(packed)
    runs[: len(begins)] = begins
    for step in _doublings(length_px):
        runs[step:] |= runs[:-step]
    if not any(runs[across, max(0, down.start - 1) // 8 : down.stop // 8 + 1].any() for down, across in areas):
        return None
    return _transposed(np.unpackbits(runs, axis=1, count=rows)) * np.uint8(255)


def _transposed(mask: Mask) -> Mask:
    """Laid out anew; NumPy takes twice as long."""
    return np.asarray(cv2.transpose(mask), dtype=np.uint8)


def _doublings(length_px: int) -> Iterator[int]:
    """By how much to move what is one pixel long, again and again, until it is as long as that together with all its places before."""
    reached = 1
    while reached < length_px:
        step = min(reached, length_px - reached)
        yield step
        reached += step


def _those_that_touch(rules: Mask, rest: Mask) -> Mask:
    """The rules with ink against them."""
    rows = _rows_of(rules)
    if not rows.size:
        return rules
    few = np.ascontiguousarray(rules[rows])
    beside = np.asarray(cv2.dilate(rest, np.ones((3, 1), np.uint8)))[rows].ravel()
    found, places = components_of(few), np.flatnonzero(few)
    widths, labels = found.stats[:, cv2.CC_STAT_WIDTH], found.labels.ravel()[places]
    touches = np.bincount(labels[beside[places] > 0], minlength=len(widths)) >= _MIN_TOUCHED * widths
    few.ravel()[places[~touches[labels]]] = 0
    touching = np.zeros_like(rules)
    touching[rows] = few
    return touching


def _rows_of(rules: Mask) -> NDArray[np.intp]:
    """The rows with rules, which are few, and those beside them, so that what is apart stays apart among these alone."""
    has_rules = np.any(rules, axis=1, keepdims=True)
    return np.flatnonzero(cv2.dilate(has_rules.astype(np.uint8), np.ones((3, 1), np.uint8)))


def _between_ink(ink: Mask, reach_px: int) -> Mask:
    """Where ink lies both above and below within that distance."""
    above = np.zeros((2 * reach_px + 1, 1), np.uint8)
    above[:reach_px] = 1
    has_above, has_below = cv2.dilate(ink, above), cv2.dilate(ink, np.ascontiguousarray(above[::-1]))
    return np.asarray(cv2.bitwise_and(has_above, has_below), dtype=np.uint8)
