"""Tables, price lists and forms come out row by row, columns of text one after another, and no word is lost."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.ocr.page import words_of
from recto.ocr.preprocessing.transform import map_blocks, plane
from recto.ocr.reading_order.order import in_reading_order
from tests.ocr.reading_order.made_blocks import PROSE, block, column, texts, turned, without_baselines
from tests.ocr.writers.made_pages import TEXTS, blocks_with, line

if TYPE_CHECKING:
    from recto.ocr.page import Block

TABLE = (
    column(100, "Item", "Coal", "Timber", "Copper", "Zinc"),
    column(700, "1991", "415", "58.1", "66.7", "(317)"),
    column(1200, "1992", "207", "30 %", "5.0", "57"),
)
TABLE_ROWS = ["Item 1991 1992", "Coal 415 207", "Timber 58.1 30 %", "Copper 66.7 5.0", "Zinc (317) 57"]
CATALOGUE = (
    column(100, "172.", "173.", rows=(1, 2)),
    column(100, "174.", rows=(6,)),
    column(500, "Anna Barth in Bern", rows=(0,)),
    column(300, "Portrait of a man", "Still life", rows=(1, 2)),
    column(500, "Carl Hetz in Genf", rows=(5,)),
    column(300, "Banks of the Reuss", rows=(6,)),
    column(1500, "Fr.", rows=(-1,)),
    column(1500, "370", "1400", rows=(1, 2)),
    column(1500, "—", rows=(6,)),
)
CATALOGUE_ROWS = [
    "Fr.",
    "Anna Barth in Bern",
    "172. Portrait of a man 370",
    "173. Still life 1400",
    "Carl Hetz in Genf",
    "174. Banks of the Reuss —",
]
WORDS = ("Anna Barth", "Carl Hetz", "Otto Gampert", "Elise Prehn", "Paul Robinet")
PLACES = ("Berne", "Zurich", "Geneva", "Lucerne", "Gersau")
OPEN_ROWS = (0, 2, 4, 7, 9)


def ordered(*blocks: Block) -> list[str]:
    return texts(in_reading_order(blocks))


def assert_unchanged(*blocks: Block) -> None:
    assert in_reading_order(blocks) == blocks


def test_table_read_column_by_column_comes_out_row_by_row() -> None:
    assert ordered(*TABLE) == TABLE_ROWS


def test_table_becomes_one_block_of_lines_around_their_words() -> None:
    (table,) = in_reading_order(TABLE)
    assert (table.box.left, table.box.top, table.box.width, table.box.height) == (100, 100, 1164, 224)
    row = table.lines[1]
    assert (row.box.left, row.box.top, row.box.width, row.box.height) == (100, 148, 1148, 32)
    assert [*chain(*row.quad)] == pytest.approx([100, 148, 1248, 148, 1248, 180, 100, 180])
    assert row.baseline == ((100, 180), (1248, 180))
    assert {line.paragraph for line in table.lines} == {0}


@pytest.mark.parametrize("angle_deg", [-3, 2, 90, 180, 270])
def test_table_on_a_page_askew_or_turned_comes_out_row_by_row(angle_deg: float) -> None:
    assert ordered(*turned(TABLE, angle_deg)) == TABLE_ROWS


def test_table_photographed_at_an_angle_comes_out_row_by_row() -> None:
    names = ("Banks of the Reuss near Aarau", "A portrait of a young man", "Winter in the hills of Berne", "Still life")
    prices, rows = ("415", "370", "1400", "120"), (0, 15, 30, 45)
    table = column(100, *names, rows=rows), column(1300, *prices, rows=rows)
    converging = plane(np.array([[1, 0, 0], [0, 1, 0], [0.00005, 0, 1]]))
    assert ordered(*map_blocks(converging, table, 30_000, 30_000)) == [
        f"{name} {price}" for name, price in zip(names, prices, strict=True)
    ]


def test_price_list_keeps_numbers_and_prices_with_their_lines() -> None:
    assert ordered(*CATALOGUE) == CATALOGUE_ROWS


def test_prices_behind_descriptions_stand_at_the_end_of_their_last_lines() -> None:
    descriptions = column(100, *PROSE[:3], "two cups", *PROSE[4:6], "one jug")
    assert ordered(descriptions, column(1200, "12.50", "3.80", rows=(3, 6))) == [
        *PROSE[:3],
        "two cups 12.50",
        *PROSE[4:6],
        "one jug 3.80",
    ]


def test_table_of_words_goes_with_its_column_of_figures() -> None:
    years = column(1400, "1820", "1833", "1841", "1799", "1850")
    found = ordered(column(100, *WORDS), column(800, *PLACES), years)
    assert found[0] == "Anna Barth Berne 1820"
    assert len(found) == len(WORDS)


def test_table_of_words_in_open_rows_comes_out_row_by_row() -> None:
    assert ordered(column(100, *WORDS, rows=OPEN_ROWS), column(800, *PLACES, rows=OPEN_ROWS)) == [
        f"{name} {place}" for name, place in zip(WORDS, PLACES, strict=True)
    ]


def test_form_joins_labels_and_fields_in_two_columns_of_pairs() -> None:
    rows = (0, 2, 5)
    columns = (
        column(100, "Name:", "Street:", "City:", rows=rows),
        column(400, "Janet Miller", "Victoria Avenue", "Albany", rows=rows),
        column(1000, "Order:", "Invoice:", "Contact:", rows=rows),
        column(1300, "AK-62514", "none", "Mr Smith", rows=rows),
    )
    assert ordered(*columns) == [
        "Name: Janet Miller Order: AK-62514",
        "Street: Victoria Avenue Invoice: none",
        "City: Albany Contact: Mr Smith",
    ]


def test_rows_far_apart_are_paragraphs_of_their_own() -> None:
    (form,) = in_reading_order(
        (column(100, "A:", "B:", "C:", rows=(0, 1, 6)), column(400, "x", "y", "z", rows=(0, 1, 6)))
    )
    assert [line.paragraph for line in form.lines] == [0, 0, 1]


def test_line_torn_by_a_wide_space_is_one_again() -> None:
    torn = column(100, *PROSE[:2], "distant farms", PROSE[3])
    assert ordered(torn, column(348, "to buy bread", rows=(2,))) == [
        *PROSE[:2],
        "distant farms to buy bread",
        PROSE[3],
    ]


def test_newspaper_columns_stay_one_after_another() -> None:
    heading = block(line("People come from distant farms", -3, size_px=64))
    assert_unchanged(heading, column(100, *PROSE), column(760, *PROSE[::-1]))


def test_column_of_text_beside_a_table_is_not_torn() -> None:
    table = (column(1000, *WORDS), column(1600, "1820", "1833", "1841", "1799", "1850"))
    assert ordered(column(100, *PROSE), *table) == [*PROSE, "Anna Barth 1820", *ordered(*table)[1:]]


def test_two_lists_of_words_in_close_lines_stay_apart() -> None:
    assert_unchanged(column(100, *WORDS), column(800, *PLACES))


def test_columns_of_verse_stay_apart() -> None:
    rows = (0, 1, 2, 3, 5, 6, 7, 8)
    verse = tuple(text[:24].strip().capitalize() for text in PROSE)
    assert_unchanged(column(100, *verse, rows=rows), column(760, *verse[::-1], rows=rows))


def test_footnotes_come_last() -> None:
    notes = column(100, "1 The choir sang an unfamiliar hymn in the small hall behind the library.", rows=(10,))
    columns = column(100, *PROSE), column(760, *PROSE[::-1])
    assert_unchanged(*columns, notes)
    assert ordered(notes, *columns)[-1] == notes.lines[0].text


def test_indented_list_stays_as_it_is() -> None:
    assert_unchanged(
        block(*(line(text, row, left=100 + 60 * (row % 3 > 0)) for row, text in enumerate(PROSE))),
        block(*(line(f"{row}. {text}", row, left=160) for row, text in enumerate(WORDS, 9))),
    )


def test_margin_note_stays_out_of_the_text() -> None:
    assert_unchanged(column(100, "The river", "in winter", rows=(2, 3)), column(400, *PROSE))


@pytest.mark.parametrize("ragged", [0, 5])
def test_line_numbers_stay_out_of_the_text(ragged: int) -> None:
    text = [line[: len(line) - ragged * (row % 2)] for row, line in enumerate(PROSE)]
    assert_unchanged(column(100, "3", "6", rows=(2, 5)), column(400, *text))


def test_numbers_stand_before_their_paragraphs() -> None:
    numbers = column(100, "1.", "2.", rows=(0, 4))
    assert ordered(numbers, column(200, *PROSE[:3], "two cups", *PROSE[4:]))[::4] == [
        f"1. {PROSE[0]}",
        f"2. {PROSE[4]}",
    ]


def test_table_of_cells_of_several_lines_comes_out_row_by_row() -> None:
    cells, expected = [], []
    for row in range(4):
        first, second, price = PROSE[row : row + 3], PROSE[row + 1 : row + 4], f"{row}4.00"
        rows = range(4 * row, 4 * row + 3)
        cells.append(
            (column(100, *first, rows=rows), column(800, *second, rows=rows), column(1500, price, rows=rows[:1]))
        )
        expected += [*first, f"{second[0]} {price}", *second[1:]]
    assert ordered(*chain(*zip(*cells, strict=True))) == expected


def test_heading_after_its_columns_comes_before_them() -> None:
    heading = column(300, "From distant farms to the baker of the valley", rows=(-2,))
    columns = column(100, *PROSE), column(760, *PROSE[::-1])
    assert in_reading_order((*columns, heading)) == (heading, *columns)


def test_single_column_comes_out_from_above() -> None:
    lower, upper = column(100, "21. Fire in a village", rows=(2,)), column(700, "Anna Barth in Bern", rows=(0,))
    assert in_reading_order((lower, upper)) == (upper, lower)


def test_vertical_text_is_left_alone() -> None:
    assert_unchanged(*map(without_baselines, TABLE))


@pytest.mark.parametrize("word", ["שלום", "سلام"])
def test_text_that_runs_to_the_left_is_left_alone(word: str) -> None:
    assert_unchanged(column(700, word, word, word), column(100, "415", "58.1", "66.7"))


def test_page_without_blocks_stays_empty() -> None:
    assert in_reading_order(()) == ()


def assert_same_words(blocks: tuple[Block, ...]) -> None:
    found = in_reading_order(blocks)
    assert Counter(words_of(found)) == Counter(words_of(blocks))
    for each in found:
        numbers = [line.paragraph for line in each.lines]
        assert numbers == sorted(numbers) or each in blocks


@given(st.lists(blocks_with(TEXTS), max_size=6).map(tuple))
def test_words_of_any_blocks_are_only_moved(blocks: tuple[Block, ...]) -> None:
    assert_same_words(blocks)


@given(st.data())
def test_words_of_any_cells_are_only_moved_and_lines_read_rightwards(data: st.DataObject) -> None:
    cell = st.sampled_from(["415", "—", "Name:", "Coal", "Banks of the Reuss", *PROSE])
    rows = st.lists(st.integers(0, 12), min_size=1, max_size=6, unique=True).map(sorted)
    blocks = []
    for left in data.draw(st.lists(st.integers(0, 40).map(lambda step: 60 * step), max_size=8)):
        chosen = data.draw(rows)
        blocks.append(column(left, *(data.draw(cell) for _ in chosen), rows=chosen))
    assert_same_words(tuple(blocks))
    for each in chain.from_iterable(found.lines for found in in_reading_order(tuple(blocks))):
        lefts = [word.box.left for word in each.words]
        assert lefts == sorted(lefts)
