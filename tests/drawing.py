"""Pages drawn in code, with the truth about what stands where: what the OCR tests read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from recto.ocr.page import Point, Quad

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recto.ocr.page import GreyArray

DPI: Final = 300
_POINTS_PER_INCH: Final = 72
_FONT: Final = "DejaVuSerif.ttf"
_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

LINES: Final = (
    "The quick brown fox jumps over the lazy dog and",
    "then walks slowly home along the narrow river.",
    "Every morning the baker opens his little shop,",
    "lights the oven and kneads dough for the village.",
    "People come from distant farms to buy his bread,",
    "because nobody else bakes it quite as well.",
    "In winter the windows are white with frost and",
    "the children draw stars and houses on the glass.",
)
"""Words that every English model knows; our own text."""


@dataclass(frozen=True, slots=True)
class DrawnWord:
    """A word and the corners of its ink: top left, top right, bottom right, bottom left as a reader sees them, in pixels."""

    text: str
    quad: Quad


@dataclass(frozen=True, slots=True)
class DrawnPage:
    """`pixels` in grey, dark on light, at DPI; `words` in reading order."""

    pixels: GreyArray
    words: tuple[DrawnWord, ...]


def font(size_px: int) -> _Font:
    """DejaVu Serif where it is installed, else Pillow's own."""
    try:
        return ImageFont.truetype(_FONT, size_px)
    except OSError:
        return ImageFont.load_default(size=size_px)


@lru_cache(maxsize=32)
def draw_page(
    lines: tuple[str, ...] = LINES, *, size_pt: float = 11, skew_deg: float = 0.0, noise: float = 0.0, seed: int = 1
) -> DrawnPage:
    """A page just large enough for the lines, with margins of 40 points.

    `skew_deg` turns the content counter-clockwise about the page's centre; `noise` is the standard deviation of grey noise.
    """
    size_px = round(size_pt * DPI / _POINTS_PER_INCH)
    margin_px, pitch_px = round(40 * DPI / _POINTS_PER_INCH), round(size_px * 1.5)
    typeface = font(size_px)
    width = max(math.ceil(typeface.getlength(line)) for line in lines) + 2 * margin_px
    image = Image.new("L", (width, len(lines) * pitch_px + 2 * margin_px), 255)
    words = [
        word
        for row, line in enumerate(lines)
        for word in _draw_line(image, line, (margin_px, margin_px + row * pitch_px), typeface)
    ]
    page = DrawnPage(np.asarray(image), tuple(words))
    if skew_deg:
        page = _turned(page, skew_deg)
    return _noisy(page, noise, seed) if noise else page


def scanned_line(text: str = LINES[0], *, grain: float = 14.0, darkest: float = 0.8) -> GreyArray:
    """One line on a page that a poor scanner lights unevenly, down to that share of its light at the right: Otsu's threshold falls into its paper."""
    page = np.full((900, 1600), 255, np.uint8)
    line = draw_page((text,), size_pt=8).pixels[120:240]
    page[200:320, 100 : 100 + line.shape[1]] = line[:, : page.shape[1] - 100]
    light = np.linspace(0.98, darkest, page.shape[1])
    lit = np.maximum(page, 25) * light + np.random.default_rng(1).normal(0, grain, page.shape)
    return np.clip(lit, 0, 255).astype(np.uint8)


def on_grainy_paper(page: GreyArray, deviation: float, paper: int = 220) -> GreyArray:
    """On grey paper: white paper would only get darker grains."""
    grains = np.random.default_rng(1).normal(0, deviation, page.shape)
    return np.clip(np.minimum(page, paper) + np.round(grains), 0, 255).astype(np.uint8)


def blank_page(width_px: int = 1200, height_px: int = 1600) -> GreyArray:
    """White paper."""
    return np.full((height_px, width_px), 255, np.uint8)


def save_tiff(path: Path, pages: Sequence[GreyArray], dpi: int = DPI) -> Path:
    """A TIFF of several pages."""
    first, *others = [Image.fromarray(page) for page in pages]
    first.save(path, format="TIFF", save_all=True, append_images=others, dpi=(dpi, dpi), compression="tiff_deflate")
    return path


def save_pdf(path: Path, pages: Sequence[GreyArray]) -> Path:
    """A PDF that has each page as a picture that fills it, at DPI."""
    first, *others = [Image.fromarray(page) for page in pages]
    first.save(path, format="PDF", save_all=True, append_images=others, resolution=DPI)
    return path


def _draw_line(image: Image.Image, line: str, origin: tuple[int, int], typeface: _Font) -> list[DrawnWord]:
    """Draws word by word, so that each word's ink is known to the pixel."""
    draw, drawn = ImageDraw.Draw(image), []
    x, y = origin
    for text in line.split():
        alone = Image.new("L", image.size, 0)
        ImageDraw.Draw(alone).text((x, y), text, fill=255, font=typeface)
        # Ink is what is darker than mid-grey: the outermost shade of an edge belongs to the paper.
        box = alone.point(lambda value: 255 * (value > 127)).getbbox()
        assert box is not None
        left, top, right, bottom = box
        drawn.append(DrawnWord(text, ((left, top), (right, top), (right, bottom), (left, bottom))))
        draw.text((x, y), text, fill=0, font=typeface)
        x += round(typeface.getlength(text + " "))
    return drawn


def _turned(page: DrawnPage, angle_deg: float) -> DrawnPage:
    height, width = page.pixels.shape
    radians = math.radians(angle_deg)
    sine, cosine = math.sin(radians), math.cos(radians)
    new_width = math.ceil(width * cosine + height * abs(sine))
    new_height = math.ceil(width * abs(sine) + height * cosine)

    def turn(point: Point) -> Point:
        x, y = point[0] - width / 2, point[1] - height / 2
        return x * cosine + y * sine + new_width / 2, -x * sine + y * cosine + new_height / 2

    # OpenCV counts from pixel centres, hence the halves.
    corners = [(0.0, 0.0), (width, 0.0), (0.0, height)]
    source = np.array(corners, np.float32) - np.float32(0.5)
    target = np.array([turn(corner) for corner in corners], np.float32) - np.float32(0.5)
    matrix = cv2.getAffineTransform(source, target)
    pixels = cv2.warpAffine(page.pixels, matrix, (new_width, new_height), flags=cv2.INTER_CUBIC, borderValue=255)
    words = []
    for word in page.words:
        one, two, three, four = map(turn, word.quad)
        words.append(DrawnWord(word.text, (one, two, three, four)))
    return DrawnPage(np.asarray(pixels, dtype=np.uint8), tuple(words))


def _noisy(page: DrawnPage, deviation: float, seed: int) -> DrawnPage:
    shaken = page.pixels + np.random.default_rng(seed).normal(0, deviation, page.pixels.shape)
    return DrawnPage(np.clip(shaken, 0, 255).astype(np.uint8), page.words)
