"""The characters that a PDF page draws, as words with their places: PDFium's text page, in pixels of the rendered page."""

import math
import unicodedata
from collections.abc import Iterable, Iterator
from ctypes import byref, c_double, c_void_p, cast
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import pypdfium2
from pypdfium2 import raw

from recto.ocr.pdf.page_scale import PageScale
from recto.ocr.pdf.placed_images import Matrix, Rect, clip_rects, compose, inverse, object_matrix, overlap, transformed

_HYPHEN: Final = 2
"""PDFium's sign for a hyphen at the end of a line, after which it joins the lines."""

_SPACES: Final = frozenset(
    (9, 10, 11, 12, 13, 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)
)

_WITHOUT_INK: Final = frozenset(
    (0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), 0x2060, *range(0x2066, 0x206A), 0xFEFF)
)
"""Zero-width spaces and marks of direction. Joiners stay: Persian and Indic words change without them."""

_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_WORD_GAP: Final = 0.5
"""In font sizes. PDFium itself puts a space where about half of this is free; this is for what follows without one."""

_LEAST_SIDE_PT: Final = 0.05
"""Smaller glyphs leave nothing on paper."""


class Frame(NamedTuple):
    """Where text runs to: the unit vector (x, y) of its reading direction, in pixels with y downwards.

    A point has the coordinates u along that direction and v along its perpendicular, towards the next line.
    """

    x: float
    y: float

    def to_uv(self, x: float, y: float) -> tuple[float, float]:
        """From pixels of the page."""
        return x * self.x + y * self.y, y * self.x - x * self.y

    def to_xy(self, u: float, v: float) -> tuple[float, float]:
        """To pixels of the page."""
        return u * self.x - v * self.y, u * self.y + v * self.x


class Glyph(NamedTuple):
    """One character; bounds of its ink in the frame of its style."""

    text: str
    left: float
    right: float
    top: float
    bottom: float


class Style(NamedTuple):
    """What the characters of one text object share. `baseline` is its v, `size` the font's, both in pixels; `seen` in points.

    `to_uv` takes points of the page to the frame.
    """

    frame: Frame
    to_uv: Matrix
    baseline: float
    size: float
    is_invisible: bool
    seen: Rect | None


class PlacedWord(NamedTuple):
    """A word in the frame it runs in; bounds of its ink, in pixels. `order` counts in the order of the file."""

    text: str
    frame: Frame
    left: float
    right: float
    top: float
    bottom: float
    baseline: float
    size: float
    is_invisible: bool
    order: int


@dataclass(frozen=True, slots=True)
class PageText:
    """Words in the order of the file, and how many characters the page has, invisible ones and those without a letter among them."""

    words: tuple[PlacedWord, ...]
    characters: int
    invisible: int
    unmapped: int


def read_words(page: pypdfium2.PdfPage, scale: PageScale) -> PageText:
    """The words of a page. Text outside its visible area, clipped away or without a size is not on the page."""
    text_page = page.get_textpage()
    try:
        reader = _Reader(text_page, tuple(page.get_bbox()), scale)
        words = tuple(_without_copies(reader.words()))
        return PageText(words, reader.characters, reader.invisible, reader.unmapped)
    finally:
        text_page.close()


def is_right_to_left(text: str) -> bool:
    """Whether Hebrew, Arabic and the like outweigh what runs from left to right."""
    if text.isascii():
        return False
    kinds = [unicodedata.bidirectional(character) for character in text]
    return sum(kind in ("R", "AL") for kind in kinds) > sum(kind == "L" for kind in kinds)


class _Reader:
    """One pass over the characters. Each call into PDFium costs a microsecond or two: as few as possible for each character."""

    def __init__(self, text_page: pypdfium2.PdfTextPage, visible: Rect, scale: PageScale) -> None:
        self.characters = self.invisible = self.unmapped = 0
        self._handle = text_page.raw
        self._count = text_page.count_chars()
        self._visible = visible
        self._scale = scale
        self._styles: dict[int, Style] = {}
        self._edges = [c_double() for _ in range(4)]
        self._references = [byref(edge) for edge in self._edges]

    def words(self) -> Iterator[PlacedWord]:
        glyphs: list[Glyph] = []
        style: Style | None = None
        order = 0
        for given, glyph, next_style in self._glyphs():
            if glyphs and style and (glyph is None or next_style is None or _breaks(glyphs, style, glyph, next_style)):
                yield _word(glyphs, style, order)
                order, glyphs = order + 1, []
            if glyph is None or next_style is None:
                continue
            if not glyphs:
                style = next_style
            glyphs.append(glyph)
            if given == _HYPHEN and style:
                yield _word(glyphs, style, order)
                order, glyphs = order + 1, []
        if glyphs and style:
            yield _word(glyphs, style, order)

    def _glyphs(self) -> Iterator[tuple[int, Glyph | None, Style | None]]:
        """(code, glyph, style); the latter are None for what ends a word. What leaves no ink is left out."""
        get_code, get_object, handle = raw.FPDFText_GetUnicode, raw.FPDFText_GetTextObject, self._handle
        index = 0
        while index < self._count:
            code, at = get_code(handle, index), index
            index += 1
            if code in _SPACES:
                yield code, None, None
                continue
            item = get_object(handle, at)
            if not item or code in _WITHOUT_INK:
                continue
            if 0xD800 <= code < 0xDC00 and index < self._count:
                code = 0x10000 + ((code - 0xD800) << 10) + ((get_code(handle, index) - 0xDC00) & 0x3FF)
                index += 1
            style = self._style(item, at)
            box = self._seen_box(at, style)
            if box:
                yield code, self._glyph(code, at, box, style), style

    def _glyph(self, code: int, index: int, box: Rect, style: Style) -> Glyph:
        self.characters += 1
        self.invisible += style.is_invisible
        if code in (_HYPHEN, 0xAD):
            text = "-"
        elif _is_unmapped(code) or (code > 0x7E and raw.FPDFText_HasUnicodeMapError(self._handle, index)):
            self.unmapped += 1
            text = _REPLACEMENT
        else:
            text = chr(code)
        return Glyph(text, *_bounds(box, style, self._scale.to_pixels))

    def _seen_box(self, index: int, style: Style) -> Rect | None:
        """Ink of a character in points; None where less than half of it can be seen."""
        if not (style.seen and raw.FPDFText_GetCharBox(self._handle, index, *self._references)):
            return None
        left, right, bottom, top = (edge.value for edge in self._edges)
        limit = style.seen
        if max(right - left, top - bottom) < _LEAST_SIDE_PT or not limit[0] <= (left + right) / 2 <= limit[2]:
            return None
        return (left, bottom, right, top) if limit[1] <= (bottom + top) / 2 <= limit[3] else None

    def _style(self, item: Any, index: int) -> Style:
        address = cast(item, c_void_p).value or 0
        found = self._styles.get(address)
        if found is None:
            found = self._styles[address] = self._new_style(item, index)
        return found

    def _new_style(self, item: Any, index: int) -> Style:
        given = raw.FS_MATRIX()
        raw.FPDFText_GetMatrix(self._handle, index, given)
        matrix: Matrix = (given.a, given.b, given.c, given.d, given.e, given.f)
        x_axis, y_axis, origin = _in_pixels(matrix, self._scale.to_pixels)
        length = math.hypot(*x_axis)
        frame = _frame(x_axis[0] / length, x_axis[1] / length) if length > 0 else Frame(1.0, 0.0)
        size = raw.FPDFText_GetFontSize(self._handle, index) * math.hypot(*y_axis)
        is_invisible = raw.FPDFTextObj_GetTextRenderMode(item) in (
            raw.FPDF_TEXTRENDERMODE_INVISIBLE,
            raw.FPDF_TEXTRENDERMODE_CLIP,
        )
        to_uv = compose(self._scale.to_pixels, (frame.x, -frame.y, frame.y, frame.x, 0.0, 0.0))
        return Style(frame, to_uv, frame.to_uv(*origin)[1], max(size, 1e-3), is_invisible, self._seen(item, matrix))

    def _seen(self, item: Any, matrix: Matrix) -> Rect | None:
        """What the clipping paths of the text leave of the page."""
        seen: Rect | None = self._visible
        outer = None
        for clip in clip_rects(item):
            outer = outer or compose(inverse(object_matrix(item)), matrix)  # what the forms around it do
            seen = seen and overlap(seen, transformed(outer, clip))
        return seen


def _frame(x: float, y: float) -> Frame:
    """Upright text is exactly upright."""
    if abs(y) < 2e-3:
        return Frame(math.copysign(1.0, x), 0.0)
    if abs(x) < 2e-3:
        return Frame(0.0, math.copysign(1.0, y))
    return Frame(x, y)


def _in_pixels(
    matrix: Matrix, to_pixels: Matrix
) -> tuple[tuple[float, float], tuple[float, float], tuple[float, float]]:
    """The two axes and the origin of a matrix in pixels."""
    a, b, c, d, e, f = compose(matrix, to_pixels)
    return (a, b), (c, d), (e, f)


def _bounds(box: Rect, style: Style, to_pixels: Matrix) -> tuple[float, float, float, float]:
    """(left, right, top, bottom) in the frame of the style of a box in points."""
    left, bottom, right, top = box
    if style.frame.x and style.frame.y:
        return _in_slanted_frame(transformed(to_pixels, box), style)
    a, b, c, d, e, f = style.to_uv
    if abs(a) > abs(c):
        start, end, high, low = a * left + e, a * right + e, d * top + f, d * bottom + f
    else:
        start, end, high, low = c * bottom + e, c * top + e, b * left + f, b * right + f
    if start > end:
        start, end = end, start
    return (start, end, high, low) if high <= low else (start, end, low, high)


def _in_slanted_frame(bounds: Rect, style: Style) -> tuple[float, float, float, float]:
    """(left, right, top, bottom) of the glyph in its frame, from its upright bounds in pixels.

    Upright bounds W x H of a glyph w x h that is turned by an angle: W = w cos + h sin, H = w sin + h cos; their centres agree. Near
    45 degrees the two say the same: there the glyph is taken to stand on the baseline.
    """
    left, top, right, bottom = bounds
    frame = style.frame
    u, v = frame.to_uv((left + right) / 2, (top + bottom) / 2)
    cosine, sine, width, height = abs(frame.x), abs(frame.y), right - left, bottom - top
    difference = cosine * cosine - sine * sine
    if abs(difference) > 0.3:
        width, height = (
            max((width * cosine - height * sine) / difference, 0.0),
            max((height * cosine - width * sine) / difference, 0.0),
        )
    else:
        both = (width + height) / (cosine + sine)
        height = min(max(2 * (style.baseline - v), 0.2 * both), 0.8 * both)
        width = both - height
    return u - width / 2, u + width / 2, v - height / 2, v + height / 2


def _breaks(glyphs: list[Glyph], style: Style, glyph: Glyph, next_style: Style) -> bool:
    """Whether a glyph starts a new word although no space stands before it."""
    if style is next_style:
        shift = 0.0
    else:
        if style.frame.x * next_style.frame.x + style.frame.y * next_style.frame.y < 0.999:
            return True
        if style.is_invisible != next_style.is_invisible:
            return True
        shift = abs(style.baseline - next_style.baseline)
    last, size = glyphs[-1], max(style.size, next_style.size)
    gap = max(glyph.left - last.right, last.left - glyph.right)
    return shift > _WORD_GAP * size or gap > _WORD_GAP * size


def _word(glyphs: list[Glyph], style: Style, order: int) -> PlacedWord:
    text = "".join(glyph.text for glyph in glyphs)
    if not text.isascii():
        text = _letters(_logical(glyphs) if any(map(is_right_to_left, text)) else text)
    left, right = min(glyph.left for glyph in glyphs), max(glyph.right for glyph in glyphs)
    top, bottom = min(glyph.top for glyph in glyphs), max(glyph.bottom for glyph in glyphs)
    return PlacedWord(
        text, style.frame, left, right, top, bottom, style.baseline, style.size, style.is_invisible, order
    )


def _logical(glyphs: list[Glyph]) -> str:
    """Letters in the order in which they are spoken.

    PDFium turns each run of right-to-left letters round, whether the file has them as seen or as spoken: the places decide. The
    letters of one glyph (a ligature) share a place and were turned round with the rest.
    """
    clusters: list[list[Glyph]] = []
    for glyph in glyphs:
        if clusters and glyph[1:] == clusters[-1][0][1:]:
            clusters[-1].insert(0, glyph)
        else:
            clusters.append([glyph])
    letters = ["".join(glyph.text for glyph in cluster) for cluster in clusters]
    middles = [(cluster[0].left + cluster[0].right) / 2 for cluster in clusters]
    return "".join(in_spoken_order(letters, middles, is_right_to_left("".join(letters))))


def in_spoken_order(texts: list[str], middles: list[float], right_to_left: bool) -> list[str]:
    """Pieces of a line, seen at `middles`, in reading order: runs of the other direction within it are turned round (UAX 9, rule L2)."""
    order = sorted(range(len(texts)), key=lambda index: middles[index], reverse=right_to_left)
    return [texts[index] for index in turned_runs(order, texts, right_to_left)]


def turned_runs(order: list[int], texts: list[str], right_to_left: bool) -> list[int]:
    """`order` with each run of pieces that read against it turned round; digits read from left to right everywhere."""
    result: list[int] = []
    run: list[int] = []
    for index in order:
        against = _reads_left_to_right(texts[index]) if right_to_left else is_right_to_left(texts[index])
        if against:
            run.insert(0, index)
            continue
        result += [*run, index]
        run = []
    return result + run


def _reads_left_to_right(text: str) -> bool:
    return not is_right_to_left(text) and any(
        unicodedata.bidirectional(character) in ("L", "EN", "AN") for character in text
    )


def _letters(text: str) -> str:
    """Ligatures and positional forms as the letters they stand for, and marks joined with their letters (NFC)."""
    expanded = "".join(
        unicodedata.normalize("NFKC", character) if "\ufb00" <= character <= "\ufeff" else character
        for character in text
    )
    return unicodedata.normalize("NFC", expanded)


def _is_unmapped(code: int) -> bool:
    """Controls, private use, non-characters, lone surrogates and the replacement character say nothing to a reader."""
    return (
        code < 0x20
        or 0x7F <= code < 0xA0
        or 0xD800 <= code < 0xF900
        or 0xFDD0 <= code < 0xFDF0
        or code == 0xFFFD
        or code & 0xFFFE == 0xFFFE
        or code >= 0xF0000
    )


def _without_copies(words: Iterable[PlacedWord]) -> Iterator[PlacedWord]:
    """Each word once: some programs draw a word twice, a little shifted, to make it bold or to give it a shadow."""
    seen: dict[str, list[PlacedWord]] = {}
    for word in words:
        twins = seen.setdefault(word.text, [])
        if any(
            abs(word.left - twin.left) + abs(word.top - twin.top) < 0.2 * word.size and word.frame == twin.frame
            for twin in twins
        ):
            continue
        twins.append(word)
        yield word


def centre(word: PlacedWord) -> tuple[float, float]:
    """The middle of a word's ink, in pixels of the page."""
    return word.frame.to_xy((word.left + word.right) / 2, (word.top + word.bottom) / 2)
