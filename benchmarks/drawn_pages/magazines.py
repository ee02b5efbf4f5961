"""Magazine pages: a headline over two or three columns with pictures and captions between the paragraphs."""

import random
from typing import Final

import numpy as np
from PIL import Image

from benchmarks.degradations import Picture
from benchmarks.drawn_pages import paper, particulars, prose
from benchmarks.drawn_pages.fonts import font
from benchmarks.drawn_pages.sheet import Sheet

WIDTH, HEIGHT, MARGIN, GUTTER = 1700, 2250, 130, 46
"""About 200 dpi."""
BOTTOM: Final = HEIGHT - 170
TYPEFACES: Final = ("LiberationSerif", "NotoSerif", "LiberationSans")


def magazine_page(chance: random.Random) -> tuple[Picture, str]:
    sheet, typeface = Sheet(WIDTH, HEIGHT), chance.choice(TYPEFACES)
    columns = chance.choice((2, 3))
    top = _headline(sheet, chance)
    width = (WIDTH - 2 * MARGIN - (columns - 1) * GUTTER) / columns
    for index in range(columns):
        _column(sheet, MARGIN + index * (width + GUTTER), top, width, typeface, chance)
    month = chance.choice(particulars.MONTHS)
    sheet.line(
        WIDTH / 2,
        HEIGHT - 80,
        f"{chance.randint(8, 90)} {month} {chance.randint(1995, 2020)}",
        font("LiberationSans-Regular", 26),
        anchor="ms",
    )
    return _printed(sheet, chance), sheet.truth


def _headline(sheet: Sheet, chance: random.Random) -> float:
    title = prose.phrase("eng", chance, 6)
    y = sheet.block(MARGIN, 220, title[0].upper() + title[1:], font("LiberationSans-Bold", 76), WIDTH - 2 * MARGIN, 88)
    y = sheet.block(
        MARGIN, y - 10, prose.sentence("eng", chance), font("LiberationSerif-Italic", 38), WIDTH - 2 * MARGIN, 48
    )
    sheet.line(MARGIN, y + 10, f"By {particulars.name(chance)}", font("LiberationSans-Regular", 28))
    return y + 80


def _column(sheet: Sheet, x: float, y: float, width: float, typeface: str, chance: random.Random) -> None:
    """Paragraphs down to the bottom, with a picture somewhere in two of three columns."""
    body, picture_before = font(f"{typeface}-Regular", 29), chance.choice((0, 1, 2, 9, 9))
    for paragraph in range(30):
        if paragraph == picture_before and y < BOTTOM - 700:
            y = _picture(sheet, x, y, width, chance)
        text = prose.paragraph("eng", chance, chance.randint(2, 5))
        y = sheet.justified(x, y, text, body, width, 38, indent_px=30, bottom=BOTTOM)
        if y > BOTTOM:
            return


def _picture(sheet: Sheet, x: float, y: float, width: float, chance: random.Random) -> float:
    """Hills under a sky, which is no text, with a caption below."""
    height = round(width * chance.uniform(0.5, 0.8))
    shape = (height, round(width))
    sky = 190 + 25 * paper.smooth_noise(shape, height / 3, chance)
    ground = 80 + 30 * paper.smooth_noise(shape, 12, chance) + 15 * paper.smooth_noise(shape, 3, chance)
    horizon = height * (0.55 + 0.08 * paper.smooth_noise(shape, width / 4, chance)[:1])
    scene = np.where(np.arange(height)[:, None] < horizon, sky, ground)
    sheet.image.paste(Image.fromarray(np.clip(scene, 0, 255).astype(np.uint8)), (round(x), round(y) - 28))
    caption = prose.phrase("eng", chance, 7)
    return (
        sheet.block(
            x, y + height + 6, f"{caption[0].upper()}{caption[1:]}.", font("LiberationSans-Italic", 24), width, 30
        )
        + 26
    )


def _printed(sheet: Sheet, chance: random.Random) -> Picture:
    page = paper.blurred(paper.pixels(sheet.image), chance.uniform(0.6, 1.0))
    page = paper.toned(page, chance.uniform(225, 248), chance.uniform(15, 45))
    page = paper.stained(paper.skewed(page, 0.6, chance), chance.uniform(1, 4), chance)
    return paper.grainy(page, chance.uniform(2, 5), chance)
