"""Markdown (CommonMark): headings, paragraphs and lists where the layout shows them; every other character stands for itself.

A comment that shows nothing stands at the top and before each page, and says what the result says of its making (provenance.py). A heading
is a short paragraph on its own in letters clearly larger than the page's body text; how much larger decides its level, so that equal
titles on different pages get equal levels.
"""

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

from recto.ocr.document_file import DocumentFile
from recto.ocr.page import Document, Page
from recto.ocr.writers.paragraphs import BULLET, NUMBER, Paragraph, paragraphs_on
from recto.ocr.writers.provenance import comment, document_facts, page_facts

_LEVELS: Final = ((2.0, "# "), (1.6, "## "), (1.3, "### "))
"""Size of the letters against that of the body text, and the heading that it makes."""
_MAX_HEADING_LINES: Final = 3
_MAX_HEADING_CHARACTERS: Final = 120
_HEADING_START: Final = re.compile(r"[\"'„“”«»‘’(¿¡]*[^\W_]")
"""Other signs are bullets, read as they may be. Nor does a heading start with a small letter: that is the end of a sentence."""
_MIN_HEADING_CONFIDENCE: Final = 0.6
"""Large and doubtful is a picture taken for letters, not a heading."""
_MIN_BODY_CHARACTERS: Final = 80
_UNMISTAKABLE: Final = "•◦▪‣●○■□"
_HARD_BREAK: Final = "\\\n"

_SPECIAL: Final = re.compile(r"[\\`*_\[\]<>|~&$]")
_BLOCK_START: Final = re.compile(r"[#+=:-]")
_ORDINAL: Final = re.compile(r"(\d+)([.)])(?=\s|$)")


def write_markdown(document: Document, pages: Iterable[Page], file: DocumentFile, sink: BinaryIO) -> None:
    """Pages follow each other with nothing to be seen between them, so that text can be taken out and put together."""
    del file
    sink.write((comment("provenance", document_facts(document)) + "\n").encode())
    for page in pages:
        pieces = (f"\n{piece}\n" for piece in (comment("page", page_facts(page)), *_pieces(page)))
        sink.write("".join(pieces).encode())


def _pieces(page: Page) -> Iterator[str]:
    paragraphs = list(paragraphs_on(page, whole_words=True))
    body_px = _body_em_px(paragraphs)
    for paragraph in paragraphs:
        mark = _heading_mark(paragraph, body_px)
        if mark:
            yield mark + " ".join(_escaped(line) for line in paragraph.lines)
        elif _is_list(paragraph.lines):
            yield "\n".join(_item(line) for line in paragraph.lines)
        else:
            yield _HARD_BREAK.join(_escaped(line) for line in paragraph.lines)


def _body_em_px(paragraphs: list[Paragraph]) -> float | None:
    """The size that half of the page's characters do not exceed; None on a page with too few to tell body from title."""
    sizes = sorted((paragraph.em_px, sum(map(len, paragraph.lines))) for paragraph in paragraphs)
    total = sum(count for _, count in sizes)
    if total < _MIN_BODY_CHARACTERS:
        return None
    passed = 0
    for em_px, count in sizes:
        passed += count
        if 2 * passed >= total:
            return em_px
    return None


def _heading_mark(paragraph: Paragraph, body_px: float | None) -> str | None:
    text = " ".join(paragraph.lines)
    letters = sum(letter.isalpha() for letter in text)
    is_short = len(paragraph.lines) <= _MAX_HEADING_LINES and len(text) <= _MAX_HEADING_CHARACTERS
    if (
        not body_px
        or not is_short
        or not _HEADING_START.match(text)
        or text[0].islower()
        or paragraph.confidence < _MIN_HEADING_CONFIDENCE
        or 2 * letters < len(text)
    ):
        return None
    ratio = paragraph.em_px / body_px
    return next((mark for least, mark in _LEVELS if ratio >= least), None)


def _is_list(lines: tuple[str, ...]) -> bool:
    """Whether the lines are items: all with a bullet, or with numbers that count up. One alone needs a bullet that is nothing else."""
    if len(lines) == 1:
        return lines[0][0] in _UNMISTAKABLE and bool(BULLET.match(lines[0]))
    numbers = [int(found[1]) if NUMBER.match(line) and (found := _ORDINAL.match(line)) else None for line in lines]
    if numbers[0] is not None:
        return numbers == list(range(numbers[0], numbers[0] + len(lines)))
    return all(BULLET.match(line) for line in lines)


def _item(line: str) -> str:
    bullet, ordinal = BULLET.match(line), _ORDINAL.match(line)
    if bullet:
        return f"- {_escaped(line[bullet.end() :])}"
    if ordinal:
        return f"{ordinal[0]} {_escaped(line[ordinal.end() :].lstrip())}"
    return _escaped(line)


def _escaped(line: str) -> str:
    """So that the line shows as it is, wherever it stands in a paragraph."""
    text = _SPECIAL.sub(r"\\\g<0>", line)
    if _BLOCK_START.match(text):
        return "\\" + text
    return _ORDINAL.sub(r"\1\\\2", text, count=1) if _ORDINAL.match(text) else text
