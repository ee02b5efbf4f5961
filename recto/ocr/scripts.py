"""What the characters of a text say of its script: the direction, and whether its words stand apart."""

import re
import unicodedata
from typing import Final

_SPACELESS: Final = re.compile(
    "[\u2e80-\u2fdf\u3000-\u30ff\u31c0-\u31ff\u3200-\u33ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef"
    "\U00020000-\U0003ffff]"
)
"""Han, kana, and their punctuation and full-width forms. Hangul is written with spaces."""


def is_right_to_left(text: str) -> bool:
    """Whether more of the letters belong to a script that runs to the left (Hebrew, Arabic) than to one that runs to the right."""
    if text.isascii():
        return False
    directions = [unicodedata.bidirectional(character) for character in text]
    leftward = sum(direction in ("R", "AL") for direction in directions)
    return leftward > directions.count("L")


def is_european(text: str) -> bool:
    """Whether at least half of the letters are Latin, Greek or Cyrillic; also where there are none."""
    letters = [character for character in text if character.isalpha()]
    return 2 * sum(character < "\u0530" for character in letters) >= len(letters)


def columns(text: str) -> int:
    """How many Latin letters take as much room: two for a Chinese, Japanese or Korean character, one for any other."""
    if text.isascii():
        return len(text)
    return len(text) + sum(unicodedata.east_asian_width(character) in ("W", "F") for character in text)


def is_spaceless(text: str) -> bool:
    """Whether the text starts in Chinese or Japanese: a line of it may end after any character."""
    return bool(_SPACELESS.match(text))


def joint(before: str, after: str) -> str:
    """What stands between two pieces of running text: nothing between Chinese or Japanese characters, else a space."""
    if is_spaceless(before[-1:]) and is_spaceless(after):
        return ""
    return " "
