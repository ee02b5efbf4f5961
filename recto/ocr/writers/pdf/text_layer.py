"""Recognised lines as a content stream of invisible text (render mode 3; ISO 32000-1, 9.3.6), each word on its quad.

A word's run starts at the left end of its bottom edge, follows that edge, and is scaled to its length. The words of a straight line
share the line's bottom edge and height: readers find lines by them, and a selection is one even band. In a curved line each word
has its own. A space bridges the gap to the next word, so that phrases are found.

A line that climbs or falls across the page is also given as a whole, as ActualText (ISO 32000-1, 14.9.4): from 1 degree on poppler
takes every few letters of it for a line of their own otherwise. PDFium and MuPDF go by the innermost ActualText: PDFium would put all
letters of such a line in one place, so each piece of it is marked with its own text besides, under a tag that poppler does not look at.
The text is the same for those who know neither.

PDFium sorts what is shown at one height of the page from left to right, by its beginnings: the words of a line that stands upside down
on the displayed page would come backwards. Such a line is shown at once, which leaves nothing to sort.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple, TypeAlias

from pikepdf import Matrix, Name

from recto.ocr.page import Line, Point, Quad, Word
from recto.ocr.writers.pdf.font import UNITS_PER_EM, InvisibleFont, width_of
from recto.ocr.writers.pdf.text_direction import has_right_to_left, visual_order
from recto.ocr.writers.pdf.text_operators import TextOperators

_CURVED: Final = 1.5
"""A line this many times as high as its highest word is curved or stepped: letters alone make it 1.4 times as high (as in "no fig")."""
_ALIKE: Final = 1.6
"""Lines of the same letters are at most this many times as high as one another."""
_LEAST_GAP: Final = 0.12
"""Of the text's height. Readers take smaller gaps for the distance between letters and join the words (poppler: 0.1)."""
_LEAST_SIDE_PT: Final = 0.1
_MOST_SPREAD: Final = 80
"""How far letters are moved apart or together at most to fill their word, in thousandths of the text's height: see `_LEAST_GAP`."""
_DIAGONAL: Final = math.sqrt(0.5)
_LEVEL: Final = 0.25
"""How far words of a level line begin or end above one another, by their height. Beyond 0.5 poppler sees several lines."""
_LINE_TAG: Final = Name.Span  # the tag on which poppler takes an ActualText
_PIECE_TAG: Final = Name("/RectoPiece")


_Numbers: TypeAlias = tuple[float, float, float, float, float, float]
"""A matrix as PDF writes it (ISO 32000-1, 8.3.3)."""


class _Run(NamedTuple):
    """A word to be set: `start` and the direction (cosine, sine) in the page's user space, lengths in its units."""

    text: str
    start: Point
    direction: Point
    length: float
    height: float


class TextLayer:
    """The content stream of one page, line by line."""

    def __init__(self, font_name: Name, font: InvisibleFont) -> None:
        self._font_name, self._font = font_name, font
        self._text = TextOperators()
        self._last: list[_Run] = []

    def add(self, lines: Sequence[Line], to_user_space: Matrix) -> None:
        """Lines of one block, whose pixels `to_user_space` maps to the page's user space."""
        a, b, c, d, _, _ = matrix = to_user_space.shorthand
        right, down = (a / math.hypot(a, b), b / math.hypot(a, b)), (c / math.hypot(c, d), d / math.hypot(c, d))
        for runs in _evened([runs for line in lines if (runs := _runs(line, matrix))]):
            if self._last and not (_is_level(self._last) and _is_level(runs)):
                self._part(self._last[-1], runs[0], down)
            if _is_upside_down(runs, right):
                self._set_at_once(runs)
            else:
                self._add_line(runs)
            self._last = runs

    def _part(self, last: _Run, first: _Run, down: Point) -> None:
        """A space above the end of one line where the next one begins as far down the page: PDFium would take both for one line."""
        fall = sum((begin - end) * along for begin, end, along in zip(first.start, last.start, down, strict=True))
        if abs(fall) < last.height:
            (x, y), away = last.start, 1.6 * last.height
            self._text.place((x - down[0] * away, y - down[1] * away), last.direction)
            self._show(" ", _LEAST_SIDE_PT, last.height)

    def _add_line(self, runs: list[_Run]) -> None:
        # poppler would turn the ActualText of a line from right to left around.
        is_whole = not _is_level(runs) and not any(has_right_to_left(run.text) for run in runs)
        if is_whole:
            self._text.begin_actual_text(_LINE_TAG, " ".join(run.text for run in runs))
        self._set(runs, are_marked=is_whole)
        if is_whole:
            self._text.end_actual_text()

    def content(self) -> bytes:
        """The graphics state is as before after it. Empty without words."""
        return self._text.invisible()

    def _set_at_once(self, runs: list[_Run]) -> None:
        """A line as one operator, and so with one scaling: letters are moved so that each word fills its quad."""
        size, (cosine, sine), (x, y) = runs[0].height, runs[0].direction, runs[0].start
        lengths = _lengths(runs)
        scaling = _common_scaling([run.text for run in runs], [length * UNITS_PER_EM / size for length in lengths])
        unit = size * scaling / UNITS_PER_EM
        self._text.font(self._font_name, size)
        self._text.scaling(100 * scaling)
        self._text.place((x, y), (cosine, sine))
        parts: list[str | int] = []
        reached = 0
        for run, length in zip(runs, lengths, strict=True):
            away = (run.start[0] - x) * cosine + (run.start[1] - y) * sine
            back = reached - round(away / unit)
            closer = _closer(run.text, length / unit, _MOST_SPREAD / scaling)
            for index, letter in enumerate(run.text):
                parts += [closer if index else back, self._font.encode(letter)]
            parts.append(self._font.encode(" "))
            reached += _natural(run.text + " ") - closer * (len(run.text) - 1) - back
        self._text.show_moved(parts)

    def _set(self, runs: list[_Run], *, are_marked: bool) -> None:
        size = 0.0
        for run, length, following in zip(runs, _lengths(runs), [*runs[1:], None], strict=True):
            if run.height != size:
                size = run.height
                self._text.font(self._font_name, size)
            self._text.place(run.start, run.direction)
            self._show(run.text, length, size, is_marked=are_marked)
            if following is not None:
                space = max(_reach(run, following) - length, _LEAST_GAP * size)
                self._show(" ", space, size, is_marked=are_marked)
            elif abs(run.direction[0]) < _DIAGONAL:
                # PDFium glues the next word on where lines run up or down the page.
                self._show(" ", _LEAST_GAP * size, size, is_marked=are_marked)

    def _show(self, text: str, length: float, size: float, *, is_marked: bool = False) -> None:
        natural = max(_natural(text), UNITS_PER_EM // 10)  # of a mark alone
        self._text.scaling(100 * length * UNITS_PER_EM / (natural * size))
        if is_marked:
            self._text.begin_actual_text(_PIECE_TAG, text)
        self._text.show(self._font.encode(text))
        if is_marked:
            self._text.end_actual_text()


def _natural(text: str) -> int:
    """Its length in thousandths of its height, as the font has it."""
    return sum(map(width_of, text))


def _common_scaling(texts: list[str], lengths: list[float]) -> float:
    """For words of these lengths (in thousandths of their height): their mean, or less where one could not be made short enough.

    A word that is too short does no harm, one that is too long joins the next. A single letter has nothing to be moved to.
    """
    mean = sum(lengths) / sum(map(_natural, texts))
    highest = [
        (length + _MOST_SPREAD * (len(text) - 1)) / _natural(text)
        for text, length in zip(texts, lengths, strict=True)
        if len(text) > 1
    ]
    return max(min([mean, *highest]), mean / 2)


def _closer(text: str, length: float, most: float) -> int:
    """How far each letter is moved towards the one before it, so that the word has that length; at most `most`. All in thousandths."""
    return round(max(-most, min((_natural(text) - length) / max(len(text) - 1, 1), most)))


def _is_upside_down(runs: list[_Run], right: Point) -> bool:
    """Whether the line runs to the left on the displayed page, straight and level."""
    (cosine, sine), (across, along) = runs[0].direction, right
    is_even = all((run.direction, run.height) == (runs[0].direction, runs[0].height) for run in runs)
    return cosine * across + sine * along < -_DIAGONAL and is_even and _is_level(runs)


def _is_level(runs: list[_Run]) -> bool:
    """Whether the line runs along an axis of the page, either way."""
    cosine, sine = runs[0].direction
    axis = 1 if abs(cosine) >= abs(sine) else 0
    ends = [
        (run.start[0] + run.direction[0] * run.length, run.start[1] + run.direction[1] * run.length) for run in runs
    ]
    across = [point[axis] for point in (*ends, *(run.start for run in runs))]
    return max(across) - min(across) <= _LEVEL * max(run.height for run in runs)


def _lengths(runs: list[_Run]) -> list[float]:
    """Of the words of a line: one gives way where it nearly touches the next."""
    return [
        min(run.length, max(_reach(run, following) - _LEAST_GAP * run.height, run.length / 2))
        for run, following in pairwise(runs)
    ] + [runs[-1].length]


def _reach(run: _Run, following: _Run) -> float:
    """From the start of a run to that of the next, along the first one's direction."""
    (x, y), (cosine, sine) = run.start, run.direction
    return (following.start[0] - x) * cosine + (following.start[1] - y) * sine


def _runs(line: Line, matrix: _Numbers) -> list[_Run]:
    """The line's words as they follow each other on paper from left to right, also where they are read from right to left."""
    words = [word for word in line.words if word.text.strip()]
    if not words:
        return []
    runs = [_own_run(word, _mapped(word.quad, matrix)) for word in words]
    band = _own_run(words[0], _mapped(line.quad, matrix))
    if band.height < _CURVED * max(run.height for run in runs):
        runs = [_in_band(run, band) for run in runs]
    if any(has_right_to_left(word.text) for word in words):
        cosine, sine = band.direction
        runs.sort(key=lambda run: run.start[0] * cosine + run.start[1] * sine)
    return runs


def _evened(lines: list[list[_Run]]) -> list[list[_Run]]:
    """The lines of a block, those of about the usual height made as high as that: by their ink, "on" is lower than "fig".

    Readers take another height for another kind of text, and so for the end of a paragraph.
    """
    if not lines:
        return []
    usual = median(max(run.height for run in runs) for runs in lines)
    return [
        [run._replace(height=usual) if usual / _ALIKE < run.height < usual * _ALIKE else run for run in runs]
        for runs in lines
    ]


def _own_run(word: Word, quad: Quad) -> _Run:
    top_left, _, bottom_right, bottom_left = quad
    across, up = _difference(bottom_right, bottom_left), _difference(top_left, bottom_left)
    length = math.hypot(*across)
    direction = (across[0] / length, across[1] / length) if length else (1.0, 0.0)
    # The height across the direction: in a sheared quad the left edge is longer than that.
    height = abs(direction[0] * up[1] - direction[1] * up[0])
    return _Run(
        visual_order(word.text), bottom_left, direction, max(length, _LEAST_SIDE_PT), max(height, _LEAST_SIDE_PT)
    )


def _in_band(run: _Run, band: _Run) -> _Run:
    """The run moved down onto the bottom edge of its line, and as high as the line."""
    (cosine, sine), (across, along) = band.direction, _difference(band.start, run.start)
    down = along * cosine - across * sine
    start = (run.start[0] - down * sine, run.start[1] + down * cosine)
    return _Run(run.text, start, run.direction, run.length, band.height)


def _mapped(quad: Quad, matrix: _Numbers) -> Quad:
    a, b, c, d, e, f = matrix
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = quad  # one by one: every word of a page comes through here
    return (
        (a * x0 + c * y0 + e, b * x0 + d * y0 + f),
        (a * x1 + c * y1 + e, b * x1 + d * y1 + f),
        (a * x2 + c * y2 + e, b * x2 + d * y2 + f),
        (a * x3 + c * y3 + e, b * x3 + d * y3 + f),
    )


def _difference(one: Point, other: Point) -> Point:
    return one[0] - other[0], one[1] - other[1]
