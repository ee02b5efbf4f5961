"""Pages of old books: justified serif type, running head, page number, stained paper, the other side shining through."""

import random
from typing import Final

import numpy as np

from benchmarks.degradations import Picture
from benchmarks.drawn_pages import paper, prose
from benchmarks.drawn_pages.fonts import font
from benchmarks.drawn_pages.sheet import Sheet

WIDTH, HEIGHT = 1400, 2200
TYPEFACES: Final = ("LiberationSerif-Regular", "NotoSerif-Regular", "LiberationSerif-Regular", "DejaVuSerifCondensed")
CHAPTERS: Final = {"fra": "CHAPITRE", "spa": "CAPÍTULO", "ita": "CAPITOLO"}
NUMERALS: Final = ("II", "III", "IV", "VII", "XII", "XVI", "XXI")


def book_page(language: str, chance: random.Random) -> tuple[Picture, str]:
    typeface, number = chance.choice(TYPEFACES), chance.randint(12, 340)
    title = prose.phrase(language, chance, 5).upper()
    front, back = Sheet(WIDTH, HEIGHT), Sheet(WIDTH, HEIGHT)
    _set(front, language, typeface, number, title, chance)
    _set(back, language, typeface, number + 1, title, chance)
    return _aged(front, back, chance), front.truth


def _set(sheet: Sheet, language: str, typeface: str, number: int, title: str, chance: random.Random) -> None:
    size = chance.randint(34, 40)
    body, leading, left = font(typeface, size), size * chance.uniform(1.25, 1.45), 170 + chance.randint(-30, 30)
    width = WIDTH - 340
    head = [(left, str(number), "ls"), (left + width / 2, title, "ms")]
    if number % 2:
        head = [(left + width / 2, title, "ms"), (left + width, str(number), "rs")]
    sheet.cells(190, head, font(typeface, round(size * 0.8)))
    y = 190 + 1.8 * leading
    if chance.random() < 0.35:
        y = _chapter(sheet, language, typeface, y + leading, left + width / 2, size, chance)
    while y < HEIGHT - 180:
        text = prose.paragraph(language, chance, chance.randint(2, 7))
        y = sheet.justified(left, y, text, body, width, leading, indent_px=1.5 * size, bottom=HEIGHT - 180)


def _chapter(
    sheet: Sheet, language: str, typeface: str, y: float, middle: float, size: int, chance: random.Random
) -> float:
    sheet.line(
        middle, y, f"{CHAPTERS[language]} {chance.choice(NUMERALS)}", font(typeface, round(size * 1.2)), anchor="ms"
    )
    subtitle = prose.phrase(language, chance, 5)
    italic = font("LiberationSerif-Italic", size)
    sheet.line(middle, y + 1.8 * size, subtitle[0].upper() + subtitle[1:], italic, anchor="ms")
    return y + 4.2 * size


def _aged(front: Sheet, back: Sheet, chance: random.Random) -> Picture:
    """Ink that spread or wore off, the back at up to a fifth, darkening towards the fold."""
    page = paper.blurred(paper.pixels(front.image), chance.uniform(0.8, 1.5))
    page = paper.worn_ink(page, 4, chance.uniform(0.25, 0.7), chance)
    page = paper.shone_through(page, paper.pixels(back.image), chance.uniform(0.05, 0.22))
    page = paper.toned(page, chance.uniform(185, 230), chance.uniform(30, 75))
    page = paper.skewed(paper.stained(page, chance.uniform(4, 10), chance), 0.9, chance)
    fold = np.exp(-np.linspace(0, 12, WIDTH, dtype=np.float32)) * chance.uniform(0.1, 0.5)
    shaded = page * (1 - (fold if chance.random() < 0.5 else fold[::-1]))
    return paper.grainy(np.asarray(shaded, np.uint8), chance.uniform(2, 6), chance)
