from dataclasses import replace

import pytest

from recto.ocr.assembly import block_of, line_of, with_words
from recto.ocr.layout import quad_of
from recto.ocr.page import Box
from tests.ocr.made_words import read_block, read_line, upwards
from tests.ocr.reading_order.made_blocks import texts

BLOCKS = (
    read_block(read_line("one two", 0.9), read_line("three", 0.9, row=1)),
    read_block(read_line("four", 0.9, row=3)),
)
WORDS = [line.words for block in BLOCKS for line in block.lines]


def test_blocks_with_their_own_words_are_the_same() -> None:
    rebuilt = with_words(BLOCKS, WORDS)
    assert all(one is other for one, other in zip(rebuilt, BLOCKS, strict=True))


def test_line_without_words_is_left_out_and_its_block_shrinks() -> None:
    first, second = with_words(BLOCKS, [WORDS[0], (), WORDS[2]])
    assert texts([first, second]) == ["one two", "four"]
    assert first.lines[0] is BLOCKS[0].lines[0]
    assert first.box == BLOCKS[0].lines[0].box
    assert second is BLOCKS[1]


def test_block_without_words_is_left_out() -> None:
    assert with_words(BLOCKS, [*WORDS[:2], ()]) == [BLOCKS[0]]
    assert with_words(BLOCKS, [(), (), ()]) == []


def test_line_with_other_words_keeps_paragraph_and_baseline() -> None:
    line = read_line("one two three", 0.9)
    block = read_block(replace(line, paragraph=3, baseline=((100, 130), (700, 128))))
    ((rebuilt,),) = (one.lines for one in with_words([block], [line.words[1:]]))
    assert rebuilt.text == "two three"
    assert rebuilt.paragraph == 3
    assert rebuilt.baseline == ((100, 130), (700, 128))
    assert rebuilt.box.left == line.words[1].box.left


def test_line_of_words_runs_from_left_to_right_around_all_of_them() -> None:
    words = read_line("one two three", 0.9).words
    line = line_of(reversed(words), 2)
    assert line.text == "one two three"
    assert line.paragraph == 2
    assert line.box == Box(100, 100, words[2].box.left + words[2].box.width - 100, 32)
    assert line.quad == quad_of(line.box)


def test_line_of_words_stands_on_the_feet_of_most() -> None:
    words = list(read_line("one two three", 0.9).words)
    words[1] = replace(words[1], box=replace(words[1].box, height=40))
    baseline = line_of(words, 0).baseline
    assert baseline is not None
    assert [y for _, y in baseline] == [132, 132]


def test_line_of_upright_words_keeps_their_order_and_its_corners() -> None:
    like = upwards(read_line("one two three", 0.9))
    line = line_of(reversed(like.words), 1, like)
    assert line.text == "three two one"
    assert (line.box, line.quad, line.baseline) == (like.box, like.quad, None)


def test_block_of_lines_holds_all_of_them() -> None:
    lines = [read_line("one", 0.9), read_line("two", 0.9, row=2, left=300)]
    assert block_of(lines).box == Box(100, 100, 248, 128)


@pytest.mark.parametrize("box", [Box(3, 4, 10, 20), Box(0, 0, 0, 0)])
def test_upright_quad_goes_round_in_reading_direction(box: Box) -> None:
    (one, two, three, four) = quad_of(box)
    assert one == (box.left, box.top)
    assert two == (box.left + box.width, box.top)
    assert three == (two[0], four[1])
    assert four == (box.left, box.top + box.height)
