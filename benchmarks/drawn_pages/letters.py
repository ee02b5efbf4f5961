"""Modern letters, printed by laser and scanned well at 300 dpi."""

import random
from typing import Final

from benchmarks.degradations import Picture
from benchmarks.drawn_pages import paper, particulars, prose
from benchmarks.drawn_pages.fonts import font
from benchmarks.drawn_pages.sheet import Sheet

WIDTH, HEIGHT, MARGIN = 2480, 3508, 300
"""A4 at 300 dpi."""
TYPEFACES: Final = ("LiberationSans", "LiberationSerif", "NotoSans", "NotoSerif")


def letter(chance: random.Random) -> tuple[Picture, str]:
    sheet, typeface = Sheet(WIDTH, HEIGHT), chance.choice(TYPEFACES)
    size = round(chance.choice((8, 9, 10, 11, 12)) * 300 / 72)
    y = _head(sheet, typeface, size, chance)
    body = font(f"{typeface}-Regular", size)
    for _ in range(chance.randint(3, 5)):
        text = f"{prose.paragraph('eng', chance, chance.randint(2, 4))} {_remark(chance)}"
        y = sheet.block(MARGIN, y, text, body, WIDTH - 2 * MARGIN, 1.4 * size) + size
    sheet.line(MARGIN, y, "Yours sincerely,", body)
    y = sheet.block(MARGIN, y + 5 * size, particulars.name(chance), body, WIDTH, 1.4 * size)
    sheet.line(
        MARGIN, y, chance.choice(("Managing Director", "Head of Accounts", "Customer Service", "Secretary")), body
    )
    sender = f"{particulars.street(chance)} · {particulars.town(chance)} · {particulars.phone(chance)}"
    sheet.line(WIDTH / 2, HEIGHT - 150, sender, font(f"{typeface}-Regular", 30), anchor="ms")
    page = paper.blurred(paper.pixels(sheet.image), chance.uniform(0.5, 0.9))
    page = paper.skewed(paper.toned(page, chance.uniform(243, 253), chance.uniform(5, 30)), 0.3, chance)
    return paper.grainy(page, chance.uniform(1, 3), chance), sheet.truth


def _head(sheet: Sheet, typeface: str, size: int, chance: random.Random) -> float:
    """Letterhead, address, date and subject; the baseline of the text."""
    body, bold = font(f"{typeface}-Regular", size), font(f"{typeface}-Bold", size)
    sheet.line(MARGIN, 280, particulars.company(chance), font(f"{typeface}-Bold", 2 * size))
    sheet.pen.line((MARGIN, 320, WIDTH - MARGIN, 320), fill=90, width=4)
    y = 520.0
    name = particulars.name(chance)
    for text in (name, particulars.street(chance), particulars.town(chance)):
        sheet.line(MARGIN, y, text, body)
        y += 1.4 * size
    sheet.line(WIDTH - MARGIN, y + size, particulars.long_date(chance, (2008, 2024)), body, anchor="rs")
    sheet.line(MARGIN, y + 4 * size, f"Invoice {particulars.code(chance)}: {prose.phrase('eng', chance, 6)}", bold)
    sheet.line(MARGIN, y + 6.5 * size, f"Dear {name.split()[0]},", body)
    return y + 9 * size


def _remark(chance: random.Random) -> str:
    return chance.choice((
        f"Please transfer €{particulars.amount(chance, 9000)} by {particulars.long_date(chance, (2008, 2024))}.",
        f"Our reference is {particulars.code(chance)}; call {particulars.phone(chance)} between 9:00 and 17:30.",
        f"About {chance.randint(2, 98)}% of the order ({chance.randint(3, 900)} items) has been shipped already.",
    ))  # fmt: skip
