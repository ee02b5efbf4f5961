"""The order in which characters stand on paper, for scripts written from right to left.

PDF readers take text as it stands on paper, from left to right, and put it into reading order themselves. So a Hebrew or Arabic word
has to be written with its last letter first (Unicode Standard Annex 9, as fpdf2 has it).
"""

import unicodedata
from functools import lru_cache


def has_right_to_left(text: str) -> bool:
    """Whether any character is written from right to left."""
    return not text.isascii() and any(unicodedata.bidirectional(character) in ("R", "AL") for character in text)


@lru_cache(maxsize=4096)
def visual_order(text: str) -> str:
    """The same characters from left to right as they stand on paper."""
    if not has_right_to_left(text):
        return text
    # Loading fpdf2 takes 0.8 s: only those wait for it who need it.
    from fpdf.bidi import BidiParagraph

    return BidiParagraph(text, preserve_bn_chars=True).get_reordered_string()
