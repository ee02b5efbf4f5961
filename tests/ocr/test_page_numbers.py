"""Page numbers: which texts are some, what is taken for one, and drawn pages as the engine reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from recto.ocr.documents import Limits
from recto.ocr.engines.select import choose_engine
from recto.ocr.options import Options
from recto.ocr.page import Block, PageImage, Word, words_of
from recto.ocr.page_numbers import is_page_number, with_page_numbers
from recto.ocr.reading import Reader, Reading, read_image
from tests.drawing import blank_page
from tests.ocr.made_engines import word_alone
from tests.ocr.made_margins import MARGINS, Margin, labelled, page_with, scanned, text_read
from tests.ocr.reading_order.made_blocks import texts, without_baselines

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import ImageDraw

    from recto.ocr.page import GreyArray

TEXT = text_read()


@dataclass(slots=True)
class Recogniser:
    """Reads in every picture what it is told, one answer after the other."""

    answers: list[tuple[str, float]]
    pictures: list[GreyArray] = field(default_factory=list)

    def __call__(self, picture: GreyArray, growth: float) -> tuple[Word, ...]:
        self.pictures.append(picture)
        text, confidence = self.answers[min(len(self.pictures), len(self.answers)) - 1]
        return tuple(words_of(word_alone(text, confidence))) if text else ()


ENGINE = choose_engine("tesserocr")


def by_engine(picture: GreyArray, growth: float) -> tuple[Word, ...]:
    return ENGINE.recognise_line(picture, round(300 * growth), ("eng",))


def added(page: GreyArray, recogniser: Recogniser | None = None, blocks: tuple[Block, ...] = TEXT) -> list[str]:
    """The lines that are added to the page's text."""
    result, step = with_page_numbers(page, blocks, recogniser or by_engine)
    new = [block for block in result if block not in blocks]
    assert step is None or (step.name, step.measured) == ("page_numbers", {"added_numbers": float(len(new))})
    assert (step is None) == (not new)
    return texts(new)


@pytest.mark.parametrize(
    "text",
    [
        "2",
        "14",
        "128",
        "1024",
        "7.",
        "xiv",
        "IV",
        "lxxxix",
        "[7]",
        "(12)",
        "- 3 -",
        "-3-",
        "– 14 –",
        "-1-",
        "[ii]",
        "Page 2",
        "Seite 14",
        "S. 4",
        "p. 9",
        "Blatt 3",
    ],
)
def test_text_that_is_a_page_number_is_told(text: str) -> None:
    assert is_page_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "012",
        "10400",
        "1",
        "11",
        "I",
        "ii",
        "III",
        "1.",
        "|",
        "x",
        "iiii",
        "vx",
        "Xiv",
        "IL",
        "[7",
        "7)",
        "- 3",
        "2 3",
        "a",
        "B.189",
        "Page",
        "Page two",
        "12a",
        "3,5",
        "٣",
    ],
)
def test_text_that_is_none_or_may_be_strokes_is_not(text: str) -> None:
    assert not is_page_number(text)


@pytest.mark.parametrize("margin", MARGINS)
@pytest.mark.parametrize(
    "label",
    [
        "2",
        "7",
        "14",
        "128",
        "- 2 -",
        "- 3 -",
        "-8-",
        "– 14 –",
        "— 9 —",
        "[7]",
        "(12)",
        "xiv",
        "6.",
        "Page 2",
        "Seite 14",
    ],
)
def test_number_alone_in_a_margin_is_read_as_it_is_printed(label: str, margin: Margin) -> None:
    assert added(labelled(label, margin)) == [label.replace("—", "–")]


@pytest.mark.parametrize("margin", MARGINS)
@pytest.mark.parametrize("label", ["4", "- 5 -", "– 23 –"])
def test_number_on_a_grainy_page_is_read(label: str, margin: Margin) -> None:
    assert added(scanned(labelled(label, margin))) == [label]


@pytest.mark.parametrize("margin", MARGINS)
def test_number_is_placed_on_its_ink_before_or_behind_the_text(margin: Margin) -> None:
    page, label = labelled("– 14 –", margin), page_with(None)
    result, _ = with_page_numbers(page, TEXT, by_engine)
    assert len(result) == 2
    number = result[0 if margin == "head" else -1]
    ys, xs = np.nonzero(page != label)
    box = number.box
    found = (box.left, box.top, box.left + box.width, box.top + box.height)
    assert found == pytest.approx((xs.min(), ys.min(), xs.max() + 1, ys.max() + 1), abs=3)
    assert [word.text for word in words_of((number,))] == ["–", "14", "–"]


def test_dashes_right_beside_a_number_are_of_its_word() -> None:
    result, _ = with_page_numbers(labelled("-8-"), TEXT, by_engine)
    assert [word.text for word in words_of(result[:1])] == ["-8-"]


def test_numbers_in_both_margins_are_read_and_counted() -> None:
    page = np.minimum(labelled("[7]", "head"), labelled("- 9 -", "foot"))
    assert added(page) == ["[7]", "- 9 -"]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([("2", 0.95)], ["2"]),
        ([("Z", 0.5), ("2", 0.95)], ["2"]),
        ([("2", 0.95), ("Z", 0.5), ("2", 0.95)], ["2"]),
        ([("2", 0.95), ("Z", 0.5), ("3", 0.95)], []),
        ([("2", 0.95), ("Z", 0.9), ("2", 0.95)], []),
        ([("2", 0.95), ("2", 0.7)], []),
        ([("2", 0.7)], []),
        ([("2", 0.95), ("3", 0.95)], []),
        ([("", 0.0)], []),
        ([("a", 0.96)], []),
    ],
)
def test_number_counts_where_two_readings_are_sure_and_agree_and_none_is_sure_of_another(
    answers: list[tuple[str, float]], expected: list[str]
) -> None:
    assert added(labelled("2"), Recogniser(answers)) == expected


def test_row_that_is_no_number_at_first_is_not_read_again() -> None:
    recogniser = Recogniser([("B", 0.9)])
    added(labelled("B"), recogniser)
    assert len(recogniser.pictures) == 1


def test_number_between_dashes_may_be_less_sure_and_a_stroke() -> None:
    assert added(labelled("- 1 -"), Recogniser([("1", 0.75)])) == ["- 1 -"]
    assert added(labelled("1"), Recogniser([("1", 0.99)])) == []


def test_dashes_are_not_shown_to_the_engine() -> None:
    recogniser = Recogniser([("2", 0.9)])
    added(labelled("- 2 -"), recogniser)
    alone = Recogniser([("2", 0.9)])
    added(labelled("2"), alone)
    assert abs(recogniser.pictures[0].shape[1] - alone.pictures[0].shape[1]) <= 2


def test_dash_that_reaches_below_the_bar_of_a_digit_does_not_cut_the_digit() -> None:
    def seven(draw: ImageDraw.ImageDraw, x: float, y: float) -> None:
        draw.line((x - 12, y - 15, x + 12, y - 15), fill=0, width=4)
        draw.line((x + 10, y - 15, x + 10, y + 15), fill=0, width=4)

    def tucked(draw: ImageDraw.ImageDraw, x: float, y: float) -> None:
        seven(draw, x, y)
        draw.line((x - 36, y + 4, x - 8, y + 4), fill=0, width=4)
        draw.line((x + 20, y + 4, x + 48, y + 4), fill=0, width=4)

    alone, between = Recogniser([("7", 0.9)]), Recogniser([("7", 0.9)])
    assert added(page_with(seven), alone) == ["7"]
    assert added(page_with(tucked), between) == ["–7–"]
    bars = [np.count_nonzero((picture < 128).any(axis=0)) for picture in (alone.pictures[0], between.pictures[0])]
    assert bars[1] >= bars[0] - 1


def dust(draw: ImageDraw.ImageDraw, x: float, y: float) -> None:
    for dx, dy, size in np.random.default_rng(3).integers((-500, -80, 2), (500, 80, 9), (40, 3)).tolist():
        draw.ellipse((x + dx, y + dy, x + dx + size, y + dy + size), fill=60)


def rule(draw: ImageDraw.ImageDraw, x: float, y: float) -> None:
    draw.line((x - 300, y, x + 300, y), fill=0, width=4)


def short_rule(draw: ImageDraw.ImageDraw, x: float, y: float) -> None:
    draw.line((x - 40, y, x + 40, y), fill=0, width=3)


def scratch(draw: ImageDraw.ImageDraw, x: float, y: float) -> None:
    draw.line((x, y - 18, x + 2, y + 18), fill=40, width=4)


def ornament(draw: ImageDraw.ImageDraw, x: float, y: float) -> None:
    draw.polygon(((x - 18, y), (x, y - 18), (x + 18, y), (x, y + 18)), fill=0)
    draw.ellipse((x - 60, y - 5, x - 50, y + 5), fill=0)
    draw.ellipse((x + 50, y - 5, x + 60, y + 5), fill=0)


def stars(draw: ImageDraw.ImageDraw, x: float, y: float) -> None:
    for dx in (-60, 0, 60):
        for turn_deg in range(0, 180, 60):
            radians = np.radians(turn_deg)
            ends = 16 * np.cos(radians), 16 * np.sin(radians)
            draw.line((x + dx - ends[0], y - ends[1], x + dx + ends[0], y + ends[1]), fill=0, width=4)


def stamp(draw: ImageDraw.ImageDraw, x: float, y: float) -> None:
    draw.arc((x - 90, y - 90, x + 90, y + 90), 200, 290, fill=90, width=4)
    draw.arc((x - 70, y - 70, x + 70, y + 70), 10, 50, fill=120, width=3)
    for dx, dy in ((-30, -10), (-5, 4), (22, -2)):
        draw.arc((x + dx, y + dy, x + dx + 22, y + dy + 30), 30, 250, fill=100, width=5)


def hook(draw: ImageDraw.ImageDraw, x: float, y: float) -> None:
    draw.arc((x - 14, y - 18, x + 14, y + 18), 100, 330, fill=0, width=4)


def fold(draw: ImageDraw.ImageDraw, x: float, y: float) -> None:
    draw.line((x - 20, y + 20, x, y - 20, x + 24, y + 18), fill=90, width=3)


@pytest.mark.parametrize("margin", MARGINS)
@pytest.mark.parametrize("draw", [dust, rule, short_rule, scratch, ornament, stars, stamp, hook, fold])
def test_mark_that_is_no_number_adds_nothing(
    draw: Callable[[ImageDraw.ImageDraw, float, float], None], margin: Margin
) -> None:
    assert added(page_with(draw, margin)) == []
    assert added(scanned(page_with(draw, margin))) == []


@pytest.mark.parametrize("margin", MARGINS)
@pytest.mark.parametrize("grain_px", [3, 8, 20])
def test_photo_in_a_margin_adds_nothing(grain_px: int, margin: Margin) -> None:
    page = page_with(None).copy()
    texture = cv2.GaussianBlur(np.random.default_rng(5).normal(0, 1, (200, 500)), (0, 0), grain_px)
    photo = np.clip(128 + 60 * texture / texture.std(), 0, 255).astype(np.uint8)
    top = 60 if margin == "head" else page.shape[0] - 260
    page[top : top + 200, 300:800] = photo
    assert added(page) == []


@pytest.mark.parametrize("label", ["B", "§", "&", "?", "ab", "Fin", "***", "1", "II", "O"])
def test_letter_or_sign_alone_adds_nothing(label: str) -> None:
    assert added(labelled(label)) == []


def test_margins_that_are_white_pay_for_no_reading() -> None:
    recogniser = Recogniser([("2", 0.99)])
    assert added(page_with(None), recogniser) == []
    assert recogniser.pictures == []


def test_page_of_next_to_no_text_or_of_text_that_is_not_level_is_left_alone() -> None:
    recogniser = Recogniser([("2", 0.99)])
    assert with_page_numbers(blank_page(), (), recogniser) == ((), None)
    for blocks in (word_alone("2", 0.9), tuple(without_baselines(block) for block in TEXT)):
        assert added(labelled("2"), recogniser, blocks) == []
    assert recogniser.pictures == []


def read(page: GreyArray, preprocess: str = "auto") -> Reading:
    reader = Reader(ENGINE, Limits(1, 10**9), ("eng",))
    return read_image(
        PageImage(page, 300.0), ("eng",), reader, Options.model_validate({"preprocess": preprocess}).steps
    )


@pytest.mark.parametrize(("margin", "place"), [("head", 0), ("foot", -1)])
def test_number_on_a_page_that_lies_askew_is_read_in_order_and_placed_on_the_original(
    margin: Margin, place: int
) -> None:
    page = labelled("- 8 -", margin)
    reading = read(scanned(page, skew_deg=1.0))
    assert "page_numbers" in [step.name for step in reading.steps]
    line = [line for block in reading.blocks for line in block.lines][place]
    assert line.text == "- 8 -"
    ys, xs = np.nonzero(page != page_with(None))
    height, width = page.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 1.0, 1.0)
    x, y = turn @ (xs.mean(), (ys.min() + ys.max()) / 2, 1)
    box = line.box
    assert (box.left + box.width / 2, box.top + box.height / 2) == pytest.approx((x, y), abs=4)


@pytest.mark.parametrize("preprocess", ["no-page_numbers", "none"])
def test_number_is_left_out_where_the_step_is_not_to_be_taken(preprocess: str) -> None:
    reading = read(labelled("- 7 -"), preprocess)
    assert reading.blocks[0].lines[0].text.startswith("The quick")
    assert "page_numbers" not in [step.name for step in reading.steps]
