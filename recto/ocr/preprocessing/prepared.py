"""A page on its way to the engine: its pixels, how they map to the original, and the steps taken so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from recto.ocr.preprocessing.transform import IDENTITY, Transform

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray, Step


Observer: TypeAlias = Callable[["Preprocessed"], None]
"""Sees a page after each of its steps, and keeps of it what it wants: nobody else does."""


@dataclass(frozen=True, slots=True)
class Preprocessed:
    """A page as the engine sees it: dark text on light.

    `transform` maps points of the original onto `pixels`. `original_dpi` is what the original is taken to have, `dpi` what `pixels`
    then have. `suspected_text_angle_deg` is by how much the text of `pixels` still seems to be turned: see orientation.py.
    `observer` is shown the page after each step. `before_grain` is the page as it was before its paper was made even, where it was.
    """

    pixels: GreyArray
    transform: Transform
    original_dpi: float
    dpi: float
    steps: tuple[Step, ...] = ()
    suspected_text_angle_deg: int = 0
    observer: Observer | None = None
    before_grain: Preprocessed | None = None

    def after(self, step: Step, pixels: GreyArray, transform: Transform = IDENTITY, **changes: Any) -> Preprocessed:
        """The page after one more step, which moved points by `transform`; without one they stay where they are."""
        moved, steps = transform @ self.transform, (*self.steps, step)
        prepared = replace(self, pixels=pixels, transform=moved, steps=steps, **changes)
        if self.observer:
            self.observer(prepared)
        return prepared
