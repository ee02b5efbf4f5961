import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recto.ocr.preprocessing.contrast import Contrast, cleared, measure_contrast
from tests.drawing import LINES, blank_page, draw_page

PAGE = draw_page(LINES * 2, size_pt=8).pixels
Picture = np.typing.NDArray[np.uint8]


def shining_through(page: Picture, share: float) -> Picture:
    """The other side's print: mirrored, between the lines, blurred, at that share of its darkness."""
    back = cv2.GaussianBlur(np.roll(page[:, ::-1], 30, axis=0), (0, 0), 1.5)
    return np.asarray(np.clip(page - (255 - back.astype(float)) * share, 0, 255), dtype=np.uint8)


def faded(page: Picture, share: float) -> Picture:
    return np.asarray(255 - (255 - page.astype(float)) * share, dtype=np.uint8)


def measured(page: Picture) -> Contrast:
    contrast = measure_contrast(page)
    assert contrast is not None
    return contrast


@pytest.mark.parametrize(
    "page", [blank_page(), blank_page() * 0, blank_page(1, 1), blank_page(3000, 2), blank_page(2, 2) * 0]
)
def test_page_without_marks_has_no_contrast(page: Picture) -> None:
    assert measure_contrast(page) is None


def test_black_print_on_white_is_not_in_doubt() -> None:
    contrast = measured(PAGE)
    assert contrast.paper == 255
    assert contrast.ink == pytest.approx(0, abs=8)
    assert not contrast.is_doubtful


@pytest.mark.parametrize("share", [0.2, 0.3, 0.4])
def test_print_that_shines_through_is_seen_and_cut_off_between_both(share: float) -> None:
    contrast = measured(shining_through(PAGE, share))
    assert contrast.is_doubtful
    assert contrast.faint_share > 0.1
    assert 0.7 * share < contrast.cut <= 0.55


@pytest.mark.parametrize("share", [0.2, 0.35, 0.45])
def test_faded_print_is_in_doubt_and_hardly_cut(share: float) -> None:
    contrast = measured(faded(PAGE, share))
    assert contrast.is_doubtful
    assert contrast.paper - contrast.ink == pytest.approx(255 * share, rel=0.1)
    assert contrast.cut == pytest.approx(0.15)


def test_cleared_page_has_its_print_and_nothing_of_the_other_side() -> None:
    page = shining_through(PAGE, 0.3)
    clear = cleared(page, measured(page))
    other_side = (page > 170) & (page < 200) & (PAGE == 255)
    assert other_side.sum() > 1000
    assert clear[other_side].min() >= 220
    assert clear[PAGE == 0].max() <= 20
    again = measure_contrast(clear)
    assert again is not None
    assert not again.is_doubtful


def test_faded_page_gets_the_contrast_of_print() -> None:
    page = faded(PAGE, 0.3)
    clear = cleared(page, measured(page))
    assert np.median(clear[PAGE == 255]) == 245
    assert np.median(clear[PAGE == 0]) <= 20


@given(paper=st.integers(40, 255), depth=st.integers(1, 255), cut=st.floats(0, 0.5))
@settings(max_examples=50, deadline=None)
def test_darker_stays_darker_within_paper_and_ink(paper: int, depth: int, cut: float) -> None:
    greys = np.arange(256, dtype=np.uint8).reshape(16, 16)
    clear = cleared(greys, Contrast(float(paper), float(paper - depth), 0.1, cut)).ravel().astype(int)
    assert (np.diff(clear) >= 0).all()
    assert (clear.min(), clear.max()) == (clear[0], 245)
    assert clear[max(paper - depth, 0)] == pytest.approx(10 if paper >= depth else clear[0])
