"""A page on its way to the engine: its pixels, how they map to the original, and the steps taken so far."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from recto.ocr.preprocessing.transform import IDENTITY, Transform

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray, Step


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
    steps: tuple[Step, ...] = ()
    suspected_text_angle_deg: int = 0

    def after(self, step: Step, pixels: GreyArray, transform: Transform = IDENTITY, **changes: Any) -> Preprocessed:
        """The page after one more step, which moved points by `transform`; without one they stay where they are."""
        return replace(self, pixels=pixels, transform=transform @ self.transform, steps=(*self.steps, step), **changes)
