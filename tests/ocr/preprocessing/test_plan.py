import cv2
import numpy as np
import pytest

from recto.ocr.page import PageImage
from recto.ocr.preprocessing.plan import preprocess
from recto.ocr.preprocessing.transform import IDENTITY
from tests.drawing import blank_page, draw_page


def steps_of(page: PageImage) -> list[str]:
    return [step.name for step in preprocess(page).steps]


def test_preprocessing_of_a_clean_page_leaves_it_alone() -> None:
    page = draw_page().pixels
    prepared = preprocess(PageImage(page, 300.0))
    assert prepared.steps == ()
    assert prepared.pixels is page
    assert prepared.transform is IDENTITY


@pytest.mark.parametrize(
    "page", [blank_page(), blank_page() // 255, blank_page(1, 1), blank_page(3000, 2), blank_page(2, 20_000)]
)
def test_preprocessing_of_a_page_without_text_leaves_it_alone(page: np.typing.NDArray[np.uint8]) -> None:
    assert steps_of(PageImage(page, None)) == []


def test_preprocessing_of_a_page_with_every_fault_mends_them_in_order() -> None:
    small = cv2.resize(draw_page(skew_deg=4).pixels, None, fx=0.33, fy=0.33, interpolation=cv2.INTER_AREA)
    prepared = preprocess(PageImage(255 - np.asarray(small, dtype=np.uint8), 100.0))
    assert [step.name for step in prepared.steps] == ["polarity", "text_size", "deskew"]
    assert prepared.steps[2].measured["angle_deg"] == pytest.approx(4, abs=0.3)
    assert prepared.dpi > prepared.original_dpi == 100.0
    assert np.median(prepared.pixels) > 200


def test_preprocessing_of_a_fax_makes_its_pixels_square_first() -> None:
    page = draw_page().pixels
    flat = cv2.resize(page, (page.shape[1], page.shape[0] // 2), interpolation=cv2.INTER_AREA)
    prepared = preprocess(PageImage(255 - np.asarray(flat, dtype=np.uint8), 300.0, pixel_aspect=2.0))
    assert [step.name for step in prepared.steps] == ["aspect", "polarity"]
    assert prepared.pixels.shape == (page.shape[0] // 2 * 2, page.shape[1])
    assert np.array_equal(prepared.transform.matrix, np.diag([1.0, 2.0, 1.0]))
    assert prepared.dpi == prepared.original_dpi == 300.0


def test_preprocessing_of_a_fax_that_would_grow_too_long_leaves_it() -> None:
    assert "aspect" not in steps_of(PageImage(blank_page(10, 20_000), 204.0, pixel_aspect=2.08))


def test_preprocessing_with_an_unknown_resolution_takes_it_from_the_letters() -> None:
    dpi = preprocess(PageImage(draw_page(size_pt=10).pixels, None)).original_dpi
    assert 200 < dpi < 400


def test_preprocessing_does_not_grow_a_page_beyond_what_memory_takes() -> None:
    tile = cv2.resize(draw_page().pixels, None, fx=0.33, fy=0.33, interpolation=cv2.INTER_AREA)
    page = np.tile(np.asarray(tile, dtype=np.uint8), (17, 12))
    assert "text_size" not in steps_of(PageImage(page, 100.0))
