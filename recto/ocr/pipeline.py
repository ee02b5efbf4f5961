"""One page: the text that it has already, or what is read from its pixels; all coordinates on the original."""

from dataclasses import replace
from functools import partial
from typing import Final

from recto.errors import PageDamaged
from recto.ocr.document_file import DocumentFile
from recto.ocr.documents import load_page, text_layer
from recto.ocr.languages.detection import identify_text
from recto.ocr.options import AUTO_LANGUAGE, Options
from recto.ocr.page import Block, Page, words_of
from recto.ocr.pdf.text_layer import TextLayer
from recto.ocr.pictures import in_reading_order, read_pictures
from recto.ocr.plausibility import agreement, judge_text
from recto.ocr.reading import Reader, read_image

_MIN_AGREEMENT: Final = 0.5
"""Of a doubtful text layer and a reading: from this share of words in common on, the layer says what is seen."""

_FULL_SHARE: Final = 0.04
"""Words take a fifth of a page full of text, a stamp on a scan one percent."""


def recognise_page(file: DocumentFile, number: int, options: Options, reader: Reader) -> Page:
    """Page `number` (from 1) of the file. A blank page has no blocks. Raises a DocumentError where it fails.

    `Page.dpi` is the original's: as the file says where that can be trusted, as rendered for a PDF, as estimated otherwise.
    """
    layer = text_layer(file, number, reader.limits)
    if layer is None:
        return _read(file, number, options, reader)
    if options.mode == "skip":
        return _taken(number, layer, options, reader)
    verdict = judge_text(_text(layer.blocks), layer.unmapped_share)
    if verdict == "fine" and options.mode == "auto":
        return _taken_with_pictures(file, number, layer, options, reader)
    page = _read(file, number, options, reader)
    if verdict == "garbled" or (verdict == "doubtful" and not _is_right(layer, page)):
        return replace(page, text_layer="garbled")
    if options.mode == "auto":
        return _taken_with_pictures(file, number, layer, options, reader)
    return replace(page, text_layer="ignored")


def _read(file: DocumentFile, number: int, options: Options, reader: Reader) -> Page:
    """The page from its pixels."""
    original = load_page(file, number, reader.limits)
    height_px, width_px = original.pixels.shape
    reading = read_image(original, options.languages, reader, options.steps)
    return Page(
        number=number,
        width_px=width_px,
        height_px=height_px,
        dpi=reading.dpi,
        languages=reading.languages,
        engine=reader.engine_name,
        preprocessing=reading.steps,
        blocks=reading.blocks,
        traineddata=reader.engine.traineddata(reading.languages),
    )


def _taken(number: int, layer: TextLayer, options: Options, reader: Reader) -> Page:
    """The page's own text, and nothing else."""
    return Page(
        number=number,
        width_px=layer.width_px,
        height_px=layer.height_px,
        dpi=layer.dpi,
        languages=_languages_of(layer, options, reader),
        engine=reader.engine_name,
        preprocessing=(),
        blocks=layer.blocks,
        text_layer="used",
    )


def _taken_with_pictures(file: DocumentFile, number: int, layer: TextLayer, options: Options, reader: Reader) -> Page:
    """The page's own text, and what is read in its pictures."""
    page = _taken(number, layer, options, reader)
    if not layer.image_boxes:
        return page
    try:
        original = load_page(file, number, reader.limits)
    except PageDamaged:
        if _is_full(layer):
            return page  # the text is what is left of the page
        raise
    read = partial(read_image, languages=page.languages, reader=reader, choice=options.steps)
    blocks, steps = read_pictures(original, layer.image_boxes, layer.blocks, read)
    return replace(
        page,
        preprocessing=steps,
        blocks=in_reading_order(layer.blocks, blocks),
        traineddata=reader.engine.traineddata(page.languages) if blocks else (),
    )


def _is_full(layer: TextLayer) -> bool:
    """Whether the layer is the text of a page, and not a stamp or a page number on it."""
    boxes = (word.box for word in words_of(layer.blocks))
    return sum(box.width * box.height for box in boxes) >= _FULL_SHARE * layer.width_px * layer.height_px


def _languages_of(layer: TextLayer, options: Options, reader: Reader) -> tuple[str, ...]:
    if options.languages != (AUTO_LANGUAGE,):
        return options.languages
    return identify_text(_text(layer.blocks), reader.engine.languages(), reader.fallback_languages).languages


def _is_right(layer: TextLayer, page: Page) -> bool:
    """Whether the layer says what is seen. Where the reading makes no better sense, the page's own text has the say."""
    read = _text(page.blocks)
    return agreement(_text(layer.blocks), read) >= _MIN_AGREEMENT or judge_text(read, 0.0) != "fine"


def _text(blocks: tuple[Block, ...]) -> str:
    return "\n".join(line.text for block in blocks for line in block.lines)
