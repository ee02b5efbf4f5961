"""Pictures of a page: the one that the engine saw is, pixel by pixel, the one that is shown."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fpdf import FPDF
from PIL import Image

from recto.errors import PageNotInDocument, PageNotPreprocessed
from recto.ocr.document_file import DocumentFile
from recto.ocr.documents import Limits, load_page
from recto.ocr.engines.osd import Script
from recto.ocr.options import Options
from recto.ocr.page import Block, Page, PageImage
from recto.ocr.pipeline import recognise_page
from recto.ocr.reading import Reader
from recto.ocr.stages import page_picture, show_stages, write_png
from tests.drawing import blank_page, draw_page, save_tiff, scanned_line
from tests.ocr.made_engines import SilentEngine, word_alone

if TYPE_CHECKING:
    from pathlib import Path

    from recto.ocr.page import GreyArray

LIMITS = Limits(5, 100_000_000)
CROOKED = draw_page(skew_deg=3).pixels
ON_ITS_SIDE = np.ascontiguousarray(np.rot90(CROOKED))


class Witness(SilentEngine):
    """An engine that reads the same word everywhere and remembers the picture that it saw last."""

    name = "witness"

    def __init__(self, text_angle_deg: int = 0, blank_readings: int = 0) -> None:
        self._blank_readings = blank_readings
        self._script = Script("Latin", 5.0, text_angle_deg, 10.0)
        self.seen: list[GreyArray] = []

    def detect_script(self, pixels: GreyArray, dpi: int) -> Script | None:
        return self._script

    def recognise(self, pixels: GreyArray, dpi: int, languages: tuple[str, ...]) -> tuple[Block, ...]:
        self.seen.append(pixels)
        if len(self.seen) <= self._blank_readings:
            return ()
        return word_alone("seen", 0.95)


def read(file: DocumentFile, options: Options, text_angle_deg: int = 0) -> tuple[Page, GreyArray]:
    """The page, and the picture that was read."""
    witness = Witness(text_angle_deg)
    page = recognise_page(file, 1, options, Reader(witness, LIMITS, ("eng",)))
    return page, witness.seen[-1]


def stages(file: DocumentFile, page: Page, options: Options) -> list[tuple[str, GreyArray]]:
    shown: list[tuple[str, GreyArray]] = []
    show_stages(file, page, options, LIMITS, lambda name, image: shown.append((name, image.pixels)))
    return shown


@pytest.fixture
def typed(tmp_path: Path) -> DocumentFile:
    """A PDF whose text is typed."""
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=11)
    pdf.text(40, 52, "This sentence is text of the page itself and was typed by its author.")
    pdf.output(str(tmp_path / "typed.pdf"))
    return DocumentFile(tmp_path / "typed.pdf")


@pytest.mark.parametrize(
    ("pixels", "text_angle_deg", "preprocess", "taken"),
    [
        (CROOKED, 0, "auto", ["text_size", "deskew"]),
        (CROOKED, 0, "none", []),
        (255 - CROOKED, 0, "auto", ["polarity", "text_size", "deskew"]),
        (255 - CROOKED, 0, "no-polarity+no-deskew+no-light+no-grain", []),
        (ON_ITS_SIDE, 90, "auto", ["orientation", "text_size", "deskew"]),
        (CROOKED, 0, "auto+contrast", ["text_size", "deskew", "contrast"]),
    ],
)
def test_preprocessed_picture_is_the_one_that_the_engine_saw(
    tmp_path: Path, pixels: GreyArray, text_angle_deg: int, preprocess: str, taken: list[str]
) -> None:
    file = DocumentFile(save_tiff(tmp_path / "page.tif", [pixels]))
    options = Options.model_validate({"preprocess": preprocess})
    page, seen = read(file, options, text_angle_deg)
    assert np.array_equal(page_picture(file, page, "preprocessed", options, LIMITS).pixels, seen)
    assert np.array_equal(page_picture(file, page, "original", options, LIMITS).pixels, pixels)
    shown = stages(file, page, options)
    assert [name for name, _ in shown] == ["original", *taken]
    assert np.array_equal(shown[-1][1], seen)
    assert np.array_equal(shown[0][1], pixels)


def test_preprocessed_picture_of_a_page_that_seemed_blank_is_the_one_that_was_read(tmp_path: Path) -> None:
    file = DocumentFile(save_tiff(tmp_path / "page.tif", [scanned_line()]))
    witness = Witness(blank_readings=1)
    page = recognise_page(file, 1, Options(), Reader(witness, LIMITS, ("eng",)))
    assert len(witness.seen) == 2
    assert np.array_equal(page_picture(file, page, "preprocessed", Options(), LIMITS).pixels, witness.seen[-1])
    assert "paper" in [name for name, _ in stages(file, page, Options())]


def test_stages_of_a_page_whose_text_was_taken_are_the_original_alone(typed: DocumentFile) -> None:
    page = recognise_page(typed, 1, Options(), Reader(Witness(), LIMITS, ("eng",)))
    assert page.text_layer == "used"
    assert [name for name, _ in stages(typed, page, Options())] == ["original"]
    original = page_picture(typed, page, "original", Options(), LIMITS)
    assert original.pixels.shape == (page.height_px, page.width_px)
    with pytest.raises(PageNotPreprocessed, match="Ask for stage=original"):
        page_picture(typed, page, "preprocessed", Options(), LIMITS)


def test_preprocessed_picture_of_a_page_that_was_read_in_spite_of_its_text_is_there(typed: DocumentFile) -> None:
    options = Options(mode="force")
    page, seen = read(typed, options)
    assert np.array_equal(page_picture(typed, page, "preprocessed", options, LIMITS).pixels, seen)


def test_picture_of_a_page_that_is_not_there_raises(tmp_path: Path) -> None:
    file = DocumentFile(save_tiff(tmp_path / "page.tif", [blank_page(60, 40)]))
    page = Page(2, 60, 40, 300.0, ("eng",), "hand 1", (), ())
    with pytest.raises(PageNotInDocument):
        page_picture(file, page, "original", Options(), LIMITS)


@pytest.mark.parametrize(
    ("dpi", "pixel_aspect", "expected"),
    [(300.0, 1.0, (300, 300)), (204.0, 2.0, (204, 102)), (200.0, 0.5, (100, 200)), (None, 1.0, None)],
)
def test_png_is_lossless_and_says_its_resolution(
    dpi: float | None, pixel_aspect: float, expected: tuple[int, int] | None
) -> None:
    sink = BytesIO()
    write_png(PageImage(CROOKED, dpi, pixel_aspect), sink)
    with Image.open(sink, formats=["PNG"]) as image:
        assert np.array_equal(np.asarray(image), CROOKED)
        said = image.info.get("dpi")
    assert (said and tuple(map(round, said))) == expected


def test_original_is_what_the_reading_decoded(typed: DocumentFile) -> None:
    page = Page(1, 1, 1, 300.0, ("eng",), "hand 1", (), ())
    original = page_picture(typed, page, "original", Options(), LIMITS)
    assert np.array_equal(original.pixels, load_page(typed, 1, LIMITS).pixels)
