"""Pages as recognition would yield them, made from what was drawn, and what PDF readers find in a PDF."""

from __future__ import annotations

import io
import math
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pdfplumber
import pikepdf
import pypdfium2
from numpy.typing import NDArray

from recto.ocr.document_file import DocumentFile
from recto.ocr.page import Block, Box, Document, Line, Origin, Page, Point, Quad, TextLayerUse, Traineddata, Word
from recto.ocr.writers.pdf.writer import write_pdf
from tests.drawing import DPI, DrawnPage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CREATED = "2026-03-01T12:00:00Z"
BIDI_MARKS = dict.fromkeys(map(ord, "\u202a\u202b\u202c\u200e\u200f"))


def document(page_count: int = 1) -> Document:
    return Document(page_count, (), CREATED, "Recto 1.2.3", {"languages": "eng", "mode": "auto"})


def written(pages: Iterable[Page], path: Path, page_count: int = 1, password: str | None = None) -> bytes:
    sink = io.BytesIO()
    write_pdf(document(page_count), pages, DocumentFile(path, password), sink)
    return sink.getvalue()


def recognised(
    drawn: DrawnPage,
    lines: Sequence[str],
    *,
    number: int = 1,
    dpi: float = DPI,
    size_px: tuple[int, int] | None = None,
    text_layer: TextLayerUse = "none",
    origin: Origin = "recognised",
) -> Page:
    """The page whose `lines` are drawn."""
    words, found = iter(drawn.words), []
    for text in lines:
        some = [next(words) for _ in text.split()]
        found.append(line_of([(word.text, word.quad) for word in some]))
    height_px, width_px = drawn.pixels.shape
    if size_px is not None:
        width_px, height_px = size_px
    return page_of(found, width_px, height_px, number=number, dpi=dpi, text_layer=text_layer, origin=origin)


def page_of(
    lines: Sequence[Line],
    width_px: int,
    height_px: int,
    *,
    number: int = 1,
    dpi: float = DPI,
    text_layer: TextLayerUse = "none",
    origin: Origin = "recognised",
) -> Page:
    block = Block(tuple(lines), Box(0, 0, width_px, height_px), origin)
    data = (Traineddata("eng", "ab" * 32),)
    return Page(number, width_px, height_px, dpi, ("eng",), "drawn 1.0", (), (block,), text_layer, data)


def line_of(words: Sequence[tuple[str, Quad]], paragraph: int = 0) -> Line:
    """A line around words: as long and as high as they are together, along the first one."""
    (top_left, top_right, _, _) = words[0][1]
    angle = math.atan2(top_right[1] - top_left[1], top_right[0] - top_left[0])
    cosine, sine = math.cos(angle), math.sin(angle)
    points = [(x * cosine + y * sine, y * cosine - x * sine) for _, quad in words for x, y in quad]
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    top, bottom = min(y for _, y in points), max(y for _, y in points)
    one, two, three, four = (
        (x * cosine - y * sine, x * sine + y * cosine)
        for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))
    )
    quad: Quad = (one, two, three, four)
    return Line(tuple(Word(text, 0.9, box_of(quad), quad) for text, quad in words), box_of(quad), quad, paragraph)


def upright(left: float, top: float, right: float, bottom: float) -> Quad:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def box_of(quad: Quad) -> Box:
    left, top = min(x for x, _ in quad), min(y for _, y in quad)
    return Box(round(left), round(top), round(max(x for x, _ in quad) - left), round(max(y for _, y in quad) - top))


def rendered(pdf: bytes, scale: float = 1.0, password: str | None = None) -> list[NDArray[np.uint8]]:
    """Every page as PDFium draws it, form fields included."""
    opened = pypdfium2.PdfDocument(pdf, password)
    opened.init_forms()
    return [np.array(page.render(scale=scale).to_numpy(), np.uint8) for page in opened]


def same_look(one: bytes, other: bytes) -> bool:
    pairs = list(zip(rendered(one), rendered(other), strict=True))
    return all(first.shape == second.shape and bool((first == second).all()) for first, second in pairs)


def pdfium_text(pdf: bytes, number: int = 1, password: str | None = None) -> str:
    page = pypdfium2.PdfDocument(pdf, password)[number - 1]
    return str(page.get_textpage().get_text_range()).replace("\r\n", "\n")


def pdfium_selected_text(pdf: bytes) -> str:
    """What PDFium gives for a selection of the whole first page: it leaves out what has no extent."""
    return str(pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_bounded()).replace("\r\n", "\n")


def innermost_actual_text(pdf: bytes) -> str:
    """The first page as readers have it that go by the innermost ActualText, MuPDF for one: each stands once for all that it is around."""
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        marks: list[list[str]] = []
        texts: list[str] = []
        for instruction in pikepdf.parse_content_stream(opened.pages[0]):
            operands, operator = instruction.operands, instruction.operator
            if str(operator) == "BDC":
                marks.append([str(operands[1].ActualText)])
            elif str(operator) == "EMC":
                marks.pop()
            elif str(operator) in ("Tj", "TJ") and marks and (innermost := marks[-1]):
                texts.append(innermost.pop())
    return "".join(texts)


def poppler_text(pdf: bytes, folder: Path, *arguments: str) -> str:
    """What pdftotext prints, without the marks of direction that it adds for terminals."""
    path = folder / "read_by_poppler.pdf"
    path.write_bytes(pdf)
    answer = subprocess.run(["pdftotext", *arguments, path, "-"], capture_output=True, check=True)
    return answer.stdout.decode().translate(BIDI_MARKS)


def pdfium_word_centres(pdf: bytes, words: Sequence[str], size_px: tuple[int, int]) -> list[Point]:
    """Where PDFium has the middle of each word, in the order of the text: pixels of the page rendered to that size."""
    page = pypdfium2.PdfDocument(pdf)[0]
    text = page.get_textpage()
    content, at, centres = text.get_text_range(), 0, []
    matrix = display_matrix(page, size_px)
    for word in words:
        start = content.index(word, at)
        at = start + len(word)
        boxes = np.array([text.get_charbox(index) for index in range(start, at)])
        x, y = (boxes[:, 0].min() + boxes[:, 2].max()) / 2, (boxes[:, 1].min() + boxes[:, 3].max()) / 2
        centres.append(matrix(x, y))
    return centres


def display_matrix(page: pypdfium2.PdfPage, size_px: tuple[int, int]):  # type: ignore[no-untyped-def]
    """From PDFium's page coordinates to pixels of the displayed page."""
    import ctypes

    from pypdfium2 import raw

    def mapped(x: float, y: float) -> Point:
        across, down = ctypes.c_int(), ctypes.c_int()
        # In a hundredth of a pixel: the answer is in whole numbers.
        raw.FPDF_PageToDevice(page.raw, 0, 0, size_px[0] * 100, size_px[1] * 100, 0, x, y, across, down)
        return across.value / 100, down.value / 100

    return mapped


def plumber_words(pdf: bytes) -> list[tuple[str, float, float, float, float]]:
    """Text, left, top, right and bottom in points of each word of the first page, as the content stream has them."""
    with pdfplumber.open(io.BytesIO(pdf)) as opened:
        words = opened.pages[0].extract_words(use_text_flow=True, x_tolerance=1.5)
    return [(word["text"], word["x0"], word["top"], word["x1"], word["bottom"]) for word in words]
