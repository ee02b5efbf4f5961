"""Text that every format can hold: recognised words and PDF text layers may carry characters that break a file."""

import re
from typing import Final

_BREAKS: Final = re.compile("[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")
_FORBIDDEN: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 forbids (production 2, Char), and DEL."""

REPLACEMENT: Final = "\ufffd"


def plain(text: str) -> str:
    """The text on one line: tabs and line ends become spaces, controls, surrogates and non-characters U+FFFD."""
    if text.isprintable():  # most words are, and asking takes a tenth of the time
        return text
    return _FORBIDDEN.sub(REPLACEMENT, _BREAKS.sub(" ", text))


def without_surrogates(text: str) -> str:
    """The text as UTF-8 can hold it: lone surrogates become U+FFFD."""
    return re.sub("[\ud800-\udfff]", REPLACEMENT, text)
