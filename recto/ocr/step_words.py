"""What was done to a page, in sentences for people. Imports no OpenCV: the pages of the Backend show them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from recto.ocr.options import PREPROCESSING_STEPS
from recto.ocr.page import Step

_Measured: TypeAlias = dict[str, float | str]

SENTENCES: Final = {
    "aspect": "Made the pixels square: they were %(times)s times as high as wide.",
    "polarity": "Turned light text on dark into dark text on light.",
    "to_the_left": "Turned the page a quarter to the left, so that its text stands upright.",
    "half_around": "Turned the page half around, so that its text stands upright.",
    "to_the_right": "Turned the page a quarter to the right, so that its text stands upright.",
    "contrast": "Took faint marks for paper: %(percent)s %% of all marks were faint, and the page reads better so.",
    "paper": "Made the paper white around %(marks)s marks that stand in rows: at first nothing had been read.",
    "enlarged": "Enlarged %(times)s times: letters were only %(letter)s px high.",
    "reduced": "Reduced to %(percent)s %%: letters were %(letter)s px high.",
    "rising": "Levelled by %(angle)s°: the lines rose to the right.",
    "falling": "Levelled by %(angle)s°: the lines fell to the right.",
    "language": "Found out the languages: %(languages)s (%(percent)s %% of the letters looked at).",
    "language_missing": "Found out the languages: %(languages)s (%(percent)s %% of the letters looked at); "
    "most is in %(missing)s, which is not installed.",
}
"""Whole sentences, so that they can be translated, with gaps for what was measured."""

_TURNS: Final = {90: "to_the_left", 180: "half_around", 270: "to_the_right"}
_UNITS: Final = {"_px": " px", "_deg": "°", "_dpi": " dpi", "_mm": " mm", "_pt": " pt"}
_PLACE: Final = ("picture_left_px", "picture_top_px")
"""Where on the page the picture begins that alone got the step: see recto/ocr/pictures.py."""


@dataclass(frozen=True, slots=True)
class Told:
    """A step in words: one of SENTENCES and what goes into its gaps; or, of a step without one, its title, and its measurements by their names."""

    words: str
    values: _Measured = field(default_factory=dict)
    named: _Measured = field(default_factory=dict)
    is_of_picture: bool = False

    @property
    def sentence(self) -> str:
        """In English. A step without words of its own is told by its title and its measurements as they are."""
        gaps = {name: _number(value) for name, value in self.values.items()}
        words = self.words % gaps if gaps else self.words
        named = ", ".join(_named(key, value) for key, value in self.named.items())
        words = words[0].upper() + words[1:] + (f" ({named})" if named else "") + ("" if words.endswith(".") else ".")
        return f"In a picture on the page: {words}" if self.is_of_picture else words


def told(step: Step) -> Told:
    """The words for a step, of whatever version of Recto."""
    measured = {name: value for name, value in step.measured.items() if name not in _PLACE}
    is_of_picture = len(measured) < len(step.measured)
    try:
        key, values = _WORDS[step.name](measured)
    except (KeyError, TypeError, ValueError):  # of another version, whose measurements have other names
        title = next(
            (title for name, title in PREPROCESSING_STEPS.items() if name == step.name), step.name.replace("_", " ")
        )
        return Told(title, named=measured, is_of_picture=is_of_picture)
    return Told(SENTENCES[key], values, is_of_picture=is_of_picture)


def sentence(step: Step) -> str:
    """What the step did and what it measured, e.g. "Levelled by 1.8°: the lines rose to the right." """
    return told(step).sentence


def _named(key: str, value: float | str) -> str:
    """A measurement by its name and its unit, which is the name's end."""
    unit = next((ending for ending in _UNITS if key.endswith(ending)), "")
    return f"{key.removesuffix(unit).replace('_', ' ')} {_number(value)}{_UNITS.get(unit, '')}"


def _number(value: float | str) -> str:
    """At most three decimals, as few as it needs; a text as it is."""
    return value if isinstance(value, str) else f"{round(value, 3):g}"


def _aspect(measured: _Measured) -> tuple[str, _Measured]:
    return "aspect", {"times": measured["pixel_aspect"]}


def _polarity(_measured: _Measured) -> tuple[str, _Measured]:
    return "polarity", {}


def _orientation(measured: _Measured) -> tuple[str, _Measured]:
    return _TURNS[int(measured["turn_deg"])], {}


def _contrast(measured: _Measured) -> tuple[str, _Measured]:
    return "contrast", {"percent": _percent(measured["faint_share"])}


def _paper(measured: _Measured) -> tuple[str, _Measured]:
    return "paper", {"marks": measured["letters"]}


def _text_size(measured: _Measured) -> tuple[str, _Measured]:
    factor, letter = float(measured["factor"]), measured["letter_px"]
    if factor > 1:
        return "enlarged", {"times": factor, "letter": letter}
    return "reduced", {"percent": 100 * factor, "letter": letter}


def _deskew(measured: _Measured) -> tuple[str, _Measured]:
    angle_deg = float(measured["angle_deg"])
    return "rising" if angle_deg > 0 else "falling", {"angle": abs(angle_deg)}


def _language(measured: _Measured) -> tuple[str, _Measured]:
    values: _Measured = {
        "languages": str(measured["languages"]).replace("+", ", "),
        "percent": _percent(measured["confidence"]),
    }
    if "not_installed" in measured:
        return "language_missing", values | {"missing": measured["not_installed"]}
    return "language", values


def _percent(share: float | str) -> int:
    return round(100 * float(share))


_WORDS: Final[dict[str, Callable[[_Measured], tuple[str, _Measured]]]] = {
    "aspect": _aspect,
    "polarity": _polarity,
    "orientation": _orientation,
    "paper": _paper,
    "text_size": _text_size,
    "deskew": _deskew,
    "contrast": _contrast,
    "language": _language,
}
