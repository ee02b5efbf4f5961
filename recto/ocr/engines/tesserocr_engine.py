"""Tesseract in this process, through tesserocr. Its wheel brings Tesseract, but no language data: the system's are used."""

from __future__ import annotations

import os
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from recto.errors import EngineMissing, PageUnreadable
from recto.ocr.engines.base import require_languages, require_size
from recto.ocr.engines.hocr import parse_hocr
from recto.ocr.engines.osd import OSD, osd_view, script_of
from recto.ocr.engines.tessdata import checksums, data_file, find_tessdata, installed_languages
from recto.ocr.page import words_of

try:
    import tesserocr
except ImportError as error:
    raise EngineMissing(
        "tesserocr is not installed. Install it (pip install tesserocr), or set the engine to pytesseract."
    ) from error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from recto.ocr.engines.osd import Script
    from recto.ocr.page import Block, GreyArray, Traineddata, Word

# Leptonica would write its remarks ("box outside rectangle") to our standard error.
tesserocr.set_leptonica_log_level(tesserocr.LeptLogLevel.NONE)

_MAX_WARM: Final = 4
"""Language sets kept loaded; each takes some 50 to 200 MB."""


class TesserocrEngine:
    """Keeps Tesseract loaded for the language sets used last, so that only the first page of each pays for loading."""

    name: Final = "tesserocr"

    def __init__(self, tessdata: Path | None = None) -> None:
        self._tessdata = find_tessdata(tessdata)
        self._osd: tesserocr.PyTessBaseAPI | None = None
        self._warm: OrderedDict[tuple[str, ...], tesserocr.PyTessBaseAPI] = OrderedDict()

    def version(self) -> str:
        """Of the Tesseract inside the wheel: '5.5.4'."""
        return str(tesserocr.PyTessBaseAPI.Version())

    def languages(self) -> frozenset[str]:
        """See Engine.languages."""
        return installed_languages(self._tessdata)

    def recognise(self, pixels: GreyArray, dpi: int, languages: tuple[str, ...]) -> tuple[Block, ...]:
        """See Engine.recognise."""
        return self._blocks(pixels, dpi, languages, tesserocr.PSM.AUTO)

    def recognise_line(self, pixels: GreyArray, dpi: int, languages: tuple[str, ...]) -> tuple[Word, ...]:
        """See Engine.recognise_line."""
        return tuple(words_of(self._blocks(pixels, dpi, languages, tesserocr.PSM.SINGLE_LINE)))

    def detect_script(self, pixels: GreyArray, dpi: int) -> Script | None:
        """See Engine.detect_script."""
        require_size(pixels)
        if not data_file(self._tessdata, OSD).exists():
            return None
        if self._osd is None:
            self._osd = self._load((OSD,), tesserocr.PSM.OSD_ONLY)
        view, view_dpi = osd_view(pixels, dpi)
        height_px, width_px = view.shape
        try:
            self._osd.SetImageBytes(view.tobytes(), width_px, height_px, 1, width_px)
            self._osd.SetSourceResolution(view_dpi)
            found = self._osd.DetectOrientationScript()
        finally:
            self._osd.Clear()
        if found is None:
            return None
        return script_of(found["script_name"], found["script_conf"], found["orient_deg"], found["orient_conf"])

    def traineddata(self, languages: tuple[str, ...]) -> tuple[Traineddata, ...]:
        """See Engine.traineddata."""
        require_languages(languages, self.languages())
        return checksums(self._tessdata, languages)

    def _blocks(self, pixels: GreyArray, dpi: int, languages: tuple[str, ...], mode: int) -> tuple[Block, ...]:
        require_languages(languages, self.languages())
        require_size(pixels)
        api = self._api(languages)
        height_px, width_px = pixels.shape
        api.SetPageSegMode(mode)
        try:
            api.SetImageBytes(pixels.tobytes(), width_px, height_px, 1, width_px)
            api.SetSourceResolution(dpi)
            hocr = api.GetHOCRText(0)
            known = tuple(_in_dictionary(api))
        except RuntimeError as error:
            raise PageUnreadable(f"Tesseract gave up on the page: {error} Scan the page anew, at 300 dpi.") from error
        finally:
            # Equal pages give equal results, whichever page came before.
            api.ClearAdaptiveClassifier()
            api.Clear()
        return parse_hocr(hocr, known)

    def _api(self, languages: tuple[str, ...]) -> tesserocr.PyTessBaseAPI:
        if languages in self._warm:
            self._warm.move_to_end(languages)
            return self._warm[languages]
        api = self._load(languages, tesserocr.PSM.AUTO)
        self._warm[languages] = api
        if len(self._warm) > _MAX_WARM:
            self._warm.popitem(last=False)[1].End()
        return api

    def _load(self, languages: tuple[str, ...], mode: int) -> tesserocr.PyTessBaseAPI:
        try:
            api = tesserocr.PyTessBaseAPI(path=f"{self._tessdata}/", lang="+".join(languages), psm=mode)
        except RuntimeError as error:
            raise EngineMissing(
                f"Tesseract cannot load its data for {'+'.join(languages)} in {self._tessdata}. Install them anew."
            ) from error
        api.SetVariable("debug_file", os.devnull)  # its remarks ("Empty page!!") would stand on our standard error
        return api


def _in_dictionary(api: tesserocr.PyTessBaseAPI) -> Iterator[bool]:
    """Of each word that the hOCR of the same page shows, whether Tesseract's word list has it."""
    words = api.GetIterator()
    while words is not None:
        if not words.Empty(tesserocr.RIL.WORD) and words.GetUTF8Text(tesserocr.RIL.WORD).strip():
            yield bool(words.WordIsFromDictionary())
        if not words.Next(tesserocr.RIL.WORD):
            return
