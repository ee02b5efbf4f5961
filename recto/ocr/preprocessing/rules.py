"""Rules: long thin lines that touch letters, such as underlines and the lines of forms, and the page without them.

Rules that stand apart from the text stay: Tesseract finds the cells of a table by them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from recto.ocr.preprocessing.ink import Mask, ink_mask, paper_of

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


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """`mask` is 255 on what can go: rules that touch text, without the strokes across them."""

    mask: Mask

    @property
    def share(self) -> float:
        """Of the page's area, 0 to 1."""
        return cv2.countNonZero(self.mask) / self.mask.size


def measure_rules(grey: GreyArray, letter_px: float, lines: Sequence[Box]) -> Rules | None:
    """The horizontal and vertical rules that touch these lines of letters that high (see TextSize); None where there are none.

    Rules are what opening by a long segment leaves (Serra 1982). Size and places are given, since letters on a rule are one component with it,
    and ornaments have rules as well.
    """
    ink = ink_mask(grey)
    upright = np.ascontiguousarray(_rules_along(np.ascontiguousarray(ink.T), letter_px).T)
    found = np.asarray(cv2.bitwise_or(_rules_along(ink, letter_px), upright), dtype=np.uint8)
    mask = np.zeros_like(found)
    for box in lines:
        margin_px = round(_LINE_MARGIN * box.height)
        rows = slice(max(0, box.top - margin_px), box.top + box.height + margin_px)
        columns = slice(max(0, box.left - margin_px), box.left + box.width + margin_px)
        mask[rows, columns] = found[rows, columns]
    return Rules(mask) if mask.any() else None


def without_rules(grey: GreyArray, rules: Rules) -> GreyArray:
    """The page with paper in the place of the rules. No point moves."""
    return np.where(rules.mask > 0, np.uint8(paper_of(grey)), grey)


def _rules_along(ink: Mask, letter_px: float) -> Mask:
    """What can go of the rules along the rows."""
    long = _runs(ink, max(_MIN_LENGTH_PX, int(_MIN_LENGTH * letter_px)) | 1)
    if long is None:
        return np.zeros_like(ink)
    too_thick = cv2.morphologyEx(long, cv2.MORPH_OPEN, np.ones((max(3, int(_MAX_THICKNESS * letter_px)), 1), np.uint8))
    thin = np.where(too_thick > 0, np.uint8(0), long)
    rules: Mask = np.asarray(cv2.dilate(thin, np.ones((3, 1), np.uint8)), dtype=np.uint8)
    rest = np.asarray(cv2.subtract(ink, rules), dtype=np.uint8)
    touched = _those_that_touch(rules, rest)
    touched[_between_ink(rest, round(_MAX_THICKNESS * letter_px) + _REACH_PX) > 0] = 0
    return touched


def _runs(ink: Mask, length_px: int) -> Mask | None:
    """The opening by a segment along the rows; None where nothing is left. In steps of twice the length: OpenCV's own takes as long as the segment is."""
    if length_px > ink.shape[1]:
        return None
    begins = ink
    for step in _doublings(length_px):
        begins = begins[:, :-step] & begins[:, step:]
    if not begins.any():
        return None
    runs = np.zeros_like(ink)
    runs[:, : begins.shape[1]] = begins
    for step in _doublings(length_px):
        runs[:, step:] |= runs[:, :-step]
    return runs


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
    _, found, stats, _ = cv2.connectedComponentsWithStats(few, connectivity=8)
    widths = np.asarray(stats[:, cv2.CC_STAT_WIDTH], dtype=np.int32)
    places = np.flatnonzero(few)
    labels = np.asarray(found, dtype=np.int32).ravel()[places]
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
