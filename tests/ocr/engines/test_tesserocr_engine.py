from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tesserocr import DIR, Orientation

from recto.ocr.engines import tesserocr_engine
from recto.ocr.engines.tesserocr_engine import TesserocrEngine
from tests.drawing import LINES, draw_page

if TYPE_CHECKING:
    from recto.ocr.page import Block, GreyArray

TWO_COLUMNS = np.hstack([draw_page(LINES[:4]).pixels, draw_page(LINES[4:8]).pixels])


@pytest.mark.parametrize(
    "page",
    [draw_page().pixels, TWO_COLUMNS, draw_page(LINES[:3], noise=30).pixels, draw_page(skew_deg=3).pixels]
    + [np.ascontiguousarray(np.rot90(draw_page().pixels, turns)) for turns in (1, 2, 3)],
    ids=["level", "two columns", "noise", "tilted", "turned by 90", "turned by 180", "turned by 270"],
)
def test_words_gone_through_make_the_same_blocks_as_hocr(page: GreyArray, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = TesserocrEngine()
    blocks = engine.recognise(page, 300, ("eng",))
    monkeypatch.setattr(tesserocr_engine, "_blocks", lambda _: None)
    by_hocr = engine.recognise(page, 300, ("eng",))
    assert blocks
    assert without_baselines(blocks) == without_baselines(by_hocr)
    for ours, theirs in zip(baselines(blocks), baselines(by_hocr), strict=True):
        # hOCR rounds the slope to thousandths.
        assert (ours is None) == (theirs is None)
        assert ours is None or np.array(ours) == pytest.approx(np.array(theirs), abs=1)


def without_baselines(blocks: tuple[Block, ...]) -> list[Block]:
    return [replace(block, lines=tuple(replace(line, baseline=None) for line in block.lines)) for block in blocks]


def baselines(blocks: tuple[Block, ...]) -> list[object]:
    return [line.baseline for block in blocks for line in block.lines]


@dataclass(slots=True)
class Walk:
    """Words of these directions, as an iterator of Tesseract's would go through them."""

    directions: list[int]
    at: int = 0

    def Empty(self, _level: int) -> bool:  # noqa: N802 - the name is Tesseract's
        return False

    def Next(self, _level: int) -> bool:  # noqa: N802
        self.at += 1
        return self.at < len(self.directions)

    def IsAtBeginningOf(self, _level: int) -> bool:  # noqa: N802
        return self.at == 0

    def BoundingBox(self, _level: int) -> tuple[int, int, int, int]:  # noqa: N802
        return 0, 0, 30, 10

    def Orientation(self) -> tuple[int, int, int, float]:  # noqa: N802
        return Orientation.PAGE_UP, 0, 0, 0.0

    def Baseline(self, _level: int) -> None:  # noqa: N802
        """None is known."""

    def GetUTF8Text(self, _level: int) -> str:  # noqa: N802
        return ""

    def WordDirection(self) -> int:  # noqa: N802
        return self.directions[self.at]


@pytest.mark.parametrize(
    ("directions", "is_so"),
    [
        ([DIR.LEFT_TO_RIGHT, DIR.NEUTRAL], True),
        ([DIR.LEFT_TO_RIGHT, DIR.RIGHT_TO_LEFT], False),
        ([DIR.MIX], False),
    ],
)
def test_words_that_run_otherwise_are_left_to_hocr(directions: list[int], is_so: bool) -> None:
    assert (tesserocr_engine._blocks(Walk(directions)) is None) is not is_so
