import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.ocr.page import MAX_SIDE_PX
from recto.ocr.pdf.page_scale import PAGE_MOST_DPI, RENDER_DPI, limited_dpi, scan_dpi, size_px, wanted_dpi
from recto.ocr.pdf.placed_images import PlacedImage

A4 = (0.0, 0.0, 595.0, 842.0)


def image(dpi: float, left: float = 0, bottom: float = 0, right: float = 595, top: float = 842) -> PlacedImage:
    return PlacedImage(100, 100, (left, bottom, right, top), dpi)


def test_limited_resolution_of_a_usual_page_is_the_wanted_one() -> None:
    assert limited_dpi(595, 842, 100_000_000, 300) == 300


@given(st.floats(0.01, 20_000), st.floats(0.01, 20_000), st.integers(10_000, 200_000_000), st.floats(1, PAGE_MOST_DPI))
def test_limited_resolution_of_any_page_stays_within_the_limits(
    width_pt: float, height_pt: float, max_page_px: int, wanted: float
) -> None:
    dpi = limited_dpi(width_pt, height_pt, max_page_px, wanted)
    width_px, height_px = size_px(width_pt, height_pt, dpi)
    assert 0 < dpi <= wanted
    assert width_px * height_px <= max_page_px * (1 + 1e-9)
    assert max(width_px, height_px) <= MAX_SIDE_PX


@pytest.mark.parametrize("side_pt", [float("inf"), float("nan")])
def test_limited_resolution_of_a_page_without_a_size_is_refused(side_pt: float) -> None:
    with pytest.raises(ValueError, match="size"):
        limited_dpi(side_pt, 842, 1_000_000, 300)


@given(st.floats(1, 10_000))
def test_wanted_resolution_is_a_whole_ratio_that_text_can_be_read_at(scanned_at: float) -> None:
    wanted = wanted_dpi(scanned_at)
    ratio = max(wanted / scanned_at, scanned_at / wanted)
    assert math.isclose(ratio, round(ratio), rel_tol=1e-9)
    assert 190 <= wanted <= PAGE_MOST_DPI


@pytest.mark.parametrize("scanned_at", [190, 196, 204, 300, 400, 406.4])
def test_wanted_resolution_of_a_usual_scan_is_its_own(scanned_at: float) -> None:
    assert wanted_dpi(scanned_at) == scanned_at


def test_wanted_resolution_of_a_drawn_page_is_what_tesseract_recommends() -> None:
    assert wanted_dpi(None) == RENDER_DPI


def test_scan_resolution_of_strips_is_that_of_the_whole() -> None:
    strips = [image(200 + index * 0.1, bottom=100 * index, top=100 * index + 100) for index in range(8)]
    assert scan_dpi(strips, A4) == pytest.approx(200.7)


def test_scan_resolution_of_layers_is_the_finest() -> None:
    assert scan_dpi([image(100), image(400), image(600, top=100)], A4) == 400


def test_scan_resolution_of_a_page_with_a_small_picture_is_none() -> None:
    assert scan_dpi([image(200, top=400)], A4) is None
    assert scan_dpi([], A4) is None
