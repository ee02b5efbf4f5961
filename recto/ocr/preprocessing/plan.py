"""What a page is measured for, and which steps it gets, in the order of PREPROCESSING_STEPS (options.py).

Everything else is measured on square pixels, and polarity comes next, since letters are dark in every other measurement; specks would be taken
for letters. Perspective cuts away what lies around a sheet as well, so that borders are looked for afterwards. Text is scaled before it is
levelled: turning by a few degrees blurs larger letters less. A step is taken only where its measurement is clear: no step is good for every
page, so the page stays as it is when in doubt.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from recto.ocr.options import EVERY_STEP, StepChoice
from recto.ocr.page import MAX_SIDE_PX, PageImage, Step
from recto.ocr.preprocessing.aspect import squared
from recto.ocr.preprocessing.borders import cropped, measure_borders
from recto.ocr.preprocessing.contrast import Contrast, cleared, measure_contrast
from recto.ocr.preprocessing.curl import flattened, measure_curl
from recto.ocr.preprocessing.grain import measure_grain, without_grain
from recto.ocr.preprocessing.ink import LEAST_CONTRAST, Letters, find_letters, small_of
from recto.ocr.preprocessing.light import evenly_lit, is_surely_even, measure_light
from recto.ocr.preprocessing.noise import measure_noise, smoothed
from recto.ocr.preprocessing.orientation import quarter_turned, suspected_text_angle_deg
from recto.ocr.preprocessing.paper import Rows, find_rows, whitened
from recto.ocr.preprocessing.perspective import Perspective, measure_perspective, rectified
from recto.ocr.preprocessing.polarity import inverted, is_inverted
from recto.ocr.preprocessing.prepared import Observer, Preprocessed
from recto.ocr.preprocessing.skew import Skew, deskewed, measure_skew
from recto.ocr.preprocessing.text_size import (
    MAX_SCALED_PX,
    TextSize,
    largest_factor,
    measure_text_size,
    scale_for,
    scaled,
)
from recto.ocr.preprocessing.transform import IDENTITY

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray

_MIN_SKEW_DEG: Final = 0.3
_MIN_CLARITY: Final = 2.0
"""Points without any lines reach 1.3, pages of text 2.2 to 45."""
_MIN_LETTERS_IN_ROWS: Final = 2
_SIGMAS: Final = 4.0
"""Grain is hardly ever further off than this, in its standard deviations; more than usual is asked of ink from a grain of 15 on, which no scan at hand has."""
_FEW_LETTERS: Final = 30
_USUAL_DPI: Final = 300.0
_DPI_PER_LETTER_PX: Final = 12.0
"""Ten-point print at 300 dpi has letters of about 25 pixels (see TextSize)."""


def preprocess(
    page: PageImage,
    choice: StepChoice = EVERY_STEP,
    turn_deg: int = 0,
    observer: Observer | None = None,
    *,
    is_whitened: bool = False,
    is_cleared: bool = False,
) -> Preprocessed:
    """Measures the page and takes the steps that it asks for and that `choice` allows.

    Turned by quarters, counter-clockwise, given white paper and cleared of faint marks it is only as `turn_deg`, `is_whitened` and `is_cleared`
    say: whether that is right takes a second opinion. `observer` is shown the page after each step.
    """
    dpi = page.dpi or _USUAL_DPI
    prepared, contrast_of_ink = Preprocessed(page.pixels, IDENTITY, dpi, dpi, observer=observer), LEAST_CONTRAST
    if "aspect" in choice.allowed:
        prepared = _with_aspect(prepared, page.pixel_aspect)
    if "polarity" in choice.allowed:
        prepared = _with_polarity(prepared, "polarity" in choice.wanted)
    if "noise" in choice.allowed:
        prepared, contrast_of_ink = _with_noise(prepared, "noise" in choice.wanted)
    if turn_deg:
        prepared = _with_orientation(prepared, turn_deg)
    prepared, letters = _with_sheet(prepared, choice, contrast_of_ink)
    rows = find_rows(prepared.pixels) if is_whitened or "paper" in choice.wanted else None
    letters = rows.letters if rows else letters
    size = measure_text_size(letters, _MIN_LETTERS_IN_ROWS) if rows else measure_text_size(letters)
    if page.dpi is None:
        dpi = estimated_dpi(size)
        prepared = replace(prepared, original_dpi=dpi, dpi=dpi)
    if "orientation" in choice.allowed:
        prepared = replace(prepared, suspected_text_angle_deg=suspected_text_angle_deg(letters))
    # Cheap on the letters that are there; how lines bend only a level page tells.
    may_bend = "curl" in choice.allowed and measure_curl(letters, *reversed(prepared.pixels.shape)) is not None
    if rows:  # levelled as well
        prepared = _with_paper(prepared, rows)
    elif "light" in choice.allowed:
        prepared = _with_light(prepared, "light" in choice.wanted)
    if "text_size" in choice.allowed:
        prepared = _with_text_size(prepared, size)
    if "deskew" in choice.allowed:
        prepared = _with_deskew(prepared, measure_skew(letters), "deskew" in choice.wanted)
    if may_bend:
        prepared = _with_curl(prepared, contrast_of_ink)
    contrast = measure_contrast(prepared.pixels) if is_cleared or "contrast" in choice.wanted else None
    if contrast:
        prepared = _with_contrast(prepared, contrast)
    return _with_even_grain(prepared) if "grain" in choice.allowed else prepared


def cleared_of_doubtful_marks(prepared: Preprocessed) -> Preprocessed | None:
    """The page without its faint marks; None where there are none that may disturb the reading. They are measured as they were before their paper was made even."""
    grainy = prepared.before_grain or prepared
    contrast = measure_contrast(grainy.pixels)
    if contrast is None or not contrast.is_doubtful:
        return None
    cleared_page = _with_contrast(grainy, contrast)
    return _with_even_grain(cleared_page) if prepared.before_grain else cleared_page


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


def _with_noise(prepared: Preprocessed, is_wanted: bool) -> tuple[Preprocessed, int]:
    """And by how much darker than its surroundings ink has to be, of 255, so as to be no grain."""
    noise = measure_noise(prepared.pixels)
    if not (noise.is_disturbing or is_wanted):
        return prepared, LEAST_CONTRAST
    step = Step("noise", {"speck_share": round(noise.speck_share, 4), "grain": round(noise.grain, 1)})
    contrast_of_ink = max(LEAST_CONTRAST, round(_SIGMAS * noise.remaining_grain))
    return prepared.after(step, smoothed(prepared.pixels, noise)), contrast_of_ink


def _with_orientation(prepared: Preprocessed, turn_deg: int) -> Preprocessed:
    return prepared.after(
        Step("orientation", {"turn_deg": float(turn_deg)}), *quarter_turned(prepared.pixels, turn_deg)
    )


def _with_sheet(prepared: Preprocessed, choice: StepChoice, contrast_of_ink: int) -> tuple[Preprocessed, Letters]:
    """The sheet alone and seen from above, and its letters: perspective first, since it cuts away what lies around the sheet as well."""
    letters, small = _letters(prepared.pixels, contrast_of_ink), small_of(prepared.pixels)
    if "perspective" in choice.allowed:
        perspective = measure_perspective(prepared.pixels, letters, small)
        if perspective:
            prepared = _with_perspective(prepared, perspective, scale_for(measure_text_size(letters)))
            letters, small = _letters(prepared.pixels, contrast_of_ink), small_of(prepared.pixels)
    if "borders" in choice.allowed:
        borders = measure_borders(prepared.pixels, letters, small)
        if borders:
            step = Step("borders", {"border_share": round(borders.share, 3)})
            prepared = prepared.after(step, *cropped(prepared.pixels, borders))
            letters = _letters(prepared.pixels, contrast_of_ink)
    return prepared, letters


def _letters(pixels: GreyArray, contrast_of_ink: int) -> Letters:
    """What looks like letters; on a grainy page with hardly any ink only what is surely no grain, which would have the page enlarged."""
    if contrast_of_ink > LEAST_CONTRAST:
        inked = find_letters(pixels, contrast_of_ink)
        if inked.height.size < _FEW_LETTERS:
            return inked
    return find_letters(pixels)


def _with_perspective(prepared: Preprocessed, perspective: Perspective, factor: float) -> Preprocessed:
    """Text that is to grow anyway grows in the same step: small letters that are resampled twice are lost."""
    factor = min(max(factor, 1.0), largest_factor(*prepared.pixels.shape))
    pixels, transform = rectified(prepared.pixels, perspective.corners, factor)
    if max(pixels.shape) > MAX_SIDE_PX or pixels.size > 2 * MAX_SCALED_PX:
        return prepared
    convergence_deg = round(perspective.convergence_deg, 2)
    step = Step("perspective", {"found_by": perspective.found_by, "convergence_deg": convergence_deg})
    return prepared.after(step, pixels, transform, dpi=prepared.dpi * factor)


def _with_light(prepared: Preprocessed, is_wanted: bool) -> Preprocessed:
    if not is_wanted and is_surely_even(prepared.pixels):
        return prepared
    light = measure_light(prepared.pixels)
    if not (light.is_uneven or is_wanted):
        return prepared
    step = Step("light", {"darkest_share": round(light.darkest_share, 2)})
    return prepared.after(step, evenly_lit(prepared.pixels, light))


def _with_paper(prepared: Preprocessed, rows: Rows) -> Preprocessed:
    step = Step("paper", {"letters": float(rows.letters.height.size), "floor": round(rows.floor, 1)})
    return prepared.after(step, whitened(rows))


def _with_curl(prepared: Preprocessed, contrast_of_ink: int) -> Preprocessed:
    curl = measure_curl(_letters(prepared.pixels, contrast_of_ink), *reversed(prepared.pixels.shape))
    if curl is None:
        return prepared
    step = Step("curl", {"amplitude_px": round(curl.amplitude_px, 1), "explained": round(curl.explained, 2)})
    return prepared.after(step, *flattened(prepared.pixels, curl))


def _with_contrast(prepared: Preprocessed, contrast: Contrast) -> Preprocessed:
    step = Step("contrast", {"faint_share": round(contrast.faint_share, 3), "cut": round(contrast.cut, 2)})
    return prepared.after(step, cleared(prepared.pixels, contrast))


def _with_even_grain(prepared: Preprocessed) -> Preprocessed:
    """After every step that moves points, which would give the paper grain again, and that measures faint marks."""
    grain = measure_grain(prepared.pixels)
    if not grain.is_there:
        return prepared
    step = Step("grain", {"deviation": round(grain.deviation, 1)})
    return prepared.after(step, without_grain(prepared.pixels, grain), before_grain=prepared)


def _with_text_size(prepared: Preprocessed, size: TextSize | None) -> Preprocessed:
    factor = scale_for(size)
    if size is None or factor == 1.0 or factor > largest_factor(*prepared.pixels.shape):
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
