"""What people type into the search field, as words to look for; and where those words stand in a text.

All words have to be on a page; "words in quotes" have to follow each other; -word must not be there; wor* begins a word. Everything
else is data: no input is an error of syntax. Letters are compared without case and without marks above or below them.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from recto.errors import OptionInvalid

MOST_CHARACTERS: Final = 200
MOST_TERMS: Final = 20
_LEAST_OF_PREFIX: Final = 2
"""Letters before a `*`: fewer begin nearly every word."""
_TERM: Final = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)"?(?P<star>\*?)|(?P<word>[^\s"]+))')
_QUOTES: Final = str.maketrans("„“”«»", '"""""')
_WORD: Final = re.compile(r"[^\W_](?:[^\W_]|[\u0300-\u036f])*")
"""What FTS5's tokenizer unicode61 takes for a word: letters and digits, with the marks on them."""
_DIVISION: Final = re.compile(r"[-\u2010\u2e17¬\u00ad][ \t]*\r?\n[ \t]*")
"""Between the halves of a word at a line's end: recto/ocr/writers/hyphens.py has the same signs."""
_BEFORE: Final = 60
_LONGEST: Final = 200
"""Characters of a snippet: before its first hit, and altogether."""

Span: TypeAlias = tuple[int, int]
"""Where something begins and ends in a text, in characters (code points), the end exclusive."""


@dataclass(frozen=True, slots=True)
class Term:
    """Words that follow each other. With `is_prefix`, the last one may go on."""

    words: tuple[str, ...]
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Terms that all have to be on a page, at least one, and terms of which none may be."""

    wanted: tuple[Term, ...]
    unwanted: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of a page's text on one line, and where the hits are in it."""

    text: str
    marks: tuple[Span, ...]


class _Words:
    """The words of a text: folded, where each begins and ends, and which of them go on behind a hyphen on the next line."""

    def __init__(self, text: str) -> None:
        found = list(_WORD.finditer(text))
        self.starts = [word.start() for word in found]
        self.ends = [word.end() for word in found]
        self.folded = [_folded(word[0]) for word in found]
        self.places: dict[str, list[int]] = {}
        for place, word in enumerate(self.folded):
            self.places.setdefault(word, []).append(place)
        divisions = {division.start(): division.end() for division in _DIVISION.finditer(text)}
        following = zip(self.ends, self.starts[1:], strict=False)
        self.divided = (
            {place for place, (end, start) in enumerate(following) if divisions.get(end) == start}
            if divisions
            else set()
        )


def parse_query(given: str) -> Query:
    """OptionInvalid where it is too long, or names no word that is to be found."""
    if len(given) > MOST_CHARACTERS:
        raise OptionInvalid(
            f"A search has at most {MOST_CHARACTERS} characters; this one has {len(given)}. Shorten it."
        )
    terms = [found for found in map(_term, _TERM.finditer(given.translate(_QUOTES))) if found[1].words]
    if len(terms) > MOST_TERMS:
        raise OptionInvalid(f"A search has at most {MOST_TERMS} words or phrases. Leave some out.")
    wanted = tuple(term for is_unwanted, term in terms if not is_unwanted)
    if not wanted:
        raise OptionInvalid("Name at least one word that is to be found, without a '-' before it.")
    return Query(wanted, tuple(term for is_unwanted, term in terms if is_unwanted))


def _term(found: re.Match[str]) -> tuple[bool, Term]:
    """Whether it has to be absent, and the term; without words where it has no letter or digit."""
    written = found["word"] if found["word"] is not None else found["phrase"]
    words = tuple(_WORD.findall(written))
    has_star = found["star"] == "*" or (found["word"] or "").endswith("*")
    return bool(found["minus"]), Term(words, bool(words) and has_star and len(words[-1]) >= _LEAST_OF_PREFIX)


def marks(text: str, terms: Iterable[Term]) -> list[Span]:
    """Where the terms stand in the text, in order, none within another. A word may be divided between two lines."""
    words = _Words(text)
    found = {span for term in terms for span in _spans(words, term)}
    return list(_without_overlap(sorted(found)))


def _spans(text: _Words, term: Term) -> Iterator[Span]:
    words = [_folded(word) for word in term.words]
    if len(words) == 1 and term.is_prefix:
        starts = [place for word, found in text.places.items() if word.startswith(words[0]) for place in found]
    else:
        starts = text.places.get(words[0], [])
    for start in {*starts, *text.divided}:
        last = _match(text, start, words, is_prefix=term.is_prefix)
        if last is not None:
            yield text.starts[start], text.ends[last]


def _match(text: _Words, place: int, words: Sequence[str], *, is_prefix: bool) -> int | None:
    """The place of the last of the words that begin at `place`; None where they do not."""
    if place >= len(text.folded):
        return None
    whole = [(text.folded[place], place)]
    if place in text.divided:
        whole.append((text.folded[place] + text.folded[place + 1], place + 1))
    for folded, last in whole:
        is_last = len(words) == 1
        if folded == words[0] or (is_last and is_prefix and folded.startswith(words[0])):
            end = last if is_last else _match(text, last + 1, words[1:], is_prefix=is_prefix)
            if end is not None:
                return end
    return None


def folded_words(text: str) -> list[str]:
    """The words of a text in their order, as they are compared."""
    return [_folded(word) for word in _WORD.findall(text)]


def _folded(word: str) -> str:
    if word.isascii():
        return word.lower()
    letters = unicodedata.normalize("NFD", word.lower())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _without_overlap(spans: Iterable[Span]) -> Iterator[Span]:
    """Those that touch each other by a character become one."""
    pending: Span | None = None
    for start, end in spans:
        if pending and start < pending[1]:
            pending = pending[0], max(end, pending[1])
        else:
            if pending:
                yield pending
            pending = start, end
    if pending:
        yield pending


def snippet(text: str, terms: Iterable[Term]) -> Snippet:
    """The piece of the text with the most hits close together; its beginning where there is none."""
    found = marks(text, terms)
    first = max(found, key=lambda span: (_hits_within(found, span[0]), -span[0]), default=(0, 0))
    start, end = _whole_words(text, max(0, first[0] - _BEFORE), first[0] - _BEFORE + _LONGEST)
    before, after = "… " if text[:start].strip() else "", " …" if text[end:].strip() else ""
    shift = len(before) - start
    piece = before + re.sub(r"\s", " ", text[start:end]) + after
    return Snippet(piece, tuple((a + shift, b + shift) for a, b in found if start <= a and b <= end))


def _hits_within(found: Sequence[Span], start: int) -> int:
    return sum(start <= a and b <= start + _LONGEST - _BEFORE for a, b in found)


def _whole_words(text: str, start: int, end: int) -> Span:
    """The span without the parts of words at its ends, where these are not all that there is."""
    if start > 0 and (gap := re.search(r"\s", text[start : start + _BEFORE])):
        start += gap.end()
    if end < len(text) and (gap := re.search(r"\s(?=\S*\Z)", text[start + _BEFORE : end])):
        end = start + _BEFORE + gap.start()
    return start, min(end, len(text))


def pieces(text: str, spans: Iterable[Span]) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it is one of the spans, which are in order."""
    found, done = [], 0
    for start, end in spans:
        found += [(text[done:start], False), (text[start:end], True)]
        done = end
    return [piece for piece in [*found, (text[done:], False)] if piece[0]]
