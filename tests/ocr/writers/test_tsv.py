import csv
import subprocess
from io import StringIO
from pathlib import Path

import pytest
from PIL import Image

from recto.ocr.engines.pytesseract_engine import PytesseractEngine
from recto.ocr.page import Block, Box, Page
from recto.ocr.writers.tsv import write_tsv
from tests.drawing import DPI, LINES, draw_page
from tests.ocr.writers.made_pages import line, page, written

Row = dict[str, str]


def rows(text: str) -> list[Row]:
    return list(csv.DictReader(StringIO(text, newline=""), delimiter="\t", quoting=csv.QUOTE_NONE))


def rows_of(*pages: Page) -> list[Row]:
    return rows(written(write_tsv, *pages).decode("utf-8"))


def test_tsv_of_a_page_is_what_tesseract_prints(tmp_path: Path) -> None:
    pixels = draw_page(LINES[:3]).pixels
    Image.fromarray(pixels).save(tmp_path / "page.png", dpi=(DPI, DPI))
    command = ["tesseract", "page.png", "-", "-l", "eng", "--dpi", str(DPI), "tsv"]
    printed = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, text=True, timeout=60).stdout
    read = PytesseractEngine().recognise(pixels, DPI, ("eng",))
    height_px, width_px = pixels.shape
    ours = written(write_tsv, Page(1, width_px, height_px, DPI, ("eng",), "", (), read)).decode("utf-8")
    assert ours.partition("\n")[0] == printed.partition("\n")[0]
    for row, expected in zip(rows(ours), rows(printed), strict=True):
        assert float(row.pop("conf")) == pytest.approx(float(expected.pop("conf")), abs=1)
        assert row == expected


def test_tsv_counts_pages_blocks_paragraphs_lines_and_words() -> None:
    given = Block((line("a b"), line("c", 1), line("d", 2, paragraph=1)), Box(1, 2, 3, 4))
    places = [tuple(int(value) for value in list(row.values())[:6]) for row in rows_of(page(given, number=3))]
    assert places == [
        (1, 3, 0, 0, 0, 0),
        (2, 3, 1, 0, 0, 0),
        (3, 3, 1, 1, 0, 0),
        (4, 3, 1, 1, 1, 0),
        (5, 3, 1, 1, 1, 1),
        (5, 3, 1, 1, 1, 2),
        (4, 3, 1, 1, 2, 0),
        (5, 3, 1, 1, 2, 1),
        (3, 3, 1, 2, 0, 0),
        (4, 3, 1, 2, 1, 0),
        (5, 3, 1, 2, 1, 1),
    ]


def test_tsv_box_of_a_paragraph_holds_its_lines() -> None:
    given = Block((line("ab"), line("cdef", 1)), Box(0, 0, 1, 1))
    (paragraph,) = [row for row in rows_of(page(given)) if row["level"] == "3"]
    assert [paragraph[name] for name in ("left", "top", "width", "height")] == ["100", "100", "64", "80"]


def test_tsv_confidence_is_a_percentage_of_words_alone() -> None:
    given = rows_of(page(Block((line("ab"),), Box(0, 0, 1, 1))))
    assert [row["conf"] for row in given] == ["-1", "-1", "-1", "-1", "90.000000"]


def test_tsv_keeps_quotation_marks_and_breaks_no_row() -> None:
    given = rows_of(page(Block((line('"so\tit\nis"'),), Box(0, 0, 1, 1))))
    assert given[-1]["text"] == '"so it is"'
