import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.ocr.images.resolution import is_plausible_dpi, trusted_resolution

A4_FAX = (1728, 1145)


@pytest.mark.parametrize("dpi", [float("nan"), float("inf"), -300.0, 0.0, 1.0, 72.0, 96.0, 2400.0])
def test_resolution_that_no_scanner_gives_is_implausible(dpi: float) -> None:
    assert not is_plausible_dpi(dpi, 2480, 3508)
    assert trusted_resolution(dpi, dpi, 2480, 3508) == (None, 1.0)


@pytest.mark.parametrize("dpi", [99.9998, 150.0, 200.0, 300.0, 400.0, 600.0])
def test_resolution_of_a_scanner_is_trusted(dpi: float) -> None:
    assert trusted_resolution(dpi, dpi, 2480, 3508) == (dpi, 1.0)


@pytest.mark.parametrize(("across", "down", "aspect"), [(204, 98, 2.08), (200, 100, 2), (408, 196, 2.08)])
def test_resolution_of_a_standard_fax_makes_its_pixels_tall(across: float, down: float, aspect: float) -> None:
    dpi, pixel_aspect = trusted_resolution(across, down, *A4_FAX)
    assert dpi == across
    assert pixel_aspect == pytest.approx(aspect, abs=0.01)


def test_resolution_of_a_fine_fax_is_one() -> None:
    assert trusted_resolution(204, 196, 1728, 2287) == (204, 1.0)


def test_resolution_finer_downwards_makes_pixels_wide() -> None:
    assert trusted_resolution(300, 600, 2480, 7016) == (600, 0.5)


@pytest.mark.parametrize("size", [(1700, 2200), (2480, 3508)])
def test_resolution_that_would_make_a_sheet_a_strip_is_not_trusted(size: tuple[int, int]) -> None:
    assert trusted_resolution(300, 150, *size) == (None, 1.0)


@pytest.mark.parametrize(("across", "down"), [(300, 40), (300, 250), (600, 200), (0, 300), (300, 0)])
def test_resolution_of_two_that_no_fax_has_is_not_trusted(across: float, down: float) -> None:
    assert trusted_resolution(across, down, *A4_FAX) == (None, 1.0)


@given(st.floats(), st.floats(), st.integers(1, 50_000), st.integers(1, 50_000))
def test_resolution_of_any_numbers_is_plausible_or_none(
    across: float, down: float, width_px: int, height_px: int
) -> None:
    dpi, aspect = trusted_resolution(across, down, width_px, height_px)
    assert dpi is None or is_plausible_dpi(dpi, width_px, height_px)
    assert 0.4 <= aspect <= 2.5
