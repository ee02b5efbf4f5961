"""Drawn pages as a camera or a scanner sees them, with the truth about where each word went."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from recto.ocr.preprocessing.displacement import Displacement, resampled
from recto.ocr.preprocessing.transform import Transform, displaced, for_opencv, inverse, map_points, plane
from tests.drawing import LINES, DrawnPage, DrawnWord, draw_page

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray, Quad

PAGE_LINES = LINES * 2


@lru_cache(maxsize=1)
def flat_page() -> DrawnPage:
    """Sixteen lines on grey paper."""
    page = draw_page(PAGE_LINES)
    return DrawnPage((page.pixels * 0.86).astype(np.uint8), page.words)


def photographed(page: DrawnPage, corners: Quad, size: tuple[int, int], desk: int | None) -> DrawnPage:
    """The page with its corners at `corners` of a picture of that width and height, on a desk of that grey, or of the paper's."""
    height, width = page.pixels.shape
    source = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    matrix = cv2.getPerspectiveTransform(source, np.array(corners, np.float32))
    there = plane(np.asarray(matrix, dtype=np.float64))
    paper = int(page.pixels.max())
    pixels = cv2.warpPerspective(
        page.pixels, for_opencv(there), size, flags=cv2.INTER_CUBIC, borderValue=paper if desk is None else desk
    )
    if desk is not None:
        texture = np.random.default_rng(5).normal(0, 6, pixels.shape)
        inside = cv2.fillConvexPoly(np.zeros_like(pixels), np.array(corners).round().astype(np.int32), 1)
        pixels = np.where(inside, pixels, np.clip(pixels + texture, 0, 255)).astype(np.uint8)
    return _moved(page, np.asarray(pixels, dtype=np.uint8), there)


def curled(page: DrawnPage, depth_px: float) -> DrawnPage:
    """The page with lines that bend by up to that much, more at its end than at its beginning."""
    height, width = page.pixels.shape
    pitch_px = 20.0
    across = np.arange(int(width / pitch_px) + 2) * pitch_px / width
    down = np.arange(int(height / pitch_px) + 2) * pitch_px / height
    offsets = np.zeros((len(down), len(across), 2))
    offsets[:, :, 1] = -depth_px * np.outer(0.6 + 0.4 * down, np.sin(np.pi * across))
    bend = Displacement(offsets, pitch_px)
    return _moved(page, resampled(page.pixels, bend, float(page.pixels.max())), inverse(displaced(bend)))


def found_words(pixels: GreyArray, page: DrawnPage, transform: Transform) -> np.typing.NDArray[np.float64]:
    """Distances, in pixels of the page, between the corners of its words and those of their ink in `pixels`, brought back.

    `transform` leads from the page to `pixels`; ink is looked for within four pixels of where it says.
    """
    distances = []
    for word in page.words:
        seen = np.array(map_points(transform, word.quad))
        (left, top), (right, bottom) = seen.min(axis=0), seen.max(axis=0)
        x, y = max(0, round(left) - 4), max(0, round(top) - 4)
        part = pixels[y : round(bottom) + 5, x : round(right) + 5]
        rows, columns = np.nonzero(part < part.max() / 2)
        box = [(columns.min(), rows.min()), (columns.max() + 1, rows.max() + 1)]
        (x0, y0), (x1, y1) = ((float(column) + x, float(row) + y) for column, row in box)
        back = np.array(map_points(inverse(transform), [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]))
        distances.append(np.hypot(*(back - np.array(word.quad)).T))
    return np.concatenate(distances)


def _moved(page: DrawnPage, pixels: GreyArray, there: Transform) -> DrawnPage:
    words = []
    for word in page.words:
        one, two, three, four = map_points(there, word.quad)
        words.append(DrawnWord(word.text, (one, two, three, four)))
    return DrawnPage(pixels, tuple(words))
