"""Corrections by people, applied to a page as it was read: in their order, each to the page that those before it have left.

Words and lines are named by their index in the page's reading order, from 0. Order and places stay: a new word has the box of the one
that it replaces, and where there are more or fewer than before, they share the room of those, each by the width of its characters.
"""

import math
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import islice
from statistics import mean
from typing import Final, TypeAlias

from recto.errors import CorrectionInvalid
from recto.ocr.layout import along, angle_deg
from recto.ocr.page import Box, Line, Page, Point, Quad, Word
from recto.ocr.scripts import columns, is_right_to_left

MOST_CHARACTERS: Final = 2000
"""Of a correction's text. The longest lines of print have some 200."""
_LEAST_ROOM: Final = 0.5
"""A gap this much as wide as a word should be is taken for where it stood unread; in a smaller one there is no room for it."""
_REFUSED_CATEGORIES: Final = ("Cc", "Cs")


@dataclass(frozen=True, slots=True)
class WordsCorrection:
    """`count` words of one line, from the one with index `word` on, become the words of `text`: none where it is empty."""

    word: int
    count: int
    text: str


@dataclass(frozen=True, slots=True)
class LineCorrection:
    """The line with index `line` becomes `text`. Words that are in both stay as they were read; without text the line is empty."""

    line: int
    text: str


Correction: TypeAlias = WordsCorrection | LineCorrection


@dataclass(frozen=True, slots=True)
class Corrections:
    """Those that stand in a job, by the numbers of its pages. `revision` names this state of them among all that there were."""

    revision: int
    of_pages: Mapping[int, tuple[Correction, ...]]


AS_READ: Final = Corrections(0, {})


@dataclass(frozen=True, slots=True)
class _Place:
    """The words from `start` up to `stop` of the line with that index."""

    line: int
    start: int
    stop: int


def corrected(page: Page, corrections: Sequence[Correction]) -> Page:
    """The page with the corrections. CorrectionInvalid where one names what the page does not have, or has text that none can be."""
    if not corrections:
        return page
    lines = _lines(page)
    for correction in corrections:
        place = _place(lines, correction)
        line, texts = lines[place.line], _words_of(correction.text)
        words = line.words
        if isinstance(correction, LineCorrection):
            lines[place.line] = replace(line, words=tuple(_aligned(line, texts)))
        else:
            new = _instead(words[place.start : place.stop], texts)
            lines[place.line] = replace(line, words=(*words[: place.start], *new, *words[place.stop :]))
    left = iter(lines)
    blocks = tuple(replace(block, lines=tuple(islice(left, len(block.lines)))) for block in page.blocks)
    return replace(page, blocks=blocks, corrections=page.corrections + len(corrections))


def replaced_text(page: Page, correction: Correction) -> str:
    """The words of the page that the correction replaces, joined by spaces. CorrectionInvalid as `corrected`."""
    lines = _lines(page)
    place = _place(lines, correction)
    return " ".join(word.text for word in lines[place.line].words[place.start : place.stop])


def _lines(page: Page) -> list[Line]:
    return [line for block in page.blocks for line in block.lines]


def _place(lines: Sequence[Line], correction: Correction) -> _Place:
    if isinstance(correction, LineCorrection):
        if not 0 <= correction.line < len(lines):
            raise CorrectionInvalid(
                f"There is no line {correction.line}: the page has {len(lines)}, counted from 0. Load the page again."
            )
        return _Place(correction.line, 0, len(lines[correction.line].words))
    return _place_of_words(lines, correction)


def _place_of_words(lines: Sequence[Line], correction: WordsCorrection) -> _Place:
    if correction.count < 1:
        raise CorrectionInvalid("A correction of words has to name at least one. To add words, correct their line.")
    before = 0
    for index, line in enumerate(lines):
        start = correction.word - before
        if 0 <= start < len(line.words):
            if start + correction.count > len(line.words):
                raise CorrectionInvalid("The words are not on one line. Correct the words of one line at a time.")
            return _Place(index, start, start + correction.count)
        before += len(line.words)
    raise CorrectionInvalid(
        f"There is no word {correction.word}: the page has {before}, counted from 0. Load the page again."
    )


def _words_of(text: str) -> list[str]:
    if len(text) > MOST_CHARACTERS:
        raise CorrectionInvalid(
            f"The text is longer than the {MOST_CHARACTERS:,} characters that a correction may have. Correct one line at a time."
        )
    words = text.split()
    if any(unicodedata.category(character) in _REFUSED_CATEGORIES for word in words for character in word):
        raise CorrectionInvalid("The text has a control character in it. Type it again, without what was pasted.")
    return words


def _instead(old: Sequence[Word], texts: Sequence[str]) -> Iterator[Word]:
    """Words with these texts in the places of the old ones, of which there is at least one."""
    if len(old) == len(texts):
        yield from (_with_text(word, text) for word, text in zip(old, texts, strict=True))
    elif texts:
        yield from _shared(_span(old), texts)


def _with_text(word: Word, text: str) -> Word:
    return replace(word, text=text, confidence=1.0, in_dictionary=None, corrected=True)


def _aligned(line: Line, texts: Sequence[str]) -> list[Word]:
    """The line's words where they are among `texts`; the others in the places of those that are not, or between them."""
    old, new = list(line.words), list[Word]()
    matcher = SequenceMatcher(None, [word.text for word in old], texts, autojunk=False)
    for kind, start, stop, from_text, to_text in matcher.get_opcodes():
        if kind == "equal":
            new += old[start:stop]
        elif kind == "insert":
            _insert(line.quad, old, start, texts[from_text:to_text], new)
        else:
            new += _instead(old[start:stop], texts[from_text:to_text])
    return new


def _insert(line: Quad, old: list[Word], place: int, texts: Sequence[str], new: list[Word]) -> None:
    """Add words to `new` that come before the old word at `place`: into the gap there, or else into the room of a neighbour."""
    if not old:
        new += _shared(line, texts)
    elif (gap := _gap(line, old, place)) and _length(gap) >= _LEAST_ROOM * _expected_length(old, texts):
        new += _shared(gap, texts)
    elif new:
        kept, *added = _shared(new[-1].quad, [new[-1].text, *texts])
        new[-1] = replace(new[-1], box=kept.box, quad=kept.quad)
        new += added
    else:
        *added, kept = _shared(old[0].quad, [*texts, old[0].text])
        old[0] = replace(old[0], box=kept.box, quad=kept.quad)
        new += added


def _gap(line: Quad, old: Sequence[Word], place: int) -> Quad | None:
    """Between the old word at `place` and the one before it; None where they overlap. Before the first it begins with the line."""
    turn_deg = angle_deg(line)
    sides = [old[index].quad if 0 <= index < len(old) else None for index in (place - 1, place)]
    if is_right_to_left(" ".join(word.text for word in old)):
        sides.reverse()
    left, right = sides
    begins, ends = along(left or line, turn_deg)[1 if left else 0], along(right or line, turn_deg)[0 if right else 1]
    if ends <= begins:
        return None
    (_, top_left, bottom_left, _) = left or (line[0], line[0], line[3], line[3])
    (top_right, _, _, bottom_right) = right or (line[1], line[1], line[2], line[2])
    return top_left, top_right, bottom_right, bottom_left


def _expected_length(old: Sequence[Word], texts: Sequence[str]) -> float:
    """How long words with these texts would be in letters as wide as those of the old ones; in pixels."""
    column_px = mean(_length(word.quad) / max(columns(word.text), 1) for word in old)
    return column_px * columns(" ".join(texts))


def _length(quad: Quad) -> float:
    return math.dist(quad[0], quad[1])


def _span(words: Sequence[Word]) -> Quad:
    """From the left end of the leftmost to the right end of the rightmost, as the reader sees them."""
    turn_deg = angle_deg(words[0].quad)
    left = min(words, key=lambda word: along(word.quad, turn_deg)[0]).quad
    right = max(words, key=lambda word: along(word.quad, turn_deg)[1]).quad
    return left[0], right[1], right[2], left[3]


def _shared(quad: Quad, texts: Sequence[str]) -> list[Word]:
    """Words with these texts that share the quad by the widths of their characters, a space apart, in reading order."""
    total = columns(" ".join(texts))
    runs_left = is_right_to_left(" ".join(texts))
    words, reached = list[Word](), 0
    for text in texts:
        start, stop = reached / total, (reached + columns(text)) / total
        part = _part(quad, 1 - stop, 1 - start) if runs_left else _part(quad, start, stop)
        words.append(Word(text, 1.0, _bounds(part), part, None, corrected=True))
        reached += columns(text) + 1
    return words


def _part(quad: Quad, start: float, stop: float) -> Quad:
    """What lies between two shares, from 0 to 1, of its length."""
    top_left, top_right, bottom_right, bottom_left = quad
    return (
        _between(top_left, top_right, start),
        _between(top_left, top_right, stop),
        _between(bottom_left, bottom_right, stop),
        _between(bottom_left, bottom_right, start),
    )


def _between(one: Point, other: Point, share: float) -> Point:
    return one[0] + (other[0] - one[0]) * share, one[1] + (other[1] - one[1]) * share


def _bounds(quad: Quad) -> Box:
    """The upright box in whole pixels around it."""
    left, top = (math.floor(min(point[axis] for point in quad)) for axis in (0, 1))
    right, bottom = (math.ceil(max(point[axis] for point in quad)) for axis in (0, 1))
    return Box(left, top, right - left, bottom - top)
