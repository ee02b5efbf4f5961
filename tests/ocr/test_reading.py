"""Which way up an image is read: by its letters, by OSD, and by what the engine makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from recto.ocr.documents import Limits
from recto.ocr.engines.osd import Script
from recto.ocr.options import EVERY_STEP, Options, StepChoice
from recto.ocr.page import Block, PageImage
from recto.ocr.preprocessing.plan import preprocess as prepared_for
from recto.ocr.reading import Reader, Reading, read_image
from tests.drawing import LINES, blank_page, draw_page, scanned_line
from tests.ocr.made_engines import SilentEngine, word_alone

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray

UPRIGHT = draw_page(LINES * 2, size_pt=7).pixels
UPSIDE_DOWN = np.ascontiguousarray(np.rot90(UPRIGHT, 2))
SHINING_THROUGH = np.maximum(
    UPRIGHT - (255 - cv2.GaussianBlur(np.roll(UPRIGHT[:, ::-1], 22, axis=0), (0, 0), 1.2).astype(int)) * 3 // 10, 0
).astype(np.uint8)
"""The other side's print stands between the lines."""
CLEARED = prepared_for(PageImage(SHINING_THROUGH, 300.0), is_cleared=True).pixels


class Engine(SilentEngine):
    """Reads surely what stands as `legible`, and doubtfully everything else, but for `blank_readings` in which it finds nothing; OSD answers with `osd`."""

    name = "double"

    def __init__(self, legible: GreyArray, osd: Script | None) -> None:
        self._legible = legible
        self._osd = osd
        self.readings = 0
        self.blank_readings = 0
        self.osd_calls = 0

    def detect_script(self, pixels: GreyArray, dpi: int) -> Script | None:
        self.osd_calls += 1
        return self._osd

    def recognise(self, pixels: GreyArray, dpi: int, languages: tuple[str, ...]) -> tuple[Block, ...]:
        self.readings += 1
        if self.readings <= self.blank_readings:
            return ()
        is_legible = pixels.shape == self._legible.shape and np.array_equal(pixels, self._legible)
        text, confidence = ("surely read", 0.98) if is_legible else ("doubtful", 0.3)
        return word_alone(text, confidence)


def asked(preprocess: str) -> StepChoice:
    """As a user asks for it."""
    return Options.model_validate({"preprocess": preprocess}).steps


READ_ONCE = asked("no-second_reading+no-scraps")
"""What is read is left as it is: which way up is the question."""


def read(image: GreyArray, engine: Engine, choice: StepChoice = READ_ONCE) -> Reading:
    return read_image(PageImage(image, 300.0), ("eng",), Reader(engine, Limits(1, 10**9), ("eng",)), choice)


def text(reading: Reading) -> str:
    return reading.blocks[0].lines[0].text


def osd(text_angle_deg: int) -> Script:
    return Script("Latin", 5.0, text_angle_deg, 10.0)


def test_upright_page_that_reads_well_pays_for_nothing() -> None:
    engine = Engine(UPRIGHT, osd(0))
    assert text(read(UPRIGHT, engine, EVERY_STEP)) == "surely read"
    assert (engine.readings, engine.osd_calls) == (1, 0)


def test_page_whose_letters_and_osd_say_that_it_is_turned_is_read_once_upright() -> None:
    engine = Engine(UPRIGHT, osd(180))
    reading = read(UPSIDE_DOWN, engine)
    assert text(reading) == "surely read"
    assert (engine.readings, engine.osd_calls) == (1, 1)
    height_px, width_px = UPSIDE_DOWN.shape
    assert reading.blocks[0].lines[0].words[0].quad[0] == pytest.approx((width_px - 10, height_px - 10))


def test_page_of_which_osd_cannot_tell_is_read_both_ways() -> None:
    engine = Engine(UPRIGHT, None)
    assert text(read(UPSIDE_DOWN, engine)) == "surely read"
    assert engine.readings == 2


def test_page_that_only_seems_to_be_turned_is_read_as_it_stands() -> None:
    """Devanagari hangs from a line: it looks upside down, and OSD knows better."""
    engine = Engine(UPSIDE_DOWN, osd(0))
    reading = read(UPSIDE_DOWN, engine)
    assert text(reading) == "surely read"
    assert "orientation" not in [step.name for step in reading.steps]


@pytest.mark.parametrize("answer", [Script("Latin", 5.0, 0, 2.0), osd(90), osd(270)])
def test_page_of_which_osd_is_unsure_or_says_another_side_is_read_every_way(answer: Script) -> None:
    engine = Engine(UPRIGHT, answer)
    reading = read(UPSIDE_DOWN, engine)
    assert text(reading) == "surely read"
    assert [step.name for step in reading.steps] == ["orientation"]
    assert engine.readings == (2 if answer.text_angle_deg == 0 else 3)


@pytest.mark.parametrize(("answer", "expected"), [(osd(180), 2), (osd(0), 1), (None, 1)])
def test_doubtful_page_is_read_again_where_osd_says_that_it_is_turned(answer: Script | None, expected: int) -> None:
    engine = Engine(np.zeros((1, 1), np.uint8), answer)
    assert text(read(UPRIGHT, engine)) == "doubtful"
    assert (engine.readings, engine.osd_calls) == (expected, 1)


@pytest.mark.parametrize("preprocess", ["no-orientation+no-second_reading+no-scraps", "none"])
def test_turned_page_that_is_to_be_left_so_is_read_as_it_stands(preprocess: str) -> None:
    engine = Engine(UPRIGHT, osd(180))
    reading = read(UPSIDE_DOWN, engine, asked(preprocess))
    assert text(reading) == "doubtful"
    assert reading.steps == ()
    assert (engine.readings, engine.osd_calls) == (1, 0)


@pytest.mark.parametrize(
    ("preprocess", "expected"), [("no-scraps", 2), ("no-scraps+no-second_reading", 1), ("none", 1)]
)
def test_doubtful_page_is_read_a_second_time_unless_that_is_to_be_left_out(preprocess: str, expected: int) -> None:
    engine = Engine(np.zeros((1, 1), np.uint8), None)
    reading = read(UPRIGHT, engine, asked(preprocess))
    assert engine.readings == expected
    assert [step.name for step in reading.steps] == ["second_reading"] * (expected - 1)


@pytest.mark.parametrize(("preprocess", "steps"), [("auto", ["second_reading", "scraps"]), ("none+scraps", ["scraps"])])
def test_line_that_is_hardly_text_is_left_out_last(preprocess: str, steps: list[str]) -> None:
    reading = read(UPRIGHT, Engine(np.zeros((1, 1), np.uint8), None), asked(preprocess))
    assert reading.blocks == ()
    assert [step.name for step in reading.steps] == steps


def test_doubtful_page_that_reads_better_without_faint_marks_is_read_so() -> None:
    engine = Engine(CLEARED, None)
    reading = read(SHINING_THROUGH, engine)
    assert text(reading) == "surely read"
    assert [step.name for step in reading.steps] == ["contrast"]
    assert engine.readings == 2


def test_doubtful_page_that_reads_no_better_without_faint_marks_keeps_its_first_reading() -> None:
    engine = Engine(np.zeros((1, 1), np.uint8), None)
    reading = read(SHINING_THROUGH, engine)
    assert text(reading) == "doubtful"
    assert reading.steps == ()
    assert engine.readings == 2


def test_page_that_reads_well_with_its_faint_marks_is_read_once() -> None:
    engine = Engine(SHINING_THROUGH, None)
    assert read(SHINING_THROUGH, engine).steps == ()
    assert engine.readings == 1


@pytest.mark.parametrize(
    ("preprocess", "steps"),
    [("no-contrast+no-second_reading+no-scraps", []), ("none+contrast", ["contrast"])],
)
def test_faint_marks_stay_or_go_at_once_where_that_is_asked_for(preprocess: str, steps: list[str]) -> None:
    engine = Engine(np.zeros((1, 1), np.uint8), None)
    assert [step.name for step in read(SHINING_THROUGH, engine, asked(preprocess)).steps] == steps
    assert engine.readings == 1


WHITENED = prepared_for(PageImage(scanned_line(), 300.0), is_whitened=True).pixels


def seemingly_blank(legible: GreyArray, preprocess: str, page: GreyArray | None = None) -> tuple[Reading, int]:
    """What is read of a page of which nothing is read at first, and in how many readings."""
    engine = Engine(legible, None)
    engine.blank_readings = 1
    return read(scanned_line() if page is None else page, engine, asked(preprocess)), engine.readings


def test_page_with_a_row_of_letters_that_seems_blank_is_read_on_white_paper() -> None:
    reading, readings = seemingly_blank(WHITENED, "auto")
    assert text(reading) == "surely read"
    assert "paper" in [step.name for step in reading.steps]
    assert readings == 2


def test_page_that_seems_blank_stays_blank_where_the_second_look_is_doubtful() -> None:
    reading, _ = seemingly_blank(UPRIGHT, "no-second_reading+no-scraps")
    assert reading.blocks == ()
    assert "paper" not in [step.name for step in reading.steps]


def test_page_that_seems_blank_and_has_no_rows_is_read_once() -> None:
    reading, readings = seemingly_blank(WHITENED, "auto", blank_page())
    assert (reading.blocks, reading.steps, readings) == ((), (), 1)


@pytest.mark.parametrize("preprocess", ["no-paper", "none"])
def test_page_that_seems_blank_gets_no_second_look_where_that_is_to_be_left_out(preprocess: str) -> None:
    reading, readings = seemingly_blank(WHITENED, preprocess)
    assert (reading.blocks, readings) == ((), 1)


def test_paper_is_made_white_at_once_where_that_is_asked_for() -> None:
    engine = Engine(WHITENED, None)
    assert text(read(scanned_line(), engine, asked("auto+paper"))) == "surely read"
    assert engine.readings == 1
