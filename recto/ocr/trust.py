"""Trust: how likely it is that a word was read right, by the engine's confidence, its word list and the word's form.

Logistic regression (Cox 1958) on 112,000 words of 75 pages in five sets, each read in five ways and set by set of equal weight, against what
really stands on the pages. Tesseract's word lists, unpacked, said there which words are listed. `python -m benchmarks.trust` fits the same
model to one reading of each page with the engine's own answer, which gives somewhat other weights, and shows for each set how an estimate
fitted on the other sets compares with the truth: see docs/accuracy.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from recto.ocr.page import words_of
from recto.ocr.scripts import is_european

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from recto.ocr.page import Block, Line, Word

_LEAST_CONFIDENCE: Final = 0.02


@dataclass(frozen=True, slots=True)
class _Weights:
    """Summands of the logit; `confidence` is multiplied by the logit of the confidence, the others count where they hold."""

    constant: float
    confidence: float
    has_digit: float
    is_short: float
    is_sign: float


_WITHOUT_LIST: Final = _Weights(constant=-0.5, confidence=1.19, has_digit=-0.59, is_short=0.09, is_sign=-1.55)
"""Where the engine does not say whether its list has the word."""
_NOT_LISTED: Final = _Weights(constant=-1.86, confidence=1.35, has_digit=0.43, is_short=-0.36, is_sign=-0.45)
_LISTED: Final = _Weights(constant=0.55, confidence=0.97, has_digit=0.43, is_short=-0.36, is_sign=-0.45)


def trust(word: Word) -> float:
    """The probability, 0 to 1, that the word reads as it is printed."""
    confidence = min(max(word.confidence, _LEAST_CONFIDENCE), 1 - _LEAST_CONFIDENCE)
    letters = word.text if word.text.isalpha() else "".join(filter(str.isalnum, word.text))
    has_digit = not letters.isalpha() and any(map(str.isdigit, letters))
    weights = _weights(word.in_dictionary)
    logit = weights.constant + weights.confidence * math.log(confidence / (1 - confidence))
    logit += weights.has_digit * has_digit
    logit += weights.is_short * (0 < len(letters) <= 2 and not has_digit)
    logit += weights.is_sign * (not letters)
    return 1 / (1 + math.exp(-logit))


def line_trust(line: Line) -> float:
    """The mean over the line's characters."""
    return mean_trust(line.words)


def mean_trust(words: Collection[Word]) -> float:
    """The mean over the words' characters; 1 where there are none."""
    characters = sum(len(word.text) for word in words)
    return sum(trust(word) * len(word.text) for word in words) / characters if characters else 1.0


def expected_lead(words: Iterable[Word]) -> float:
    """By how many words the right ones are likely to outnumber the wrong ones: what counts for the better of two readings of a page."""
    return sum(2 * trust(word) - 1 for word in words)


def is_known_script(blocks: Iterable[Block]) -> bool:
    """Whether the estimate holds for the text: it was fitted on Latin letters, and is trusted for Greek and Cyrillic ones as well."""
    return is_european(" ".join(word.text for word in words_of(blocks)))


def _weights(in_dictionary: bool | None) -> _Weights:
    if in_dictionary is None:
        return _WITHOUT_LIST
    return _LISTED if in_dictionary else _NOT_LISTED
