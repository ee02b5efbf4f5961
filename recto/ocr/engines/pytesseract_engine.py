"""Tesseract as a command, through pytesseract: slower than in process, but what any system packages."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytesseract
from PIL import Image

from recto.errors import EngineMissing, PageUnreadable
from recto.ocr.engines.base import require_languages, require_size
from recto.ocr.engines.hocr import parse_hocr
from recto.ocr.engines.osd import OSD, osd_view, parse_osd
from recto.ocr.engines.tessdata import checksums, data_file, find_tessdata, installed_languages
from recto.ocr.page import words_of

if TYPE_CHECKING:
    from recto.ocr.engines.osd import Script
    from recto.ocr.page import Block, GreyArray, Traineddata, Word

_WRAPPER: Final = Path(__file__).with_name("tesseract_of_parent.sh")
_SINGLE_LINE: Final = 7
"""Tesseract's number of the page segmentation mode."""


class PytesseractEngine:
    """Starts one `tesseract` process a page; it dies with this process."""

    name: Final = "pytesseract"

    def __init__(self, tessdata: Path | None = None) -> None:
        if not shutil.which("tesseract"):
            raise EngineMissing(
                "There is no command `tesseract`. Install it (Debian: apt install tesseract-ocr tesseract-ocr-eng)."
            )
        self._tessdata = find_tessdata(tessdata)
        self._version: str | None = None
        pytesseract.pytesseract.tesseract_cmd = tesseract_command()

    def version(self) -> str:
        """First line of `tesseract --version`, without the name: '5.3.0'."""
        if self._version is None:  # asked for with every page: one process, not two
            answer = subprocess.run(["tesseract", "--version"], capture_output=True, check=True, text=True, timeout=30)
            self._version = answer.stdout.partition("\n")[0].removeprefix("tesseract ").strip()
        return self._version

    def languages(self) -> frozenset[str]:
        """See Engine.languages."""
        return installed_languages(self._tessdata)

    def recognise(self, pixels: GreyArray, dpi: int, languages: tuple[str, ...]) -> tuple[Block, ...]:
        """See Engine.recognise."""
        return self._blocks(pixels, languages, self._config(dpi))

    def recognise_line(self, pixels: GreyArray, dpi: int, languages: tuple[str, ...]) -> tuple[Word, ...]:
        """See Engine.recognise_line."""
        return tuple(words_of(self._blocks(pixels, languages, f"{self._config(dpi)} --psm {_SINGLE_LINE}")))

    def detect_script(self, pixels: GreyArray, dpi: int) -> Script | None:
        """See Engine.detect_script."""
        require_size(pixels)
        if not data_file(self._tessdata, OSD).exists():
            return None
        view, view_dpi = osd_view(pixels, dpi)
        try:
            answer = pytesseract.image_to_osd(_image(view), config=self._config(view_dpi))
        except pytesseract.TesseractError as error:
            if "Too few characters" in error.message:
                return None
            raise _gave_up(error) from error
        return parse_osd(answer)

    def traineddata(self, languages: tuple[str, ...]) -> tuple[Traineddata, ...]:
        """See Engine.traineddata."""
        require_languages(languages, self.languages())
        return checksums(self._tessdata, languages)

    def _blocks(self, pixels: GreyArray, languages: tuple[str, ...], config: str) -> tuple[Block, ...]:
        require_languages(languages, self.languages())
        require_size(pixels)
        try:
            hocr = pytesseract.image_to_pdf_or_hocr(
                _image(pixels), lang="+".join(languages), config=config, extension="hocr"
            )
        except pytesseract.TesseractError as error:
            raise _gave_up(error) from error
        except FileNotFoundError as error:  # status 0, yet no output
            raise PageUnreadable(
                "Tesseract ended without an answer. Try again; if it happens again, scan the page anew."
            ) from error
        return parse_hocr(hocr.decode("utf-8"))

    def _config(self, dpi: int) -> str:
        return f"--dpi {dpi} --tessdata-dir {shlex.quote(str(self._tessdata))}"


def tesseract_command() -> str:
    """The wrapper that makes `tesseract` die with this process, or `tesseract` itself where the wrapper may not be executed."""
    return str(_WRAPPER) if os.access(_WRAPPER, os.X_OK) else "tesseract"


def _image(pixels: GreyArray) -> Image.Image:
    """pytesseract writes what it is given in the image's own format: plain PGM is exact and costs no compression."""
    image = Image.fromarray(pixels)
    image.format = "PPM"
    return image


def _gave_up(error: pytesseract.TesseractError) -> PageUnreadable:
    return PageUnreadable(
        f"Tesseract gave up on the page (status {error.status}): {error.message[-300:]}. Scan the page anew, at 300 dpi."
    )
