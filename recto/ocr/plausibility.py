"""Whether text can be meant for a reader, judged by the text alone and without knowing its language.

Fonts without a usable mapping give codes for letters: another alphabet, signs, nothing at all. The main witness is how often letters
follow each other, in any of the languages that are written in Latin, Cyrillic or Greek letters; simple signs stand in for the rest.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal, TypeAlias

Verdict: TypeAlias = Literal["fine", "doubtful", "garbled"]

_GARBLED_SHARE: Final = 0.25
"""Of characters without a letter: a reader can no longer guess what is missing."""

_DOUBTFUL_SHARE: Final = 0.03

_PAIRS: Final = (
    "088888777768878785788677467", "966776576777879664878675466", "472106005631522600532510040", "671416007754414700445510050",
    "782248135734535730543632055", "975666565747768553887654566", "660015411620301600424400010", "871437044644434610544514041",
    "771127001623523600525543040", "865778564577768754777564456", "760037011503525420144520011", "782327023736514710565622050",
    "784358254764755720155625054", "775237132632354650232532041", "982578485864346721267642164", "955566564766668662776674236",
    "570427214623513750734510020", "230003000300100200000600000", "883468355735555732556643165", "873637345746544652367643052",
    "882328237744444720656743454", "865556444656667553666553255", "571127002623404610532310062", "560006000500202500120300040",
    "442105001400010220003300010", "763446444534557540554432004", "673246032603345530223442043",
)  # fmt: skip
"""Row: a letter, column: the one that follows, both of "_abc...z" where _ is the edge of a word. 9 stands for a frequency of about
1/32 among all pairs, and each step down for half as much; 0 for less than 1/11,000. Counted over the translations of free programs into 69
languages, half the mean over the languages and half the third highest, with letters reduced as by `_latin`."""

_USUAL: Final = 6.1
"""The mean of _PAIRS over a long text lies between 6.3 and 7.1, and around 4.3 where the letters of the alphabet were exchanged. Of
languages that are not counted in, Welsh comes lowest, with 5.8: its pages cost a second reading."""

_UNCERTAINTY: Final = 3.0
"""Over the square root of the number of pairs: by how much the mean of a short text may be lower."""

_FEWEST_PAIRS: Final = 12
_FEWEST_PAIRS_FOR_DIRECTION: Final = 120

_LATIN: Final = str.maketrans(
    "абвгдежзийклмнопрстуфхцчшщъыьэюяієґјљњћџђѕαβγδεζηθικλμνξοπρσςτυφχψωøłđðþıəŋ",
    "abvgdezzijklmnoprstufhccssyyjeuaiegjlncddzabgdezhtiklmnxoprsstufhpwolddtien",
) | {ord("ß"): "ss", ord("æ"): "ae", ord("œ"): "oe"}

_ADDRESS = re.compile(r"\S*(://|www\.|@|\.[a-z]{2,4}(/|$)|/\S+/|\\\S+\\)\S*", re.IGNORECASE)
_REPEATED_SIGN = re.compile(r"([^\w\s])(?:\s?\1){2,}")
_MISREAD_UTF8 = re.compile(
    r"[\u00c2\u00c3\u00c5\u00d0\u00d1\u00d8\u00d9][\u0080-\u00bf\u0152-\u017e\u2018-\u2026]|\u00e2\u20ac|\u00e2\u0080"
)
_SIGN_WITHIN = re.compile(r"[^\W\d_][\[\]\\^_{|}~<>=+*%$#!?;\"][^\W\d_]")
_DIGIT_WITHIN = re.compile(r"[^\W\d_]\d+[^\W\d_]")
_CAPITAL_WITHIN = re.compile(
    r"[a-zà-öø-ÿ][A-ZÀ-ÖØ-Þ]+[a-zà-öø-ÿ].*[a-zà-öø-ÿ][A-ZÀ-ÖØ-Þ]|[A-ZÀ-ÖØ-Þ]{2}[a-zà-öø-ÿ]+[A-ZÀ-ÖØ-Þ]"
)
_ONLY_AT_THE_END: Final = frozenset("ךםןףץةى")
"""Hebrew and Arabic letters that no word starts with."""

_WITHOUT_SPACES: Final = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_EAST_ASIAN: Final = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "FULLWIDTH", "HALFWIDTH", "IDEOGRAPHIC")
_SPACED_SCRIPTS: Final = frozenset(("LATIN", "CYRILLIC", "GREEK", "ARABIC", "HEBREW"))


def judge_text(text: str, unmapped_share: float) -> Verdict:
    """What to think of the text of a page. `unmapped_share` (0 to 1) is that of the characters that have no letter.

    `garbled`: so many are missing that the rest is worth nothing. `doubtful`: it may be nonsense; another reading should decide.
    Texts of a few letters pass unless they consist of signs.
    """
    visible = [character for character in text if not character.isspace()]
    if not visible:
        return "garbled" if unmapped_share > _GARBLED_SHARE else "fine"
    missing = max(unmapped_share, sum(map(_is_unusable, visible)) / len(visible))
    if missing > _GARBLED_SHARE or _has_swapped_bytes(visible):
        return "garbled"
    if missing > _DOUBTFUL_SHARE or _is_nonsense(text, visible):
        return "doubtful"
    return "fine"


def agreement(layer_text: str, read_text: str) -> float:
    """The share of words, 0 to 1, that two texts have in common: F1 of the two multisets, without regard to case and punctuation.

    1 where neither has a word. Characters of scripts without spaces count as words.
    """
    one, other = Counter(_plain_words(layer_text)), Counter(_plain_words(read_text))
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 1.0


def _plain_words(text: str) -> Iterator[str]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    for word in _WITHOUT_SPACES.sub(r" \g<0> ", folded).split():
        plain = "".join(character for character in word if unicodedata.category(character)[0] in "LNM")
        if plain:
            yield plain


def _is_nonsense(text: str, visible: list[str]) -> bool:
    words = [word for word in text.split() if not _ADDRESS.fullmatch(word)]
    return (
        _is_soup(text)
        or _has_odd_words(words)
        or _is_spaced_out(words)
        or _has_strange_pairs(words)
        or _is_misread(text, visible)
        or _mixes_scripts(words, visible)
        or _starts_where_words_end(words)
    )


@lru_cache(maxsize=4096)
def _is_unusable(character: str) -> bool:
    return character == "\ufffd" or unicodedata.category(character) in ("Cc", "Co", "Cn", "Cs")


def _has_swapped_bytes(visible: list[str]) -> bool:
    """Latin text whose two-byte codes were read the wrong way round: U+4100 for A."""
    return sum(ord(character) > 0xFF and not ord(character) & 0xFF for character in visible) > len(visible) / 2


def _is_soup(text: str) -> bool:
    """Mostly signs. Leaders and rules, one sign repeated, do not count."""
    kinds = Counter(
        unicodedata.category(character)[0] for character in _REPEATED_SIGN.sub(" ", text) if not character.isspace()
    )
    signs = kinds["P"] + kinds["S"]
    return kinds.total() > 3 and signs > kinds.total() / 2


def _has_odd_words(words: list[str]) -> bool:
    """Signs, digits or capitals in the middle of many words."""
    long = [word for word in words if sum(map(str.isalpha, word)) > 2]
    odd = sum(
        bool(_SIGN_WITHIN.search(word) or _DIGIT_WITHIN.search(word) or _CAPITAL_WITHIN.search(word)) for word in long
    )
    return odd > 2 and odd > 0.3 * len(long)


def _is_spaced_out(words: list[str]) -> bool:
    """L i k e t h i s."""
    lettered = [word for word in words if word[0].isalpha() and _script(word[0]) in _SPACED_SCRIPTS]
    return len(lettered) > 9 and sum(len(word) == 1 for word in lettered) > len(lettered) / 2


def _has_strange_pairs(words: list[str]) -> bool:
    """Letters follow each other as in no language, or as in one that is read from the other end."""
    lettered = [part for word in _without_acronyms(words) for part in re.findall("[a-z]{2,}", _latin(word))]
    forwards, count = _commonness(lettered)
    if count < _FEWEST_PAIRS:
        return False
    if forwards < _USUAL - _UNCERTAINTY / math.sqrt(count):
        return True
    return count >= _FEWEST_PAIRS_FOR_DIRECTION and forwards < _commonness([word[::-1] for word in lettered])[0]


def _without_acronyms(words: list[str]) -> list[str]:
    """All words where capitals prevail; else those that are no acronyms."""
    others = [word for word in words if len(word) > 6 or not word.isupper()]
    return others if 2 * sum(map(len, others)) > sum(map(len, words)) else words


def _commonness(words: list[str]) -> tuple[float, int]:
    """Mean of _PAIRS over the pairs of letters, and their number."""
    total = count = 0
    for word in words:
        letters = [0, *(ord(letter) - 96 for letter in word), 0]
        total += sum(ord(_PAIRS[first][second]) - 48 for first, second in pairwise(letters))
        count += len(word) + 1
    return (total / count if count else 0.0), count


def _latin(word: str) -> str:
    """Lower-case letters without marks; Cyrillic and Greek ones as Latin ones that sound or look like them."""
    plain = word.lower().translate(_LATIN)
    if plain.isascii():
        return plain
    decomposed = unicodedata.normalize("NFD", plain).translate(_LATIN)
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _is_misread(text: str, visible: list[str]) -> bool:
    """UTF-8 read as Latin-1, or letters of another code page: accents on nearly all of them."""
    misread = len(_MISREAD_UTF8.findall(text))
    if misread > (0 if len(visible) < 200 else max(1, 0.002 * len(visible))):
        return True
    latin = [character for character in visible if character.isalpha() and character < "\u0250"]
    return len(latin) > 9 and sum(character > "\x7f" for character in latin) > 0.4 * len(latin)


def _mixes_scripts(words: list[str], visible: list[str]) -> bool:
    """Many words of letters from two alphabets, or a page of letters from five."""
    long = [scripts for word in words if len(scripts := [_script(letter) for letter in word if letter.isalpha()]) > 2]
    mixed = sum(len(_SPACED_SCRIPTS.intersection(scripts)) > 1 for scripts in long)
    if mixed > 2 and mixed > 0.15 * len(long):
        return True
    all_scripts = Counter(_script(character) for character in visible if character.isalpha())
    return sum(count > 0.02 * all_scripts.total() for count in all_scripts.values()) > 4


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    """The first word of its name, which is that of its script: LATIN, ARABIC. What East Asia writes together counts as one."""
    name = unicodedata.name(letter, "").partition(" ")[0]
    return "CJK" if name.startswith(_EAST_ASIAN) else name


def _starts_where_words_end(words: list[str]) -> bool:
    """Words from the wrong end: final letters or marks come first."""
    lettered = [word for word in words if len(word) > 1 and unicodedata.category(word[0])[0] in "LM"]
    wrong = sum(word[0] in _ONLY_AT_THE_END or unicodedata.category(word[0])[0] == "M" for word in lettered)
    return wrong > 1 and wrong > 0.05 * len(lettered)
