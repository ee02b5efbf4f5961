"""Light: how evenly the paper is lit, and the page as if it were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from recto.ocr.preprocessing.ink import halved, paper_window_px, reduced

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray

_LONG_SIDE_PX: Final = 600
_UNEVEN: Final = 0.12
"""75 pages of five sets lie below 0.09 or above 0.2; those above gain 0.05 to 0.26 of word F1, or lose nothing, the others nothing."""
_SURELY_EVEN: Final = _UNEVEN / 2
"""Below this on the halved page. On 186 pages of seven sets, nine in ten of which are below it, the halved page was off by 0.02 at most where either is below 0.16."""
_DARKEST: Final = 32
"""Paper darker than this is taken for a picture or a rule, and lit no further: black areas stay black."""
_PAPER: Final = 245.0


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """`paper` is the grey of the paper, reduced to at most 600 pixels; `darkest_share` how much darker its dark fifth is than its lightest.

    `darkest_share` is 0 to 1: 1 less the 20th percentile by the 95th.
    """

    paper: GreyArray
    darkest_share: float

    @property
    def is_uneven(self) -> bool:
        """Whether evening it out is worth while."""
        return self.darkest_share >= _UNEVEN


def is_surely_even(grey: GreyArray) -> bool:
    """Whether a look at the halved page, which takes a quarter of the time, leaves no doubt that the paper is evenly lit."""
    return _light_of(halved(grey, _LONG_SIDE_PX)).darkest_share < _SURELY_EVEN


def measure_light(grey: GreyArray) -> Light:
    """The paper behind the text: grey closing (Serra 1982) at a reduced size takes dark strokes away, a blur evens its steps out."""
    return _light_of(reduced(grey, min(1.0, _LONG_SIDE_PX / max(grey.shape))))


def _light_of(small: GreyArray) -> Light:
    window = paper_window_px(small)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (window, window))
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, disc)
    paper = np.asarray(cv2.GaussianBlur(closed, (0, 0), window / 3), dtype=np.uint8)
    dark, light = np.percentile(paper, [20, 95])
    return Light(paper, float(1 - max(dark, 1) / max(light, 1)))


def evenly_lit(grey: GreyArray, light: Light) -> GreyArray:
    """The page divided by its light: the paper becomes 245, ink keeps its share of it. No point moves.

    Light times reflectance is the model of Barrow & Tenenbaum, "Recovering intrinsic scene characteristics from images" (1978).
    """
    height, width = grey.shape
    paper = cv2.resize(np.maximum(light.paper, _DARKEST), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.divide(grey, paper, scale=_PAPER), dtype=np.uint8)
