from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from recto.ocr.page import Quad
from recto.ocr.preprocessing.ink import small_of
from recto.ocr.preprocessing.sheet import find_sheet
from tests.drawing import blank_page, draw_page
from tests.ocr.preprocessing.photographs import flat_page, photographed

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray

SIZE = (2000, 1800)
SKEWED: Quad = ((180, 130), (1850, 60), (1900, 1700), (90, 1600))


def found_in(picture: GreyArray) -> Quad | None:
    return find_sheet(picture, small_of(picture))


@pytest.mark.parametrize("desk", [20, 100, 160])
@pytest.mark.parametrize("corners", [SKEWED, ((60, 200), (1700, 50), (1950, 1500), (300, 1750))])
def test_sheet_on_a_darker_desk_is_found_to_a_pixel(corners: Quad, desk: int) -> None:
    found = found_in(photographed(flat_page(), corners, SIZE, desk).pixels)
    assert found is not None
    assert np.array(found) == pytest.approx(np.array(corners), abs=1)


def test_sheet_under_uneven_light_is_found() -> None:
    picture = photographed(flat_page(), SKEWED, SIZE, 60).pixels
    light = np.linspace(0.55, 1, SIZE[0])[None, :] * np.linspace(1, 0.7, SIZE[1])[:, None]
    found = found_in((picture * light).astype(np.uint8))
    assert found is not None
    assert np.array(found) == pytest.approx(np.array(SKEWED), abs=1.5)


def test_sheet_that_runs_out_of_the_picture_ends_at_its_rim() -> None:
    picture = photographed(flat_page(), SKEWED, SIZE, 60).pixels[:1500]
    found = found_in(picture)
    assert found is not None
    assert found[2][1] == pytest.approx(1500, abs=1)
    assert np.array(found[:2]) == pytest.approx(np.array(SKEWED[:2]), abs=1)


def test_sheet_is_not_seen_on_plain_pages() -> None:
    noise = np.random.default_rng(2).integers(0, 255, (1500, 1200)).astype(np.uint8)
    disc = cv2.circle(np.full((1500, 1200), 40, np.uint8), (600, 700), 500, 220, -1)
    for page in (draw_page().pixels, blank_page(), blank_page(40, 30), noise, np.asarray(disc, dtype=np.uint8)):
        assert found_in(page) is None
