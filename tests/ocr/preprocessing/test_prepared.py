import numpy as np

from recto.ocr.page import PageImage, Step
from recto.ocr.preprocessing.plan import preprocess
from recto.ocr.preprocessing.prepared import Preprocessed
from recto.ocr.preprocessing.transform import IDENTITY, scaling
from tests.drawing import blank_page, draw_page


def test_page_after_a_step_has_its_pixels_its_place_and_its_name() -> None:
    page = Preprocessed(blank_page(4, 6), IDENTITY, 300.0, 300.0)
    after = page.after(Step("text_size", {"factor": 2.0}), blank_page(8, 12), scaling(2, 2), dpi=600.0)
    assert after.pixels.shape == (12, 8)
    assert np.array_equal(after.transform.matrix, scaling(2, 2).matrix)
    assert (after.dpi, after.original_dpi, [step.name for step in after.steps]) == (600.0, 300.0, ["text_size"])
    assert page.steps == ()


def test_observer_sees_the_page_after_each_step_and_changes_nothing() -> None:
    seen: list[Preprocessed] = []
    page = PageImage(255 - draw_page(skew_deg=3).pixels, 300.0)
    observed = preprocess(page, observer=seen.append)
    assert [after.steps[-1].name for after in seen] == ["polarity", "text_size", "deskew"]
    assert np.array_equal(seen[-1].pixels, observed.pixels)
    assert np.array_equal(observed.pixels, preprocess(page).pixels)


def test_observer_of_a_page_that_needs_no_step_sees_nothing() -> None:
    seen: list[Preprocessed] = []
    preprocess(PageImage(draw_page(size_pt=7.5).pixels, 300.0), observer=seen.append)
    assert seen == []
