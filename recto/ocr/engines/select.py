"""Which engine serves this process."""

from importlib.util import find_spec
from pathlib import Path
from typing import Literal, TypeAlias

from recto.ocr.engines.base import Engine

EngineName: TypeAlias = Literal["auto", "pytesseract", "tesserocr"]


def choose_engine(name: EngineName, tessdata: Path | None = None) -> Engine:
    """The named engine; 'auto' is tesserocr where it is installed, since it takes less CPU a page, and pytesseract elsewhere.

    `tessdata` is the folder of language data; None finds the system's. EngineMissing says what to install.
    """
    if name == "tesserocr" or (name == "auto" and find_spec("tesserocr")):
        # Imported here: an engine that is not asked for need not be installed.
        from recto.ocr.engines.tesserocr_engine import TesserocrEngine

        return TesserocrEngine(tessdata)
    from recto.ocr.engines.pytesseract_engine import PytesseractEngine

    return PytesseractEngine(tessdata)
