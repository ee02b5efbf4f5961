"""Reports: headings, paragraphs, ruled and unruled tables of numbers with captions, and footnotes, at 200 to 300 dpi."""

import random
from typing import Final

from benchmarks.degradations import Picture
from benchmarks.drawn_pages import paper, particulars, prose
from benchmarks.drawn_pages.fonts import font
from benchmarks.drawn_pages.sheet import Sheet

WIDTH, HEIGHT, MARGIN = 2480, 3508, 290
"""A4 at 300 dpi, the scan may be coarser."""
TYPEFACES: Final = ("LiberationSans", "LiberationSerif", "NotoSerif", "LiberationSerif")
HEADINGS: Final = (
    "Results of the year",
    "Summary of accounts",
    "Regional development",
    "Methods and material",
    "Outlook",
    "Staff and training",
)
STUBS: Final = (
    "Revenue", "Cost of sales", "Gross profit", "Administration", "Depreciation", "Interest paid", "Taxes", "Wheat", "Barley", "Potatoes",
    "Livestock", "Timber", "Fisheries", "Northern district", "Southern district", "Eastern district", "Overseas", "Transport", "Education",
    "Health services", "Public works", "Reserves",
)  # fmt: skip


def report(chance: random.Random) -> tuple[Picture, str]:
    sheet, typeface = Sheet(WIDTH, HEIGHT), chance.choice(TYPEFACES)
    size, section = chance.randint(38, 48), chance.randint(2, 8)
    body = font(f"{typeface}-Regular", size)
    sheet.line(
        MARGIN,
        220,
        f"{particulars.company(chance)} Annual Report {chance.randint(1988, 2019)}",
        font(f"{typeface}-Italic", 36),
    )
    sheet.pen.line((MARGIN, 245, WIDTH - MARGIN, 245), fill=0, width=3)
    y = 400.0
    for part, heading in enumerate(chance.sample(HEADINGS, 3), start=1):
        if y > HEIGHT - 1400:
            break
        sheet.line(MARGIN, y, f"{section}.{part} {heading}", font(f"{typeface}-Bold", round(1.3 * size)))
        text = f"{prose.paragraph('eng', chance, chance.randint(3, 5))} See Table {section}.{part}."
        y = sheet.justified(MARGIN, y + 2 * size, text, body, WIDTH - 2 * MARGIN, 1.35 * size)
        y = _table(sheet, y + size, typeface, round(0.85 * size), f"Table {section}.{part}", chance) + 1.8 * size
    _foot(sheet, typeface, chance)
    return _scanned(sheet, chance), sheet.truth


def _table(sheet: Sheet, y: float, typeface: str, size: int, caption: str, chance: random.Random) -> float:
    """A caption, column heads of years, and rows of figures flush right. The bottom of the table."""
    body, bold = font(f"{typeface}-Regular", size), font(f"{typeface}-Bold", size)
    y = (
        sheet.block(MARGIN, y, f"{caption}. {prose.phrase('eng', chance, 7)} (in thousands)", bold, WIDTH, 1.5 * size)
        + size / 2
    )
    columns, rows, first_year = chance.randint(3, 6), chance.randint(5, 9), chance.randint(1984, 2012)
    stub_px, row_px = 560, 1.55 * size
    step = (WIDTH - 2 * MARGIN - stub_px) / columns
    rights = [MARGIN + stub_px + (index + 1) * step for index in range(columns)]
    _rules(sheet, y, rows, row_px, [MARGIN, *(right - step for right in rights), rights[-1]], chance.random() < 0.5)
    heads = [(right - 14, str(first_year + index), "rs") for index, right in enumerate(rights)]
    sheet.cells(y + 1.1 * size, [(MARGIN + 14, "Item", "ls"), *heads], bold)
    for index, stub in enumerate(chance.sample(STUBS, rows), start=1):
        figures = [(right - 14, _figure(chance), "rs") for right in rights]
        sheet.cells(y + index * row_px + 1.1 * size, [(MARGIN + 14, stub, "ls"), *figures], body)
    return y + (rows + 1) * row_px


def _rules(sheet: Sheet, y: float, rows: int, row_px: float, stops: list[float], boxed: bool) -> None:
    bottom = y + (rows + 1) * row_px
    ruled = range(rows + 2) if boxed else (0, 1, rows + 1)
    for index in ruled:
        sheet.pen.line((stops[0], y + index * row_px, stops[-1], y + index * row_px), fill=0, width=3)
    for stop in stops if boxed else ():
        sheet.pen.line((stop, y, stop, bottom), fill=0, width=3)


def _figure(chance: random.Random) -> str:
    value = round(10 ** chance.uniform(1, 6))
    return chance.choices((f"{value:,}", f"({value:,})", f"{value % 1000 / 10:.1f}", f"{value % 100}%"), (6, 1, 3, 1))[
        0
    ]


def _foot(sheet: Sheet, typeface: str, chance: random.Random) -> None:
    """Two footnotes below a short rule, and the page's number."""
    small, y = font(f"{typeface}-Regular", 32), HEIGHT - 330.0
    sheet.pen.line((MARGIN, y - 50, MARGIN + 500, y - 50), fill=0, width=3)
    for number in (1, 2):
        y = sheet.block(MARGIN, y, f"{number} {prose.sentence('eng', chance)}", small, WIDTH - 2 * MARGIN, 44)
    sheet.line(WIDTH / 2, HEIGHT - 130, str(chance.randint(4, 120)), font(f"{typeface}-Regular", 36), anchor="ms")


def _scanned(sheet: Sheet, chance: random.Random) -> Picture:
    """An office photocopy."""
    page = paper.reduced(paper.pixels(sheet.image), round(chance.choice((200, 240, 300)) * 8.27))
    page = paper.blurred(page, page.shape[1] / 2480 * chance.uniform(0.8, 1.6))
    page = paper.worn_ink(page, 5, chance.uniform(0.1, 0.6), chance)
    page = paper.skewed(paper.toned(page, chance.uniform(225, 250), chance.uniform(15, 60)), 0.8, chance)
    return paper.specked(paper.grainy(page, chance.uniform(2, 8), chance), chance.uniform(0, 0.0006), chance)
