"""Which steps a page gets, in this order: polarity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recto.ocr.page import PageImage, Step
from recto.ocr.preprocessing.transform import IDENTITY, Transform

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray


@dataclass(frozen=True, slots=True)
class Preprocessed:
    """A page as the engine sees it. `transform` maps points of the original onto `pixels`; `dpi` is that of `pixels`."""

    pixels: GreyArray
    dpi: float
    original_dpi: float
    transform: Transform
    steps: tuple[Step, ...]


def preprocess(page: PageImage) -> Preprocessed:
    """The page as the engine shall see it."""
    return Preprocessed(page.pixels, page.dpi or 300.0, page.dpi or 300.0, IDENTITY, ())
