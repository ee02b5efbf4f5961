"""The resolution that an image file states, where it can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL import Image

_SAME: Final = 0.05
"""Resolutions across and down that differ by no more than this are one: faxes in fine mode have 204 and 196."""

_STRETCHED: Final = (1.5, 2.5)
"""How much finer one may be than the other: faxes in standard mode have 204 across and 98 down, or 200 and 100 (ITU-T T.4)."""

_SLIM: Final = 2.2
"""Long side by short side of a sheet: 1.41 for A4, 1.65 for legal, 2.1 for a third of A4 across."""


def page_resolution(image: Image.Image, *, is_on_side: bool) -> tuple[float | None, float]:
    """What `trusted_resolution` says of the upright page; `is_on_side` where the picture is stored turned by a quarter."""
    given, (width_px, height_px) = image.info.get("dpi"), image.size
    try:
        across, down = (float(value) for value in given) if given else (0.0, 0.0)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None, 1.0
    if is_on_side:
        across, down = down, across
        if image.format != "TIFF":  # whose size Pillow gives as it will be
            width_px, height_px = height_px, width_px
    return trusted_resolution(across, down, width_px, height_px)


def trusted_resolution(across: float, down: float, width_px: int, height_px: int) -> tuple[float | None, float]:
    """The dpi of a page, the finer one where they differ, and the height of a pixel by its width. (None, 1) where they cannot be true.

    Pixels that are not square are believed only where they make the page no slimmer than sheets are, or than it is without them.
    """
    if not (across > 0 and down > 0):
        return None, 1.0
    finer, aspect = max(across, down), across / down
    if not is_plausible_dpi(finer, width_px, height_px):
        return None, 1.0
    if abs(aspect - 1) <= _SAME:
        return finer, 1.0
    least, most = _STRETCHED
    slimness = _slimness(width_px, height_px * aspect)
    if least <= max(aspect, 1 / aspect) <= most and slimness <= max(_SLIM, _slimness(width_px, height_px)):
        return finer, aspect
    return None, 1.0


def is_plausible_dpi(dpi: float, width_px: int, height_px: int) -> bool:
    """Whether a resolution can be that of a scanned page of this size.

    72 and 96 are what programs write that know nothing; scanners give 100 to 1,200. And the page it implies has a long side of 50 mm
    (a card) to 1.5 m (a poster).
    """
    if not 99 <= dpi <= 1201:  # PNG counts per metre: 100 dpi is 99.9998
        return False
    return 2 <= max(width_px, height_px) / dpi <= 60


def _slimness(width: float, height: float) -> float:
    return max(width, height) / min(width, height)
