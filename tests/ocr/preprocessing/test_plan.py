from collections.abc import Callable
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pytest

from recto.ocr.options import EVERY_STEP, PREPROCESSING_STEPS, Options, StepChoice
from recto.ocr.page import PageImage
from recto.ocr.preprocessing.contrast import measure_contrast
from recto.ocr.preprocessing.plan import cleared_of_doubtful_marks, preprocess
from recto.ocr.preprocessing.transform import IDENTITY
from tests.drawing import LINES, DrawnPage, blank_page, draw_page, on_grainy_paper
from tests.ocr.preprocessing.photographs import curled, photographed

Picture = np.typing.NDArray[np.uint8]

PAGE: Final = draw_page(LINES * 2, size_pt=7.5)
"""Letters of 16 pixels: nothing is to be done."""


def steps_of(page: PageImage, choice: StepChoice = EVERY_STEP) -> list[str]:
    return [step.name for step in preprocess(page, choice).steps]


def asked(preprocess: str) -> StepChoice:
    """As a user asks for it."""
    return Options.model_validate({"preprocess": preprocess}).steps


def flattened() -> Picture:
    height, width = PAGE.pixels.shape
    return np.asarray(cv2.resize(PAGE.pixels, (width, height // 2), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def bordered() -> Picture:
    """Without sides or foot: dark on all sides would be a desk."""
    return np.asarray(
        cv2.copyMakeBorder(PAGE.pixels, 70, 0, 0, 0, cv2.BORDER_CONSTANT, value=(15, 0, 0, 0)), dtype=np.uint8
    )


def on_a_desk() -> Picture:
    grey = DrawnPage((PAGE.pixels * 0.86).astype(np.uint8), PAGE.words)
    height, width = grey.pixels.shape
    corners = ((130, 90), (130 + width, 120), (150 + width, 130 + height), (80, 100 + height))
    return photographed(grey, corners, (width + 260, height + 260), 40).pixels


def shadowed() -> Picture:
    height, width = PAGE.pixels.shape
    light = np.full((height, width), 1.0)
    light[:, : width * 2 // 5] = 0.5
    return (PAGE.pixels * cv2.GaussianBlur(light, (0, 0), 40)).astype(np.uint8)


FAULTS: Final[dict[str, Callable[[], PageImage]]] = {
    "aspect": lambda: PageImage(flattened(), 300.0, pixel_aspect=2.0),
    "polarity": lambda: PageImage(255 - PAGE.pixels, 300.0),
    "noise": lambda: PageImage(draw_page(LINES * 2, size_pt=7.5, noise=20).pixels, 300.0),
    "borders": lambda: PageImage(bordered(), 300.0),
    "perspective": lambda: PageImage(on_a_desk(), 300.0),
    "light": lambda: PageImage(shadowed(), 300.0),
    "text_size": lambda: PageImage(draw_page(LINES * 2, size_pt=12).pixels, 300.0),
    "deskew": lambda: PageImage(draw_page(LINES * 2, size_pt=7.5, skew_deg=3).pixels, 300.0),
    "curl": lambda: PageImage(curled(PAGE, 12).pixels, 300.0),
    "grain": lambda: PageImage(on_grainy_paper(PAGE.pixels, 4, 230), 300.0),
}
"""A page with one fault, by the step that mends it."""

TESTED_ELSEWHERE: Final = {
    "orientation": "test_orientation.py",
    "paper": "test_paper.py",
    "contrast": "test_contrast.py",
    "second_reading": "../test_second_reading.py",
    "rules": "test_rules.py",
    "page_numbers": "../test_page_numbers.py",
    "scraps": "../test_scraps.py",
}
"""Where steps are tested that no measurement chooses: what was read does, or a user."""

TAKEN_WHEN_WANTED: Final = ("polarity", "noise", "light", "paper", "deskew", "contrast")
"""Steps that a page without fault gets as well where they are named: the others have nothing to do on it."""


def test_preprocessing_of_a_clean_page_leaves_it_alone() -> None:
    page = PAGE.pixels
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


@pytest.mark.parametrize("name", FAULTS)
def test_step_is_taken_on_a_page_that_asks_for_it(name: str) -> None:
    assert name in steps_of(FAULTS[name]())


@pytest.mark.parametrize("name", FAULTS)
def test_step_is_not_taken_where_it_is_to_be_left_out(name: str) -> None:
    assert name not in steps_of(FAULTS[name](), asked(f"no-{name}"))


@pytest.mark.parametrize("name", FAULTS)
def test_step_is_taken_where_it_is_the_only_one(name: str) -> None:
    assert steps_of(FAULTS[name](), asked(f"none+{name}")) == [name]


@pytest.mark.parametrize("name", FAULTS)
def test_no_step_is_taken_where_none_is_wanted(name: str) -> None:
    page = FAULTS[name]()
    prepared = preprocess(page, asked("none"))
    assert prepared.steps == ()
    assert prepared.pixels is page.pixels
    assert prepared.suspected_text_angle_deg == 0


@pytest.mark.parametrize("name", PREPROCESSING_STEPS)
def test_step_that_is_wanted_is_taken_where_nothing_asks_for_it_if_it_can_be(name: str) -> None:
    assert (name in steps_of(PageImage(PAGE.pixels, 300.0), asked(name))) == (name in TAKEN_WHEN_WANTED)


def test_every_step_has_a_page_with_its_fault_or_tests_elsewhere() -> None:
    assert {*FAULTS, *TESTED_ELSEWHERE} == set(PREPROCESSING_STEPS)
    assert not FAULTS.keys() & TESTED_ELSEWHERE.keys()
    assert [name for name in TESTED_ELSEWHERE.values() if not (Path(__file__).parent / name).exists()] == []


@pytest.mark.parametrize(("quarters", "text_angle_deg"), [(0, 0), (1, 90), (2, 180), (3, 270)])
def test_turned_page_is_suspected_unless_it_is_to_be_left_so(quarters: int, text_angle_deg: int) -> None:
    page = PageImage(np.ascontiguousarray(np.rot90(draw_page(LINES * 2, size_pt=7).pixels, quarters)), 300.0)
    assert preprocess(page, asked("no-perspective")).suspected_text_angle_deg == text_angle_deg
    assert preprocess(page, asked("no-perspective+no-orientation")).suspected_text_angle_deg == 0


def test_preprocessing_takes_its_steps_in_the_order_in_which_they_are_listed() -> None:
    height, width = PAGE.pixels.shape
    small = cv2.resize(PAGE.pixels, (width * 3 // 5, height * 3 // 10), interpolation=cv2.INTER_AREA)
    turned = np.rot90(255 - np.asarray(small, dtype=np.uint8), 2)
    page = PageImage(np.ascontiguousarray(turned), 180.0, pixel_aspect=2.0)
    taken = [step.name for step in preprocess(page, asked("light+deskew"), turn_deg=180).steps]
    assert {"aspect", "polarity", "orientation", "light", "text_size", "deskew"} <= set(taken)
    assert taken == [name for name in PREPROCESSING_STEPS if name in taken]


@pytest.mark.parametrize("preprocess_as", ["auto", "no-grain"])
def test_faint_marks_are_measured_as_they_were_before_the_paper_was_made_even(preprocess_as: str) -> None:
    """On even paper those of which little is left no longer count."""
    back = cv2.GaussianBlur(np.roll(PAGE.pixels[:, ::-1], 30, axis=0), (0, 0), 1.5).astype(float)
    page = PageImage(
        on_grainy_paper(np.minimum(PAGE.pixels, 255 - (255 - back) * 0.25).astype(np.uint8), 4, 230), 300.0
    )
    cleared = cleared_of_doubtful_marks(preprocess(page, asked(preprocess_as)))
    assert cleared is not None
    contrast = measure_contrast(page.pixels)
    assert contrast is not None
    assert [step.name for step in cleared.steps] == ["contrast"]  # which leaves no grain
    assert cleared.steps[0].measured["faint_share"] == round(contrast.faint_share, 3)


def test_observer_sees_the_page_after_each_step() -> None:
    seen: list[str] = []
    preprocess(FAULTS["polarity"](), asked("light"), observer=lambda prepared: seen.append(prepared.steps[-1].name))
    assert seen == ["polarity", "light"]


def test_preprocessing_of_a_fax_makes_its_pixels_square_first() -> None:
    page = PAGE.pixels
    prepared = preprocess(PageImage(255 - flattened(), 300.0, pixel_aspect=2.0), asked("no-text_size"))
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
