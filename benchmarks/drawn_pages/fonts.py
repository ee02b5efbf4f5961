"""Fonts by file name."""

from functools import cache
from typing import Final

from PIL import ImageFont

FALLBACKS: Final = {"Mono": "DejaVuSansMono.ttf", "Serif": "DejaVuSerif.ttf"}
FALLBACK: Final = "DejaVuSans.ttf"


@cache
def font(name: str, size_px: int) -> ImageFont.FreeTypeFont:
    """The font of that file name, or DejaVu of the same kind where it is not installed; OSError if neither is."""
    try:
        return ImageFont.truetype(f"{name}.ttf", size_px)
    except OSError:
        return ImageFont.truetype(next((file for kind, file in FALLBACKS.items() if kind in name), FALLBACK), size_px)
