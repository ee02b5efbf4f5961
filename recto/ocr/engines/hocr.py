"""Tesseract's hOCR as blocks: all that the command says, and what the library says of text that runs from right to left.

hOCR 1.2 (kba.github.io/hocr-spec): boxes are left, top, right, bottom with the right and bottom edge exclusive; `baseline` is slope and
offset against the line box's bottom left corner; `textangle` is the text's turn in degrees, counter-clockwise.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Final
from xml.etree import ElementTree

from recto.errors import PageUnreadable
from recto.ocr.layout import quad_of
from recto.ocr.page import Block, Box, Line, Point, Word

_LINE_CLASSES: Final = frozenset({"ocr_line", "ocr_header", "ocr_caption", "ocr_textfloat"})
_NUMBER: Final = r"(-?[\d.]+(?:e[-+]?\d+)?)"
_BOX: Final = re.compile(r"bbox (-?\d+) (-?\d+) (-?\d+) (-?\d+)")
_BASELINE: Final = re.compile(rf"baseline {_NUMBER} {_NUMBER}")
_TEXT_ANGLE: Final = re.compile(rf"textangle {_NUMBER}")
_CONFIDENCE: Final = re.compile(rf"x_wconf {_NUMBER}")


def parse_hocr(hocr: str, in_dictionary: Iterable[bool] | None = None) -> tuple[Block, ...]:
    """Blocks with at least one word, in the order given. PageUnreadable where it is not well-formed.

    `in_dictionary` says of each word, in the same order, whether the engine's word list has it: hOCR has no place for that.
    """
    try:
        root = ElementTree.fromstring(hocr)  # nosec B314 # noqa: S314 - written by Tesseract a moment ago, not by a client
    except ElementTree.ParseError as error:
        raise PageUnreadable(
            "Tesseract's answer breaks off. Try again; if it happens again, scan the page anew."
        ) from error
    known: Iterator[bool | None] = iter(in_dictionary) if in_dictionary is not None else repeat(None)
    areas = (node for node in root.iter() if node.get("class") == "ocr_carea")
    blocks = ((tuple(_lines(area, known)), _box(area)) for area in areas)
    return tuple(Block(lines, box) for lines, box in blocks if lines)


def _lines(area: ElementTree.Element, known: Iterator[bool | None]) -> Iterator[Line]:
    paragraphs = [node for node in area.iter() if node.get("class") == "ocr_par"]
    for number, paragraph in enumerate(paragraphs):
        for node in paragraph.iter():
            if node.get("class") in _LINE_CLASSES:
                line = _line(node, number, known)
                if line.words:
                    yield line


def _line(node: ElementTree.Element, paragraph: int, known: Iterator[bool | None]) -> Line:
    title, box = node.get("title", ""), _box(node)
    baseline = _BASELINE.search(title)
    angle_deg = 0 if baseline else _text_angle_deg(title, box)
    return Line(
        words=tuple(_words(node, angle_deg, known)),
        box=box,
        quad=quad_of(box, angle_deg),
        paragraph=paragraph,
        baseline=_baseline(box, float(baseline[1]), float(baseline[2])) if baseline else None,
    )


def _text_angle_deg(title: str, box: Box) -> int:
    """How far text without a baseline is turned."""
    given = _TEXT_ANGLE.search(title)
    return round(float(given[1])) % 360 if given else unnamed_angle_deg(box)


def unnamed_angle_deg(box: Box) -> int:
    """How far text is turned, counter-clockwise, whose line in this box has neither an angle nor a baseline.

    Without orientation detection Tesseract takes vertical lines as running downwards, and says neither
    (a vertical one has no slope; AddBaselineCoordsTohOCR in its hocrrenderer.cpp).
    """
    return 270 if box.height > box.width else 0


def _words(line: ElementTree.Element, angle_deg: int, known: Iterator[bool | None]) -> Iterator[Word]:
    for node in line.iter():
        text = "".join(node.itertext()).strip()
        if node.get("class") == "ocrx_word" and text:
            box, found = _box(node), _CONFIDENCE.search(node.get("title", ""))
            confidence = min(max(float(found[1]) / 100, 0.0), 1.0) if found else 0.0
            yield Word(text, confidence, box, quad_of(box, angle_deg), next(known))


def _box(node: ElementTree.Element) -> Box:
    found = _BOX.search(node.get("title", ""))
    if not found:
        raise PageUnreadable("Tesseract's answer has a word without a place. Try again with another engine.")
    left, top, right, bottom = map(int, found.groups())
    return Box(left, top, right - left, bottom - top)


def _baseline(box: Box, slope: float, offset: float) -> tuple[Point, Point]:
    y_at_left = box.top + box.height + offset
    return (box.left, y_at_left), (box.left + box.width, y_at_left + slope * box.width)
