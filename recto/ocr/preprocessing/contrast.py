"""Contrast: how dark the marks of a page are, and the page with the faint ones taken for paper.

Faint marks are the other side's print that shines through, or the grain between faded letters. Faint letters look the same, so that whether the
page reads better without them takes a second opinion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from recto.ocr.preprocessing.ink import MAX_LONG_SIDE_PX, darkness_of_marks, paper_of, reduced

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray

_INK_PERCENTILE: Final = 75
_BIN: Final = 0.05
_VALLEY_BINS: Final = 3
_EMPTY_VALLEY: Final = 0.03
"""Marks that shine through are darker or lighter by little: between them and the ink lies a valley, 0.15 wide, with less than this of all marks."""
_LIGHTEST_VALLEY: Final = 0.2
_DARKEST_VALLEY: Final = 0.5
_MIN_FAINT_SHARE: Final = 0.05
_FADED_INK: Final = 130.0
"""Ink of scans of five sets is 98 to 255 darker than the paper, of 255; faded to 45 percent 40 to 120."""
_FADED_CUT: Final = 0.15
_SHINING_CUT: Final = 0.25
"""Where no valley says better. Of 0.15, 0.25, 0.35 and 0.5 these left the fewest errors on faded pages and on those that shine through."""
_PAPER: Final = 245.0
_INK: Final = 10.0


@dataclass(frozen=True, slots=True)
class Contrast:
    """Greys of `paper` and `ink` (of most letters), 0 to 255; `faint_share` is the share of marks with less than half of the ink's darkness.

    `cut` is the darkness below which a mark is rather not ink, as a share of the ink's, 0 to 0.5.
    """

    paper: float
    ink: float
    faint_share: float
    cut: float

    @property
    def is_doubtful(self) -> bool:
        """Whether faint marks, or faint ink, may disturb the reading."""
        return self.faint_share >= _MIN_FAINT_SHARE or self.paper - self.ink < _FADED_INK


def measure_contrast(grey: GreyArray) -> Contrast | None:
    """How dark the marks are that have the size of letters; None on a page without any."""
    small = reduced(grey, min(1.0, MAX_LONG_SIDE_PX / max(grey.shape)))
    paper = paper_of(small)
    darkness, weight = darkness_of_marks(small, paper)
    if not weight.size:
        return None
    order = np.argsort(darkness)
    below = np.cumsum(weight[order]) / weight.sum()
    ink = float(darkness[order][np.searchsorted(below, _INK_PERCENTILE / 100)])
    if ink <= 0:
        return None
    share, _ = np.histogram(darkness / ink, np.arange(0, 1 + _BIN, _BIN), weights=weight / weight.sum())
    faint = float(share[: round(_DARKEST_VALLEY / _BIN)].sum())
    return Contrast(paper, paper - ink, faint, _cut(share, faint))


def _cut(share: NDArray[np.float64], faint: float) -> float:
    if faint < _MIN_FAINT_SHARE:
        return _FADED_CUT
    for first in range(round(_LIGHTEST_VALLEY / _BIN), round(_DARKEST_VALLEY / _BIN) + 1):
        if share[first : first + _VALLEY_BINS].sum() <= _EMPTY_VALLEY:
            return first * _BIN
    return _SHINING_CUT


def cleared(grey: GreyArray, contrast: Contrast) -> GreyArray:
    """The page stretched from its ink (10) to the faintest mark that counts (245); what is lighter becomes paper. No point moves.

    Soft thresholding (Donoho, "De-noising by soft-thresholding", 1995) of the darkness, so that strokes keep soft edges.
    """
    darkness = (contrast.paper - np.arange(256)) / (contrast.paper - contrast.ink)
    kept = np.clip((darkness - contrast.cut) / (1 - contrast.cut), 0, 1)
    return np.asarray(cv2.LUT(grey, np.round(_PAPER - kept * (_PAPER - _INK)).astype(np.uint8)), dtype=np.uint8)
