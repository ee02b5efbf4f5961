"""Till receipts: narrow paper, thermal print that is faint in stripes, prices in a column."""

import random
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import ImageFont

from benchmarks.degradations import Picture, jpeg
from benchmarks.drawn_pages import paper, particulars
from benchmarks.drawn_pages.fonts import font
from benchmarks.drawn_pages.sheet import Sheet

SHOPS: Final = (
    "GREENFIELD MARKET", "HARDWARE CENTRE", "BOOK CORNER STATIONERY", "SUNRISE BAKERY & CAFE", "CITY PHARMACY", "OLD MILL RESTAURANT",
    "PERFECT LIGHTING TRADING", "LUCKY GARDEN SUPPLIES",
)  # fmt: skip
GOODS: Final = [
    "WHOLE MILK 1L",
    "BROWN BREAD",
    "FREE RANGE EGGS 12",
    "BASMATI RICE 5KG",
    "CHEDDAR CHEESE",
    "ORANGE JUICE",
    "CHICKEN BREAST",
    "OLIVE OIL 500ML",
    "BATTERY AA 4PCS",
    "LED BULB 9W",
    "WOOD SCREW M4X40",
    "MASKING TAPE",
    "A4 PAPER 80GSM",
    "BALL PEN BLUE",
    "NOTEBOOK RULED",
    "GREEN TEA 25 BAGS",
    "ICED LATTE LARGE",
    "TOAST & BUTTER",
    "FRIED NOODLE",
    "STEAMED FISH",
    "MINERAL WATER",
    "PAINT BRUSH 2IN",
    "PVC PIPE 20MM",
    "DISH SOAP LEMON",
    "TOOTHPASTE MINT",
    "PARACETAMOL 500MG",
    "HAND CREAM",
    "TOMATO SOUP",
    "CARROT BUNCH",
    "FROZEN PEAS 1KG",
    "CHOCOLATE BAR",
    "KITCHEN TOWEL",
    "GARDEN HOSE 10M",
    "FLOWER POT CLAY",
    "UMBRELLA BLACK",
    "PLASTIC BAG",
]
CLOSINGS: Final = (
    "THANK YOU. PLEASE COME AGAIN", "GOODS SOLD ARE NOT RETURNABLE", "Exchange within 7 days with receipt",
    "THIS IS A COMPUTER GENERATED RECEIPT", "Thank you for shopping with us!",
)  # fmt: skip
TYPEFACES: Final = (
    "LiberationMono-Regular", "DejaVuSansMono", "DejaVuSansCondensed", "LiberationSansNarrow-Regular", "LiberationMono-Regular",
)  # fmt: skip


@dataclass(slots=True)
class Roll:
    """The paper as it leaves the printer: the next baseline moves down."""

    sheet: Sheet
    typeface: ImageFont.FreeTypeFont
    leading: float
    margin: float
    y: float

    @property
    def right(self) -> float:
        """Where prices end."""
        return self.sheet.width - self.margin

    def centred(self, text: str, typeface: ImageFont.FreeTypeFont | None = None) -> None:
        """A line in the middle, with more room below where it is in a typeface of its own."""
        self.sheet.line(self.sheet.width / 2, self.y, text, typeface or self.typeface, anchor="ms")
        self.y += self.leading * (1.4 if typeface else 1)

    def row(self, *cells: tuple[float, str, str]) -> None:
        """Cells at shares of the printed width."""
        width = self.right - self.margin
        self.sheet.cells(
            self.y, [(self.margin + share * width, text, anchor) for share, text, anchor in cells], self.typeface
        )
        self.y += self.leading

    def pair(self, left: str, right: str) -> None:
        """Two texts, at either side."""
        self.row((0, left, "ls"), (1, right, "rs"))

    def separator(self, mark: str) -> None:
        """Not text: a rule made of characters."""
        count = int((self.right - self.margin) / self.typeface.getlength(mark))
        self.sheet.put(self.margin, self.y, mark * count, self.typeface)
        self.y += self.leading


def receipt(chance: random.Random) -> tuple[Picture, str]:
    width = chance.randint(450, 900)
    name = chance.choice(TYPEFACES)
    size = round(width / (27 if "Mono" in name else 21) * chance.uniform(0.9, 1.05))
    sheet = Sheet(width, 4000)
    roll = Roll(sheet, font(name, size), size * chance.uniform(1.15, 1.5), width * chance.uniform(0.04, 0.1), size * 3)
    _head(roll, font(name.replace("Regular", "Bold"), round(size * 1.3)), chance)
    mark = chance.choice("-=-*")
    roll.separator(mark)
    total = _items(roll, chance)
    roll.separator(mark)
    _totals(roll, total, chance)
    _foot(roll, chance)
    height = min(4000, int(roll.y + size * chance.uniform(2, 6)))
    return _printed(paper.pixels(sheet.image)[:height], size, chance), sheet.truth


def _head(roll: Roll, large: ImageFont.FreeTypeFont, chance: random.Random) -> None:
    roll.centred(chance.choice(SHOPS), large)
    roll.centred(particulars.street(chance).upper())
    roll.centred(particulars.town(chance).upper())
    roll.centred(f"TEL: {particulars.phone(chance)}")
    roll.centred(f"GST ID: {chance.randint(10**8, 10**9)}")
    roll.y += roll.leading / 2
    roll.pair(f"Receipt #: {particulars.code(chance)}", f"Till {chance.randint(1, 9)}")
    roll.pair(
        f"{chance.randint(1, 28):02d}/{chance.randint(1, 12):02d}/20{chance.randint(14, 19)}",
        f"{chance.randint(8, 21):02d}:{chance.randint(0, 59):02d}:{chance.randint(0, 59):02d}",
    )
    roll.pair(f"Cashier: {chance.choice(particulars.FIRST_NAMES).upper()}", f"Table {chance.randint(1, 30)}")


def _items(roll: Roll, chance: random.Random) -> int:
    """Either quantity, article and price in a row, or the article above its quantity and price. The sum, in cents."""
    two_rows, total = chance.random() < 0.4, 0
    roll.row((0, "QTY", "ls"), (0.14, "ITEM", "ls"), (1, "AMOUNT", "rs"))
    for article in chance.sample(GOODS, chance.randint(5, 16)):
        count, cents = chance.choice((1, 1, 1, 2, 3, 10)), chance.randint(30, 4500)
        total += count * cents
        price = f"{count * cents / 100:,.2f}"
        if two_rows:
            roll.row((0, article, "ls"))
            roll.row((0.08, f"{count} x {cents / 100:.2f}", "ls"), (1, f"{price} {chance.choice(('S', 'Z'))}", "rs"))
        else:
            roll.row((0, str(count), "ls"), (0.14, article, "ls"), (1, price, "rs"))
    return total


def _totals(roll: Roll, total: int, chance: random.Random) -> None:
    tax, given = round(total * 0.06), -(-total // 1000) * 1000
    roll.pair("SUBTOTAL", f"{(total - tax) / 100:,.2f}")
    roll.pair("GST 6%", f"{tax / 100:,.2f}")
    roll.pair(chance.choice(("TOTAL", "TOTAL RM", "TOTAL DUE", "Grand Total")), f"{total / 100:,.2f}")
    roll.pair(chance.choice(("CASH", "Cash Tendered", "PAID")), f"{given / 100:,.2f}")
    roll.pair("CHANGE", f"{(given - total) / 100:,.2f}")


def _foot(roll: Roll, chance: random.Random) -> None:
    roll.y += roll.leading
    for text in chance.sample(CLOSINGS, 2):
        roll.centred(text)


def _printed(page: Picture, size: int, chance: random.Random) -> Picture:
    """Dots that do not touch, streaks where the head is dirty, ink faded in clouds, on grey paper that is not flat."""
    page = paper.worn_ink(page, max(2.0, size / 9), chance.uniform(0.3, 0.75), chance)
    page = paper.worn_ink(page, size * 6, chance.uniform(0.05, 0.35), chance)
    page = page.copy()
    for _ in range(chance.randint(0, 4)):
        x = chance.randrange(page.shape[1] - 3)
        page[:, x : x + chance.randint(1, 3)] = 255
    page = paper.skewed(page, 1.5, chance)
    page = paper.blurred(page, chance.uniform(0.4, size / 30))
    page = paper.toned(page, chance.uniform(175, 225), chance.uniform(40, 90))
    page = np.asarray(paper.stained(page, chance.uniform(2, 7), chance), np.uint8)
    return jpeg(paper.grainy(page, chance.uniform(2, 8), chance), chance.uniform(-1.5, 0), paper.generator(chance))
