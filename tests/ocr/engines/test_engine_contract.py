"""What Engine promises, held against every engine."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from recto.errors import LanguageNotInstalled, PageTooLarge
from recto.ocr.engines.base import Engine
from recto.ocr.engines.select import EngineName, choose_engine
from recto.ocr.engines.tessdata import find_tessdata
from recto.ocr.page import MAX_SIDE_PX, Block, Word
from tests.drawing import LINES, blank_page, draw_page

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray

RUSSIAN = (
    "Каждое утро пекарь открывает свою маленькую лавку,",
    "зажигает печь и месит тесто для всей деревни.",
    "Люди приезжают с дальних хуторов за его хлебом,",
    "потому что никто другой не печёт его так хорошо.",
)


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


@pytest.mark.parametrize("quarter_turns", [0, 1, 2, 3])
def test_script_of_a_turned_page_is_named_with_its_angle(engine: Engine, quarter_turns: int) -> None:
    page = np.ascontiguousarray(np.rot90(draw_page().pixels, quarter_turns))
    script = engine.detect_script(page, 300)
    assert script is not None
    assert (script.name, script.text_angle_deg) == ("Latin", 90 * quarter_turns)
    assert script.confidence > 1
    assert script.text_angle_confidence > 10


def test_script_of_cyrillic_text_is_cyrillic_without_data_for_it(engine: Engine) -> None:
    script = engine.detect_script(draw_page(RUSSIAN).pixels, 300)
    assert script is not None
    assert script.name == "Cyrillic"


def test_script_of_the_same_page_again_is_the_same(engine: Engine) -> None:
    page = draw_page(noise=40).pixels
    first = engine.detect_script(page, 300)
    engine.recognise(draw_page(LINES[:2]).pixels, 300, ("eng",))
    engine.detect_script(draw_page(RUSSIAN).pixels, 300)
    assert engine.detect_script(page, 300) == first


def test_script_of_a_page_larger_than_osd_needs_is_found(engine: Engine) -> None:
    page = np.full((4000, 3000), 255, np.uint8)
    text = draw_page().pixels
    page[400 : 400 + text.shape[0], 200 : 200 + text.shape[1]] = text
    script = engine.detect_script(page, 300)
    assert script is not None
    assert script.name == "Latin"


@pytest.mark.parametrize("shape", [(1, 1), (1600, 1200), (3, MAX_SIDE_PX)])
def test_script_of_a_page_without_text_is_none(engine: Engine, shape: tuple[int, int]) -> None:
    assert engine.detect_script(np.full(shape, 255, np.uint8), 300) is None


def line_of(text: str) -> GreyArray:
    """A picture just larger than the line, of words 25 pixels high."""
    page = draw_page((text,), size_pt=6).pixels
    ys, xs = np.nonzero(page < 128)
    return np.pad(page[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1], 20, constant_values=255)


@pytest.mark.parametrize("text", ["2", "14", "xiv", "[7]", "Page 3", "The quick brown fox"])
def test_line_alone_is_read_however_short(engine: Engine, text: str) -> None:
    words = engine.recognise_line(line_of(text), 300, ("eng",))
    assert " ".join(word.text for word in words) == text
    assert all(word.confidence > 0.8 for word in words)


def test_line_leaves_its_words_where_they_stand(engine: Engine) -> None:
    page, drawn = draw_page(LINES[:1]).pixels, draw_page(LINES[:1]).words
    found = engine.recognise_line(page, 300, ("eng",))
    off = [np.hypot(*np.subtract(word.quad, ink.quad).T) for word, ink in zip(found, drawn, strict=True)]
    assert np.median(off) <= 1


@pytest.mark.parametrize("shape", [(1, 1), (60, 200)])
def test_line_that_is_blank_is_not_read_surely(engine: Engine, shape: tuple[int, int]) -> None:
    words = engine.recognise_line(np.full(shape, 255, np.uint8), 300, ("eng",))
    assert all(word.confidence < 0.3 for word in words)


def test_page_after_a_line_is_read_as_before(engine: Engine) -> None:
    page = draw_page().pixels
    before = engine.recognise(page, 300, ("eng",))
    engine.recognise_line(line_of("2"), 300, ("eng",))
    assert engine.recognise(page, 300, ("eng",)) == before


def test_line_in_a_language_that_is_missing_or_too_long_is_refused(engine: Engine) -> None:
    with pytest.raises(LanguageNotInstalled, match="xyz"):
        engine.recognise_line(blank_page(), 300, ("xyz",))
    with pytest.raises(PageTooLarge, match=str(MAX_SIDE_PX)):
        engine.recognise_line(np.full((10, MAX_SIDE_PX + 1), 255, np.uint8), 300, ("eng",))


def test_script_of_two_words_is_none(engine: Engine) -> None:
    assert engine.detect_script(draw_page(("Two words",)).pixels, 300) is None


def test_script_of_a_side_above_the_limit_is_refused(engine: Engine) -> None:
    with pytest.raises(PageTooLarge, match=str(MAX_SIDE_PX)):
        engine.detect_script(np.full((10, MAX_SIDE_PX + 1), 255, np.uint8), 300)


def test_script_without_osd_data_is_none(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "eng.traineddata").symlink_to(find_tessdata() / "eng.traineddata")
    alone = choose_engine("tesserocr" if engine.name == "tesserocr" else "pytesseract", tmp_path)
    assert alone.detect_script(draw_page().pixels, 300) is None


def test_traineddata_are_named_with_the_checksums_of_their_files(engine: Engine) -> None:
    german, english = engine.traineddata(("deu", "eng"))
    assert (german.language, english.language) == ("deu", "eng")
    content = (find_tessdata() / "deu.traineddata").read_bytes()
    assert german.sha256 == hashlib.sha256(content).hexdigest()
    assert english.sha256 != german.sha256


def test_traineddata_of_a_language_that_is_missing_are_refused(engine: Engine) -> None:
    with pytest.raises(LanguageNotInstalled, match="xyz"):
        engine.traineddata(("eng", "xyz"))


@pytest.mark.parametrize(
    "call",
    [
        "recognise_line(noise, 300, ('eng',))",
        "recognise(white, 300, ('eng',))",
        "detect_script(white, 300)",
        "detect_script(noise, 300)",
    ],
)
@pytest.mark.parametrize("name", ["pytesseract", "tesserocr"])
def test_engine_leaves_standard_output_and_error_alone(name: EngineName, call: str) -> None:
    code = (
        "import numpy as np; from recto.ocr.engines.select import choose_engine;"
        "white = np.full((300, 300), 255, np.uint8);"
        "noise = np.random.default_rng(1).integers(0, 256, (600, 600), np.uint8);"
        f"choose_engine({name!r}).{call}"
    )
    root = Path(__file__).parents[3]
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert (answer.stdout, answer.stderr) == ("", "")
