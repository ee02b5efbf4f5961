"""The pictures that a PDF page shows, and where on the page they stand."""

import math
from collections.abc import Iterator
from ctypes import byref, c_float, c_uint
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import pypdfium2
from pypdfium2 import raw

Matrix: TypeAlias = tuple[float, float, float, float, float, float]
"""(a, b, c, d, e, f) as PDF writes it: x' = a x + c y + e, y' = b x + d y + f (ISO 32000-1, 8.3.4)."""

Rect: TypeAlias = tuple[float, float, float, float]
"""(left, bottom, right, top) in points of the page, y upwards."""

IDENTITY: Final[Matrix] = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)

_MAX_OBJECTS: Final = 200_000
"""Objects of one page that are looked at: maps have hundreds of thousands of paths, and each costs a microsecond or two."""

_MAX_DEPTH: Final = 12
"""Levels of forms within forms; what real programs write has three or four."""


@dataclass(frozen=True, slots=True)
class PlacedImage:
    """A raster image: its size in its own pixels, the visible part of its place, and its resolution there (the finer direction)."""

    width_px: int
    height_px: int
    rect: Rect
    dpi: float


def placed_images(page: pypdfium2.PdfPage) -> list[PlacedImage]:
    """Every raster image of the page that lies in its visible area, those within form XObjects and inline images included.

    Pictures inside patterns, and the glyph pictures of Type 3 fonts, are not seen.
    """
    visible: Rect = tuple(page.get_bbox())
    placed = (_placed(image, outer, visible) for image, outer in walk_images(page))
    return [image for image in placed if image]


def compose(inner: Matrix, outer: Matrix) -> Matrix:
    """The matrix that applies `inner` first, then `outer`."""
    a, b, c, d, e, f = inner
    g, h, i, j, k, m = outer
    return (a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m)


def inverse(matrix: Matrix) -> Matrix:
    """What undoes a matrix; IDENTITY for one that makes everything flat."""
    a, b, c, d, e, f = matrix
    determinant = a * d - b * c
    if not determinant:
        return IDENTITY
    a, b, c, d = d / determinant, -b / determinant, -c / determinant, a / determinant
    return a, b, c, d, -e * a - f * c, -e * b - f * d


def apply(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    """The point (x, y) after the matrix."""
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f


def transformed(matrix: Matrix, rect: Rect) -> Rect:
    """Bounds of a rectangle after the matrix."""
    left, bottom, right, top = rect
    xs, ys = zip(*(apply(matrix, x, y) for x in (left, right) for y in (bottom, top)), strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def overlap(one: Rect, other: Rect) -> Rect | None:
    """What two rectangles share; None where that has no area."""
    left, bottom = max(one[0], other[0]), max(one[1], other[1])
    right, top = min(one[2], other[2]), min(one[3], other[3])
    return (left, bottom, right, top) if left < right and bottom < top else None


def area(rect: Rect) -> float:
    """In square points."""
    return (rect[2] - rect[0]) * (rect[3] - rect[1])


def object_matrix(item: Any) -> Matrix:
    """From an object's space to that of what contains it; a form's own /Matrix is in its children's matrices already."""
    given = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(item, given):
        return IDENTITY
    return given.a, given.b, given.c, given.d, given.e, given.f


def clip_rects(item: Any) -> Iterator[Rect]:
    """Bounds of the clipping paths of an object, in the space of what contains it."""
    clip = raw.FPDFPageObj_GetClipPath(item)
    for index in range(max(raw.FPDFClipPath_CountPaths(clip), 0)):
        points = []
        for number in range(max(raw.FPDFClipPath_CountPathSegments(clip, index), 0)):
            x, y = c_float(), c_float()
            if raw.FPDFPathSegment_GetPoint(raw.FPDFClipPath_GetPathSegment(clip, index, number), x, y):
                points.append((x.value, y.value))
        if points:
            xs, ys = zip(*points, strict=True)
            yield min(xs), min(ys), max(xs), max(ys)


def place_of(image: Any, outer: Matrix, visible: Rect) -> Rect | None:
    """Bounds in points of what is seen of an image that `walk_images` yields; None where that is nothing."""
    a, b, c, d, e, f = matrix = compose(object_matrix(image), outer)
    sides_pt = math.hypot(a, b), math.hypot(c, d)
    if not (all(map(math.isfinite, (*sides_pt, e, f))) and min(sides_pt) > 0):
        return None
    rect: Rect | None = overlap(transformed(matrix, (0, 0, 1, 1)), visible)
    for clip in clip_rects(image):
        rect = rect and overlap(rect, transformed(outer, clip))
    return rect


def walk_images(page: pypdfium2.PdfPage) -> Iterator[tuple[Any, Matrix]]:
    """The image objects in painting order, each with the matrix of what contains it."""
    todo: list[tuple[Iterator[Any], Matrix]] = [(_page_objects(page), IDENTITY)]
    for _ in range(_MAX_OBJECTS):
        if not todo:
            return
        items, matrix = todo[-1]
        item = next(items, None)
        if item is None:
            todo.pop()
            continue
        kind = raw.FPDFPageObj_GetType(item)
        if kind == raw.FPDF_PAGEOBJ_IMAGE:
            yield item, matrix
        elif kind == raw.FPDF_PAGEOBJ_FORM and len(todo) <= _MAX_DEPTH:
            todo.append((_form_objects(item), compose(object_matrix(item), matrix)))


def _page_objects(page: pypdfium2.PdfPage) -> Iterator[Any]:
    return (raw.FPDFPage_GetObject(page, index) for index in range(raw.FPDFPage_CountObjects(page)))


def _form_objects(form: Any) -> Iterator[Any]:
    return (raw.FPDFFormObj_GetObject(form, index) for index in range(raw.FPDFFormObj_CountObjects(form)))


def _placed(image: Any, outer: Matrix, visible: Rect) -> PlacedImage | None:
    width, height = c_uint(), c_uint()
    raw.FPDFImageObj_GetImagePixelSize(image, byref(width), byref(height))
    rect = place_of(image, outer, visible)
    if not (width.value and height.value and rect):
        return None
    a, b, c, d, _, _ = compose(object_matrix(image), outer)
    dpi = 72 * max(width.value / math.hypot(a, b), height.value / math.hypot(c, d))
    return PlacedImage(width.value, height.value, rect, dpi)
