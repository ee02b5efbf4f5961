"""What Engine promises, held against every engine."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from recto.errors import LanguageNotInstalled, PageTooLarge
from recto.ocr.engines.base import Engine
from recto.ocr.engines.select import EngineName, choose_engine
from recto.ocr.page import MAX_SIDE_PX, Block, Word
from tests.drawing import LINES, blank_page, draw_page


@pytest.fixture(scope="module", params=["pytesseract", "tesserocr"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return choose_engine(request.param)


def words_of(blocks: tuple[Block, ...]) -> list[Word]:
    return [word for block in blocks for line in block.lines for word in line.words]


def test_engine_names_itself_and_its_version(engine: Engine) -> None:
    assert engine.name in ("pytesseract", "tesserocr")
    assert engine.version()[:1].isdigit()


def test_engine_lists_languages_without_those_that_hold_no_text(engine: Engine) -> None:
    assert "eng" in engine.languages()
    assert "osd" not in engine.languages()


def test_recognise_of_a_clean_page_reads_every_word_in_order(engine: Engine) -> None:
    blocks = engine.recognise(draw_page().pixels, 300, ("eng",))
    assert [word.text for word in words_of(blocks)] == " ".join(LINES).split()


def test_recognise_of_a_clean_page_places_words_on_their_ink(engine: Engine) -> None:
    page = draw_page()
    found = words_of(engine.recognise(page.pixels, 300, ("eng",)))
    off = [np.hypot(*np.subtract(word.quad, drawn.quad).T) for word, drawn in zip(found, page.words, strict=True)]
    assert np.median(off) <= 1
    assert np.percentile(off, 99) <= 3


def test_recognise_yields_lines_that_hold_their_words(engine: Engine) -> None:
    blocks = engine.recognise(draw_page().pixels, 300, ("eng",))
    lines = [line for block in blocks for line in block.lines]
    assert len(lines) == len(LINES)
    for line in lines:
        assert line.paragraph >= 0
        assert line.baseline is not None
        (start_x, start_y), (end_x, end_y) = line.baseline
        assert start_x < end_x
        for y in (start_y, end_y):
            assert line.box.top < y <= line.box.top + line.box.height + 2
        for word in line.words:
            assert line.box.left <= word.box.left
            assert word.box.left + word.box.width <= line.box.left + line.box.width
            assert 0 <= word.confidence <= 1


def test_recognise_of_a_blank_page_yields_nothing(engine: Engine) -> None:
    assert engine.recognise(blank_page(), 300, ("eng",)) == ()


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 3)])
def test_recognise_of_a_tiny_page_yields_nothing(engine: Engine, shape: tuple[int, int]) -> None:
    assert engine.recognise(np.full(shape, 255, np.uint8), 300, ("eng",)) == ()


def test_recognise_of_a_side_above_the_limit_is_refused(engine: Engine) -> None:
    with pytest.raises(PageTooLarge, match=str(MAX_SIDE_PX)):
        engine.recognise(np.full((10, MAX_SIDE_PX + 1), 255, np.uint8), 300, ("eng",))


def test_recognise_with_a_language_that_is_missing_lists_the_installed_ones(engine: Engine) -> None:
    with pytest.raises(LanguageNotInstalled, match=r"xyz.*eng") as caught:
        engine.recognise(blank_page(), 300, ("eng", "xyz"))
    assert caught.value.members["missing"] == ["xyz"]


def test_recognise_of_the_same_page_again_yields_the_same(engine: Engine) -> None:
    page = draw_page(LINES[:3], noise=60).pixels
    first = engine.recognise(page, 300, ("eng",))
    engine.recognise(draw_page(LINES[3:6], size_pt=9).pixels, 300, ("eng",))
    assert engine.recognise(page, 300, ("eng",)) == first


def test_recognise_of_lines_that_run_downwards_starts_quads_at_the_top_right(engine: Engine) -> None:
    page = np.ascontiguousarray(np.rot90(draw_page(LINES).pixels, 3))
    found = words_of(engine.recognise(page, 300, ("eng",)))
    assert [word.text for word in found[:3]] == ["The", "quick", "brown"]
    for word in found:
        assert word.quad[0] == (word.box.left + word.box.width, word.box.top)
        assert word.quad[1] == (word.box.left + word.box.width, word.box.top + word.box.height)


@pytest.mark.parametrize("name", ["pytesseract", "tesserocr"])
def test_recognise_leaves_standard_output_and_error_alone(name: EngineName) -> None:
    code = (
        "import numpy as np; from recto.ocr.engines.select import choose_engine;"
        f"choose_engine({name!r}).recognise(np.full((300, 300), 255, np.uint8), 300, ('eng',))"
    )
    root = Path(__file__).parents[3]
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert (answer.stdout, answer.stderr) == ("", "")
