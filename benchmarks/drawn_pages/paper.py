"""What paper, ink and the scanner do to a sheet. Pictures are grey of shape (height, width); strengths are stated by each function."""

import random

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.degradations import Picture, paper


def pixels(image: Image.Image) -> Picture:
    return np.asarray(image, np.uint8)


def generator(chance: random.Random) -> np.random.Generator:
    return np.random.default_rng(chance.getrandbits(64))


def smooth_noise(shape: tuple[int, ...], grain_px: float, chance: random.Random) -> NDArray[np.float32]:
    """Clouds of about that size, mean 0 and standard deviation 1."""
    height, width = shape
    coarse = (int(height / grain_px) + 3, int(width / grain_px) + 3)
    rough = generator(chance).normal(0, 1, coarse).astype(np.float32)
    clouds = cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray((clouds - clouds.mean()) / clouds.std(), np.float32)


def toned(page: Picture, paper_grey: float, ink_grey: float) -> Picture:
    """White and black moved to the greys of this paper and ink."""
    return np.asarray(ink_grey + page.astype(np.float32) * (paper_grey - ink_grey) / 255, np.uint8)


def worn_ink(page: Picture, grain_px: float, share: float, chance: random.Random) -> Picture:
    """Ink that took badly in clouds of about that size: where they are thickest it is paler by up to that share."""
    clouds = np.clip(0.5 + 0.4 * smooth_noise(page.shape, grain_px, chance), 0, 1)
    return np.asarray(255 - (255 - page) * (1 - share * clouds), np.uint8)


def stained(page: Picture, sigma: float, chance: random.Random) -> Picture:
    """Old paper: clouds of three sizes, darker and lighter by `sigma` grey levels, and fibres of a third of that."""
    height = page.shape[0]
    clouds = sum(smooth_noise(page.shape, height / part, chance) for part in (3, 12, 60)) / 3
    fibres = smooth_noise(page.shape, 2, chance)
    return np.asarray(np.clip(page + sigma * clouds + sigma / 3 * fibres, 0, 255), np.uint8)


def grainy(page: Picture, sigma: float, chance: random.Random) -> Picture:
    """Sensor noise of that many grey levels."""
    return np.asarray(np.clip(page + generator(chance).normal(0, sigma, page.shape), 0, 255), np.uint8)


def specked(page: Picture, share: float, chance: random.Random) -> Picture:
    """Dust: dark and white dots of one to three pixels, touching about that share of the pixels."""
    rolls = generator(chance)
    marked = page.copy()
    for _ in range(int(page.size * share / 4)):
        y, x = int(rolls.integers(page.shape[0])), int(rolls.integers(page.shape[1]))
        size = int(rolls.choice([1, 2, 3], p=[0.6, 0.3, 0.1]))
        marked[y : y + size, x : x + size] = rolls.integers(20, 110) if rolls.random() < 0.7 else 245
    return marked


def blurred(page: Picture, sigma_px: float) -> Picture:
    return np.asarray(cv2.GaussianBlur(page, (0, 0), sigma_px), np.uint8)


def skewed(page: Picture, most_deg: float, chance: random.Random) -> Picture:
    """Laid slightly askew on the glass: the size stays, the paper goes on beyond the edge."""
    height, width = page.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), chance.uniform(-most_deg, most_deg), 1)
    return np.asarray(
        cv2.warpAffine(page, turn, (width, height), flags=cv2.INTER_CUBIC, borderValue=(paper(page),)), np.uint8
    )


def shone_through(page: Picture, back: Picture, share: float) -> Picture:
    """The other side's print, mirrored and blurred, at that share of its darkness."""
    ghost = cv2.GaussianBlur(np.ascontiguousarray(back[:, ::-1]), (0, 0), page.shape[0] / 1200)
    return np.asarray(np.clip(page - (255 - ghost.astype(np.float32)) * share, 0, 255), np.uint8)


def reduced(page: Picture, width_px: int) -> Picture:
    """Scanned at fewer dots: that many pixels wide."""
    height = round(page.shape[0] * width_px / page.shape[1])
    return np.asarray(cv2.resize(page, (width_px, height), interpolation=cv2.INTER_AREA), np.uint8)
