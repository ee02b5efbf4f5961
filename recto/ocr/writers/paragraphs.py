"""Lines as people read them: running text joined into one line, everything that is set in lines of its own kept.

A line break is taken for one that only the width of the column forced where the next line's first word would not have fitted into what
was left of the line. A paragraph is running text where nearly all of its breaks are of that kind; poems, addresses, tables, forms and
price lists are not. When in doubt a break stays: a break too many costs nobody anything, a wrong join hides where a line ended.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

from recto.ocr.layout import along, angle_deg, height_px, paragraphs_of
from recto.ocr.page import Line, Page, Word
from recto.ocr.scripts import columns, is_right_to_left, is_spaceless, joint
from recto.ocr.writers.characters import plain
from recto.ocr.writers.hyphens import divides_word, ends_in_hyphen, join

_RUNNING_SHARE: Final = 0.7
"""Of the breaks of running text, those that the width has forced; the others are ends of sentences set apart, or misread edges."""
_LONG_LINE_COLUMNS: Final = 38
_SHORT_LINE_COLUMNS: Final = 22
"""Lines of running text are at least so many letters long on average: fewer where there are several lines to judge by."""
_FEW_LINES: Final = 4
_GAP_EM: Final = 2.5
"""Words that are further apart stand in columns."""
_CENTRED_EM: Final = 1.0
_NEIGHBOURS: Final = 3
"""A line's right edge is that of so many lines above and below: text flows around pictures, and stray ink lengthens a line."""
_EASY_SHARE: Final = 0.25
"""What people who type leave free of a line although the next word would have fitted."""
_SIZE_RATIO: Final = 1.5
_FLAT: Final = frozenset("acemnorsuvwxzgpqy-.,")
_DESCENDING: Final = frozenset("gjpqyQ,;()[]")
_X_HEIGHT_EM, _ASCENDER_EM, _DESCENDER_EM = 0.47, 0.25, 0.2
"""Parts of an em by which letters of common typefaces are high."""
_LEADER: Final = re.compile(r"[._·…]{4,}|(?:[.·…] ){3,}")

BULLET: Final = re.compile(r"[•◦▪‣●○■□·*–—-]\s+(?=\S)")
NUMBER: Final = re.compile(r"\(?(?:\d{1,3}|[a-zA-Z])[.)]\s+(?=\S)")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`lines` are logical ones, without line ends, and `words` those that they are made of: at least one."""

    lines: tuple[str, ...]
    words: tuple[Word, ...]

    @property
    def em_px(self) -> float:
        """The size of the letters."""
        return median(map(_em_px, self.words))

    @property
    def confidence(self) -> float:
        """The mean of the words."""
        return sum(word.confidence for word in self.words) / len(self.words)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A line's text, and the line on its reading axis: where it starts and ends, the width of its first word (or character), and an em, all in pixels."""

    text: str
    start: float
    end: float
    unbreakable: float
    em: float
    set_in_columns: bool


def paragraphs_on(page: Page, *, whole_words: bool) -> Iterator[Paragraph]:
    """In reading order; none without words.

    A word that was divided between two lines is made whole where `whole_words` says so; else the line break stays behind its hyphen.
    """
    for block in page.blocks:
        for paragraph in paragraphs_of(block):
            lines = tuple(line for line in paragraph if any(map(_word_text, line.words)))
            if lines:
                words = tuple(word for line in lines for word in line.words)
                yield Paragraph(tuple(_logical_lines(lines, whole_words=whole_words)), words)


def line_text(line: Line) -> str:
    """The words with what stands between them in their script; empty where there is nothing but white space."""
    words = [found for word in line.words if (found := _word_text(word))]
    return "".join(words[:1]) + "".join(joint(before, after) + after for before, after in pairwise(words))


def _word_text(word: Word) -> str:
    return " ".join(plain(word.text).split())


def _logical_lines(lines: tuple[Line, ...], *, whole_words: bool) -> Iterator[str]:
    placed = _place(lines)
    soft = _soft_breaks(placed)
    text = placed[0].text
    for following, is_soft in zip(placed[1:], soft, strict=True):
        if is_soft and (whole_words or not ends_in_hyphen(text)):
            text = join(text, following.text)
        else:
            yield text
            text = following.text
    yield text


def _place(lines: tuple[Line, ...]) -> list[_Placed]:
    turn_deg = median(angle_deg(line.quad) for line in lines)
    leftward = is_right_to_left(" ".join(line.text for line in lines))
    return [_placed(line, turn_deg, leftward) for line in lines]


def _placed(line: Line, turn_deg: float, leftward: bool) -> _Placed:
    """Text that runs to the left is mirrored: its lines start at the right edge."""
    spans = [along(word.quad, turn_deg) for word in line.words]
    if leftward:
        spans = [(-end, -start) for start, end in spans]
    em = median(_em_px(word) for word in line.words)
    ordered = sorted(spans)
    gap = max((after[0] - before[1] for before, after in pairwise(ordered)), default=0.0)
    start, end = min(span[0] for span in spans), max(span[1] for span in spans)
    in_columns = gap > _GAP_EM * em or bool(_LEADER.search(line.text))
    first = line.words[0].text
    unbreakable = (spans[0][1] - spans[0][0]) / (len(first) if is_spaceless(first) else 1)
    return _Placed(line_text(line), start, end, unbreakable, em, in_columns)


def _em_px(word: Word) -> float:
    """Size of the typeface by the word's height: a word of small letters without ascenders is less high than its neighbours."""
    ascends = not _FLAT.issuperset(word.text)
    descends = not _DESCENDING.isdisjoint(word.text)
    return height_px(word.quad) / (_X_HEIGHT_EM + ascends * _ASCENDER_EM + descends * _DESCENDER_EM)


def _soft_breaks(placed: list[_Placed]) -> list[bool]:
    """For each break between two lines, whether to join them; none where the paragraph is no running text."""
    forced = [_is_forced(placed, index) for index in range(len(placed) - 1)]
    is_running = _has_long_lines(placed) and not _is_verse(placed) and sum(forced) >= _RUNNING_SHARE * len(forced)
    return [is_running and one for one in forced]


def _is_forced(placed: list[_Placed], index: int) -> bool:
    """Whether the line at `index` ends where it does because the next word did not fit."""
    line, following = placed[index], placed[index + 1]
    if line.set_in_columns or following.set_in_columns or starts_item(following.text):
        return False
    if max(line.em, following.em) > _SIZE_RATIO * min(line.em, following.em):
        return False
    return divides_word(line.text, following.text) or not _would_fit(placed, index)


def _would_fit(placed: list[_Placed], index: int) -> bool:
    line, following = placed[index], placed[index + 1]
    around = placed[max(0, index - _NEIGHBOURS) : index + _NEIGHBOURS + 1]
    left, right = min(one.start for one in around), max(one.end for one in around)
    rest, indent, needed = right - line.end, line.start - left, following.unbreakable + line.em / 4
    if min(rest, indent) > _CENTRED_EM * line.em and abs(rest - indent) < _CENTRED_EM * line.em:
        rest += indent  # centred
    elif following.text[:1].islower():
        needed = max(needed, _EASY_SHARE * (right - left))
    return needed <= rest


def _is_verse(placed: list[_Placed]) -> bool:
    """Whether every line starts with a capital or a number, as in verse, lists and forms. One break alone tells nothing."""
    return len(placed) > 2 and not any(_runs_on(line.text[:1]) for line in placed[1:])


def _runs_on(first: str) -> bool:
    """Whether a sentence may run on with this letter: a small one, or one of a script that has no capitals."""
    return first.isalpha() and first == first.lower()


def _has_long_lines(placed: list[_Placed]) -> bool:
    """Whether the lines before the last are as long as lines of running text are."""
    characters = [columns(line.text) for line in placed[:-1]]
    enough = _LONG_LINE_COLUMNS if len(placed) < _FEW_LINES else _SHORT_LINE_COLUMNS
    return sum(characters) >= enough * len(characters)


def starts_item(text: str) -> bool:
    """Whether the text starts like an item of a list."""
    return bool(BULLET.match(text) or NUMBER.match(text))
