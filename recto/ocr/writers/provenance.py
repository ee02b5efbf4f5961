"""What a result says of its own making: the same facts in every format, so that a reader can tell how a text came about.

Facts are JSON. Those of the document are known before the first page. Those of a page stand at the page, because pages are written one
at a time and may have been read in different ways, even by different versions where a Worker was replaced in between.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import chain
from typing import Any, Final

from recto.ocr.page import Document, Page
from recto.ocr.writers.characters import without_surrogates

_DECIMALS: Final = 2
_ESCAPED: Final = {"--": r"-\u002d", "\ufffe": r"\ufffe", "\uffff": r"\uffff"}


def document_facts(document: Document) -> dict[str, Any]:
    """Program, time, options, pages of the uploaded file, and warnings, such as pages that could not be read."""
    return {
        "generator": document.generator,
        "created": document.created,
        "page_count": document.page_count,
        "options": document.options,
        "warnings": [asdict(warning) for warning in document.warnings],
    }


def page_facts(page: Page) -> dict[str, Any]:
    """Engine, languages with their data, preprocessing, what became of a text layer, and how much people have corrected."""
    facts = {
        "number": page.number,
        "engine": page.engine,
        "languages": list(page.languages),
        "traineddata": [asdict(data) for data in page.traineddata],
        "dpi": round(page.dpi, _DECIMALS),
        "preprocessing": [asdict(step) for step in page.preprocessing],
        "text_layer": page.text_layer,
    }
    return facts | ({"corrections": page.corrections} if page.corrections else {})


def as_json(facts: dict[str, Any]) -> str:
    """On one line."""
    return without_surrogates(json.dumps(facts, ensure_ascii=False, separators=(",", ":")))


def comment(name: str, facts: dict[str, Any]) -> str:
    """`<!-- name {…} -->` for HTML, XML and Markdown, on one line.

    What a comment cannot hold (two hyphens, and two characters that XML forbids) is escaped as JSON has it, so it reads back unchanged.
    """
    text = as_json(facts)
    for forbidden, escaped in _ESCAPED.items():
        text = text.replace(forbidden, escaped)
    return f"<!-- {name} {text} -->"


def peek(pages: Iterable[Page]) -> tuple[Page | None, Iterator[Page]]:
    """The first page, for a head that names the engine, and all pages, the first one included. Reads no further."""
    iterator = iter(pages)
    first = next(iterator, None)
    return first, iterator if first is None else chain((first,), iterator)
