"""What a page is measured for, and which steps it gets, in this order: aspect, polarity, orientation, text size, deskew.

Everything else is measured on square pixels, and polarity comes next, since letters are dark in every other measurement. Text is
scaled before it is levelled: turning by a few degrees blurs larger letters less. A step is taken only where its measurement is clear: no step is good for every page, so the page stays as it is when
in doubt.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from recto.ocr.options import EVERY_STEP, StepChoice
from recto.ocr.page import MAX_SIDE_PX, PageImage, Step
from recto.ocr.preprocessing.aspect import squared
from recto.ocr.preprocessing.ink import find_letters
from recto.ocr.preprocessing.orientation import quarter_turned, suspected_text_angle_deg
from recto.ocr.preprocessing.polarity import inverted, is_inverted
from recto.ocr.preprocessing.prepared import Observer, Preprocessed
from recto.ocr.preprocessing.skew import Skew, deskewed, measure_skew
from recto.ocr.preprocessing.text_size import TextSize, measure_text_size, scale_for, scaled
from recto.ocr.preprocessing.transform import IDENTITY

_MIN_SKEW_DEG: Final = 0.3
_MIN_CLARITY: Final = 2.0
"""Points without any lines reach 1.3, pages of text 2.2 to 45."""
_MAX_SCALED_PX: Final = 40_000_000
_USUAL_DPI: Final = 300.0
_DPI_PER_LETTER_PX: Final = 12.0
"""Ten-point print at 300 dpi has letters of about 25 pixels (see TextSize)."""


def preprocess(
    page: PageImage, choice: StepChoice = EVERY_STEP, turn_deg: int = 0, observer: Observer | None = None
) -> Preprocessed:
    """Measures the page and takes the steps that it asks for and that `choice` allows.

    Turned by quarters it is only as `turn_deg` says, counter-clockwise: whether that is right takes a second opinion. `observer` is shown
    the page after each step.
    """
    dpi = page.dpi or _USUAL_DPI
    prepared = Preprocessed(page.pixels, IDENTITY, dpi, dpi, observer=observer)
    if "aspect" in choice.allowed:
        prepared = _with_aspect(prepared, page.pixel_aspect)
    if "polarity" in choice.allowed:
        prepared = _with_polarity(prepared, "polarity" in choice.wanted)
    if turn_deg:
        prepared = _with_orientation(prepared, turn_deg)
    letters = find_letters(prepared.pixels)
    size = measure_text_size(letters)
    if page.dpi is None:
        dpi = estimated_dpi(size)
        prepared = replace(prepared, original_dpi=dpi, dpi=dpi)
    if "orientation" in choice.allowed:
        prepared = replace(prepared, suspected_text_angle_deg=suspected_text_angle_deg(letters))
    if "text_size" in choice.allowed:
        prepared = _with_text_size(prepared, size)
    if "deskew" in choice.allowed:
        prepared = _with_deskew(prepared, measure_skew(letters), "deskew" in choice.wanted)
    return prepared


def estimated_dpi(size: TextSize | None) -> float:
    """The resolution at which letters of that size are ten-point print, from 70 to 1,200; 300 where there is no telling."""
    if size is None:
        return _USUAL_DPI
    return min(max(round(size.letter_px * _DPI_PER_LETTER_PX, 1), 70.0), 1200.0)


def _with_aspect(prepared: Preprocessed, pixel_aspect: float) -> Preprocessed:
    """Square pixels: the coarser direction grows, so that nothing is lost. Text of half its height is not read."""
    height_px, width_px = prepared.pixels.shape
    if pixel_aspect == 1.0 or max(height_px * pixel_aspect, width_px / pixel_aspect) > MAX_SIDE_PX:
        return prepared
    return prepared.after(
        Step("aspect", {"pixel_aspect": round(pixel_aspect, 3)}), *squared(prepared.pixels, pixel_aspect)
    )


def _with_polarity(prepared: Preprocessed, is_wanted: bool) -> Preprocessed:
    if not (is_wanted or is_inverted(prepared.pixels)):
        return prepared
    return prepared.after(Step("polarity", {}), inverted(prepared.pixels))


def _with_orientation(prepared: Preprocessed, turn_deg: int) -> Preprocessed:
    return prepared.after(
        Step("orientation", {"turn_deg": float(turn_deg)}), *quarter_turned(prepared.pixels, turn_deg)
    )


def _with_text_size(prepared: Preprocessed, size: TextSize | None) -> Preprocessed:
    height_px, width_px = prepared.pixels.shape
    factor = scale_for(size)
    if size is None or factor == 1.0 or factor > _largest_factor(width_px, height_px):
        return prepared
    step = Step("text_size", {"letter_px": round(size.letter_px, 1), "factor": round(factor, 3)})
    return prepared.after(step, *scaled(prepared.pixels, factor), dpi=prepared.dpi * factor)


def _with_deskew(prepared: Preprocessed, skew: Skew | None, is_wanted: bool) -> Preprocessed:
    if skew is None or math.hypot(*prepared.pixels.shape) >= MAX_SIDE_PX:
        return prepared  # the turned page could be longer than the engine takes
    is_clear = skew.clarity >= _MIN_CLARITY and abs(skew.angle_deg) >= _MIN_SKEW_DEG
    if not (is_clear or is_wanted):
        return prepared
    step = Step("deskew", {"angle_deg": round(skew.angle_deg, 2)})
    return prepared.after(step, *deskewed(prepared.pixels, skew.angle_deg))


def _largest_factor(width_px: int, height_px: int) -> float:
    """The factor by which a page of that size grows to the most that memory and the engine are asked to take."""
    return min(math.sqrt(_MAX_SCALED_PX / (width_px * height_px)), MAX_SIDE_PX / max(width_px, height_px))
