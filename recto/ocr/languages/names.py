"""Languages by Tesseract's names, by BCP 47 tags, and by the labels of the identifier; scripts by ISO 15924.

Tesseract names most languages by ISO 639-2 ('deu'), scripts in English ('script/Latin', in Debian's packages 'Latin'). langcodes knows
the standard's side (ISO 639, CLDR's likely scripts); the tables here hold only what no standard says.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import langcodes

UNDETERMINED: Final = "und"

SCRIPT_CODES: Final = {
    "Arabic": "Arab",
    "Armenian": "Armn",
    "Bengali": "Beng",
    "Canadian_Aboriginal": "Cans",
    "Cherokee": "Cher",
    "Cyrillic": "Cyrl",
    "Devanagari": "Deva",
    "Ethiopic": "Ethi",
    "Fraktur": "Latf",
    "Georgian": "Geor",
    "Greek": "Grek",
    "Gujarati": "Gujr",
    "Gurmukhi": "Guru",
    "Han": "Hani",
    "HanS": "Hans",
    "HanT": "Hant",
    "Hangul": "Kore",
    "Hebrew": "Hebr",
    "Hiragana": "Jpan",
    "Japanese": "Jpan",
    "Kannada": "Knda",
    "Katakana": "Jpan",
    "Khmer": "Khmr",
    "Korean": "Kore",
    "Lao": "Laoo",
    "Latin": "Latn",
    "Malayalam": "Mlym",
    "Myanmar": "Mymr",
    "Oriya": "Orya",
    "Sinhala": "Sinh",
    "Syriac": "Syrc",
    "Tamil": "Taml",
    "Telugu": "Telu",
    "Thaana": "Thaa",
    "Thai": "Thai",
    "Tibetan": "Tibt",
    "Vietnamese": "Latn",
}
"""ISO 15924 codes of the scripts that OSD and Tesseract's data name."""

_NAMES_OF_CODES: Final = {code: name for name, code in reversed(SCRIPT_CODES.items())} | {
    "Jpan": "Japanese",
    "Kore": "Korean",
}

_READ_BY: Final = {"Hani": frozenset({"Hani", "Hans", "Hant", "Jpan"})}
"""Scripts whose data read a script, where that is not the script's own alone: Chinese and Japanese share the Han characters."""

_TAGS: Final = {
    "Japanese": "ja",
    "Vietnamese": "vi",
    "aze_cyrl": "az-Cyrl",
    "chi_sim": "zh-Hans",
    "chi_tra": "zh-Hant",
    "dan_frak": "da-Latf",
    "deu_frak": "de-Latf",
    "deu_latf": "de-Latf",
    "frk": "de-Latf",
    "ita_old": "it",
    "kat_old": "ka",
    "slk_frak": "sk-Latf",
    "spa_old": "es",
    "srp_latn": "sr-Latn",
    "uzb_cyrl": "uz-Cyrl",
}
"""Names that are no ISO 639 code. (As one, 'frk' would be Frankish.)"""

_SCRIPTS_OF_TAGS: Final = {"grc": "Grek"}
"""CLDR's likely script of Ancient Greek is the Cypriot syllabary."""

_LABELS: Final = {"fil": "tl", "kmr": "ku"}
"""The identifier's labels where they are not the tag's language."""

_DIALECTS: Final = {
    "ary": "ar",
    "arz": "ar",
    "hbo": "he",
    "nb": "no",
    "nn": "no",
    "uzs": "uz",
    "wuu": "zh",
    "yue": "zh",
}
"""Labels whose text is read with the data of another."""


@lru_cache(maxsize=512)
def bcp47(language: str) -> str | None:
    """The tag of what data read: 'deu' is 'de', 'chi_sim' 'zh-Hans', 'Fraktur' 'und-Latf'. None for data that no standard names."""
    name = _plain(language)
    if name in _TAGS:
        return _TAGS[name]
    if name in SCRIPT_CODES:
        return f"{UNDETERMINED}-{SCRIPT_CODES[name]}"
    return langcodes.standardize_tag(name) if name.isalpha() and langcodes.tag_is_valid(name) else None


def only_tag(languages: tuple[str, ...]) -> str | None:
    """The tag of the one language; None where there are several, since nothing says which word is in which."""
    return bcp47(languages[0]) if len(languages) == 1 else None


@lru_cache(maxsize=512)
def script_code(language: str) -> str | None:
    """ISO 15924 code of the script that data read: 'Latn' of 'deu' and of 'script/Latin'. None for data that no standard names."""
    tag = bcp47(language)
    if tag is None:
        return None
    return _SCRIPTS_OF_TAGS.get(tag) or langcodes.get(tag).maximize().script


def script_name(code: str) -> str:
    """The name that OSD has for a script; KeyError for a code that it does not know."""
    return _NAMES_OF_CODES[code]


def languages_of_script(script: str, installed: Iterable[str]) -> tuple[str, ...]:
    """The installed data that read the script with that code, in alphabetical order."""
    read_by = _READ_BY.get(script, frozenset({script}))
    return tuple(sorted(name for name in installed if script_code(name) in read_by))


def reads_whole_script(language: str) -> bool:
    """Whether the data stand for a script ('script/Latin'), not for a language."""
    return _plain(language) in SCRIPT_CODES


def is_variant(language: str) -> bool:
    """Whether the data are for old or vertical text of a language that has data of its own."""
    return language.endswith(("_old", "_vert", "_frak"))


def label_of(language: str) -> str | None:
    """The identifier's label for the language of the data; None for data of a whole script."""
    tag = bcp47(language)
    if tag is None or reads_whole_script(language):
        return None
    primary = tag.partition("-")[0]
    return _LABELS.get(primary, primary)


def folded_label(label: str) -> str:
    """The label whose data read the text: 'no' for Nynorsk 'nn'."""
    return _DIALECTS.get(label, label)


def _plain(language: str) -> str:
    return language.removeprefix("script/").removesuffix("_vert")
