"""Lines, blocks and their order, from words that are placed in code."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from recto.ocr.pdf.text_glyphs import Frame, PlacedWord
from recto.ocr.pdf.text_layout import blocks_of

UPRIGHT = Frame(1.0, 0.0)
SIZE = 40.0


def line(
    text: str, left: float, baseline: float, first: int, size: float = SIZE, frame: Frame = UPRIGHT
) -> list[PlacedWord]:
    """Words of half a size a letter; `first` is the place of the first one in the file."""
    words = []
    for index, word in enumerate(text.split()):
        right = left + len(word) * size / 2
        words.append(
            PlacedWord(word, frame, left, right, baseline - size * 0.7, baseline, baseline, size, False, first + index)
        )
        left = right + size / 4
    return words


def column(name: str, left: float, top: float, count: int, first: int) -> list[PlacedWord]:
    return [
        word
        for row in range(count)
        for word in line(f"{name}{row} and more words", left, top + 50 * row, first + 10 * row)
    ]


def read(words: list[PlacedWord]) -> list[list[str]]:
    """The text of the lines, block by block."""
    return [[line.text for line in block.lines] for block in blocks_of(words, 3000, 4000)]


def rows(name: str, count: int) -> list[str]:
    return [f"{name}{row} and more words" for row in range(count)]


def two_columns() -> list[PlacedWord]:
    title = line("A title over both of the columns", 600, 100, 0, 80)
    footer = line("7", 900, 3800, 500)
    return title + column("left", 100, 300, 20, 100) + column("right", 1000, 300, 18, 300) + footer


def test_two_columns_under_a_title_are_read_one_after_the_other() -> None:
    expected = [["A title over both of the columns"], rows("left", 20), rows("right", 18), ["7"]]
    assert read(two_columns()) == expected


def test_two_columns_that_the_file_has_row_by_row_are_read_one_after_the_other() -> None:
    words = []
    for row in range(12):
        words += line(f"left{row} and more words", 100, 300 + 50 * row, 20 * row)
        words += line(f"right{row} and more words", 1000, 300 + 50 * row, 20 * row + 10)
    assert read(words) == [rows("left", 12), rows("right", 12)]


@settings(deadline=None)
@given(st.randoms(use_true_random=False))
def test_words_of_two_columns_keep_together_in_whatever_order_the_file_has_the_lines(random_: random.Random) -> None:
    words = [*column("left", 100, 300, 8, 0), *column("right", 1000, 300, 8, 200)]
    starts = list(range(0, 280, 10))
    random_.shuffle(starts)
    moved = sorted(
        (word._replace(order=starts[word.order // 10] + word.order % 10) for word in words), key=lambda word: word.order
    )
    assert read(moved) == [rows("left", 8), rows("right", 8)]


def test_row_of_a_table_is_one_line() -> None:
    words = []
    for row, cells in enumerate([("Item", "Price"), ("Bread", "3.20"), ("Salt", "0.90")]):
        for place, cell in enumerate(cells):
            words += line(cell, 100 + 900 * place, 300 + 55 * row, 2 * row + place)
    assert read(words) == [["Item Price", "Bread 3.20", "Salt 0.90"]]


def test_exponents_and_words_drawn_later_join_their_line() -> None:
    words = [
        *line("E = mc", 100, 300, 0),
        *line("2", 203, 282, 3, 26),
        *line("holds always", 226, 300, 4),
        *line("a line between", 100, 400, 10),
        *line("bold", 466, 300, 90),
    ]
    assert read(words) == [["E = mc 2 holds always bold", "a line between"]]


def test_paragraphs_start_after_a_larger_distance_or_moved_in() -> None:
    words = column("one", 100, 300, 3, 0) + column("two", 100, 480, 3, 100)
    words += line("moved in a little", 150, 630, 200) + line("and back to the edge", 100, 680, 300)
    [block] = blocks_of(words, 3000, 4000)
    assert [entry.paragraph for entry in block.lines] == [0, 0, 0, 1, 1, 1, 2, 2]


def test_text_that_runs_upwards_comes_after_the_rest() -> None:
    words = line("margin", 100, 50, 0, frame=Frame(0.0, -1.0)) + column("text", 100, 300, 3, 10)
    blocks = blocks_of(words, 3000, 4000)
    assert [block.lines[0].text for block in blocks] == ["text0 and more words", "margin"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 3000), st.floats(0, 4000), st.floats(1, 200)), max_size=40))
def test_layout_of_any_words_loses_none(places: list[tuple[float, float, float]]) -> None:
    words = [
        word
        for index, (left, baseline, size) in enumerate(places)
        for word in line(f"w{index}", left, baseline, index, size)
    ]
    found = [word for block in read(words) for text in block for word in text.split()]
    assert sorted(found) == sorted(word.text for word in words)
