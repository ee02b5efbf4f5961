"""Tesseract in this process, through tesserocr. Its wheel brings Tesseract, but no language data: the system's are used."""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from recto.errors import EngineMissing, PageUnreadable
from recto.ocr.engines.base import require_languages, require_size
from recto.ocr.engines.hocr import parse_hocr, unnamed_angle_deg
from recto.ocr.engines.osd import OSD, osd_view, script_of
from recto.ocr.engines.tessdata import checksums, data_file, find_tessdata, installed_languages
from recto.ocr.layout import quad_of
from recto.ocr.page import Block, Box, Line, Word, words_of

try:
    import tesserocr
    from tesserocr import DIR, RIL, PyResultIterator
except ImportError as error:
    raise EngineMissing(
        "tesserocr is not installed. Install it (pip install tesserocr), or set the engine to pytesseract."
    ) from error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from recto.ocr.engines.osd import Script
    from recto.ocr.page import GreyArray, Point, Traineddata

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
            api.Recognize()
            blocks = _blocks(api.GetIterator())
            if blocks is None:
                return parse_hocr(api.GetHOCRText(0), tuple(_in_dictionary(api.GetIterator())))
            return blocks
        except RuntimeError as error:
            raise PageUnreadable(f"Tesseract gave up on the page: {error} Scan the page anew, at 300 dpi.") from error
        finally:
            # Equal pages give equal results, whichever page came before.
            api.ClearAdaptiveClassifier()
            api.Clear()

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


def _words(place: PyResultIterator | None) -> Iterator[PyResultIterator]:
    """Goes on to each word in turn: one iterator, which stands elsewhere each time."""
    while place is not None:
        if not place.Empty(RIL.WORD):
            yield place
        if not place.Next(RIL.WORD):
            return


def _in_dictionary(page: PyResultIterator | None) -> Iterator[bool]:
    """Of each word that the hOCR of the same page shows, whether Tesseract's word list has it."""
    return (bool(place.WordIsFromDictionary()) for place in _words(page) if place.GetUTF8Text(RIL.WORD).strip())


def _blocks(page: PyResultIterator | None) -> tuple[Block, ...] | None:
    """Blocks with at least one word, as `parse_hocr` makes them of the same page; None where a word does not run from left to right.

    Such a word has its characters as they stand from left to right, of a line of both directions too: hOCR has them as they are read.
    Writing hOCR takes Tesseract a twentieth of what reading takes: for each character it looks for its line's beginning from the page's.
    """
    blocks: list[_Building] = []
    for place in _words(page):
        if place.WordDirection() not in (DIR.LEFT_TO_RIGHT, DIR.NEUTRAL):
            return None
        if place.IsAtBeginningOf(RIL.TEXTLINE):
            if place.IsAtBeginningOf(RIL.BLOCK):
                blocks.append(_Building(_box(place, RIL.BLOCK)))
            blocks[-1].begin_line(place)
        blocks[-1].add_word(place)
    built = (block.built() for block in blocks)
    return tuple(block for block in built if block.lines)


@dataclass(slots=True)
class _Building:
    """A block whose words are being gone through: `lines` are those begun, `words` those of the last of them."""

    box: Box
    paragraph: int = -1
    lines: list[Line] = field(default_factory=list)
    angle_deg: int = 0
    words: list[Word] = field(default_factory=list)

    def begin_line(self, place: PyResultIterator) -> None:
        self.end_line()
        self.paragraph += place.IsAtBeginningOf(RIL.PARA)
        box = _box(place, RIL.TEXTLINE)
        baseline = _baseline(place, box)
        self.angle_deg = 0 if baseline else _text_angle_deg(place, box)
        self.lines.append(Line((), box, quad_of(box, self.angle_deg), self.paragraph, baseline))

    def end_line(self) -> None:
        if self.lines:
            self.lines[-1] = replace(self.lines[-1], words=tuple(self.words))
        self.words = []

    def add_word(self, place: PyResultIterator) -> None:
        text = place.GetUTF8Text(RIL.WORD).strip()
        if text:
            box, percent = _box(place, RIL.WORD), int(place.Confidence(RIL.WORD))
            confidence = min(max(percent / 100, 0.0), 1.0)
            self.words.append(
                Word(text, confidence, box, quad_of(box, self.angle_deg), bool(place.WordIsFromDictionary()))
            )

    def built(self) -> Block:
        self.end_line()
        return Block(tuple(line for line in self.lines if line.words), self.box)


def _box(place: PyResultIterator, level: int) -> Box:
    left, top, right, bottom = place.BoundingBox(level)
    return Box(left, top, right - left, bottom - top)


def _baseline(place: PyResultIterator, box: Box) -> tuple[Point, Point] | None:
    """From the line's left to its right edge; None where it is turned."""
    orientation, *_ = place.Orientation()
    found = place.Baseline(RIL.TEXTLINE)
    if orientation != tesserocr.Orientation.PAGE_UP or found is None:
        return None
    (x1, y1), (x2, y2) = found
    if x1 == x2:
        return None
    slope = (y2 - y1) / (x2 - x1)
    left, right = box.left, box.left + box.width
    return (left, y1 + slope * (left - x1)), (right, y1 + slope * (right - x1))


def _text_angle_deg(place: PyResultIterator, box: Box) -> int:
    """How far text without a baseline is turned, counter-clockwise."""
    orientation, *_ = place.Orientation()
    return int(-90 * orientation % 360) if orientation != tesserocr.Orientation.PAGE_UP else unnamed_angle_deg(box)
