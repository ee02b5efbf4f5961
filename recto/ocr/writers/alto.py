"""ALTO 4.4 (loc.gov/standards/alto): blocks, lines and words in pixels, with baselines, confidences and the words' polygons.

ComposedBlock is a block of the layout analysis, TextBlock a paragraph in it. HPOS and VPOS count from the page's top left corner; points
are `x y x y …`. ROTATION stands on paragraphs that are turned by a quarter or more, counter-clockwise.
"""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import BinaryIO, Final

from recto.ocr.document_file import DocumentFile
from recto.ocr.languages.names import only_tag
from recto.ocr.layout import along, angle_deg, is_upright_box, paragraphs_of, quarter_turn_deg, union
from recto.ocr.page import Box, Document, Line, Page, Word
from recto.ocr.scripts import is_right_to_left, joint
from recto.ocr.writers.provenance import comment, document_facts, page_facts, peek
from recto.ocr.writers.xml_text import Value, points, tag, text

_HEAD: Final = """<?xml version="1.0" encoding="UTF-8"?>
<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="http://www.loc.gov/standards/alto/ns-v4# http://www.loc.gov/standards/alto/v4/alto-4-4.xsd" SCHEMAVERSION="4.4">
"""
_DATE_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")


def write_alto(document: Document, pages: Iterable[Page], file: DocumentFile, sink: BinaryIO) -> None:
    """One file for all pages. The engine in its Description is that of the first page, and every page names its own in a comment.

    Without any page it is well-formed, but not valid: the schema wants one.
    """
    del file
    first, pages = peek(pages)
    sink.write("\n".join([_HEAD + "\n".join(_description(document, first)), "<Layout>", ""]).encode())
    sink.writelines("\n".join([*_page(page), ""]).encode() for page in pages)
    sink.write(b"</Layout>\n</alto>\n")


def _description(document: Document, first: Page | None) -> Iterator[str]:
    yield comment("provenance", document_facts(document))
    yield "<Description>"
    yield "<MeasurementUnit>pixel</MeasurementUnit>"
    yield from _processing("processing_recto", document.created, document.generator, json.dumps(document.options))
    if first is not None:
        facts = page_facts(first)
        settings = json.dumps({name: facts[name] for name in ("languages", "traineddata")})
        yield from _processing("processing_engine", document.created, first.engine, settings)
    yield "</Description>"


def _processing(identifier: str, created: str, software: str, settings: str) -> Iterator[str]:
    name, _, version = software.partition(" ")
    yield tag("Processing", {"ID": identifier})
    yield "<processingCategory>contentGeneration</processingCategory>"
    if _DATE_TIME.fullmatch(created):
        yield f"<processingDateTime>{created}</processingDateTime>"
    yield f"<processingStepSettings>{text(settings)}</processingStepSettings>"
    yield f"<processingSoftware><softwareName>{text(name)}</softwareName>"
    yield f"<softwareVersion>{text(version)}</softwareVersion></processingSoftware>"
    yield "</Processing>"


def _page(page: Page) -> Iterator[str]:
    size: dict[str, Value] = {"WIDTH": page.width_px, "HEIGHT": page.height_px}
    yield tag(
        "Page",
        {
            "ID": f"page_{page.number}",
            "PHYSICAL_IMG_NR": page.number,
            **size,
            "PC": None if page.confidence is None else f"{page.confidence:.4f}",
            "LANG": only_tag(page.languages),
            "PROCESSINGREFS": "processing_recto processing_engine",
        },
    )
    yield comment("page", page_facts(page))
    yield tag("PrintSpace", {"HPOS": 0, "VPOS": 0, **size})
    for index, block in enumerate(page.blocks, 1):
        paragraphs = list(paragraphs_of(block))
        if paragraphs:
            yield tag("ComposedBlock", {"ID": f"block_{page.number}_{index}", **_place(block.box)})
            for count, lines in enumerate(paragraphs, 1):
                yield from _paragraph(lines, f"{page.number}_{index}_{count}")
            yield "</ComposedBlock>"
    yield "</PrintSpace>"
    yield "</Page>"


def _paragraph(lines: tuple[Line, ...], place: str) -> Iterator[str]:
    attributes: dict[str, Value] = {"ID": f"par_{place}", **_place(union(line.box for line in lines))}
    attributes["ROTATION"] = quarter_turn_deg(lines[0].quad) or None
    if is_right_to_left(" ".join(line.text for line in lines)):
        attributes["BASEDIRECTION"] = "rtl"
    yield tag("TextBlock", attributes)
    for index, line in enumerate(lines, 1):
        yield from _line(line, f"{place}_{index}")
    yield "</TextBlock>"


def _line(line: Line, place: str) -> Iterator[str]:
    baseline = points(line.baseline) if line.baseline else None
    yield tag("TextLine", {"ID": f"line_{place}", **_place(line.box), "BASELINE": baseline})
    for index, (word, following) in enumerate(pairwise((*line.words, None)), 1):
        if word is not None:
            yield from _word(word, f"word_{place}_{index}")
            if following is not None and joint(word.text, following.text):
                yield tag("SP", _space(word, following, line), closed=True)
    yield "</TextLine>"


def _word(word: Word, identifier: str) -> Iterator[str]:
    attributes: dict[str, Value] = {"ID": identifier, "CONTENT": word.text, "WC": f"{word.confidence:.4f}"}
    attributes["CS"] = "true" if word.corrected else None
    plain_box = is_upright_box(word.quad, word.box)
    yield tag("String", {**attributes, **_place(word.box)}, closed=plain_box)
    if not plain_box:
        yield f"<Shape>{tag('Polygon', {'POINTS': points(word.quad)}, closed=True)}</Shape></String>"


def _space(word: Word, following: Word, line: Line) -> dict[str, Value]:
    """How wide the gap is, and where it is in upright lines; 0 where the words touch."""
    turn_deg = angle_deg(line.quad)
    spans = sorted((along(word.quad, turn_deg), along(following.quad, turn_deg)))
    gap: dict[str, Value] = {"WIDTH": max(0.0, spans[1][0] - spans[0][1])}
    if quarter_turn_deg(line.quad) == 0:
        left = min(word.box.left + word.box.width, following.box.left + following.box.width)
        gap |= {"HPOS": left, "VPOS": word.box.top}
    return gap


def _place(box: Box) -> dict[str, Value]:
    return {"HPOS": box.left, "VPOS": box.top, "WIDTH": box.width, "HEIGHT": box.height}
