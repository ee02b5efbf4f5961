"""Which languages a text is in, by py3langid, and which script, by Unicode.

py3langid is langid.py (Lui & Baldwin 2012) maintained: naive Bayes over byte n-grams, 140 languages, its model in the package.
Measured against lingua and fastText's lid.176 on noisy readings (docs/languages.md).
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

from recto.ocr.languages.names import SCRIPT_CODES, folded_label

_NO_LANGUAGE: Final = "zxx"
_GROUP_LETTERS: Final = 80
"""Of readings at this length one in a hundred was put down to the wrong language, at half of it one in twenty-five."""

_UNICODE_NAMES: Final = {"CJK": "Han", "CANADIAN": "Canadian_Aboriginal"}
"""First words of Unicode's character names that are not the script's name."""


@lru_cache(maxsize=1)
def _identifier() -> Any:
    """Takes about a second and 120 MB: loaded once a process, when a language is first to be found out."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def label_probabilities(text: str) -> dict[str, float]:
    """The labels' probabilities for a text; they add up to 1 less that of text in no language."""
    found: dict[str, float] = {}
    for label, probability in _identifier().rank(text):
        if label != _NO_LANGUAGE:
            name = folded_label(label)
            found[name] = found.get(name, 0.0) + probability
    return found


def count_letters(text: str) -> int:
    """Letters alone: no digits, marks or punctuation."""
    return sum(map(str.isalpha, text))


def group_lines(lines: Iterable[str]) -> tuple[str, ...]:
    """The lines, joined to groups that are long enough to identify. A short rest joins the last group."""
    groups: list[str] = []
    pending: list[str] = []
    for line in lines:
        pending.append(line)
        if count_letters(" ".join(pending)) >= _GROUP_LETTERS:
            groups.append(" ".join(pending))
            pending = []
    rest = " ".join(pending)
    if groups and count_letters(rest) < _GROUP_LETTERS // 2:
        groups[-1] = f"{groups[-1]} {rest}".rstrip()
    elif count_letters(rest):
        groups.append(rest)
    return tuple(groups)


def letter_shares(groups: Sequence[str], labels: frozenset[str] | None = None) -> dict[str, float]:
    """Each label's share of the letters, from 0 to 1.

    A group counts for its labels by their probabilities, among `labels` alone where they are given.
    """
    shares: dict[str, float] = {}
    total = sum(map(count_letters, groups)) or 1
    for group in groups:
        found = label_probabilities(group)
        wanted = {label: found.get(label, 0.0) for label in labels} if labels is not None else found
        scale = (sum(wanted.values()) or 1.0) if labels is not None else 1.0
        for label, probability in wanted.items():
            shares[label] = shares.get(label, 0.0) + count_letters(group) / total * probability / scale
    return shares


def script_of_text(text: str) -> str | None:
    """Code of the script of most letters; None without letters. Kana make Han characters Japanese."""
    counts: Counter[str] = Counter()
    for letter, number in Counter(filter(str.isalpha, text)).items():
        first = unicodedata.name(letter, "").partition(" ")[0]
        name = _UNICODE_NAMES.get(first, first.capitalize())
        if name in SCRIPT_CODES:
            counts[SCRIPT_CODES[name]] += number
    if not counts:
        return None
    if counts["Jpan"] * 10 > counts["Hani"]:
        counts["Jpan"] += counts.pop("Hani", 0)
    return max(counts, key=lambda code: counts[code])


def chinese_script(text: str) -> str:
    """'Hans' or 'Hant': GB 2312 holds the simplified characters, Big5 the traditional ones, both those that never changed."""
    simplified = sum(_encodes(letter, "gb2312") for letter in text)
    traditional = sum(_encodes(letter, "big5") for letter in text)
    return "Hant" if traditional > simplified else "Hans"


def _encodes(letter: str, encoding: str) -> bool:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
