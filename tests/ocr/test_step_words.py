from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.ocr.options import PREPROCESSING_STEPS, StepName
from recto.ocr.page import Step
from recto.ocr.step_words import sentence

VALUES = st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (Step("aspect", {"pixel_aspect": 2.08}), "Made the pixels square: they were 2.08 times as high as wide."),
        (Step("polarity", {}), "Turned light text on dark into dark text on light."),
        (Step("orientation", {"turn_deg": 180.0}), "Turned the page half around, so that its text stands upright."),
        (
            Step("paper", {"letters": 21.0, "floor": 18.0}),
            "Made the paper white around 21 marks that stand in rows: at first nothing had been read.",
        ),
        (
            Step("text_size", {"letter_px": 11.0, "factor": 1.636}),
            "Enlarged 1.636 times: letters were only 11 px high.",
        ),
        (Step("text_size", {"letter_px": 80.0, "factor": 0.5}), "Reduced to 50 %: letters were 80 px high."),
        (Step("deskew", {"angle_deg": 1.8}), "Levelled by 1.8°: the lines rose to the right."),
        (Step("deskew", {"angle_deg": -0.5}), "Levelled by 0.5°: the lines fell to the right."),
        (
            Step("contrast", {"faint_share": 0.312, "cut": 0.25}),
            "Took faint marks for paper: 31 % of all marks were faint, and the page reads better so.",
        ),
        (
            Step("language", {"languages": "deu+eng", "script": "Latin", "confidence": 0.97}),
            "Found out the languages: deu, eng (97 % of the letters looked at).",
        ),
        (
            Step("language", {"languages": "eng", "not_installed": "cy", "confidence": 0.0}),
            "Found out the languages: eng (0 % of the letters looked at); most is in cy, which is not installed.",
        ),
        (
            Step("deskew", {"angle_deg": 1.0, "picture_left_px": 4.0, "picture_top_px": 9.0}),
            "In a picture on the page: Levelled by 1°: the lines rose to the right.",
        ),
    ],
)
def test_step_is_told_in_words_with_what_it_measured(step: Step, expected: str) -> None:
    assert sentence(step) == expected


def test_step_without_words_of_its_own_is_told_by_its_title_and_its_values() -> None:
    assert sentence(Step("borders", {"left_px": 12.0, "share": 0.12345})) == (
        "Black borders of scanners and photos cut off (left 12 px, share 0.123)."
    )
    assert sentence(Step("rule_removal", {})) == "Rule removal."


def test_step_of_another_version_is_told_by_what_it_has() -> None:
    assert sentence(Step("deskew", {"slope_deg": 2.0})) == "Sloping lines levelled (slope 2°)."
    assert sentence(Step("orientation", {"turn_deg": 45.0})).startswith("A page that lies on its side")


@given(st.sampled_from([*PREPROCESSING_STEPS, "language"]), st.dictionaries(st.text(min_size=1, max_size=8), VALUES))
def test_whatever_a_step_measured_makes_a_sentence(name: str, measured: dict[str, float | str]) -> None:
    words = sentence(Step(name, measured))
    assert words.endswith(".")
    assert words[0] == words[0].upper()


def test_every_step_has_a_title() -> None:
    assert set(PREPROCESSING_STEPS) == set(get_args(StepName))
