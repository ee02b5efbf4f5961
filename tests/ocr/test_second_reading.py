from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest

from recto.ocr import second_reading
from recto.ocr.page import MAX_SIDE_PX, Block, words_of
from recto.ocr.preprocessing.transform import map_blocks, scaling, translation
from recto.ocr.second_reading import read_again
from tests.drawing import blank_page
from tests.ocr.made_words import read_block, read_line
from tests.ocr.reading_order.made_blocks import texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recto.ocr.page import GreyArray, Line

SURE = read_line("the baker opens his shop", 0.98)
DOUBTFUL = read_line("Iights tha ovcn", 0.4, row=2)
DOUBTFUL_BELOW = read_line("Iights tha ovcn", 0.4, row=1)
"""Near enough to the sure line for some of that to be shown."""
WELL_READ = read_line("lights the oven", 0.95, row=2)


@pytest.fixture(autouse=True)
def _shown_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the recogniser know which rows of the page it is shown."""
    find = second_reading._rows_to_show

    def noted(*given: Any) -> NDArray[np.intp]:
        Recogniser.rows = find(*given)
        return Recogniser.rows

    monkeypatch.setattr(second_reading, "_rows_to_show", noted)


@dataclass
class Recogniser:
    """Answers with blocks that are given in the page's pixels, and keeps the pictures that it is shown."""

    rows: ClassVar[NDArray[np.intp]]
    answer: tuple[Block, ...] = ()
    pictures: list[GreyArray] = field(default_factory=list)

    def __call__(self, picture: GreyArray, growth: float) -> tuple[Block, ...]:
        self.pictures.append(picture)
        return tuple(self._seen(block, picture.shape, growth) for block in self.answer)

    def _seen(self, block: Block, shape: tuple[int, ...], growth: float) -> Block:
        lines: list[Line] = []
        for line in block.lines:
            seen = scaling(growth, shape[0] / len(self.rows)) @ translation(0, self.place(line.box.top) - line.box.top)
            (moved,) = map_blocks(seen, (Block((line,), line.box),), shape[1], shape[0])
            lines += moved.lines
        return Block(tuple(lines), block.box)

    def place(self, row: int) -> int:
        """Which of the rows that are shown it is."""
        return int(np.searchsorted(self.rows, row))


def printed(*blocks: Block) -> GreyArray:
    """White paper with a black box for every word."""
    page = blank_page(800, 400)
    for box in (word.box for word in words_of(blocks)):
        page[box.top : box.top + box.height, box.left : box.left + box.width] = 0
    return page


def darkest(recogniser: Recogniser, page: GreyArray, block: Block) -> int:
    """The darkest pixel of the picture where the page has the block."""
    (picture,) = recogniser.pictures
    growth = picture.shape[1] / page.shape[1]
    box = block.box
    rows = slice(*(round(recogniser.place(row) * growth) for row in (box.top, box.top + box.height)))
    columns = slice(round(box.left * growth), round((box.left + box.width) * growth))
    return int(picture[rows, columns].min())


def test_page_that_reads_well_is_not_read_again() -> None:
    recogniser, blocks = Recogniser(), (read_block(SURE),)
    reading = read_again(printed(*blocks), blocks, recogniser)
    assert reading.blocks is blocks
    assert reading.steps == ()
    assert recogniser.pictures == []


def test_page_without_words_is_not_read_again() -> None:
    recogniser = Recogniser()
    assert read_again(blank_page(), (), recogniser).blocks == ()
    assert recogniser.pictures == []


def test_doubtful_line_is_read_again_in_larger_print() -> None:
    blocks = (read_block(SURE, DOUBTFUL),)
    page, recogniser = printed(*blocks), Recogniser((read_block(WELL_READ),))
    reading = read_again(page, blocks, recogniser)
    assert texts(reading.blocks) == [SURE.text, WELL_READ.text]
    (step,) = reading.steps
    assert step.name == "second_reading"
    assert step.measured == {"doubtful_lines": 1.0, "replaced_words": 3.0, "added_words": 0.0}
    (picture,) = recogniser.pictures
    growth = picture.shape[1] / page.shape[1]
    assert growth > 1
    assert picture.shape[0] / len(recogniser.rows) == pytest.approx(growth, rel=0.01)
    assert DOUBTFUL.box.height * growth < picture.shape[0] < page.shape[0] / 2


def test_words_of_the_second_reading_come_back_to_their_place() -> None:
    blocks = (read_block(SURE, DOUBTFUL),)
    reading = read_again(printed(*blocks), blocks, Recogniser((read_block(WELL_READ),)))
    for found, true in zip(reading.blocks[0].lines[1].words, WELL_READ.words, strict=True):
        assert np.array(found.quad) == pytest.approx(np.array(true.quad), abs=0.01)
        assert (found.box.left, found.box.top) == pytest.approx((true.box.left, true.box.top), abs=1)


def test_words_come_back_to_their_place_from_several_places_of_the_page() -> None:
    first, last = read_line("tha bakcr", 0.4), read_line("Iights tha ovcn", 0.4, row=5)
    blocks = (read_block(first, read_line("opens his shop", 0.98, row=2), last),)
    well_read = (read_line("the baker", 0.95), read_line("lights the oven", 0.95, row=5))
    recogniser = Recogniser((Block(well_read, blocks[0].box),))
    reading = read_again(printed(*blocks), blocks, recogniser)
    assert len(recogniser.rows) < recogniser.rows[-1] - recogniser.rows[0]  # something between them is left out
    assert texts(reading.blocks) == ["the baker", "opens his shop", "lights the oven"]
    for found, true in zip(reading.blocks[0].lines[::2], well_read, strict=True):
        for word, true_word in zip(found.words, true.words, strict=True):
            assert np.array(word.quad) == pytest.approx(np.array(true_word.quad), abs=0.01)


def test_sure_lines_are_painted_over_and_the_page_stays_as_it_is() -> None:
    sure, doubtful = read_block(SURE), read_block(DOUBTFUL_BELOW)
    page, recogniser = printed(sure, doubtful), Recogniser()
    before = page.copy()
    read_again(page, (sure, doubtful), recogniser)
    assert darkest(recogniser, page, sure) == 255
    assert darkest(recogniser, page, doubtful) == 0
    assert np.array_equal(page, before)


def test_sure_lines_are_painted_over_with_the_grey_of_the_paper() -> None:
    sure, doubtful = read_block(SURE), read_block(DOUBTFUL_BELOW)
    page = np.minimum(printed(sure, doubtful), 180).astype(np.uint8)
    recogniser = Recogniser()
    read_again(page, (sure, doubtful), recogniser)
    assert darkest(recogniser, page, sure) == 180


def test_worse_second_reading_leaves_the_first_and_is_recorded() -> None:
    blocks = (read_block(SURE, DOUBTFUL),)
    reading = read_again(printed(*blocks), blocks, Recogniser((read_block(read_line("l ghts t e o en", 0.1, row=2)),)))
    assert reading.blocks == blocks
    assert reading.steps[0].measured["replaced_words"] == 0


@pytest.mark.parametrize(
    ("grey", "added"), [(0, 2.0), (90, 2.0), (200, 0.0)], ids=["black", "faded", "shining through"]
)
def test_word_that_the_first_did_not_see_is_added_where_there_is_print(grey: int, added: float) -> None:
    blocks, unseen = (read_block(SURE, DOUBTFUL),), read_block(read_line("kneads dough", 0.95, row=4))
    page = printed(*blocks)
    box = unseen.box
    page[box.top : box.top + box.height, box.left : box.left + box.width] = grey
    step = read_again(page, blocks, Recogniser((unseen,))).steps[0]
    assert step.measured["added_words"] == added


@pytest.mark.parametrize("text", ["في هذا الكتاب", "זה ספר של ילד", "面包店 开门", "बेकर दुकान"])
def test_other_scripts_are_not_read_again(text: str) -> None:
    recogniser, blocks = Recogniser(), (read_block(read_line(text, 0.3)),)
    reading = read_again(printed(*blocks), blocks, recogniser)
    assert (reading.blocks, reading.steps) == (blocks, ())
    assert recogniser.pictures == []


def test_page_that_cannot_grow_is_not_read_again() -> None:
    recogniser, blocks = Recogniser(), (read_block(DOUBTFUL),)
    for page in (blank_page(MAX_SIDE_PX, 300), blank_page(6500, 6500)):
        assert read_again(page, blocks, recogniser).steps == ()
    assert recogniser.pictures == []


@pytest.mark.parametrize("may_lose_rules", [True, False])
def test_doubtful_line_is_read_again_without_its_underline_where_that_is_allowed(may_lose_rules: bool) -> None:
    blocks = (read_block(SURE, DOUBTFUL),)
    page, recogniser, box = printed(*blocks), Recogniser(), read_block(DOUBTFUL).box
    below = box.top + box.height
    page[below : below + 3, box.left - 40 : box.left + box.width + 40] = 0
    reading = read_again(page, blocks, recogniser, may_lose_rules=may_lose_rules)
    (picture,) = recogniser.pictures
    growth = picture.shape[1] / page.shape[1]
    is_gone = picture[round(recogniser.place(below + 1) * growth), round((box.left + 20) * growth)] > 200
    assert is_gone == may_lose_rules
    assert ("rules" in [step.name for step in reading.steps]) == may_lose_rules
