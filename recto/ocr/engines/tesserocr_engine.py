"""Tesseract in this process, through tesserocr. Its wheel brings Tesseract, but no language data: the system's are used."""

from __future__ import annotations

import os
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from recto.errors import EngineMissing, PageUnreadable
from recto.ocr.engines.base import require_languages, require_size
from recto.ocr.engines.hocr import parse_hocr
from recto.ocr.engines.tessdata import find_tessdata, installed_languages

try:
    import tesserocr
except ImportError as error:
    raise EngineMissing(
        "tesserocr is not installed. Install it (pip install tesserocr), or set the engine to pytesseract."
    ) from error

if TYPE_CHECKING:
    from pathlib import Path

    from recto.ocr.page import Block, GreyArray

_MAX_WARM: Final = 4
"""Language sets kept loaded; each takes some 50 to 200 MB."""


class TesserocrEngine:
    """Keeps Tesseract loaded for the language sets used last, so that only the first page of each pays for loading."""

    name: Final = "tesserocr"

    def __init__(self, tessdata: Path | None = None) -> None:
        self._tessdata = find_tessdata(tessdata)
        self._warm: OrderedDict[tuple[str, ...], tesserocr.PyTessBaseAPI] = OrderedDict()

    def version(self) -> str:
        """Of the Tesseract inside the wheel: '5.5.4'."""
        return str(tesserocr.PyTessBaseAPI.Version())

    def languages(self) -> frozenset[str]:
        """See Engine.languages."""
        return installed_languages(self._tessdata)

    def recognise(self, pixels: GreyArray, dpi: int, languages: tuple[str, ...]) -> tuple[Block, ...]:
        """See Engine.recognise."""
        require_languages(languages, self.languages())
        require_size(pixels)
        api = self._api(languages)
        height_px, width_px = pixels.shape
        try:
            api.SetImageBytes(pixels.tobytes(), width_px, height_px, 1, width_px)
            api.SetSourceResolution(dpi)
            hocr = api.GetHOCRText(0)
        except RuntimeError as error:
            raise PageUnreadable(f"Tesseract gave up on the page: {error} Scan the page anew, at 300 dpi.") from error
        finally:
            # Equal pages give equal results, whichever page came before.
            api.ClearAdaptiveClassifier()
            api.Clear()
        return parse_hocr(hocr)

    def _api(self, languages: tuple[str, ...]) -> tesserocr.PyTessBaseAPI:
        if languages in self._warm:
            self._warm.move_to_end(languages)
            return self._warm[languages]
        try:
            api = tesserocr.PyTessBaseAPI(path=f"{self._tessdata}/", lang="+".join(languages), psm=tesserocr.PSM.AUTO)
        except RuntimeError as error:
            raise EngineMissing(
                f"Tesseract cannot load its data for {'+'.join(languages)} in {self._tessdata}. Install them anew."
            ) from error
        api.SetVariable("debug_file", os.devnull)  # its remarks ("Empty page!!") would stand on our standard error
        self._warm[languages] = api
        if len(self._warm) > _MAX_WARM:
            self._warm.popitem(last=False)[1].End()
        return api
