"""Pictures of a page that has text: what is read in them, and where it comes among the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from recto.ocr.page import Block, Box, Line, PageImage, Step, Word
from recto.ocr.pictures import in_reading_order, read_pictures
from recto.ocr.reading import Reading
from tests.drawing import blank_page, draw_page

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray


def block(
    left: int, top: int, width: int = 200, height: int = 40, *, text: str = "word", confidence: float = 0.9
) -> Block:
    box = Box(left, top, width, height)
    quad = ((left, top), (left + width, top), (left + width, top + height), (left, top + height))
    return Block((Line((Word(text, confidence, box, quad),), box, quad, 0),), box)


class Reader:
    """Reads the same block in every picture, and keeps the pictures that it was given."""

    def __init__(self, *blocks: Block) -> None:
        self.seen: list[GreyArray] = []
        self._blocks = blocks

    def __call__(self, image: PageImage) -> Reading:
        self.seen.append(image.pixels)
        return Reading(self._blocks, (Step("deskew", {"angle_deg": 1.0}),), ("eng",), 300.0)


@pytest.fixture
def page() -> PageImage:
    """A page with three lines of print from (100, 300) on."""
    drawn = draw_page(("One line of a picture", "and another line", "and a third one")).pixels
    pixels = blank_page(drawn.shape[1] + 200, drawn.shape[0] + 600)
    pixels[300 : 300 + drawn.shape[0], 100 : 100 + drawn.shape[1]] = drawn
    return PageImage(pixels, 300.0)


def picture_box(page: PageImage) -> Box:
    height_px, width_px = page.pixels.shape
    return Box(100, 300, width_px - 200, height_px - 600)


def test_words_of_a_picture_come_back_on_the_page(page: PageImage) -> None:
    reader = Reader(block(10, 20))
    blocks, steps = read_pictures(page, (picture_box(page),), (), reader)
    assert blocks[0].box == Box(110, 320, 200, 40)
    assert blocks[0].lines[0].words[0].quad[0] == (110, 320)
    assert blocks[0].origin == "recognised"
    assert steps == (Step("deskew", {"angle_deg": 1.0, "picture_left_px": 100, "picture_top_px": 300}),)
    assert np.array_equal(reader.seen[0], page.pixels[300:-300, 100:-100])


def test_words_that_the_page_has_are_not_shown_to_the_reader(page: PageImage) -> None:
    reader, box = Reader(), picture_box(page)
    before = page.pixels.copy()
    third_line = block(box.left, box.top + 300, box.width, 80)
    read_pictures(page, (box,), (third_line,), reader)
    (seen,) = reader.seen
    assert (seen[300:] == 255).all()
    assert (seen[:290] < 128).any()
    assert np.array_equal(page.pixels, before)


def test_picture_without_anything_like_letters_is_not_read(page: PageImage) -> None:
    reader = Reader(block(10, 20))
    assert read_pictures(page, (Box(0, 0, 300, 250),), (), reader) == ((), ())
    assert reader.seen == []


def test_texture_that_reads_like_noise_is_left_out(page: PageImage) -> None:
    reader = Reader(block(10, 20, text="~;", confidence=0.2), block(10, 90, text="print", confidence=0.8))
    blocks, _ = read_pictures(page, (picture_box(page),), (), reader)
    assert [line.text for found in blocks for line in found.lines] == ["print"]


def test_picture_comes_before_the_text_below_it() -> None:
    above, below, picture = block(0, 0), block(0, 500), block(0, 200)
    assert in_reading_order((above, below), (picture,)) == (above, picture, below)


def test_picture_in_the_second_column_leaves_the_first_alone() -> None:
    first, second_above, second_below = block(0, 600), block(300, 0), block(300, 700)
    picture = block(300, 300)
    assert in_reading_order((first, second_above, second_below), (picture,)) == (
        first,
        second_above,
        picture,
        second_below,
    )


def test_picture_below_all_text_comes_last() -> None:
    assert in_reading_order((block(0, 0),), (block(0, 900),))[-1] == block(0, 900)
