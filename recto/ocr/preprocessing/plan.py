"""What a page is measured for, and which steps it gets, in this order: aspect, polarity, orientation, text size, deskew.

Everything else is measured on square pixels, and polarity comes next, since letters are dark in every other measurement. Text is
scaled before it is levelled: turning by a few degrees blurs larger letters less. A step is taken only where its measurement is clear: no step is good for every page, so the page stays as it is when
in doubt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from recto.ocr.page import MAX_SIDE_PX, PageImage, Step
from recto.ocr.preprocessing.aspect import squared
from recto.ocr.preprocessing.ink import find_letters
from recto.ocr.preprocessing.orientation import quarter_turned, suspected_text_angle_deg
from recto.ocr.preprocessing.polarity import inverted, is_inverted
from recto.ocr.preprocessing.skew import deskewed, measure_skew
from recto.ocr.preprocessing.text_size import TextSize, measure_text_size, scale_for, scaled
from recto.ocr.preprocessing.transform import IDENTITY, Transform

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray

_MIN_SKEW_DEG: Final = 0.3
_MIN_CLARITY: Final = 2.0
"""Points without any lines reach 1.3, pages of text 2.2 to 45."""
_MAX_SCALED_PX: Final = 40_000_000
_USUAL_DPI: Final = 300.0
_DPI_PER_LETTER_PX: Final = 12.0
"""Ten-point print at 300 dpi has letters of about 25 pixels (see TextSize)."""


@dataclass(frozen=True, slots=True)
class Preprocessed:
    """A page as the engine sees it: dark text on light.

    `transform` maps points of the original onto `pixels`. `original_dpi` is what the original is taken to have, `dpi` what `pixels`
    then have. `suspected_text_angle_deg` is by how much the text of `pixels` still seems to be turned: see orientation.py.
    """

    pixels: GreyArray
    transform: Transform
    original_dpi: float
    dpi: float
    steps: tuple[Step, ...]
    suspected_text_angle_deg: int = 0


def preprocess(page: PageImage, turn_deg: int = 0) -> Preprocessed:
    """Measures the page and takes the steps that it asks for.

    Turned by quarters it is only as `turn_deg` says, counter-clockwise: whether that is right takes a second opinion.
    """
    dpi = page.dpi or _USUAL_DPI
    prepared = _with_aspect(Preprocessed(page.pixels, IDENTITY, dpi, dpi, ()), page.pixel_aspect)
    prepared = _with_orientation(_with_polarity(prepared), turn_deg)
    letters = find_letters(prepared.pixels)
    size, skew = measure_text_size(letters), measure_skew(letters)
    if page.dpi is None:
        dpi = estimated_dpi(size)
        prepared = replace(prepared, original_dpi=dpi, dpi=dpi)
    prepared = replace(prepared, suspected_text_angle_deg=suspected_text_angle_deg(letters))
    prepared = _with_text_size(prepared, size)
    if skew is None or skew.clarity < _MIN_CLARITY or abs(skew.angle_deg) < _MIN_SKEW_DEG:
        return prepared
    return _with_deskew(prepared, skew.angle_deg)


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
    pixels, transform = squared(prepared.pixels, pixel_aspect)
    step = Step("aspect", {"pixel_aspect": round(pixel_aspect, 3)})
    return replace(prepared, pixels=pixels, transform=transform, steps=(*prepared.steps, step))


def _with_polarity(prepared: Preprocessed) -> Preprocessed:
    if not is_inverted(prepared.pixels):
        return prepared
    return replace(prepared, pixels=inverted(prepared.pixels), steps=(*prepared.steps, Step("polarity", {})))


def _with_orientation(prepared: Preprocessed, turn_deg: int) -> Preprocessed:
    if not turn_deg:
        return prepared
    pixels, transform = quarter_turned(prepared.pixels, turn_deg)
    step = Step("orientation", {"turn_deg": float(turn_deg)})
    return replace(prepared, pixels=pixels, transform=transform @ prepared.transform, steps=(*prepared.steps, step))


def _with_text_size(prepared: Preprocessed, size: TextSize | None) -> Preprocessed:
    height_px, width_px = prepared.pixels.shape
    factor = scale_for(size)
    if size is None or factor == 1.0 or factor > _largest_factor(width_px, height_px):
        return prepared
    pixels, transform = scaled(prepared.pixels, factor)
    step = Step("text_size", {"letter_px": round(size.letter_px, 1), "factor": round(factor, 3)})
    return replace(
        prepared,
        pixels=pixels,
        transform=transform @ prepared.transform,
        dpi=prepared.dpi * factor,
        steps=(*prepared.steps, step),
    )


def _with_deskew(prepared: Preprocessed, angle_deg: float) -> Preprocessed:
    if math.hypot(*prepared.pixels.shape) >= MAX_SIDE_PX:
        return prepared  # the turned page could be longer than the engine takes
    pixels, transform = deskewed(prepared.pixels, angle_deg)
    step = Step("deskew", {"angle_deg": round(angle_deg, 2)})
    return replace(prepared, pixels=pixels, transform=transform @ prepared.transform, steps=(*prepared.steps, step))


def _largest_factor(width_px: int, height_px: int) -> float:
    """The factor by which a page of that size grows to the most that memory and the engine are asked to take."""
    return min(math.sqrt(_MAX_SCALED_PX / (width_px * height_px)), MAX_SIDE_PX / max(width_px, height_px))
