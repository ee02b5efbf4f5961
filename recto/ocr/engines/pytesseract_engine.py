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
from recto.ocr.engines.tessdata import find_tessdata, installed_languages

if TYPE_CHECKING:
    from recto.ocr.page import Block, GreyArray

_WRAPPER: Final = Path(__file__).with_name("tesseract_of_parent.sh")


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
        require_languages(languages, self.languages())
        require_size(pixels)
        image = Image.fromarray(pixels)
        # pytesseract writes what it is given in the image's own format: plain PGM is exact and costs no compression.
        image.format = "PPM"
        config = f"--dpi {dpi} --tessdata-dir {shlex.quote(str(self._tessdata))}"
        try:
            hocr = pytesseract.image_to_pdf_or_hocr(image, lang="+".join(languages), config=config, extension="hocr")
        except pytesseract.TesseractError as error:
            raise PageUnreadable(
                f"Tesseract gave up on the page (status {error.status}): {error.message[-300:]}. Scan the page anew, at 300 dpi."
            ) from error
        except FileNotFoundError as error:  # status 0, yet no output
            raise PageUnreadable(
                "Tesseract ended without an answer. Try again; if it happens again, scan the page anew."
            ) from error
        return parse_hocr(hocr.decode("utf-8"))


def tesseract_command() -> str:
    """The wrapper that makes `tesseract` die with this process, or `tesseract` itself where the wrapper may not be executed."""
    return str(_WRAPPER) if os.access(_WRAPPER, os.X_OK) else "tesseract"
