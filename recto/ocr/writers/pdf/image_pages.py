"""Image files as the pages of a new PDF: every picture upright on a page of its own, one in memory at a time.

A picture that cannot be decoded leaves an empty page of its size, so that page numbers hold.
"""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pikepdf
from pikepdf import Array, Dictionary, Job, Matrix, Name, Pdf, StreamDecodeLevel
from pikepdf.canvas import ContentStreamBuilder
from PIL import Image

from recto.ocr.document_file import DocumentFile
from recto.ocr.images.image_files import open_frame, orientation_of
from recto.ocr.images.resolution import page_resolution
from recto.ocr.page import Page
from recto.ocr.writers.json import page_from_json, page_to_json
from recto.ocr.writers.pdf.image_data import PictureData, picture_data, stored_orientation

_POINTS_PER_INCH: Final = 72.0
_ASSUMED_DPI: Final = 300.0
_LEAST_SIDE_PT, _MOST_SIDE_PT = 3.0, 14_400.0  # ISO 32000-1, annex C.2
_EMPTY_PAGE_PT: Final = (595.0, 842.0)
_PICTURE: Final = Name("/Picture")

_UPRIGHT: Final = {
    1: Matrix(1, 0, 0, 1, 0, 0),
    2: Matrix(-1, 0, 0, 1, 1, 0),
    3: Matrix(-1, 0, 0, -1, 1, 1),
    4: Matrix(1, 0, 0, -1, 0, 1),
    5: Matrix(0, -1, -1, 0, 1, 1),
    6: Matrix(0, -1, 1, 0, 0, 1),
    7: Matrix(0, 1, 1, 0, 0, 0),
    8: Matrix(0, 1, -1, 0, 1, 0),
}
"""What puts the unit square of a picture upright, by its orientation (Exif 2.32, table 4)."""


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A page to be: its size in points and in units of its user space, and the picture, if there is any."""

    width_pt: float
    height_pt: float
    picture: PictureData | None
    orientation: int


@contextmanager
def image_pdf(file: DocumentFile, page_count: int, recognised: Iterable[Page]) -> Iterator[tuple[Pdf, Iterable[Page]]]:
    """A new PDF of the pages 1 to `page_count`, open while the block runs, and what was recognised on them. It has no ID.

    `recognised` is ascending by number.
    """
    if page_count == 1:
        pages = list(recognised)
        with _page_of(_sheet(file, 1, next(iter(pages), None), alone=True)) as pdf:
            yield pdf, pages
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with pikepdf.open(_joined(file, page_count, recognised, folder)) as pdf:
            del pdf.trailer.ID  # qpdf's own, the same for all
            yield pdf, _recognised_pages(folder, page_count)


def _joined(file: DocumentFile, page_count: int, recognised: Iterable[Page], folder: Path) -> Path:
    """A PDF of all pages in `folder`, and beside it what was recognised on them.

    The pages are files of their own until qpdf joins them from the disk: pikepdf copies pictures from one PDF to another through the
    memory, all of them at once.
    """
    coming = iter(recognised)
    waiting = next(coming, None)
    for number in range(1, page_count + 1):
        page = None
        if waiting is not None and waiting.number == number:
            page, waiting = waiting, next(coming, None)
            _checkpoint(folder, number).write_bytes(page_to_json(page))
        with _page_of(_sheet(file, number, page, alone=False)) as pdf:
            pdf.save(_page_file(folder, number), static_id=True, stream_decode_level=StreamDecodeLevel.none)
    files = [_page_file(folder, number) for number in range(1, page_count + 1)]
    whole = folder / "pages.pdf"
    Job(["qpdf", "--empty", "--static-id", "--pages", *map(str, files), "--", str(whole)]).run()
    return whole


def _recognised_pages(folder: Path, page_count: int) -> Iterator[Page]:
    """The pages that `_joined` was given, one at a time."""
    for number in range(1, page_count + 1):
        checkpoint = _checkpoint(folder, number)
        if checkpoint.exists():
            yield page_from_json(checkpoint.read_bytes())


def _checkpoint(folder: Path, number: int) -> Path:
    return folder / f"{number}.json"


def _page_file(folder: Path, number: int) -> Path:
    return folder / f"{number}.pdf"


def _sheet(file: DocumentFile, number: int, page: Page | None, *, alone: bool) -> _Sheet:
    """What is to be said of a page before it is made. Whatever its decoder met, it stays, then as an empty one."""
    width_pt, height_pt = _EMPTY_PAGE_PT
    picture, orientation = None, 1
    try:
        with open_frame(file.path, number) as image:
            stored = stored_orientation(image)
            width_pt, height_pt = _size_pt(image, page, is_on_side=stored >= 5)
            picture, orientation = picture_data(image, file.path, stored, alone=alone)
    except MemoryError:
        raise
    except Exception:  # nosec B110 # noqa: BLE001, S110 - that a page cannot be decoded was found by recognition, and is named in its warnings
        pass
    return _Sheet(width_pt, height_pt, picture, orientation)


def _size_pt(image: Image.Image, page: Page | None, *, is_on_side: bool) -> tuple[float, float]:
    """Width and height of the upright page, at the resolution that recognition assumed or the file plausibly states."""
    stated_dpi, aspect = page_resolution(image, is_on_side=is_on_side)
    width_px, height_px = image.size
    if page is not None:
        width_px, height_px = page.width_px, page.height_px
    elif orientation_of(image) >= 5:
        width_px, height_px = height_px, width_px
    points = _POINTS_PER_INCH / (page.dpi if page else stated_dpi or _ASSUMED_DPI)
    # The resolution is the finer one of pixels that are not square.
    width_pt, height_pt = width_px * points * max(1.0, 1 / aspect), height_px * points * max(1.0, aspect)
    growth = max(1.0, _LEAST_SIDE_PT / min(width_pt, height_pt))
    return width_pt * growth, height_pt * growth


def _page_of(sheet: _Sheet) -> Pdf:
    """A PDF of that page alone."""
    longest_pt = max(sheet.width_pt, sheet.height_pt)
    unit = max(1.0, longest_pt / _MOST_SIDE_PT)
    width, height = round(sheet.width_pt / unit, 3), round(sheet.height_pt / unit, 3)
    pdf = pikepdf.new()
    page = pdf.add_blank_page()
    # A strip that is 5,000 times as long as wide is narrower than ISO 32000-1 (annex C.2) wants it: pikepdf would refuse it.
    page.obj.MediaBox = Array([0, 0, width, height])
    if unit > 1:
        page.obj.UserUnit = unit
    if sheet.picture is not None:
        content = ContentStreamBuilder().push().cm(_UPRIGHT[sheet.orientation] @ Matrix(width, 0, 0, height, 0, 0))
        page.obj.Contents = pdf.make_stream(content.draw_xobject(_PICTURE).pop().build())
        page.obj.Resources = Dictionary(XObject=Dictionary({str(_PICTURE): sheet.picture.add_to(pdf)}))
    return pdf
