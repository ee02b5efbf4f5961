"""Grain: how far paper strays from its own grey, and the page with even paper.

Noise so slight that it disturbs no reading costs all the same: Tesseract packs each line as PNG, which takes twice as long where no two pixels are
equal, and of grains at the edge of letters it makes points and commas. Of a nearly blank page its one threshold takes the darker paper for ink.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from recto.ocr.preprocessing.ink import halved, paper_window_px

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray

_LONG_SIDE_PX: Final = 1000
_SAMPLED: Final = 4
_LEAST: Final = 0.25
"""Rendered pages have none at all, the cleanest drawn scans 1."""
_PAPER_TO: Final = 3.0
_INK_FROM: Final = 6.0
"""In deviations. Replacing all below one limit, at 4.5, does as well on most pages, but of print that shines through it leaves sharp specks; less darkness
all over, by 2.3 or 3, costs 2 to 3 percent more word errors on faint typewriting."""
_LEAST_DEVIATION: Final = 1.0
_MOST_LEVELLED: Final = 30
"""By so much of 255 at most paper is made lighter or darker: what lies further off is a box or a picture, and greater shadows are for light.py."""


@dataclass(frozen=True, slots=True, eq=False)
class Grain:
    """`paper` is the grey of the paper at each pixel; `deviation` by how much the page strays from it, as a standard deviation, 0 to 255."""

    paper: GreyArray
    deviation: float

    @property
    def is_there(self) -> bool:
        """Whether there is anything to even out."""
        return self.deviation >= _LEAST


def measure_grain(grey: GreyArray) -> Grain:
    """The paper behind the text, whose shadows stay, and how far it strays.

    By what is lighter than most of the paper, since what is darker may be ink. Paper that was scanned as white as can be has nothing lighter, and passes for even.
    """
    paper = _paper_behind(grey)
    off = grey[::_SAMPLED, ::_SAMPLED].astype(np.int16) - paper[::_SAMPLED, ::_SAMPLED]
    counts = np.bincount(off.ravel() + 255, minlength=511).astype(np.float64)
    usual = int(np.argmax(np.convolve(counts, [1, 2, 1], "same"))) - 255
    lighter = counts[usual + 255 :]
    deviation = float(np.sqrt((lighter * np.arange(lighter.size) ** 2).sum() / max(lighter.sum(), 1)))
    # The closing prefers the lighter grains.
    return Grain(np.asarray(cv2.addWeighted(paper, 1.0, paper, 0.0, usual, dst=paper), dtype=np.uint8), deviation)


def without_grain(grey: GreyArray, grain: Grain) -> GreyArray:
    """The page on even paper: what differs from its own by three deviations of the grain or less is gone, what does by six or more differs as before.
    No point moves.

    Firm shrinkage (Gao & Bruce, "WaveShrink with firm shrinkage", 1997) of the difference, so that nothing stands out sharply that did not before.
    """
    nothing, everything = (times * max(grain.deviation, _LEAST_DEVIATION) for times in (_PAPER_TO, _INK_FROM))
    away = np.arange(256)
    steeper = (away - nothing) * everything / (everything - nothing)
    kept = np.round(np.clip(steeper, 0, away)).astype(np.uint8)
    evened = _levelled(grain.paper)
    # In place, since a page may have a hundred megapixels. OpenCV's differences of bytes end at 0 instead of going below.
    away_from_paper = cv2.subtract(grain.paper, grey)
    cv2.subtract(evened, cv2.LUT(away_from_paper, kept, dst=away_from_paper), dst=evened)
    cv2.subtract(grey, grain.paper, dst=away_from_paper)
    cv2.add(evened, cv2.LUT(away_from_paper, kept, dst=away_from_paper), dst=evened)
    return evened


def _levelled(paper: GreyArray) -> GreyArray:
    """As light as the lighter half of it is."""
    greys, usual = np.arange(256), float(np.percentile(paper[::_SAMPLED, ::_SAMPLED], 75))
    level = greys + np.clip(usual - greys, -_MOST_LEVELLED, _MOST_LEVELLED)
    return np.asarray(cv2.LUT(paper, level.astype(np.uint8)), dtype=np.uint8)


def _paper_behind(grey: GreyArray) -> GreyArray:
    """Grey closing (Serra 1982) at a reduced size takes dark strokes away, a blur evens its steps out."""
    height, width = grey.shape
    small = halved(grey, _LONG_SIDE_PX)
    window = paper_window_px(small)
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((window, window), np.uint8))
    box = (window // 2 | 1, window // 2 | 1)
    paper = cv2.blur(cv2.blur(closed, box), box)  # about as a Gaussian, in a tenth of the time
    return np.asarray(cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
