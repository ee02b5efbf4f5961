"""Two lines of running text as one, with a word that was divided between them made whole."""

import re
import unicodedata
from typing import Final

from recto.ocr.scripts import joint

_SOFT: Final = "\u00ad"
_MARKS: Final = "-\u2010\u2e17¬\u00ad"
"""Hyphen-minus, hyphen, the double hyphen of Fraktur, the sign that engines write for a hyphen at a line's end, and the soft hyphen."""
_AMBIGUOUS: Final = "-\u2010"
_DIVIDED: Final = re.compile(rf"(?P<before>\S*?)(?P<head>[^\W\d_][^\W_]*|\d+)(?P<mark>[{_MARKS}])$")
_FIRST_WORD: Final = re.compile(r"[^\W_]+")

_ELLIPTIC: Final = frozenset(
    {"und", "oder", "bzw", "sowie", "bis", "and", "or", "to", "et", "ou", "ed", "nebo", "ani", "til"}
)
"""What follows a hyphen that stands for a part left out: 'Haus- und Gartenarbeit', 'pre- and post-war'."""
_SET_OFF: Final = frozenset({"self", "well", "half", "quasi", "pseudo"})
"""First parts that English sets off with a hyphen more often than a word is divided after them."""
_ATTACHED: Final = frozenset(
    {"il", "ils", "elle", "elles", "on", "nous", "vous", "moi", "toi", "lui", "leur", "être", "même", "mêmes", "là"}
)
"""What French attaches with a hyphen: 'dit-il', 'peut-être'."""
_WHOLE: Final = frozenset({"so-called"})


def join(line: str, following: str) -> str:
    """Both in one. A word is made whole only where the hyphen can hardly be its own: between two pieces of lower case.

    Before a capital or a digit ('Nord-Süd', '1914-1918', 'Anti-Semitism') the hyphen stays and the pieces touch. Where the following
    word is an 'and', there is a space as well.
    """
    divided, first = _divided(line), _FIRST_WORD.match(following)
    if not divided or not first:
        return line + joint(line, following) + following
    if divided["mark"] != _SOFT and first[0].casefold() in _ELLIPTIC:
        return f"{line} {following}"
    if _is_whole_word(divided, first[0]):
        return line[:-1] + following
    return line + following


def ends_in_hyphen(line: str) -> bool:
    """Whether the line's last word has a hyphen at its end, its own or that of a division."""
    return bool(_divided(line))


def divides_word(line: str, following: str) -> bool:
    """Whether a word seems to run on from one line to the other: no list, table or address does that."""
    return bool(_divided(line)) and _is_lower(following[:1])


def _divided(line: str) -> re.Match[str] | None:
    return _DIVIDED.fullmatch(line[line.rfind(" ") + 1 :])


def _is_whole_word(divided: re.Match[str], tail: str) -> bool:
    """Whether head and tail are one word. A mark that nobody writes within a word says so by itself."""
    head, mark = divided["head"], divided["mark"]
    if mark == _SOFT:
        return True
    if head.isdigit() or not _is_lower(head[1:] + tail):
        return False
    if mark not in _AMBIGUOUS:
        return True
    if divided["before"].endswith(tuple(_AMBIGUOUS)):  # mother-in-law
        return False
    head, tail = head.casefold(), tail.casefold()
    if head in _SET_OFF or tail in _ATTACHED or f"{head}-{tail}" in _WHOLE:
        return False
    return len(head) > 1 and len(tail) > 1


def _is_lower(text: str) -> bool:
    return bool(text) and all(unicodedata.category(letter) in ("Ll", "Lo", "Mn", "Mc") for letter in text)
