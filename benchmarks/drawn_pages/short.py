"""Pages with next to no text, and pages without any: what an engine that goes by the page as a whole gets wrong first."""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

import cv2
import numpy as np

from benchmarks.degradations import Picture
from benchmarks.drawn_pages import paper, prose
from benchmarks.drawn_pages.fonts import font
from benchmarks.drawn_pages.sheet import Sheet, wrapped

WIDTH_MM, HEIGHT_MM = 105, 148
"""A6: letters and grain are what matters, and it is read in half the time of A5."""
RESOLUTIONS_DPI: Final = (100, 150, 300)
GRAINS: Final = (0.0, 8.0, 16.0, 30.0)
"""Standard deviations of the noise, in grey levels: a good scan, a poor one, a camera indoors, a camera in the dark."""
TEXTS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "line": (
        "eng",
        ("The lamp was lit at sunset.", "Wind from the west, the sea rough.", "Both ships left for the harbour."),
    ),
    "word": ("eng", ("Contents", "Appendix", "confidential", "Photographs")),
    "heading": ("eng", ("The lighthouse keeper's notes", "Chapter Four", "LIST OF PLATES")),
    "number": ("eng", ("42", "1847", "365")),
    "page number": ("eng", ("17", "- 8 -", "203")),
    "two lines": ("eng", ("Printed in the year 1912\nby the author", "This page was left\nempty on purpose")),
    "Cyrillic": ("rus", ("Содержание", "Лампа горела до утра.", "Глава вторая")),
    "Greek": ("ell", ("Περιεχόμενα", "Το φως έμεινε όλη τη νύχτα.", "Κεφάλαιο δεύτερο")),
}
"""Tesseract's language and what may stand on such a page."""
TYPEFACES: Final = ("DejaVuSerif", "DejaVuSans")
POINTS: Final = (8, 11, 16, 24, 40)
_LONGEST_AT_40_PT: Final = 8
"""Letters that fit in a line."""
_PLACES: Final = {"top": 0.12, "middle": 0.5, "bottom": 0.93}


@dataclass(frozen=True, slots=True)
class ShortPage:
    """A picture and all that stands on it, which may be nothing."""

    name: str
    kind: str
    dpi: int
    pixels: Picture
    truth: str
    language: str


def short_pages(seed: int) -> Iterator[ShortPage]:
    """Each kind of text at each resolution and grain; where it stands, its size, the light, the tilt and the polarity are drawn by lot."""
    for kind, dpi, grain in product(TEXTS, RESOLUTIONS_DPI, GRAINS):
        chance = random.Random(f"{seed}/{kind}/{dpi}/{grain}")
        language, texts = TEXTS[kind]
        points = chance.choice(POINTS[:2] if kind == "page number" else POINTS)
        place = "bottom" if kind == "page number" else chance.choice([*_PLACES])
        text = chance.choice(texts)
        points = min(points, _LONGEST_AT_40_PT * 40 // max(len(word) for word in text.split()))
        pixels, text = _with_text(text, points, place, dpi, chance)
        name = f"{dpi} dpi, grain {grain:g}, {points} pt, {place}"
        tilt_deg, is_dark = chance.choice((0, 0, 3)), chance.random() < 0.2
        pixels = _tilted(pixels, tilt_deg)
        pixels = 255 - pixels if is_dark else paper.toned(pixels, chance.uniform(215, 250), chance.uniform(10, 60))
        pixels, light = _scanned(pixels, grain, chance)
        yield ShortPage(f"{name}, tilt {tilt_deg}{', inverted' * is_dark}{light}", kind, dpi, pixels, text, language)


def blank_pages(seed: int) -> Iterator[ShortPage]:
    """Each kind of page without text at each grain."""
    for number, (kind, grain) in enumerate(product(BLANKS, GRAINS)):
        chance = random.Random(f"{seed}/{kind}/{grain}")
        dpi = RESOLUTIONS_DPI[number % 3]
        pixels, light = _scanned(BLANKS[kind](_sheet(dpi, chance), chance), grain, chance)
        yield ShortPage(f"{dpi} dpi, grain {grain:g}{light}", kind, dpi, pixels, "", "eng")


def _with_text(text: str, points: int, place: str, dpi: int, chance: random.Random) -> tuple[Picture, str]:
    """Black on white: the text in the middle of its lines' width or at the left, wrapped where it is too long; and its lines."""
    sheet, typeface = Sheet(_px(WIDTH_MM, dpi), _px(HEIGHT_MM, dpi)), chance.choice(TYPEFACES)
    face = font(typeface, round(points * dpi / 72))
    rows = [row for line in text.split("\n") for row in wrapped(line, face, 0.8 * sheet.width)]
    is_centred, leading = chance.random() < 0.5, 1.4 * points * dpi / 72
    y = min(_PLACES[place] * sheet.height + leading, sheet.height - len(rows) * leading)
    for row in rows:
        sheet.line(sheet.width * (0.5 if is_centred else 0.1), y, row, face, anchor="ms" if is_centred else "ls")
        y += leading
    return paper.blurred(paper.pixels(sheet.image), 0.2 + dpi / 500), sheet.truth


def _sheet(dpi: int, chance: random.Random) -> Picture:
    return np.full((_px(HEIGHT_MM, dpi), _px(WIDTH_MM, dpi)), chance.randint(215, 253), np.uint8)


def _px(length_mm: float, dpi: int) -> int:
    return round(length_mm / 25.4 * dpi)


def _tilted(page: Picture, tilt_deg: float) -> Picture:
    height, width = page.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), tilt_deg, 1)
    return np.asarray(cv2.warpAffine(page, turn, (width, height), flags=cv2.INTER_CUBIC, borderValue=(255,)), np.uint8)


def _scanned(page: Picture, grain: float, chance: random.Random) -> tuple[Picture, str]:
    """Grainy, and on every second page with a light that falls off to one side by 10 to 45 percent; and what to call that."""
    if chance.random() < 0.5:
        return paper.grainy(page, grain, chance) if grain else page, ""
    height, width = page.shape
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    angle, loss = chance.uniform(0, 2 * math.pi), chance.uniform(0.1, 0.45)
    slope = np.clip(0.5 + (x - 0.5) * math.cos(angle) + (y - 0.5) * math.sin(angle), 0, 1)
    lit = np.asarray(page * (1 - loss * slope), np.uint8)
    return paper.grainy(lit, grain, chance) if grain else lit, ", uneven light"


def _stains(page: Picture, chance: random.Random) -> Picture:
    """Clouds, a ring of a cup and some drops."""
    page, unit = paper.stained(page, 8, chance), page.shape[0] / 100
    drops = np.zeros_like(page)
    middle = int(chance.uniform(0.3, 0.7) * page.shape[1]), int(chance.uniform(0.3, 0.7) * page.shape[0])
    cv2.circle(drops, middle, int(18 * unit), 60, max(2, int(unit)))
    for _ in range(12):
        place = chance.randrange(page.shape[1]), chance.randrange(page.shape[0])
        cv2.ellipse(
            drops, place, (int(chance.uniform(0.3, 2) * unit), int(chance.uniform(0.3, 2) * unit)), 0, 0, 360, 70, -1
        )
    return np.asarray(np.clip(page.astype(np.int16) - paper.blurred(drops, unit / 4), 0, 255), np.uint8)


def _punch_holes(page: Picture, chance: random.Random) -> Picture:
    """Two or four at the left, dark, and a shadow of a staple."""
    height, width = page.shape
    for place in chance.choice(((0.31, 0.69), (0.12, 0.37, 0.63, 0.88))):
        cv2.circle(page, (int(0.08 * width), int(place * height)), int(0.02 * width), 40, -1, cv2.LINE_AA)
    cv2.line(
        page, (int(0.05 * width), int(0.04 * height)), (int(0.11 * width), int(0.03 * height)), 90, max(1, width // 400)
    )
    return page


def _ruled(page: Picture, chance: random.Random) -> Picture:
    """Writing paper, and every second time squared paper."""
    pitch, is_squared = page.shape[0] // 26, chance.random() < 0.5
    page[pitch * 3 :: pitch] = 150
    if is_squared:
        page[:, pitch::pitch] = 150
    return page


def _framed(page: Picture, _: random.Random) -> Picture:
    """A form's frames, and a box of cells without any word."""
    height, width = page.shape
    thick = max(1, width // 500)
    cv2.rectangle(page, (width // 10, height // 10), (9 * width // 10, 9 * height // 10), 20, thick)
    for column in range(9):
        left = width // 8 + column * width // 14
        cv2.rectangle(page, (left, height // 5), (left + width // 14, height // 5 + width // 14), 20, thick)
    return page


def _borders(page: Picture, chance: random.Random) -> Picture:
    """A scanner's black border at two sides, ragged."""
    height, width = page.shape
    edge = np.cumsum(paper.generator(chance).normal(0, 0.3, height)) + 0.04 * width
    for row, end in enumerate(edge.astype(int)):
        page[row, : max(end, 2)] = 15
    page[int(0.97 * height) :] = 20
    return page


def _show_through(page: Picture, chance: random.Random) -> Picture:
    """The other side's text, mirrored and faint."""
    back = Sheet(page.shape[1], page.shape[0])
    size = page.shape[0] // 60
    text = prose.paragraph("eng", chance, 24)
    back.justified(
        0.1 * back.width,
        0.12 * back.height,
        text,
        font("DejaVuSerif", size),
        0.8 * back.width,
        1.4 * size,
        bottom=0.9 * back.height,
    )
    return paper.shone_through(page, paper.pixels(back.image), chance.uniform(0.08, 0.16))


def _dust(page: Picture, chance: random.Random) -> Picture:
    """Specks, and a few hairs."""
    page = paper.specked(page, 0.002, chance)
    for _ in range(8):
        start = np.array([chance.randrange(page.shape[1]), chance.randrange(page.shape[0])])
        bends = np.cumsum(paper.generator(chance).normal(0, page.shape[0] / 150, (8, 2)), axis=0)
        cv2.polylines(page, [(start + bends).astype(np.int32)], False, 60, 1, cv2.LINE_AA)
    return page


def _photograph(page: Picture, chance: random.Random) -> Picture:
    """A landscape of clouds, hills and leaves, which fills the page or a part of it."""
    height, width = page.shape
    view = 170 + 40 * paper.smooth_noise(page.shape, height / 5, chance)
    for depth in range(4):
        ridge = (0.35 + 0.15 * depth) * height + height / 25 * paper.smooth_noise((1, width), width / 7, chance)[0]
        below = np.arange(height)[:, None] > ridge
        texture = 25 * paper.smooth_noise(page.shape, height / (40 * (depth + 1)), chance)
        view = np.where(below, 140 - 30 * depth + texture, view)
    left = int(chance.choice((0, 0.15)) * width)
    inside = slice(left, height - left), slice(left, width - left)
    page[inside] = np.clip(view, 0, 255)[inside]
    return page


def _halftone(page: Picture, chance: random.Random) -> Picture:
    """A picture printed in dots."""
    height, width = page.shape
    tone = 0.5 + 0.25 * paper.smooth_noise(page.shape, height / 6, chance)
    pitch = max(4, height // 220)
    y, x = np.mgrid[0:height, 0:width] * (2 * math.pi / pitch)
    dots = 255 * ((np.sin(x) * np.sin(y) + 1) / 2 > tone)
    inside = slice(height // 6, height // 2), slice(width // 6, 5 * width // 6)
    page[inside] = paper.blurred(dots.astype(np.uint8), 0.7)[inside]
    return page


def _drawing(page: Picture, chance: random.Random) -> Picture:
    """Curves and circles in ink, as a child draws them."""
    for _ in range(14):
        start = np.array([chance.uniform(0.2, 0.8) * page.shape[1], chance.uniform(0.2, 0.8) * page.shape[0]])
        bends = np.cumsum(paper.generator(chance).normal(0, page.shape[0] / 40, (10, 2)), axis=0)
        cv2.polylines(
            page,
            [(start + bends).astype(np.int32)],
            chance.random() < 0.3,
            50,
            max(2, page.shape[0] // 400),
            cv2.LINE_AA,
        )
    return page


BLANKS: Final[dict[str, Callable[[Picture, random.Random], Picture]]] = {
    "paper": lambda page, _: page,
    "old paper": lambda page, chance: paper.stained(page, 10, chance),
    "stains": _stains,
    "punch holes": _punch_holes,
    "ruled paper": _ruled,
    "frames": _framed,
    "borders": _borders,
    "show-through": _show_through,
    "dust": _dust,
    "photograph": _photograph,
    "halftone": _halftone,
    "drawing": _drawing,
}
"""What lies on pages without text."""
