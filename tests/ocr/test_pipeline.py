from difflib import SequenceMatcher
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from recto.errors import LanguageNotInstalled, PageDamaged
from recto.ocr.document_file import DocumentFile
from recto.ocr.documents import Limits
from recto.ocr.engines.base import Engine
from recto.ocr.engines.select import choose_engine
from recto.ocr.options import Options
from recto.ocr.page import Page, Step
from recto.ocr.pipeline import recognise_page
from recto.ocr.preprocessing.orientation import quarter_turned
from recto.ocr.preprocessing.transform import map_points
from recto.ocr.reading import Reader
from recto.ocr.writers.json import page_from_json, page_to_json
from tests.drawing import DPI, LINES, DrawnPage, DrawnWord, blank_page, draw_page, save_pdf, save_tiff, scanned_line

LIMITS = Limits(max_pages=20, max_page_px=100_000_000)
TEXT = " ".join(LINES).split()


@pytest.fixture(scope="module")
def engine() -> Engine:
    return choose_engine("auto")


def read(path: Path, engine: Engine, number: int = 1, preprocess: str = "auto") -> Page:
    options = Options.model_validate({"preprocess": preprocess})
    return recognise_page(DocumentFile(path), number, options, Reader(engine, LIMITS, ("eng",)))


def saved(folder: Path, pixels: np.typing.NDArray[np.uint8], dpi: int = DPI) -> Path:
    Image.fromarray(pixels).save(folder / "page.png", dpi=(dpi, dpi))
    return folder / "page.png"


def corner_errors(drawn: DrawnPage, page: Page) -> np.typing.NDArray[np.float64]:
    """Distances in pixels between the corners of words drawn and words read, for the words that were read right."""
    expected, found = [word.text for word in drawn.words], [word.text for word in page.words]
    matches = SequenceMatcher(None, expected, found, autojunk=False).get_matching_blocks()
    pairs = [(match.a + i, match.b + i) for match in matches for i in range(match.size)]
    assert len(pairs) >= 0.95 * len(expected)
    return np.concatenate([np.hypot(*np.subtract(drawn.words[a].quad, page.words[b].quad).T) for a, b in pairs])


@pytest.mark.parametrize("skew_deg", [0, 0.25, -2, 5])
def test_words_of_a_page_come_back_on_their_drawn_places(tmp_path: Path, engine: Engine, skew_deg: float) -> None:
    drawn = draw_page(skew_deg=skew_deg, noise=8)
    page = read(saved(tmp_path, drawn.pixels), engine)
    off = corner_errors(drawn, page)
    assert np.median(off) <= 1
    assert np.percentile(off, 99) <= 3
    assert (page.width_px, page.height_px) == drawn.pixels.shape[::-1]


@pytest.mark.parametrize("skew_deg", [0, 5])
@pytest.mark.parametrize("turn_deg", [90, 180, 270])
def test_words_of_a_turned_page_come_back_on_their_drawn_places(
    tmp_path: Path, engine: Engine, turn_deg: int, skew_deg: float
) -> None:
    drawn = turned(draw_page(skew_deg=skew_deg, noise=8), turn_deg)
    page = read(saved(tmp_path, drawn.pixels), engine)
    off = corner_errors(drawn, page)
    assert np.median(off) <= 1
    assert np.percentile(off, 99) <= 3
    assert page.preprocessing[0] == Step("orientation", {"turn_deg": -turn_deg % 360})
    assert page_from_json(page_to_json(page)) == page


def turned(page: DrawnPage, turn_deg: int) -> DrawnPage:
    """The page lying on another side, and where its words then are."""
    pixels, transform = quarter_turned(page.pixels, turn_deg)
    words = []
    for word in page.words:
        one, two, three, four = map_points(transform, word.quad)
        words.append(DrawnWord(word.text, (one, two, three, four)))
    return DrawnPage(pixels, tuple(words))


def test_words_of_an_inverted_page_are_read_and_the_step_is_named(tmp_path: Path, engine: Engine) -> None:
    page = read(saved(tmp_path, 255 - draw_page().pixels), engine)
    assert [word.text for word in page.words] == TEXT
    assert [step.name for step in page.preprocessing] == ["polarity", "text_size"]


@pytest.mark.parametrize(("preprocess", "step"), [("auto", "grain"), ("no-grain", "paper")])
def test_line_alone_on_grainy_and_unevenly_lit_paper_is_read_and_placed_on_the_original(
    tmp_path: Path, engine: Engine, preprocess: str, step: str
) -> None:
    page = read(saved(tmp_path, scanned_line()), engine, preprocess=preprocess)
    assert [word.text for word in page.words] == LINES[0].split()
    assert step in [taken.name for taken in page.preprocessing]
    assert all(200 < word.box.top < word.box.top + word.box.height < 320 for word in page.words)


def test_grainy_paper_without_a_word_is_blank(tmp_path: Path, engine: Engine) -> None:
    paper = np.ascontiguousarray(scanned_line("")[:500, ::2])
    assert read(saved(tmp_path, paper), engine).blocks == ()


def test_words_of_a_page_at_100_dpi_are_read_and_placed_on_the_original(tmp_path: Path, engine: Engine) -> None:
    drawn = draw_page()
    height, width = drawn.pixels.shape
    small = cv2.resize(drawn.pixels, (width // 3, height // 3), interpolation=cv2.INTER_AREA)
    page = read(saved(tmp_path, np.asarray(small, dtype=np.uint8), 100), engine)
    assert "text_size" in [step.name for step in page.preprocessing]
    assert page.dpi == pytest.approx(100, abs=0.1)
    for word, truth in zip(page.words, drawn.words, strict=True):
        assert np.abs(np.array(word.quad) - np.array(truth.quad) / 3).max() < 3


def test_words_of_a_fax_are_read_with_square_pixels_and_placed_on_its_own(tmp_path: Path, engine: Engine) -> None:
    drawn = draw_page(LINES[:3], size_pt=14)
    height, width = drawn.pixels.shape
    flat = cv2.resize(drawn.pixels, (width, height // 2), interpolation=cv2.INTER_AREA)
    fax = Image.fromarray(np.asarray(flat, dtype=np.uint8)).convert("1", dither=Image.Dither.NONE)
    fax.save(tmp_path / "fax.tif", compression="group3", dpi=(300, 150))
    page = read(tmp_path / "fax.tif", engine)
    assert [step.name for step in page.preprocessing] == ["aspect", "text_size"]
    assert (page.width_px, page.height_px) == (width, height // 2)
    for word, truth in zip(page.words, drawn.words, strict=True):
        assert word.text == truth.text
        assert np.abs(np.array(word.quad) - np.array(truth.quad) * (1, 0.5)).max() < 4


def test_words_of_white_letters_on_a_clear_ground_are_read(tmp_path: Path, engine: Engine) -> None:
    ink = 255 - draw_page(LINES[:3]).pixels
    white = np.full((*ink.shape, 4), 255, np.uint8)
    white[..., 3] = ink
    Image.fromarray(white).save(tmp_path / "page.png")
    assert [word.text for word in read(tmp_path / "page.png", engine).words] == " ".join(LINES[:3]).split()


def test_words_of_a_photo_that_lies_on_its_side_are_read_upright(tmp_path: Path, engine: Engine) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = np.ascontiguousarray(np.rot90(draw_page().pixels))
    Image.fromarray(lying).save(tmp_path / "photo.jpg", exif=exif, quality=90)
    page = read(tmp_path / "photo.jpg", engine)
    assert [word.text for word in page.words] == TEXT
    assert (page.width_px, page.height_px) == draw_page().pixels.shape[::-1]


@pytest.mark.parametrize("suffix", ["tif", "pdf"])
def test_pages_of_a_document_are_read_by_their_numbers(tmp_path: Path, engine: Engine, suffix: str) -> None:
    save = save_tiff if suffix == "tif" else save_pdf
    path = save(tmp_path / f"two.{suffix}", [draw_page(LINES[:2]).pixels, draw_page(LINES[2:4]).pixels])
    for number, lines in ((1, LINES[:2]), (2, LINES[2:4])):
        page = read(path, engine, number)
        assert page.number == number
        assert [word.text for word in page.words] == " ".join(lines).split()


def test_blank_page_has_no_blocks_and_no_confidence(tmp_path: Path, engine: Engine) -> None:
    page = read(saved(tmp_path, blank_page()), engine)
    assert page.blocks == ()
    assert page.confidence is None


def test_page_read_twice_is_equal(tmp_path: Path, engine: Engine) -> None:
    path = saved(tmp_path, draw_page(LINES[:3], skew_deg=3, noise=30).pixels)
    assert read(path, engine) == read(path, engine)


def test_page_names_its_engine_and_languages(tmp_path: Path, engine: Engine) -> None:
    page = read(saved(tmp_path, blank_page(50, 50)), engine)
    assert page.engine == f"{engine.name} {engine.version()}"
    assert page.languages == ("eng",)


def test_page_in_a_language_that_is_missing_is_refused(tmp_path: Path, engine: Engine) -> None:
    with pytest.raises(LanguageNotInstalled):
        recognise_page(
            DocumentFile(saved(tmp_path, blank_page(50, 50))),
            1,
            Options(languages=("xyz",)),
            Reader(engine, LIMITS, ("eng",)),
        )


def test_page_that_breaks_off_is_damaged(tmp_path: Path, engine: Engine) -> None:
    path = saved(tmp_path, draw_page(noise=20).pixels)
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(PageDamaged, match="Page 1"):
        read(path, engine)
