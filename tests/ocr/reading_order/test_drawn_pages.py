"""Drawn pages through the default engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from recto.ocr.documents import Limits
from recto.ocr.engines.select import choose_engine
from recto.ocr.page import PageImage
from recto.ocr.reading import Reader, read_image
from tests.drawing import DPI, LINES, font
from tests.ocr.reading_order.made_blocks import texts

if TYPE_CHECKING:
    from collections.abc import Iterable

Drawn = tuple[int, int, str]
"""Left, top, and the text of a line."""

ROWS = (
    ("Copper wire", "Birmingham", "14.20"),
    ("Oak timber", "Dublin", "385.00"),
    ("Sheep wool", "Edinburgh", "27.50"),
    ("Window glass", "Bristol", "63.75"),
    ("Writing paper", "Cambridge", "9.40"),
)


def read(drawn: Iterable[Drawn]) -> list[str]:
    image = Image.new("L", (2000, 1000), 255)
    for left, top, text in drawn:
        ImageDraw.Draw(image).text((left, top), text, fill=0, font=font(36))
    reader = Reader(choose_engine("auto"), Limits(1, 10**9, 10**9), ("eng",))
    return texts(read_image(PageImage(np.asarray(image), float(DPI)), ("eng",), reader).blocks)


def test_drawn_table_comes_out_row_by_row() -> None:
    cells = [
        (left, 150 + 90 * row, text)
        for row, texts in enumerate(ROWS)
        for left, text in zip((150, 900, 1600), texts, strict=True)
    ]
    assert read(cells) == [" ".join(row) for row in ROWS]


def test_drawn_columns_come_out_one_after_another() -> None:
    first, second = (tuple(line[:32].rsplit(" ", 1)[0] for line in lines) for lines in (LINES, LINES[::-1]))
    columns = [
        (left, 150 + 54 * row, text) for left, lines in ((150, first), (1050, second)) for row, text in enumerate(lines)
    ]
    assert read(columns) == [*first, *second]
