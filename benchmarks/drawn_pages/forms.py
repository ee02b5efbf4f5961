"""Office forms and fax sheets of the last century, kept as noisy grey scans of 100 dpi."""

import random
from typing import Final

import numpy as np

from benchmarks.degradations import Picture, jpeg
from benchmarks.drawn_pages import paper, particulars, prose
from benchmarks.drawn_pages.fonts import font
from benchmarks.drawn_pages.sheet import Sheet

SCALE: Final = 3
"""Drawn at 300 dpi, scanned at a third of it."""
WIDTH, HEIGHT, MARGIN, GAP = 754 * SCALE, 1000 * SCALE, 62 * SCALE, 5 * SCALE
TITLES: Final = (
    "REQUEST FOR CHANGE", "FAX TRANSMISSION", "PROJECT AUTHORIZATION", "SALES PROMOTION REPORT", "PURCHASE REQUISITION",
    "RETAIL PROGRESS REPORT", "LABORATORY SAMPLE RECORD", "EXPENSE STATEMENT",
)  # fmt: skip
LABELS: Final = {
    "NAME": particulars.name, "TO": particulars.name, "FROM": particulars.name, "APPROVED BY": particulars.name,
    "COMPANY": particulars.company, "SUPPLIER": particulars.company, "ADDRESS": particulars.street,
    "CITY, STATE": particulars.town, "DATE": particulars.short_date, "DATE RECEIVED": particulars.short_date,
    "EFFECTIVE DATE": particulars.short_date, "PHONE": particulars.phone, "FAX NO.": particulars.phone,
    "PROJECT NO.": particulars.code, "ACCOUNT": particulars.code, "ORDER NUMBER": particulars.code,
    "SAMPLE": particulars.code,
}  # fmt: skip
CHOICES: Final = ("New", "Revised", "Urgent", "Confidential", "Approved", "Rejected", "For Review", "Please Reply")
COLUMNS: Final = ("ITEM", "DESCRIPTION", "QUANTITY", "COST")
ENDINGS: Final = ("SIGNATURE", "TITLE", "DIRECTOR", "WITNESS", "DEPARTMENT HEAD")


def form(chance: random.Random) -> tuple[Picture, str]:
    sheet = Sheet(WIDTH, HEIGHT)
    printed = chance.choice(("LiberationSans-Regular", "LiberationSansNarrow-Regular", "LiberationSerif-Regular"))
    typed = chance.choice(("LiberationMono-Regular", "LiberationMono-Regular", "LiberationMono-Bold"))
    y = _fax_line(sheet, chance) if chance.random() < 0.5 else 60 * SCALE
    y = _title(sheet, y, chance)
    y = _fields(sheet, y, printed, typed, chance)
    y = _check_boxes(sheet, y, printed, chance)
    y = _table(sheet, y, printed, typed, chance)
    y = _remarks(sheet, y, printed, typed, chance)
    _signatures(sheet, y, printed, chance)
    sheet.line(
        WIDTH - MARGIN, HEIGHT - 24 * SCALE, str(chance.randint(10**7, 10**8)), font(typed, 12 * SCALE), anchor="rs"
    )
    return _scanned(sheet, chance), sheet.truth


def _fax_line(sheet: Sheet, chance: random.Random) -> float:
    date, sender = particulars.short_date(chance), chance.choice(particulars.COMPANIES).upper()
    text = f"{date} {chance.randint(8, 18)}:{chance.randint(10, 59)} {sender} P.{chance.randint(1, 9)}"
    sheet.line(MARGIN, 24 * SCALE, text, font("LiberationMono-Bold", 11 * SCALE))
    return 70 * SCALE


def _title(sheet: Sheet, y: float, chance: random.Random) -> float:
    bold = font("LiberationSans-Bold", 17 * SCALE)
    sheet.line(WIDTH / 2, y, particulars.company(chance).upper(), bold, anchor="ms")
    sheet.line(WIDTH / 2, y + 24 * SCALE, chance.choice(TITLES), font("LiberationSans-Bold", 14 * SCALE), anchor="ms")
    return y + 40 * SCALE


def _fields(sheet: Sheet, y: float, printed: str, typed: str, chance: random.Random) -> float:
    """Rows of one to three ruled boxes, a small label above each filled-in value or beside it."""
    labels = chance.sample(list(LABELS), chance.randint(10, 14))
    height, beside = chance.choice((34, 40, 46)) * SCALE, chance.random() < 0.4
    while labels:
        row = [labels.pop() for _ in range(min(len(labels), chance.choice((1, 2, 2, 3))))]
        width = (WIDTH - 2 * MARGIN) / len(row)
        values = [LABELS[label](chance) for label in row]
        lefts = [MARGIN + index * width for index in range(len(row))]
        for left in lefts:
            sheet.pen.rectangle((left, y, left + width, y + height), outline=0, width=SCALE)
        if beside:
            _label_and_value(sheet, y + 21 * SCALE, list(zip(lefts, row, values, strict=True)), printed, typed)
        else:
            small, large = font(printed, 11 * SCALE), font(typed, 13 * SCALE)
            sheet.cells(y + 12 * SCALE, [(x + GAP, text, "ls") for x, text in zip(lefts, row, strict=True)], small)
            sheet.cells(
                y + height - 6 * SCALE,
                [(x + 2 * GAP, text, "ls") for x, text in zip(lefts, values, strict=True)],
                large,
            )
        y += height
    return y + 26 * SCALE


def _label_and_value(sheet: Sheet, y: float, cells: list[tuple[float, str, str]], printed: str, typed: str) -> None:
    small, narrow = font(printed, 11 * SCALE), font(typed, (13 if len(cells) < 3 else 10) * SCALE)
    for x, label, value in cells:
        sheet.put(x + GAP, y, f"{label}:", small)
        sheet.put(x + 2 * GAP + small.getlength(f"{label}:"), y, value, narrow)
    sheet.lines.append(" ".join(f"{label}: {value}" for _, label, value in cells))


def _check_boxes(sheet: Sheet, y: float, printed: str, chance: random.Random) -> float:
    """Empty and crossed boxes: they count as no text."""
    side, step = 9 * SCALE, (WIDTH - 2 * MARGIN) / 4
    chosen = chance.sample(CHOICES, 4)
    for index in range(4):
        x = MARGIN + index * step
        sheet.pen.rectangle((x, y - side, x + side, y), outline=0, width=SCALE)
        if chance.random() < 0.4:
            sheet.pen.line((x, y - side, x + side, y), fill=0, width=SCALE)
            sheet.pen.line((x, y, x + side, y - side), fill=0, width=SCALE)
    places = [MARGIN + index * step + side + GAP for index in range(4)]
    sheet.cells(y, [(x, text, "ls") for x, text in zip(places, chosen, strict=True)], font(printed, 13 * SCALE))
    return y + 22 * SCALE


def _table(sheet: Sheet, y: float, printed: str, typed: str, chance: random.Random) -> float:
    rows, row_px = chance.randint(4, 8), 20 * SCALE
    stops = [MARGIN + part * (WIDTH - 2 * MARGIN) for part in (0, 0.14, 0.66, 0.82, 1)]
    for index in range(rows + 2):
        sheet.pen.line((stops[0], y + index * row_px, stops[-1], y + index * row_px), fill=0, width=SCALE)
    for stop in stops:
        sheet.pen.line((stop, y, stop, y + (rows + 1) * row_px), fill=0, width=SCALE)
    sheet.cells(
        y + 14 * SCALE,
        [(x + GAP, text, "ls") for x, text in zip(stops, COLUMNS, strict=False)],
        font(printed, 11 * SCALE),
    )
    for index in range(1, rows + 1):
        cells = [
            (stops[0] + GAP, str(index), "ls"),
            (stops[1] + GAP, prose.phrase("eng", chance, 4), "ls"),
            (stops[3] - GAP, str(chance.randint(1, 400)), "rs"),
            (stops[4] - GAP, particulars.amount(chance, 4000), "rs"),
        ]
        sheet.cells(y + index * row_px + 15 * SCALE, cells, font(typed, 12 * SCALE))
    return y + (rows + 1) * row_px + 24 * SCALE


def _remarks(sheet: Sheet, y: float, printed: str, typed: str, chance: random.Random) -> float:
    sheet.line(MARGIN, y, chance.choice(("REMARKS:", "COMMENTS:", "PURPOSE:", "MESSAGE:")), font(printed, 12 * SCALE))
    text = prose.paragraph("eng", chance, chance.randint(3, 6))
    y = sheet.block(MARGIN + GAP, y + 18 * SCALE, text, font(typed, 13 * SCALE), WIDTH - 2 * MARGIN, 17 * SCALE)
    return y + 40 * SCALE


def _signatures(sheet: Sheet, y: float, printed: str, chance: random.Random) -> None:
    """Two ruled lines with a scrawl on one of them, which is no text, and what is printed below."""
    width, places = 200 * SCALE, (MARGIN, WIDTH / 2 + 40 * SCALE)
    for x in places:
        sheet.pen.line((x, y, x + width, y), fill=0, width=SCALE)
    points = [(places[0] + step * 7 * SCALE, y - chance.uniform(0, 22) * SCALE) for step in range(2, 24)]
    sheet.pen.line(points, fill=60, width=SCALE + 1, joint="curve")
    names = chance.sample(ENDINGS, 2)
    sheet.cells(
        y + 13 * SCALE, [(x, text, "ls") for x, text in zip(places, names, strict=True)], font(printed, 11 * SCALE)
    )


def _scanned(sheet: Sheet, chance: random.Random) -> Picture:
    """A photocopy of a fax, scanned: ink broken in places, skew, dust, grain and JPEG."""
    page = paper.worn_ink(paper.pixels(sheet.image), 6, chance.uniform(0.1, 0.45), chance)
    if chance.random() < 0.5:
        page = np.asarray(np.where(paper.blurred(page, 1.5) > chance.uniform(150, 195), 255, 0), np.uint8)
    page = paper.skewed(page, 1.2, chance)
    page = paper.reduced(page, WIDTH // SCALE)
    page = paper.blurred(page, chance.uniform(0.3, 0.5))
    page = paper.toned(page, chance.uniform(215, 245), chance.uniform(20, 70))
    page = paper.specked(paper.grainy(page, chance.uniform(2, 8), chance), chance.uniform(0.0003, 0.002), chance)
    return jpeg(page, chance.uniform(-1.5, 0), paper.generator(chance))
