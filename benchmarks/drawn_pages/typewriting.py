"""Typewritten pages: unequal strokes and a jumping baseline on yellowed paper under uneven light."""

import random
from typing import Final

import cv2
import numpy as np
from PIL import ImageFont

from benchmarks.degradations import Picture, unevenly_lit
from benchmarks.drawn_pages import paper, particulars, prose
from benchmarks.drawn_pages.fonts import font
from benchmarks.drawn_pages.sheet import Sheet, wrapped

WIDTH, HEIGHT, MARGIN = 1654, 2339, 190
"""A4 at 200 dpi."""
TYPE_PX: Final = 33
COLUMNS: Final = 64


def typescript(chance: random.Random) -> tuple[Picture, str]:
    sheet = Sheet(WIDTH, HEIGHT)
    typeface = font(chance.choice(("LiberationMono-Regular", "LiberationMono-Regular", "LiberationMono-Bold")), TYPE_PX)
    pitch = typeface.getlength("m")
    rows = _rows(chance, typeface, COLUMNS * pitch)
    leading = chance.choice((44, 50, 66))
    y, worn = 240.0, {letter: chance.uniform(0, 70) for letter in "abcdefghijklmnopqrstuvwxyz"}
    for row in rows[: int((HEIGHT - 480) / leading)]:
        if row.strip():
            _type(sheet, y, row, typeface, worn, chance)
            sheet.lines.append(row.strip())
        y += leading
    return _aged(sheet, chance), sheet.truth


def _rows(chance: random.Random, typeface: ImageFont.FreeTypeFont, width_px: float) -> list[str]:
    """Page number, date, salutation and paragraphs with indented first lines."""
    rows = [f"{'':28}- {chance.randint(2, 90)} -", "", particulars.long_date(chance, (1938, 1972)), ""]
    rows += [f"Dear {chance.choice(('Mr.', 'Mrs.', 'Dr.'))} {chance.choice(particulars.LAST_NAMES)}:", ""]
    for _ in range(8):
        text = prose.paragraph("eng", chance, chance.randint(2, 5))
        if chance.random() < 0.5:
            text += f" The sum of ${particulars.amount(chance, 9000)} was paid on {particulars.long_date(chance, (1938, 1972))}."
        first, *others = wrapped(f"xxxxx {text}", typeface, width_px)
        rows += [first.replace("xxxxx", "     ", 1), *others, ""]
    return rows


def _type(
    sheet: Sheet, y: float, row: str, typeface: ImageFont.FreeTypeFont, worn: dict[str, float], chance: random.Random
) -> None:
    """Each letter with its own force; worn types print paler, capitals may sit high."""
    pitch, shift = typeface.getlength("m"), chance.uniform(-1.5, 1.5)
    for column, letter in enumerate(row):
        lift = chance.gauss(2.5 if letter.isupper() else 0, 1.0)
        ink = round(min(150, max(0, chance.gauss(30, 25) + worn.get(letter, 20.0))))
        x = MARGIN + shift + column * pitch + chance.gauss(0, 0.8)
        sheet.put(x, y - lift, letter, typeface, ink=ink)
        if chance.random() < 0.02:
            sheet.put(x + 2, y - lift + 1, letter, typeface, ink=150)


def _aged(sheet: Sheet, chance: random.Random) -> Picture:
    spread = chance.uniform(0.6, 1.5)
    page = (
        cv2.erode(paper.pixels(sheet.image), np.ones((2, 2), np.uint8))
        if chance.random() < 0.4
        else paper.pixels(sheet.image)
    )
    page = paper.worn_ink(paper.blurred(np.asarray(page, np.uint8), spread), 4, chance.uniform(0.3, 0.7), chance)
    page = paper.toned(page, chance.uniform(175, 225), chance.uniform(25, 70))
    page = paper.skewed(paper.stained(page, chance.uniform(3, 9), chance), 1.0, chance)
    page = unevenly_lit(page, chance.uniform(-0.8, -0.27), paper.generator(chance))
    return paper.grainy(page, chance.uniform(2, 6), chance)
