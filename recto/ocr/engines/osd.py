"""Tesseract's orientation and script detection (OSD): what it is given, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from recto.errors import PageUnreadable

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray

OSD: Final = "osd"
"""Name of its data."""

_MAX_LONG_SIDE_PX: Final = 2500
"""A 3,500-pixel page takes 0.35 s at this size and 0.5 s at its own, with the same answers; at 1,500 pixels clean pages begin to differ."""

_MIN_DPI: Final = 70


@dataclass(frozen=True, slots=True)
class Script:
    """The script of a page as OSD names it ('Latin', 'Cyrillic', 'Han', 'Fraktur'), and how its text stands.

    `text_angle_deg` is the text's turn against upright, counter-clockwise: 0, 90, 180 or 270. Both confidences are on OSD's own open
    scales, not from 0 to 1: it accepts a script from 1; an orientation is rarely wrong from 15.
    """

    name: str
    confidence: float
    text_angle_deg: int
    text_angle_confidence: float


def osd_view(pixels: GreyArray, dpi: int) -> tuple[GreyArray, int]:
    """The page and its resolution at the size that OSD needs."""
    scale = _MAX_LONG_SIDE_PX / max(pixels.shape)
    if scale >= 1:
        return pixels, max(dpi, _MIN_DPI)
    height_px, width_px = (max(1, round(side * scale)) for side in pixels.shape)
    small = cv2.resize(pixels, (width_px, height_px), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8), max(round(dpi * scale), _MIN_DPI)


def script_of(name: str, confidence: float, clockwise_deg: int, angle_confidence: float) -> Script:
    """OSD's figures as a Script; it counts turns clockwise."""
    return Script(name, confidence, -clockwise_deg % 360, angle_confidence)


def parse_osd(answer: str) -> Script:
    """What the command prints: lines of 'name: value'. PageUnreadable where one is missing."""
    values = dict(line.split(": ", 1) for line in answer.splitlines() if ": " in line)
    try:
        return script_of(
            values["Script"],
            float(values["Script confidence"]),
            int(values["Orientation in degrees"]),
            float(values["Orientation confidence"]),
        )
    except (KeyError, ValueError) as error:
        raise PageUnreadable(
            "Tesseract's answer about the page's script breaks off. Try again; if it happens again, scan the page anew."
        ) from error
