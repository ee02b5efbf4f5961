"""The pages that are drawn for the accuracy benchmark."""

import random
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from benchmarks.drawn_pages import particulars, prose
from benchmarks.drawn_pages.fonts import font
from benchmarks.drawn_pages.kinds import KINDS, drawn, write_kind
from benchmarks.drawn_pages.sheet import Sheet, wrapped
from benchmarks.drawn_pages.short import BLANKS, GRAINS, RESOLUTIONS_DPI, TEXTS, blank_pages, short_pages
from benchmarks.page_sets import pages_of

SIZES = {"forms_100dpi": (1000, 754), "clean_300dpi": (3508, 2480), "typewriting": (2339, 1654)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_depends_on_seed_kind_and_number_alone(kind: str) -> None:
    (first, truth), (again, same_truth) = drawn(kind, 0, seed=5), drawn(kind, 0, seed=5)
    assert truth == same_truth
    assert np.array_equal(first, again)
    assert drawn(kind, 0, seed=6)[1] != truth
    assert len(truth.split()) > 40
    assert first.dtype == np.uint8
    assert first.shape == SIZES.get(kind, first.shape)
    assert int(np.percentile(first, 0.5)) < int(np.percentile(first, 75)) - 60


def test_short_pages_have_little_text_and_are_drawn_alike_again() -> None:
    pages = list(islice(short_pages(0), 8))
    assert [np.array_equal(one.pixels, again.pixels) for one, again in zip(pages, short_pages(0), strict=False)] == [
        True
    ] * 8
    assert all(0 < len(page.truth) < 60 for page in pages)
    assert all(page.pixels.shape == (round(148 / 25.4 * page.dpi), round(105 / 25.4 * page.dpi)) for page in pages)
    assert len(TEXTS) * len(RESOLUTIONS_DPI) * len(GRAINS) == 96


def test_blank_pages_of_each_kind_have_no_text() -> None:
    assert len(BLANKS) * len(GRAINS) == 48
    pages = list(islice(blank_pages(0), 4))
    assert [(page.kind, page.truth, page.pixels.dtype.name) for page in pages] == [("paper", "", "uint8")] * 4


def test_a_kind_is_written_as_a_set(tmp_path: Path) -> None:
    folder = write_kind("receipts", tmp_path, 2, seed=0)
    assert (folder / "LANG").read_text(encoding="utf-8") == "eng"
    assert [(image.name, len(truth) > 100) for image, truth in pages_of(folder, 0)] == [
        ("00.png", True),
        ("01.png", True),
    ]


@pytest.mark.parametrize("language", ["eng", "fra", "spa", "ita"])
def test_a_language_has_hundreds_of_words_in_sentences(language: str) -> None:
    assert len({word for clause in prose.clauses(language) for word in clause.split()}) > 200
    sentence = prose.sentence(language, random.Random(1))
    assert sentence[0].isupper()
    assert sentence[-1] in ".!?;"


def test_wrapped_lines_fit_and_keep_every_word() -> None:
    typeface = font("LiberationSans-Regular", 20)
    text = prose.paragraph("eng", random.Random(2), 4)
    lines = wrapped(text, typeface, 300)
    assert " ".join(lines) == text
    assert max(typeface.getlength(line) for line in lines) <= 300


def test_a_justified_paragraph_ends_at_the_bottom_and_the_truth_with_it() -> None:
    sheet, typeface = Sheet(400, 400), font("LiberationSerif-Regular", 20)
    y = sheet.justified(10, 30, prose.paragraph("eng", random.Random(3), 12), typeface, 380, 25, bottom=100)
    assert y == 105
    assert len(sheet.lines) == 3
    assert np.asarray(sheet.image)[115:].min() == 255


def test_a_font_that_is_not_installed_gives_way_to_one_of_its_kind() -> None:
    assert font("NoSuchMono-Regular", 12).getname()[0] == "DejaVu Sans Mono"


def test_amounts_have_two_decimals() -> None:
    chance = random.Random(4)
    assert all(particulars.amount(chance, 9000)[-3] == "." for _ in range(20))
