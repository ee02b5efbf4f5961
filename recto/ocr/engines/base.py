"""What every engine promises, and what they share: the check of languages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from recto.errors import LanguageNotInstalled, PageTooLarge
from recto.ocr.page import MAX_SIDE_PX

if TYPE_CHECKING:
    from recto.ocr.engines.osd import Script
    from recto.ocr.page import Block, GreyArray, Traineddata, Word


class Engine(Protocol):
    """Reads text from grey pixels. One instance serves one process and one call at a time."""

    @property
    def name(self) -> str:
        """Short and stable, as in the settings: 'pytesseract'."""

    def version(self) -> str:
        """Version of the Tesseract behind it, e.g. '5.3.0'. EngineMissing where there is none."""

    def languages(self) -> frozenset[str]:
        """Installed languages by Tesseract's names, such as 'deu' or 'script/Latin'; without 'osd' and 'equ', which hold no text."""

    def recognise(self, pixels: GreyArray, dpi: int, languages: tuple[str, ...]) -> tuple[Block, ...]:
        """Blocks in reading order, in pixels of the given array; empty where the page is blank.

        `pixels` has shape (height, width), dtype uint8, dark text on light. `dpi` is the resolution to assume. A word has its text, a
        confidence from 0 to 1, its upright box and its quad; a line its paragraph's number and, where it is upright, its baseline.
        Blocks without words (pictures, rules) are left out. Raises LanguageNotInstalled, EngineMissing, PageTooLarge, or
        PageUnreadable where Tesseract gave up.
        """

    def recognise_line(self, pixels: GreyArray, dpi: int, languages: tuple[str, ...]) -> tuple[Word, ...]:
        """The words of a picture that is known to hold one level line, however short.

        There is no layout analysis, which takes a single digit for noise, and a blank picture for blank: that yields nothing, or letters of a
        confidence near 0. Otherwise as `recognise`.
        """

    def detect_script(self, pixels: GreyArray, dpi: int) -> Script | None:
        """Script and orientation by OSD; None where the page has too few characters for it or the data `osd` are not installed.

        Often wrong on noise and on short or numeric text. Takes `pixels` and `dpi` as `recognise` does, and raises the same errors.
        """

    def traineddata(self, languages: tuple[str, ...]) -> tuple[Traineddata, ...]:
        """The data that `recognise` takes for these languages, in their order. Raises LanguageNotInstalled."""


def require_languages(wanted: tuple[str, ...], installed: frozenset[str]) -> None:
    """LanguageNotInstalled, naming what is installed, unless all wanted languages are."""
    missing = [name for name in wanted if name not in installed]
    if missing:
        raise LanguageNotInstalled(
            f"No language data for {', '.join(missing)}. Installed are: {', '.join(sorted(installed)) or 'none'}. "
            "Choose among these, or install Tesseract's data for the language.",
            missing=missing,
            installed=sorted(installed),
        )


def require_size(pixels: GreyArray) -> None:
    """PageTooLarge unless Tesseract takes an array of this shape."""
    if max(pixels.shape) > MAX_SIDE_PX:
        raise PageTooLarge(
            f"The page is {max(pixels.shape)} pixels long; at most {MAX_SIDE_PX} can be read. Cut it into shorter pieces.",
            max_side_px=MAX_SIDE_PX,
        )
