"""Skew: by how much lines of text slope, and turning the page so that they lie flat."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from recto.ocr.preprocessing.ink import paper_of
from recto.ocr.preprocessing.transform import Transform, for_opencv, rotation, translation

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray
    from recto.ocr.preprocessing.ink import Letters

MAX_SKEW_DEG: Final = 15.0

_MIN_LETTERS: Final = 60
_COARSE_STEP_DEG: Final = 0.5
_FINE_STEPS_DEG: Final = (0.1, 0.02)


@dataclass(frozen=True, slots=True)
class Skew:
    """`angle_deg` is how far the lines are turned counter-clockwise: turn by its negative to level them.

    `clarity` is the score at that angle by the median score of all angles: about 1 where no direction stands out.
    """

    angle_deg: float
    clarity: float


@lru_cache(maxsize=1)
def measure_skew(letters: Letters) -> Skew | None:
    """The angle, within 15 degrees either way, at which the letters' feet line up best. None where there are too few letters.

    Postl's projection profile, with the score of Bloomberg, Kopec & Dasari ("Measuring document image skew and orientation", SPIE 2422,
    1995, section 3: the sum of squared differences of neighbouring sums), over the bottom edges of components instead of pixels
    (Baird, "The skew angle of printed documents", 1987): rules, pictures and shadows have no say.
    """
    coarse = measure_coarse_skew(letters)
    if coarse is None:
        return None
    best, window, feet = coarse.angle_deg, _COARSE_STEP_DEG, _feet(letters)
    for step in _FINE_STEPS_DEG:
        near = np.arange(best - window, best + window + step / 2, step)
        fine = np.array([_score(*feet, angle) for angle in near])
        best, window = _centre_of_peak(near, fine), step
    return Skew(best, coarse.clarity)


@lru_cache(maxsize=1)
def measure_coarse_skew(letters: Letters) -> Skew | None:
    """The same to half a degree, with the same clarity: for who asks whether the letters line up at all."""
    if len(letters.bottom) < _MIN_LETTERS:
        return None
    feet = _feet(letters)
    angles = np.arange(-MAX_SKEW_DEG, MAX_SKEW_DEG + _COARSE_STEP_DEG / 2, _COARSE_STEP_DEG)
    scores = np.array([_score(*feet, angle) for angle in angles])
    clarity = float(scores.max() / max(float(np.median(scores)), 1e-9))
    return Skew(float(angles[int(scores.argmax())]), clarity)


def deskewed(grey: GreyArray, angle_deg: float) -> tuple[GreyArray, Transform]:
    """The page turned by -`angle_deg`, which levels lines of that skew, on a canvas that holds all of it, and its transform.

    New corners get the paper's grey; bicubic interpolation.
    """
    height, width = grey.shape
    turn = rotation(-angle_deg)
    sine, cosine = abs(math.sin(math.radians(angle_deg))), abs(math.cos(math.radians(angle_deg)))
    new_width = math.ceil(width * cosine + height * sine)
    new_height = math.ceil(width * sine + height * cosine)
    transform = translation(new_width / 2, new_height / 2) @ turn @ translation(-width / 2, -height / 2)
    pixels = cv2.warpAffine(
        grey,
        for_opencv(transform)[:2],
        (new_width, new_height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=paper_of(grey),
    )
    return np.asarray(pixels, dtype=np.uint8), transform


def _feet(letters: Letters) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """The middles of the letters' bottom edges, x and y, and the height of a bin for them, all in pixels."""
    bin_px = max(1.0 / letters.scale, float(np.median(letters.height)) / 8)
    return letters.left + letters.width / 2, letters.bottom, bin_px


def _score(x: NDArray[np.float64], y: NDArray[np.float64], bin_px: float, angle_deg: float) -> float:
    """Sum of squared differences of neighbouring bins of the points' heights above lines of that slope.

    Each point is shared between two bins by its distance, so that the score does not jump from angle to angle.
    """
    radians = math.radians(angle_deg)
    height = (y * math.cos(radians) + x * math.sin(radians)) / bin_px
    height -= height.min()
    lower = np.floor(height).astype(np.intp)
    upper_share = height - lower
    size = int(lower.max()) + 2
    profile = np.bincount(lower, 1 - upper_share, size) + np.bincount(lower + 1, upper_share, size)
    return float(np.square(profile[1:] - profile[:-1]).sum())


def _centre_of_peak(angles: NDArray[np.float64], scores: NDArray[np.float64]) -> float:
    """Mean of the angles that score nearly as well as the best: the middle of a flat peak rather than a lucky point on it."""
    top = angles[scores >= scores.min() + 0.9 * (scores.max() - scores.min())]
    return float(top.mean())
