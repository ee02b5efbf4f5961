"""What was done to a page, in sentences for people. Imports no OpenCV: the pages of the Backend show them."""

from collections.abc import Callable
from typing import Final, TypeAlias

from recto.ocr.options import PREPROCESSING_STEPS
from recto.ocr.page import Step

_Measured: TypeAlias = dict[str, float | str]

_UNITS: Final = {"_px": " px", "_deg": "°", "_dpi": " dpi", "_mm": " mm", "_pt": " pt"}
_PLACE: Final = ("picture_left_px", "picture_top_px")
"""Where on the page the picture begins that alone got the step: see recto/ocr/pictures.py."""


def sentence(step: Step) -> str:
    """What the step did and what it measured, e.g. "Sloping lines levelled by 1.8°."

    A step without words of its own is told by its title and its measurements as they are.
    """
    measured = {name: value for name, value in step.measured.items() if name not in _PLACE}
    try:
        words = _WORDS[step.name](measured)
    except (KeyError, TypeError, ValueError):  # of another version, whose measurements have other names
        words = _title_and_values(step.name, measured)
    words = words[0].upper() + words[1:] + "."
    return f"In a picture on the page: {words}" if len(measured) < len(step.measured) else words


def _title_and_values(name: str, measured: _Measured) -> str:
    title = next((title for step, title in PREPROCESSING_STEPS.items() if step == name), name.replace("_", " "))
    values = ", ".join(_named(key, value) for key, value in measured.items())
    return f"{title} ({values})" if values else title


def _named(key: str, value: float | str) -> str:
    """A measurement by its name and its unit, which is the name's end."""
    unit = next((ending for ending in _UNITS if key.endswith(ending)), "")
    return f"{key.removesuffix(unit).replace('_', ' ')} {_number(value)}{_UNITS.get(unit, '')}"


def _number(value: float | str) -> str:
    """At most three decimals, as few as it needs; a text as it is."""
    return value if isinstance(value, str) else f"{round(value, 3):g}"


def _aspect(measured: _Measured) -> str:
    return f"made the pixels square: they were {_number(measured['pixel_aspect'])} times as high as wide"


def _polarity(_measured: _Measured) -> str:
    return "turned light text on dark into dark text on light"


def _orientation(measured: _Measured) -> str:
    turn_deg = int(measured["turn_deg"])
    how = {90: "a quarter to the left", 180: "half around", 270: "a quarter to the right"}[turn_deg]
    return f"turned the page {how}, so that its text stands upright"


def _contrast(measured: _Measured) -> str:
    return f"took faint marks for paper: {round(100 * float(measured['faint_share']))} % of all marks were faint, and the page reads better so"


def _paper(measured: _Measured) -> str:
    return f"made the paper white around {_number(measured['letters'])} marks that stand in rows: at first nothing had been read"


def _text_size(measured: _Measured) -> str:
    factor, letter = float(measured["factor"]), _number(measured["letter_px"])
    if factor > 1:
        return f"enlarged {_number(factor)} times: letters were only {letter} px high"
    return f"reduced to {_number(100 * factor)} %: letters were {letter} px high"


def _deskew(measured: _Measured) -> str:
    angle_deg = float(measured["angle_deg"])
    slope = "rose" if angle_deg > 0 else "fell"
    return f"levelled by {_number(abs(angle_deg))}°: the lines {slope} to the right"


def _language(measured: _Measured) -> str:
    found = str(measured["languages"]).replace("+", ", ")
    sure = f"found out the languages: {found} ({round(100 * float(measured['confidence']))} % of the letters looked at)"
    return (
        f"{sure}; most is in {measured['not_installed']}, which is not installed"
        if "not_installed" in measured
        else sure
    )


_WORDS: Final[dict[str, Callable[[_Measured], str]]] = {
    "aspect": _aspect,
    "polarity": _polarity,
    "orientation": _orientation,
    "paper": _paper,
    "text_size": _text_size,
    "deskew": _deskew,
    "contrast": _contrast,
    "language": _language,
}
