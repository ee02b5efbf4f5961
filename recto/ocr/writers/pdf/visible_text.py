"""Which recognised words lie on text that a PDF page shows anyway, and whose own layer stays.

Shown is what makes a difference: the page is drawn with its text and without. So text under a picture, or in the colour of the paper,
is not taken for what the page shows, whatever the picture's masks and clippings.
"""

import ctypes
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

import numpy as np
import pypdfium2
from numpy.typing import NDArray
from pikepdf import Matrix
from pypdfium2 import raw

from recto.ocr.page import Line, Word

_UNSEEN_MODES: Final = (raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP)

_DRAWN_PX_PER_PT: Final = 2.0
_MOST_DRAWN_PX: Final = 3000
_LEAST_DIFFERENCE: Final = 8  # of 255

_TextObject: TypeAlias = Any  # a pointer to FPDF_PAGEOBJECT
_Box: TypeAlias = tuple[float, float, float, float]


class VisibleText:
    """The visible text of a PDF's pages, as PDFium finds it in the document that `opened` (pdf_files.py) has opened."""

    def __init__(self, pdf: pypdfium2.PdfDocument) -> None:
        self._pdf = pdf

    def blocks_beside(
        self, blocks: Iterator[Sequence[Line]], number: int, to_user_space: Matrix
    ) -> Iterator[Sequence[Line]]:
        """The lines without the words whose centre lies on a visible character of page `number`."""
        boxes = self._character_boxes(number)
        for lines in blocks:
            yield [replace(line, words=_uncovered(line.words, boxes, to_user_space)) for line in lines]

    def _character_boxes(self, number: int) -> NDArray[np.float64]:
        """Left, bottom, right, top of each visible character in the page's user space: shape (n, 4)."""
        page = self._pdf[number - 1]
        text = page.get_textpage()
        try:
            characters = [found for index in range(text.count_chars()) if (found := _painted(text, index))]
            boxes = [box for _, box in characters]
            if boxes:
                texts = {ctypes.addressof(shown_by.contents): shown_by for shown_by, _ in characters}
                changed = _changed_by(page, texts.values())
                boxes = [box for box in boxes if _shows(changed, page, box)]
        finally:
            text.close()
            page.close()
        return np.array(boxes, np.float64).reshape(-1, 4)


def _painted(text: pypdfium2.PdfTextPage, index: int) -> tuple[_TextObject, _Box] | None:
    """A character's text object and its box. None for what is invisible by its mode, and for blanks: those that PDFium adds between
    words belong to no object."""
    shown_by = raw.FPDFText_GetTextObject(text.raw, index)
    if not shown_by or raw.FPDFTextObj_GetTextRenderMode(shown_by) in _UNSEEN_MODES:
        return None
    if chr(raw.FPDFText_GetUnicode(text.raw, index)).isspace():
        return None
    box = raw.FS_RECTF()
    if not raw.FPDFText_GetLooseCharBox(text.raw, index, ctypes.byref(box)):
        return None
    return shown_by, (box.left, box.bottom, box.right, box.top)


def _changed_by(page: pypdfium2.PdfPage, texts: Iterable[_TextObject]) -> NDArray[np.bool_]:
    """Where the page looks different without these texts, which it loses: rows by columns of the displayed page."""
    scale = min(_DRAWN_PX_PER_PT, _MOST_DRAWN_PX / max(page.get_size()))
    before = _drawn(page, scale)
    for shown_by in texts:
        raw.FPDFTextObj_SetTextRenderMode(shown_by, raw.FPDF_TEXTRENDERMODE_INVISIBLE)
    after = _drawn(page, scale)
    differs: NDArray[np.bool_] = np.maximum(before, after) - np.minimum(before, after) > _LEAST_DIFFERENCE
    return differs


def _drawn(page: pypdfium2.PdfPage, scale: float) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = page.render(scale=scale, grayscale=True).to_numpy()
    return pixels.reshape(pixels.shape[:2])


def _shows(changed: NDArray[np.bool_], page: pypdfium2.PdfPage, box: _Box) -> bool:
    """Whether anything in the box changed."""
    left, bottom, right, top = box
    one, other = (_pixel(changed.shape, page, *corner) for corner in ((left, bottom), (right, top)))
    (first_x, last_x), (first_y, last_y) = (sorted((one[axis], other[axis])) for axis in (0, 1))
    return bool(changed[max(first_y, 0) : last_y + 1, max(first_x, 0) : last_x + 1].any())


def _pixel(shape: tuple[int, ...], page: pypdfium2.PdfPage, x: float, y: float) -> tuple[int, int]:
    """Column and row, in a drawing of that shape, of a point in the page's user space."""
    column, row = ctypes.c_int(), ctypes.c_int()
    raw.FPDF_PageToDevice(page.raw, 0, 0, shape[1], shape[0], 0, x, y, column, row)
    return column.value, row.value


def _uncovered(words: Iterable[Word], boxes: NDArray[np.float64], to_user_space: Matrix) -> tuple[Word, ...]:
    return tuple(word for word in words if not _is_covered(word, boxes, to_user_space))


def _is_covered(word: Word, boxes: NDArray[np.float64], to_user_space: Matrix) -> bool:
    a, b, c, d, e, f = to_user_space.shorthand
    x_px, y_px = (sum(corner[axis] for corner in word.quad) / 4 for axis in (0, 1))
    x, y = a * x_px + c * y_px + e, b * x_px + d * y_px + f
    left, bottom, right, top = boxes.T
    return bool(((left <= x) & (x <= right) & (bottom <= y) & (y <= top)).any())
