"""A page of eight drawn lines, what an engine would have read of it, and room at its head and its foot for what a test puts there."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, Literal

import cv2
import numpy as np
from PIL import Image, ImageDraw

from recto.ocr.assembly import block_of, line_of
from recto.ocr.layout import quad_of
from recto.ocr.page import Box, Word
from tests.drawing import LINES, draw_page, font

if TYPE_CHECKING:
    from collections.abc import Callable

    from recto.ocr.page import Block, GreyArray
    from tests.drawing import DrawnWord

Margin = Literal["head", "foot"]
MARGINS: Final[tuple[Margin, ...]] = ("head", "foot")
ROOM_PX: Final = 240
SIZE_PX: Final = 46


def text_read() -> tuple[Block, ...]:
    """The page's text as one block, read surely."""
    drawn = iter(draw_page().words)
    lines = [line_of(map(_word, islice(drawn, len(line.split()))), 0) for line in LINES]
    return (block_of(lines),)


def page_with(draw: Callable[[ImageDraw.ImageDraw, float, float], None] | None, margin: Margin = "head") -> GreyArray:
    """The page; `draw` is given the middle of the margin's white."""
    text = draw_page().pixels
    image = Image.fromarray(np.pad(text, ((ROOM_PX, ROOM_PX), (0, 0)), constant_values=255))
    if draw:
        draw(ImageDraw.Draw(image), image.width / 2, ROOM_PX if margin == "head" else image.height - ROOM_PX)
    return np.asarray(image)


def labelled(label: str, margin: Margin = "head") -> GreyArray:
    """The page with that text in a margin."""
    return page_with(lambda draw, x, y: draw.text((x, y), label, 0, font(SIZE_PX), anchor="mm"), margin)


def scanned(page: GreyArray, skew_deg: float = 0.0, noise: float = 10.0) -> GreyArray:
    """Turned counter-clockwise about its middle, and grainy."""
    height, width = page.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), skew_deg, 1.0)
    turned = cv2.warpAffine(page, turn, (width, height), flags=cv2.INTER_AREA, borderValue=255)
    grain = np.random.default_rng(1).normal(0, noise, turned.shape)
    return np.asarray(np.clip(turned + grain, 0, 255), dtype=np.uint8)


def _word(drawn: DrawnWord) -> Word:
    (left, top), _, (right, bottom), _ = drawn.quad
    box = Box(round(left), round(top) + ROOM_PX, round(right - left), round(bottom - top))
    return Word(drawn.text, 0.96, box, quad_of(box))
