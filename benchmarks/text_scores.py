"""How much of a text was read rightly.

CER      edit distance / characters of the truth, all pages together, after NFC and with runs of white space as one space
word F1  F1 over the multiset of words, case and quotation marks folded: blind to reading order, so fair to tables and forms
"""

import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np

FOLDED: Final = str.maketrans("‘’“”„–—ſ", '\'\'"""--s')


@dataclass(frozen=True, slots=True)
class Score:
    """Sums over pages."""

    pages: int = 0
    characters: int = 0
    edits: int = 0
    true_words: int = 0
    read_words: int = 0
    right_words: int = 0
    cpu_s: float = 0.0

    def __add__(self, other: "Score") -> "Score":
        names = self.__slots__
        return Score(*(getattr(self, name) + getattr(other, name) for name in names))

    @property
    def cer(self) -> float:
        """Character error rate."""
        return self.edits / max(1, self.characters)

    @property
    def word_f1(self) -> float:
        """From 0 to 1."""
        return 2 * self.right_words / max(1, self.true_words + self.read_words)

    @property
    def cpu_a_page_s(self) -> float:
        """Seconds, the mean."""
        return self.cpu_s / max(1, self.pages)


def normalised(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def words(text: str) -> Counter[str]:
    return Counter(normalised(text).translate(FOLDED).casefold().split())


def edit_distance(first: str, second: str) -> int:
    """Levenshtein's (1966), a row of the table at a time."""
    columns = np.arange(len(second) + 1)
    target = np.array([ord(character) for character in second])
    row = columns.copy()
    for count, character in enumerate(first, start=1):
        replaced = row[:-1] + (target != ord(character))
        below = np.concatenate([[count], np.minimum(row[1:] + 1, replaced)])
        # An insertion costs one a column: the least so far, each less its column.
        row = np.minimum.accumulate(below - columns) + columns
    return int(row[-1])


def score_page(truth: str, text: str, cpu_s: float) -> Score:
    wanted, found = words(truth), words(text)
    return Score(
        pages=1,
        characters=len(normalised(truth)),
        edits=edit_distance(normalised(truth), normalised(text)),
        true_words=wanted.total(),
        read_words=found.total(),
        right_words=(wanted & found).total(),
        cpu_s=cpu_s,
    )
