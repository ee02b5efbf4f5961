from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from recto.ocr.merging import Merged, merge
from recto.ocr.page import words_of
from tests.ocr.made_words import read_block, read_line, upwards
from tests.ocr.reading_order.made_blocks import texts

if TYPE_CHECKING:
    from recto.ocr.page import Block, Word

TEXT = "the baker opens his shop"


def everywhere(_: Word) -> bool:
    return True


def nowhere(_: Word) -> bool:
    return False


def merged(first: Block, second: Block) -> Merged:
    return merge((first,), (second,), everywhere)


def test_better_word_replaces_the_worse_one() -> None:
    first = read_block(read_line("the bakcr opens his shop", 0.9, 0.4, 0.9, 0.9, 0.9))
    result = merged(first, read_block(read_line(TEXT, 0.9)))
    assert texts(result.blocks) == [TEXT]
    assert (result.replaced, result.added) == (1, 0)


@pytest.mark.parametrize("confidence", [0.1, 0.4])
def test_worse_second_reading_changes_nothing(confidence: float) -> None:
    first = read_block(read_line(TEXT, 0.9), read_line("lights the oven", 0.5, row=1))
    second = read_block(
        read_line("thc bakor opcns hls shep", confidence), read_line("Iigbts tha ovcn", confidence, row=1)
    )
    assert merged(first, second) == Merged((first,), 0, 0)


def test_second_reading_that_is_the_first_changes_nothing() -> None:
    first = read_block(read_line(TEXT, 0.5), read_line("lights the oven", 0.8, row=1))
    assert merged(first, first) == Merged((first,), 0, 0)


def test_empty_second_reading_changes_nothing() -> None:
    first = read_block(read_line(TEXT, 0.1))
    assert merge((first,), (), everywhere) == Merged((first,), 0, 0)


def test_second_reading_of_an_empty_page_is_taken() -> None:
    result = merge((), (read_block(read_line(TEXT, 0.9)),), everywhere)
    assert texts(result.blocks) == [TEXT]
    assert (result.replaced, result.added) == (0, 5)


@pytest.mark.parametrize(
    ("left_out", "expected"),
    [(0, TEXT), (2, TEXT), (4, TEXT)],
    ids=["before it", "in a gap of it", "behind it"],
)
def test_word_that_only_the_second_saw_joins_its_line(left_out: int, expected: str) -> None:
    whole = read_line(TEXT, 0.9)
    partial = read_block(
        replace(whole, words=(*whole.words[:left_out], *whole.words[left_out + 1 :])),
        read_line("lights the oven", 0.9, row=1),
    )
    result = merged(partial, read_block(whole))
    assert texts(result.blocks) == [expected, "lights the oven"]
    assert (result.replaced, result.added) == (0, 1)
    assert result.blocks[0].lines[1] is partial.lines[1]


def test_line_that_only_the_second_saw_stands_between_its_neighbours() -> None:
    rows = ["the baker opens", "lights the oven", "and kneads dough"]
    first = read_block(read_line(rows[0], 0.9), read_line(rows[2], 0.9, row=2))
    result = merged(first, read_block(read_line(rows[1], 0.9, row=1)))
    assert texts(result.blocks) == rows
    assert len(result.blocks) == 1
    assert result.added == 3


def test_line_outside_of_all_blocks_becomes_a_block_before_what_stands_below() -> None:
    first = (read_block(read_line("a heading", 0.9)), read_block(read_line("and the text", 0.9, row=8)))
    result = merge(first, (read_block(read_line("between both", 0.9, row=4)),), everywhere)
    assert texts(result.blocks) == ["a heading", "between both", "and the text"]
    assert (result.blocks[0], result.blocks[2]) == first


def test_line_below_all_blocks_becomes_the_last() -> None:
    first = read_block(read_line("a heading", 0.9))
    result = merged(first, read_block(read_line("the foot", 0.9, row=9)))
    assert texts(result.blocks) == ["a heading", "the foot"]
    assert result.blocks[0] is first


def test_words_of_one_row_that_stand_far_apart_become_lines_of_their_own() -> None:
    left, right = read_line("left column", 0.9, row=4), read_line("right column", 0.9, row=4, left=1200)
    together = replace(left, words=left.words + right.words)
    result = merged(read_block(read_line("a heading", 0.9)), read_block(together))
    assert texts(result.blocks) == ["a heading", "left column", "right column"]


def test_word_far_from_a_line_of_its_row_does_not_join_it() -> None:
    result = merged(read_block(read_line("the baker", 0.9)), read_block(read_line("margin", 0.9, left=1200)))
    assert texts(result.blocks) == ["the baker", "margin"]
    assert len(result.blocks) == 2


def test_words_without_ink_are_not_added() -> None:
    first, second = read_block(read_line("the baker", 0.9)), read_block(read_line("shines through", 0.95, row=3))
    assert merge((first,), (second,), nowhere) == Merged((first,), 0, 0)


def test_words_without_ink_still_replace_what_was_read_there() -> None:
    first, second = read_block(read_line("tbe bakcr", 0.3)), read_block(read_line("the baker", 0.95))
    result = merge((first,), (second,), nowhere)
    assert texts(result.blocks) == ["the baker"]
    assert result.replaced == 2


def test_doubtful_words_are_not_added() -> None:
    first, second = read_block(read_line("the baker", 0.9)), read_block(read_line("wnmw eese", 0.4, row=3))
    assert merged(first, second) == Merged((first,), 0, 0)


def test_lines_that_do_not_lie_level_are_left_as_they_are() -> None:
    first = read_block(upwards(read_line("tbe bakcr", 0.3)))
    assert merged(first, read_block(read_line("the baker", 0.95))) == Merged((first,), 0, 0)


def test_lines_of_the_second_reading_that_do_not_lie_level_are_left_out() -> None:
    first = read_block(read_line("tbe bakcr", 0.3))
    second = read_block(upwards(read_line("the baker", 0.95)), upwards(read_line("and more", 0.95, row=3)))
    assert merged(first, second) == Merged((first,), 0, 0)


def test_word_does_not_join_a_line_that_does_not_lie_level() -> None:
    first = read_block(upwards(read_line("the baker", 0.9)))
    result = merged(first, read_block(read_line("opens", 0.9, left=290)))
    assert result.blocks[0].lines[0] is first.lines[0]
    assert sorted(texts(result.blocks)) == ["opens", "the baker"]


def test_one_word_is_parted_where_the_two_are_likelier() -> None:
    result = merged(read_block(read_line("the thebaker-", 0.9, 0.5)), read_block(read_line("the the baker", 0.9)))
    assert texts(result.blocks) == ["the the baker"]
    assert (result.replaced, result.added) == (2, 0)


def test_two_words_become_one_where_the_one_is_worth_more() -> None:
    result = merged(read_block(read_line("the bak rs", 0.9, 0.3, 0.3)), read_block(read_line("the bakers", 0.9)))
    assert texts(result.blocks) == ["the bakers"]
    assert result.replaced == 1


def test_two_sure_words_are_not_given_for_one() -> None:
    first = read_block(read_line("of the baker", 0.85))
    assert merged(first, read_block(read_line("of the-baker", 0.85, 0.9))) == Merged((first,), 0, 0)


def test_merged_lines_surround_their_words() -> None:
    first = read_block(read_line("the bakcr", 0.9, 0.3))
    grown = read_line("the bakers-", 0.9)
    (block,) = merged(first, read_block(grown)).blocks
    right = max(word.box.left + word.box.width for word in words_of((block,)))
    assert block.lines[0].box.left + block.lines[0].box.width == right
    assert block.box == block.lines[0].box
