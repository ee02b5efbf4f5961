"""The text that a page of a PDF already has, as the same tree that recognition yields, and what on the page that text does not have.

Text counts that PDFium's text page has: what the page's content draws, visibly or not. Form fields and annotations are drawn by
themselves; those with text are listed among the pictures, to be read from pixels. Letters that were turned into outlines cannot be
told from drawings without looking at the rendered page: they are neither in the text nor among the pictures.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pypdfium2
from pypdfium2 import raw

from recto.ocr.document_file import DocumentFile
from recto.ocr.page import Block, Box
from recto.ocr.pdf.page_scale import PageScale
from recto.ocr.pdf.pdf_files import open_page
from recto.ocr.pdf.placed_images import PlacedImage, Rect, overlap, placed_images, transformed
from recto.ocr.pdf.text_glyphs import read_words
from recto.ocr.pdf.text_layout import blocks_of

_LEAST_PICTURE_PT: Final = 5 / 25.4 * 72
"""5 mm: rules, bullets and icons are smaller, and hold no text."""

_LEAST_PICTURE_PX: Final = 8
"""In the picture's own pixels: letters need more. Colour fields are pictures of one pixel."""

_LEAST_FIELD_PT: Final = 4.0
_TOUCHING_PT: Final = 2.0
"""Pictures that are nearer to each other than this are strips of one."""

_MOST_PICTURES: Final = 500
"""More pieces than this are taken as one: a picture cut into tiles."""

_HIDDEN: Final = raw.FPDF_ANNOT_FLAG_HIDDEN | raw.FPDF_ANNOT_FLAG_NOVIEW | raw.FPDF_ANNOT_FLAG_INVISIBLE


@dataclass(frozen=True, slots=True)
class TextLayer:
    """The text of a page, in the pixels of `documents.load_page`.

    Words have the confidence 1, and the bounds of their ink. `image_boxes` are places that may show words which the layer does not have:
    pictures, also those behind its words (the pixels tell how much of them it says), and form fields and annotations with text. `is_invisible`: most of the text is drawn invisibly, as OCR programs do.
    `unmapped_share` (0 to 1) is that of the characters without a usable letter; they stand as U+FFFD in the words.
    """

    width_px: int
    height_px: int
    dpi: float
    blocks: tuple[Block, ...]
    image_boxes: tuple[Box, ...]
    is_invisible: bool
    unmapped_share: float


def read_text_layer(file: DocumentFile, number: int, max_page_px: int) -> TextLayer | None:
    """The text of page `number` (from 1); None where it has none. Raises what `pdf_files.open_page` raises."""
    with open_page(file, number, max_page_px) as (page, scale):
        text = read_words(page, scale)
        if not text.words:
            return None
        pictures = [*_pictures(page), *_fields(page)]
        return TextLayer(
            scale.width_px,
            scale.height_px,
            scale.dpi,
            blocks_of(text.words, scale.width_px, scale.height_px),
            tuple(_box(rect, scale) for rect in _merged(pictures)),
            2 * text.invisible > text.characters,
            text.unmapped / text.characters,
        )


def _pictures(page: pypdfium2.PdfPage) -> Iterator[Rect]:
    """Bounds in points of the pictures that may hold words of their own."""
    images = [image for image in placed_images(page) if min(image.width_px, image.height_px) >= _LEAST_PICTURE_PX]
    by_scan: dict[int, list[Rect]] = {}
    for image in images:
        by_scan.setdefault(_step(image), []).append(image.rect)
    for rects in by_scan.values():
        for rect in _merged(rects):
            large = min(rect[2] - rect[0], rect[3] - rect[1]) >= _LEAST_PICTURE_PT
            if large:
                yield rect


def _step(image: PlacedImage) -> int:
    """Equal for strips of one scan, which differ in resolution by a few thousandths; a layer of another resolution is another picture."""
    return round(math.log(max(image.dpi, 1e-3)) * 50)


def _fields(page: pypdfium2.PdfPage) -> Iterator[Rect]:
    """Bounds in points of the form fields and annotations that show text or a picture."""
    visible: Rect = tuple(page.get_bbox())
    for index in range(raw.FPDFPage_GetAnnotCount(page)):
        annotation = raw.FPDFPage_GetAnnot(page, index)
        try:
            given = raw.FS_RECTF()
            if raw.FPDFAnnot_GetFlags(annotation) & _HIDDEN or not _shows_text(page, annotation):
                continue
            if not raw.FPDFAnnot_GetRect(annotation, given):
                continue
            rect = overlap((given.left, given.bottom, given.right, given.top), visible)
            if rect and min(rect[2] - rect[0], rect[3] - rect[1]) >= _LEAST_FIELD_PT:
                yield rect
        finally:
            raw.FPDFPage_CloseAnnot(annotation)


def _shows_text(page: pypdfium2.PdfPage, annotation: Any) -> bool:
    """Whether the value or the appearance of an annotation has something to read. Pop-up notes and links show nothing."""
    kind = raw.FPDFAnnot_GetSubtype(annotation)
    if kind in (raw.FPDF_ANNOT_POPUP, raw.FPDF_ANNOT_LINK):
        return False
    if kind == raw.FPDF_ANNOT_WIDGET and page.formenv:
        length = raw.FPDFAnnot_GetFormFieldValue(page.formenv, annotation, None, 0)
        field = raw.FPDFAnnot_GetFormFieldType(page.formenv, annotation)
        if field in (raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX):
            return bool(length > 2)
    length = raw.FPDFAnnot_GetAP(annotation, raw.FPDF_ANNOT_APPEARANCEMODE_NORMAL, None, 0)
    if length <= 2:
        return False
    buffer = (raw.FPDF_WCHAR * (length // 2))()
    raw.FPDFAnnot_GetAP(annotation, raw.FPDF_ANNOT_APPEARANCEMODE_NORMAL, buffer, length)
    operators = bytes(buffer).decode("utf-16-le", "replace").split()
    return not {"Tj", "TJ", "Do", "'", '"'}.isdisjoint(operators) or any(
        token.endswith((")Tj", "]TJ", ">Tj")) for token in operators
    )


def _merged(rects: Iterable[Rect]) -> list[Rect]:
    """Rectangles of which those that overlap or nearly touch are one."""
    waiting = list(rects)
    if len(waiting) > _MOST_PICTURES:
        return [_around(waiting)]
    done: list[Rect] = []
    while waiting:
        one = waiting.pop()
        wide = (one[0] - _TOUCHING_PT, one[1] - _TOUCHING_PT, one[2] + _TOUCHING_PT, one[3] + _TOUCHING_PT)
        touching = [rect for rect in done if overlap(wide, rect)]
        if touching:
            done = [rect for rect in done if rect not in touching]
            waiting.append(_around([one, *touching]))
        else:
            done.append(one)
    return sorted(done, key=lambda rect: (-rect[3], rect[0]))


def _around(rects: Sequence[Rect]) -> Rect:
    return (
        min(rect[0] for rect in rects),
        min(rect[1] for rect in rects),
        max(rect[2] for rect in rects),
        max(rect[3] for rect in rects),
    )


def _box(rect: Rect, scale: PageScale) -> Box:
    left, top, right, bottom = transformed(scale.to_pixels, rect)
    x, y = max(math.floor(left), 0), max(math.floor(top), 0)
    return Box(
        x, y, max(min(math.ceil(right), scale.width_px) - x, 1), max(min(math.ceil(bottom), scale.height_px) - y, 1)
    )
