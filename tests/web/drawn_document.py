"""A document of several pages drawn in code, with what a Worker would read on each: for the page that shows image and text side by side."""

import random
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw

from recto.ocr.page import Block, Box, Line, Page, Step, Word
from recto.ocr.writers.text import page_text
from tests.drawing import DPI, LINES, font

WIDTH_PX, HEIGHT_PX = 1654, 2339
"""A4 at 200 dpi."""
_MARGIN_PX: Final = 180
_SIZE_PX: Final = 34
_PITCH_PX: Final = 52
_A4_INCHES: Final = 8.27
_MISREAD: Final = {"bakes": 0.41, "frost": 0.55, "river.": 0.78, "oven": 0.83}
"""Words of a page that are read with less confidence than the others' 0.96."""


@dataclass(frozen=True, slots=True)
class DrawnDocument:
    """A PDF and its pages as they are read."""

    content: bytes
    pages: tuple[Page, ...]

    @property
    def text(self) -> str:
        """What result.txt has."""
        return "\f".join(page_text(page) for page in self.pages)


def draw_document(page_count: int, *, lines_a_page: int = 16, scale: float = 1.0) -> DrawnDocument:
    """`scale` 1.5 makes pages of 300 dpi. Each page begins with its number, and says "page … of the harbour log"."""
    drawn = [_draw_page(number, lines_a_page, scale) for number in range(1, page_count + 1)]
    images = [image for image, _ in drawn]
    sink = BytesIO()
    images[0].save(sink, "PDF", save_all=True, append_images=images[1:], resolution=images[0].width / _A4_INCHES)
    return DrawnDocument(sink.getvalue(), tuple(page for _, page in drawn))


def _draw_page(number: int, line_count: int, scale: float) -> tuple[Image.Image, Page]:
    width_px, height_px = round(WIDTH_PX * scale), round(HEIGHT_PX * scale)
    rendered = _A4_INCHES * DPI / width_px  # words count in the pixels of the rendered page
    image = Image.new("1", (width_px, height_px), 1)
    chooser = random.Random(number)
    texts = [f"Page {number} of the harbour log", *chooser.choices(LINES, k=line_count)]
    lines = tuple(
        _draw_line(image, text, (_MARGIN_PX + row * _PITCH_PX) * scale, scale, rendered)
        for row, text in enumerate(texts)
    )
    box = Box(0, 0, round(width_px * rendered), round(height_px * rendered))
    title, running = Block(lines[:1], lines[0].box), Block(lines[1:], lines[-1].box)
    steps = (Step("deskew", {"angle_deg": 1.5}),) if number == 1 else ()
    page = Page(number, box.width, box.height, float(DPI), ("eng",), "hand 1", steps, (title, running))
    return image, page


def _draw_line(image: Image.Image, text: str, top: float, scale: float, rendered: float) -> Line:
    draw, typeface = ImageDraw.Draw(image), font(round(_SIZE_PX * scale))
    x, words = _MARGIN_PX * scale, []
    for word in text.split():
        draw.text((x, top), word, fill=0, font=typeface)
        left, upper, right, lower = (round(side * rendered) for side in draw.textbbox((x, top), word, font=typeface))
        quad = ((left, upper), (right, upper), (right, lower), (left, lower))
        box = Box(left, upper, right - left, lower - upper)
        words.append(Word(word, _MISREAD.get(word, 0.96), box, quad, in_dictionary=True))
        x += draw.textlength(word + " ", font=typeface)
    first, last = words[0], words[-1]
    width = last.box.left + last.box.width - first.box.left
    box = Box(first.box.left, first.box.top, width, max(word.box.height for word in words))
    return Line(tuple(words), box, (first.quad[0], last.quad[1], last.quad[2], first.quad[3]), 0)
