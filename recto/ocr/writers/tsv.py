"""The columns and levels of Tesseract's own TSV: one row for each page, block, paragraph, line and word.

Nothing else is in the file: readers take every line for a row, so what a result says of its making is in the JSON alone. Like Tesseract,
nothing is quoted (csv.QUOTE_NONE); tabs and line ends within a word become spaces.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

from recto.ocr.document_file import DocumentFile
from recto.ocr.layout import paragraphs_of, union
from recto.ocr.page import Block, Box, Document, Line, Page
from recto.ocr.writers.characters import plain

COLUMNS: Final = (
    "level", "page_num", "block_num", "par_num", "line_num", "word_num", "left", "top", "width", "height", "conf", "text",
)  # fmt: skip
_NO_CONFIDENCE: Final = "-1"


def write_tsv(document: Document, pages: Iterable[Page], file: DocumentFile, sink: BinaryIO) -> None:
    """A head with the names, then the pages. Numbers count from 1 within what is above; 0 where a level does not reach."""
    del document, file
    sink.write(("\t".join(COLUMNS) + "\n").encode())
    sink.writelines("".join(_page(page)).encode() for page in pages)


def _page(page: Page) -> Iterator[str]:
    yield _row((page.number,), Box(0, 0, page.width_px, page.height_px))
    blocks = [block for block in page.blocks if any(line.words for line in block.lines)]
    for index, block in enumerate(blocks, 1):
        yield _row((page.number, index), block.box)
        yield from _paragraphs(block, (page.number, index))


def _paragraphs(block: Block, above: tuple[int, ...]) -> Iterator[str]:
    for index, lines in enumerate(paragraphs_of(block), 1):
        yield _row((*above, index), union(line.box for line in lines))
        for count, line in enumerate(lines, 1):
            yield from _line(line, (*above, index, count))


def _line(line: Line, place: tuple[int, ...]) -> Iterator[str]:
    yield _row(place, line.box)
    for index, word in enumerate(line.words, 1):
        yield _row((*place, index), word.box, f"{word.confidence * 100:.6f}", plain(word.text))


def _row(place: tuple[int, ...], box: Box, confidence: str = _NO_CONFIDENCE, text: str = "") -> str:
    """`place` is the number of the page, of the block in it, and so on; its length is the level."""
    numbers = (len(place), *place, *[0] * (5 - len(place)), box.left, box.top, box.width, box.height)
    return "\t".join([*map(str, numbers), confidence, text]) + "\n"
