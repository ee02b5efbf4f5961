"""One page: decode, preprocess, recognise, and the coordinates back on the original."""

from pathlib import Path

from recto.ocr.documents import Limits, load_page
from recto.ocr.engines.base import Engine
from recto.ocr.page import Page
from recto.ocr.preprocessing.plan import preprocess
from recto.ocr.preprocessing.transform import inverse, map_blocks


def recognise_page(document: Path, number: int, languages: tuple[str, ...], engine: Engine, limits: Limits) -> Page:
    """Page `number` (from 1) of the document, read by `engine`. A blank page has no blocks. Raises a DocumentError where it fails.

    `Page.dpi` is the original's: as the file says where that can be trusted, as rendered for a PDF, as estimated otherwise.
    """
    original = load_page(document, number, limits)
    height_px, width_px = original.pixels.shape
    prepared = preprocess(original)
    blocks = engine.recognise(prepared.pixels, round(min(max(prepared.dpi, 70.0), 2400.0)), languages)
    return Page(
        number=number,
        width_px=width_px,
        height_px=height_px,
        dpi=prepared.original_dpi,
        languages=languages,
        engine=f"{engine.name} {engine.version()}",
        preprocessing=prepared.steps,
        blocks=map_blocks(inverse(prepared.transform), blocks, width_px, height_px),
    )
