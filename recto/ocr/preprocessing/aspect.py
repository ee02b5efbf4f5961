"""Pixels that are not square, as faxes have them: stretched until they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from recto.ocr.preprocessing.transform import Transform, scaling

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray


def squared(grey: GreyArray, pixel_aspect: float) -> tuple[GreyArray, Transform]:
    """The page with the coarser of its directions resampled to the finer one, and its transform.

    `pixel_aspect` is a pixel's height by its width. Bicubic interpolation (Keys 1981).
    """
    height, width = grey.shape
    size = round(width * max(1.0, 1 / pixel_aspect)), round(height * max(1.0, pixel_aspect))
    pixels = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    return pixels, scaling(size[0] / width, size[1] / height)
