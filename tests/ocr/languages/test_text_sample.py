import numpy as np
import pytest

from recto.ocr.engines.select import choose_engine
from recto.ocr.languages.text_sample import text_sample
from tests.drawing import LINES, blank_page, draw_page


def words_in(pixels: np.typing.NDArray[np.uint8]) -> list[str]:
    blocks = choose_engine("tesserocr").recognise(pixels, 300, ("eng",))
    return [word.text for block in blocks for line in block.lines for word in line.words]


@pytest.mark.parametrize("page", [blank_page(), np.full((1, 1), 255, np.uint8), draw_page(("Hi!",)).pixels])
def test_sample_of_a_page_with_hardly_a_letter_is_none(page: np.typing.NDArray[np.uint8]) -> None:
    assert text_sample(page) is None


def test_sample_of_a_short_page_is_the_page() -> None:
    page = draw_page(LINES[:4]).pixels
    assert text_sample(page) is page


def test_sample_of_a_long_page_is_whole_lines_from_its_top_middle_and_bottom() -> None:
    lines = tuple(f"{place} {line}" for place in ("Above", "Amid", "Below") for line in (*LINES, *LINES))
    page = draw_page(lines).pixels
    sample = text_sample(page)
    assert sample is not None
    assert sample.shape[0] < page.shape[0] / 2
    found = words_in(sample)
    assert {"Above", "Amid", "Below"} <= set(found)
    known = set(" ".join(lines).split())
    assert [word for word in found if word not in known] == []
