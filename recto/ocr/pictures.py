"""Pictures on a page whose text is there already: each is read alone, with the words that the page has left out of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from recto.ocr.page import Block, Box, PageImage, Step, mean_confidence, words_of
from recto.ocr.preprocessing.transform import map_blocks, translation
from recto.ocr.uncovered import uncovered, wiped

if TYPE_CHECKING:
    from collections.abc import Callable

    from recto.ocr.reading import Reading

_MIN_CONFIDENCE: Final = 0.5
"""Below this mean confidence what was read in a picture is its texture: photographs yield such blocks, print does not."""
_MIN_WORDS: Final = 5
_SAME_SHARE: Final = 0.7
"""Of the words of a picture: where the page's text has this many of them, it is the picture's text. Two halves of a page share a third."""


def read_pictures(
    page: PageImage, boxes: tuple[Box, ...], text: tuple[Block, ...], read: Callable[[PageImage], Reading]
) -> tuple[tuple[Block, ...], tuple[Step, ...]]:
    """What is read in the `boxes` of the page, in the page's pixels, and the steps that each picture got.

    `read` reads an image; `text` is what the page has already.
    """
    readings = [_read_picture(page, box, text, read) for box in boxes]
    return tuple(block for blocks, _ in readings for block in blocks), tuple(
        step for _, steps in readings for step in steps
    )


def in_reading_order(text: tuple[Block, ...], pictures: tuple[Block, ...]) -> tuple[Block, ...]:
    """The blocks of the text in their order, each picture's before the first of those in its column that begins further down."""
    blocks = list(text)
    for picture in pictures:
        blocks.insert(next((i for i, block in enumerate(blocks) if _comes_after(block, picture)), len(blocks)), picture)
    return tuple(blocks)


def _read_picture(
    page: PageImage, box: Box, text: tuple[Block, ...], read: Callable[[PageImage], Reading]
) -> tuple[tuple[Block, ...], tuple[Step, ...]]:
    picture = page.pixels[box.top : box.top + box.height, box.left : box.left + box.width]
    left_over = uncovered(picture, box.left, box.top, (line for block in text for line in block.lines))
    if not left_over.is_noteworthy:
        return (), ()
    reading = read(PageImage(wiped(picture, left_over), page.dpi))
    height_px, width_px = page.pixels.shape
    placed = map_blocks(translation(box.left, box.top), reading.blocks, width_px, height_px)
    where: dict[str, float | str] = {"picture_left_px": float(box.left), "picture_top_px": float(box.top)}
    if _says_the_same(placed, text):
        return (), ()
    named = tuple(replace(step, measured=step.measured | where) for step in reading.steps)
    return tuple(block for block in placed if _is_print(block)), named


def _says_the_same(read: tuple[Block, ...], text: tuple[Block, ...]) -> bool:
    """Whether what was read is what the page has already: a layer whose words do not stand where the print is."""
    found, known = (Counter(word.text.casefold() for word in words_of(blocks)) for blocks in (read, text))
    return found.total() >= _MIN_WORDS and (found & known).total() >= _SAME_SHARE * found.total()


def _is_print(block: Block) -> bool:
    return (mean_confidence(tuple(words_of((block,)))) or 0.0) >= _MIN_CONFIDENCE


def _comes_after(block: Block, picture: Block) -> bool:
    """Whether a block of the text begins further down than the picture, in the same column."""
    left = max(block.box.left, picture.box.left)
    right = min(block.box.left + block.box.width, picture.box.left + picture.box.width)
    return right > left and block.box.top > picture.box.top
