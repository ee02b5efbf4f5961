"""Languages found out: the script by OSD, the language by a first reading of a sample and a language identifier.

Only installed languages are chosen, and a Detection says how sure that is. OSD is often wrong on little text and on noise, so a first
reading has to bear it out before it leads away from the Latin script or to an error.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from recto.errors import LanguageNotInstalled
from recto.ocr.languages.identifier import (
    chinese_script,
    count_letters,
    group_lines,
    letter_shares,
    script_of_text,
)
from recto.ocr.languages.names import (
    SCRIPT_CODES,
    is_variant,
    label_of,
    languages_of_script,
    reads_whole_script,
    script_code,
    script_name,
)
from recto.ocr.languages.text_sample import text_sample
from recto.ocr.page import Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from recto.ocr.engines.base import Engine
    from recto.ocr.engines.osd import Script
    from recto.ocr.page import Block, GreyArray

MAX_LANGUAGES: Final = 3
_MIN_SHARE: Final = 0.15
"""Of the letters: a language with less is a quotation, and costs more time than it mends."""

_LATIN: Final = "Latn"
_HAN: Final = "Hani"
_FRAKTUR: Final = "Latf"
_FIRST_READERS: Final = ("eng", "rus", "ara", "hin")
_SURE_WORD: Final = 0.5
_MIN_LETTERS: Final = 20
_READABLE: Final = 0.45
"""Share of the letters in sure words: 0.47 and more on the noisiest pages read, at most 0.42 where Cyrillic was read as Latin."""
_MAIN_SHARE: Final = 0.5
_MAX_READINGS: Final = 3
_CERTAIN_SCRIPT: Final = 1.0
_CERTAIN_ANGLE: Final = 8.0
"""OSD named seven scripts rightly with an angle's confidence of 10 to 36; on noise it stayed below 4, on digits at 7."""
_UPRIGHT_CONFIDENCE: Final = 5.0
_FRAKTUR_GAIN: Final = 0.03
_DOUBTFUL_READING: Final = 0.65
"""Mean confidence: two lines of Hebrew read as Latin had 0.58, and 0.75 as Hebrew. 5 of 75 scans in Latin had less while OSD was not certain."""
_UNEXPECTED_GAIN: Final = 0.1
"""On those five, Hebrew and Arabic data read worse than Latin ones by 0.26 and more."""


@dataclass(frozen=True, slots=True)
class Detection:
    """The languages to read a page with: one to three that are installed, by Tesseract's names, most important first.

    `script` is Tesseract's name ('Latin'), None where it stayed unknown. `confidence`, from 0 to 1, is the share of the sample's letters
    that the identifier gives to these languages; 0 where they are the fallback. `identified` is the identifier's label (ISO 639) of a
    language that most of the text is in and that is not installed.
    """

    languages: tuple[str, ...]
    script: str | None = None
    confidence: float = 0.0
    identified: str | None = None

    @property
    def step(self) -> Step:
        """For Page.preprocessing: what was found out."""
        measured: dict[str, float | str] = {"languages": "+".join(self.languages)}
        measured |= {"script": self.script} if self.script else {}
        measured |= {"not_installed": self.identified} if self.identified else {}
        return Step("language", measured | {"confidence": round(self.confidence, 2)})


@dataclass(frozen=True, slots=True)
class _Reading:
    """A first reading of a sample with data of one script. `groups` are its sure words; the counts are those of all its words."""

    script: str
    readers: tuple[str, ...]
    groups: tuple[str, ...]
    letters: int
    characters: int
    confidence: float

    @property
    def sure_letters(self) -> int:
        return sum(map(count_letters, self.groups))

    @property
    def readable(self) -> bool:
        return self.sure_letters >= max(_MIN_LETTERS, _READABLE * self.letters)


def detect_languages_of_script(
    pixels: GreyArray, dpi: int, script: Script | None, engine: Engine, fallback: tuple[str, ...]
) -> Detection:
    """The languages of a page, taken as Engine.recognise takes it; `fallback` where it has too little text to tell.

    `script` is what Engine.detect_script said of these pixels: whoever asked for the orientation has it already. Raises
    LanguageNotInstalled where nothing is installed that reads the page's script.
    """
    installed = engine.languages()
    sample = text_sample(_upright(pixels, script))
    if sample is None:
        return Detection(fallback)
    expected = _expected_scripts(script, fallback)
    best = _best(_readings(sample, dpi, script, engine, fallback), expected)
    if script and not (best and best.readable):
        _refuse_unread_script(script, best, installed)
    if best is None or best.sure_letters < _MIN_LETTERS:
        return Detection(fallback, script.name if script else None)
    if best.script == _FRAKTUR:
        return Detection(best.readers, script_name(_FRAKTUR), best.confidence)
    found = _identified(best.groups, best.script, installed, fallback)
    return replace(found, script=script.name) if script and not found.confidence else found


def identify_text(text: str, installed: frozenset[str], fallback: tuple[str, ...]) -> Detection:
    """The languages of a text that is there already; `fallback` where it is too short or nothing installed reads its script."""
    script = script_of_text(text)
    groups = group_lines(text.splitlines())
    if script is None or sum(map(count_letters, groups)) < _MIN_LETTERS:
        return Detection(fallback, script_name(script) if script else None)
    return _identified(groups, script, installed, fallback)


def _upright(pixels: GreyArray, script: Script | None) -> GreyArray:
    if script is None or script.text_angle_confidence < _UPRIGHT_CONFIDENCE:
        return pixels
    return np.ascontiguousarray(np.rot90(pixels, -script.text_angle_deg // 90))


def _readings(
    sample: GreyArray, dpi: int, script: Script | None, engine: Engine, fallback: tuple[str, ...]
) -> Iterator[_Reading]:
    """First readings until one is readable, and confident where OSD is not.

    Data for Fraktur read Latin print as well, so theirs waits for the Latin one.
    """
    installed = engine.languages()
    enough = 0.0 if _is_certain(script) else _DOUBTFUL_READING
    for code in _scripts_to_try(script, installed, fallback):
        readers = _first_readers(code, installed, fallback)
        reading = _reading(code, readers, engine.recognise(sample, dpi, readers))
        yield reading
        if reading.readable and reading.confidence >= enough and code != _FRAKTUR:
            return


def _scripts_to_try(script: Script | None, installed: frozenset[str], fallback: tuple[str, ...]) -> list[str]:
    """Codes of scripts that installed data read: the expected ones; all where OSD had nothing to say, or is not certain of it."""
    others = [] if _is_certain(script) else sorted({script_code(name) or "" for name in installed} - {_FRAKTUR})
    codes = dict.fromkeys([*_expected_scripts(script, fallback), *others])
    return [code for code in codes if languages_of_script(code, installed)][:_MAX_READINGS]


def _expected_scripts(script: Script | None, fallback: tuple[str, ...]) -> list[str]:
    """Codes of what OSD said, the fallback's script, and Latin.

    OSD takes noisy Latin for Fraktur, uncertain what is up. Not to believe it spares the slowest of all readings.
    """
    said = [SCRIPT_CODES.get(script.name, "")] if script else []
    if not _is_certain(script) and _FRAKTUR in said:
        said = []
    return [*said, *filter(None, map(script_code, fallback)), _LATIN]


def _is_certain(script: Script | None) -> bool:
    return script is not None and script.text_angle_confidence >= _UPRIGHT_CONFIDENCE


def _first_readers(script: str, installed: frozenset[str], fallback: tuple[str, ...]) -> tuple[str, ...]:
    """What to read a sample with: one language, for Han characters each that writes with them."""
    able = _preferred(languages_of_script(script, installed))
    if script == _HAN:
        return able[:MAX_LANGUAGES]
    ranked = [name for name in (*_FIRST_READERS, *fallback, *able) if name in able]
    return (ranked[0],)


def _preferred(languages: tuple[str, ...]) -> tuple[str, ...]:
    """Without data for old or vertical text, unless there is nothing else."""
    return tuple(name for name in languages if not is_variant(name)) or languages


def _reading(script: str, readers: tuple[str, ...], blocks: tuple[Block, ...]) -> _Reading:
    lines = [line for block in blocks for line in block.lines]
    words = [word for line in lines for word in line.words]
    letters = sum(count_letters(word.text) for word in words)
    weighed = sum(word.confidence * count_letters(word.text) for word in words)
    sure = (
        " ".join(word.text for word in line.words if word.confidence >= _SURE_WORD and count_letters(word.text))
        for line in lines
    )
    characters = sum(len(word.text) for word in words)
    return _Reading(script, readers, group_lines(sure), letters, characters, weighed / letters if letters else 0.0)


def _best(readings: Iterable[_Reading], expected: Sequence[str]) -> _Reading | None:
    """The most confident one; that of Fraktur data, or in a script that is not expected, only where it is clearly the better."""

    def weighed(reading: _Reading) -> float:
        if reading.script == _FRAKTUR:
            return reading.confidence - _FRAKTUR_GAIN
        return reading.confidence - _UNEXPECTED_GAIN * (reading.script not in expected)

    return max(readings, key=weighed, default=None)


def _refuse_unread_script(script: Script, best: _Reading | None, installed: frozenset[str]) -> None:
    """LanguageNotInstalled where OSD is certain of a script that no data read; digits and noise have made it name any."""
    if script.confidence < _CERTAIN_SCRIPT or script.text_angle_confidence < _CERTAIN_ANGLE:
        return
    if best and (best.letters < _MIN_LETTERS or 2 * best.letters < best.characters):
        return
    if languages_of_script(SCRIPT_CODES.get(script.name, ""), installed):
        return
    raise LanguageNotInstalled(
        f"The page is in {script.name} script, and no language data for it are installed. Install Tesseract's data for its language "
        f"or for the script (script/{script.name}), or name the languages of the document instead of auto. "
        f"Installed are: {', '.join(sorted(installed)) or 'none'}.",
        script=script.name,
        installed=sorted(installed),
    )


def _identified(groups: Sequence[str], script: str, installed: frozenset[str], fallback: tuple[str, ...]) -> Detection:
    """The installed languages of the script that the groups are in."""
    name, able = script_name(script), _preferred(languages_of_script(script, installed))
    shares = letter_shares(groups)
    foremost = max(shares, key=lambda label: shares[label])
    by_label = _by_label(able, groups)
    unread = foremost if shares[foremost] >= _MAIN_SHARE and foremost not in by_label else None
    whole = tuple(language for language in able if reads_whole_script(language))[:1]
    if whole and (unread or not by_label):
        return Detection(whole, name, shares[foremost])
    if not by_label:
        return Detection(able[:1] or fallback, name, 0.0, unread)
    chosen = _chosen_labels(shares, letter_shares(groups, frozenset(by_label)))
    confidence = min(1.0, sum(shares.get(label, 0.0) for label in chosen))
    if confidence < _MIN_SHARE and not unread and script_code(fallback[0]) == script:
        return Detection(fallback, name)
    return Detection(tuple(by_label[label] for label in chosen), name, confidence, unread)


def _chosen_labels(shares: dict[str, float], shares_among_installed: dict[str, float]) -> list[str]:
    """The likeliest installed language, then those that a solid share of the letters is in, whatever else it might be."""
    ranked = sorted(shares_among_installed, key=lambda label: -shares_among_installed[label])
    others = [label for label in ranked[1:] if shares.get(label, 0.0) >= _MIN_SHARE]
    return [ranked[0], *others][:MAX_LANGUAGES]


def _by_label(languages: tuple[str, ...], groups: Sequence[str]) -> dict[str, str]:
    """Tesseract's names by the identifier's labels; of data for simplified and traditional Chinese those that the text is in."""
    named = [(label_of(language), language) for language in languages]
    found = {label: language for label, language in reversed(named) if label}
    if {"chi_sim", "chi_tra"} <= set(languages):
        found["zh"] = "chi_tra" if chinese_script("".join(groups)) == "Hant" else "chi_sim"
    return found
