"""JSON, UTF-8: `result.json` for clients, and the checkpoints that keep a recognised page between attempts.

`result.json` is one object: the fields of Document, then "pages". `result.schema.json` beside this file describes it. Its shape is that of
recto/ocr/page.py, with points as [x, y], a "confidence" for each page and a "text" for each line beside the words. Coordinates are rounded
to 1/100 pixel, confidences to four decimals. A page stands on a line of its own. What people have corrected says so, and nothing else does.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from typing import Any, BinaryIO, Final

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError, to_json

from recto.ocr.document_file import DocumentFile
from recto.ocr.page import Block, Box, Document, Line, Page, Point, Word
from recto.ocr.writers.characters import without_surrogates

_PAGE: Final = TypeAdapter(Page)
_COORDINATE_DECIMALS: Final = 2
_CONFIDENCE_DECIMALS: Final = 4


def write_json(document: Document, pages: Iterable[Page], file: DocumentFile, sink: BinaryIO) -> None:
    """One JSON object; see the module. An interrupted write is no valid JSON, so that nobody takes it for the whole."""
    del file
    fields = asdict(document)
    head = {"schema_version": fields.pop("schema_version"), **fields}
    sink.write(_dumps(head).removesuffix(b"}") + b',"pages":[')
    sink.writelines((b",\n" if index else b"\n") + _dumps(_page(page)) for index, page in enumerate(pages))
    sink.write(b"\n]}\n")


def page_to_json(page: Page) -> bytes:
    """A checkpoint: everything, unrounded."""
    return _PAGE.dump_json(page)


def page_from_json(data: bytes) -> Page:
    """The page that `page_to_json` wrote, equal to the one it was given. ValueError for anything else."""
    return _PAGE.validate_json(data)


def _dumps(value: Any) -> bytes:
    """ValueError for what is no number, which JSON cannot hold."""
    with suppress(PydanticSerializationError):  # a lone surrogate, which UTF-8 cannot hold
        quick = to_json(value, inf_nan_mode="constants")  # a quarter of the time of json.dumps, and the same bytes
        if not (b"NaN" in quick or b"Infinity" in quick):  # a number, or a word of the text
            return quick
    return without_surrogates(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))).encode()


def _page(page: Page) -> dict[str, Any]:
    return {
        "number": page.number,
        "width_px": page.width_px,
        "height_px": page.height_px,
        "dpi": round(page.dpi, _COORDINATE_DECIMALS),
        "languages": page.languages,
        "engine": page.engine,
        "traineddata": [asdict(data) for data in page.traineddata],
        "text_layer": page.text_layer,
        "confidence": None if page.confidence is None else round(page.confidence, _CONFIDENCE_DECIMALS),
        "preprocessing": [asdict(step) for step in page.preprocessing],
        **({"corrections": page.corrections} if page.corrections else {}),
        "blocks": [_block(block) for block in page.blocks],
    }


def _block(block: Block) -> dict[str, Any]:
    return {"origin": block.origin, "box": _box(block.box), "lines": [_line(line) for line in block.lines]}


def _line(line: Line) -> dict[str, Any]:
    return {
        "text": line.text,
        "paragraph": line.paragraph,
        "box": _box(line.box),
        "quad": _points(line.quad),
        "baseline": _points(line.baseline) if line.baseline else None,
        "words": [_word(word) for word in line.words],
    }


def _word(word: Word) -> dict[str, Any]:
    return {
        "text": word.text,
        "confidence": round(word.confidence, _CONFIDENCE_DECIMALS),
        "in_dictionary": word.in_dictionary,
        **({"corrected": True} if word.corrected else {}),
        "box": _box(word.box),
        "quad": _points(word.quad),
    }


def _box(box: Box) -> dict[str, int]:
    """As `asdict` would give it, for a tenth of the time: every word has one."""
    return {"left": box.left, "top": box.top, "width": box.width, "height": box.height}


def _points(points: Iterable[Point]) -> list[tuple[float, float]]:
    return [(round(x, _COORDINATE_DECIMALS), round(y, _COORDINATE_DECIMALS)) for x, y in points]
