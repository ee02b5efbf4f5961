from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from recto.ocr.images.grey import composited, scaled_to_bytes, to_grey
from tests.drawing import draw_page

PAGE = draw_page().pixels[:300, :500]
INK = 255 - PAGE
BLACK, WHITE = np.zeros_like(PAGE), np.full_like(PAGE, 255)


def off(pixels: np.typing.NDArray[np.uint8], page: np.typing.NDArray[np.uint8] = PAGE) -> float:
    """Mean difference to the drawn page, in shades."""
    assert pixels.dtype == np.uint8
    assert pixels.shape == page.shape
    return float(np.abs(pixels.astype(int) - page).mean())


def as_drawn(mode: str) -> Image.Image:
    return Image.fromarray(PAGE).convert("RGB").convert(mode)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "PA", "CMYK", "YCbCr", "HSV", "LAB", "RGBX"])
def test_grey_of_every_mode_of_eight_bits_is_the_page(mode: str) -> None:
    assert off(to_grey(as_drawn(mode))) < 1.5


def test_grey_of_one_bit_is_black_and_white() -> None:
    image = Image.fromarray(PAGE).convert("1", dither=Image.Dither.NONE)
    assert np.array_equal(to_grey(image), np.where(PAGE >= 128, 255, 0))


@pytest.mark.parametrize(
    "values",
    [
        PAGE.astype(np.uint16) * 257,
        PAGE.astype(np.uint16) * 16,
        PAGE.astype(np.uint16),
        PAGE.astype(np.int32),
        PAGE.astype(np.int32) * 128,
        PAGE.astype(np.int32) * 257,
        PAGE.astype(np.int32) * 1000 - 90_000,
        PAGE / np.float32(255),
        PAGE.astype(np.float32),
        PAGE.astype(np.float32) * 4 - 300,
    ],
)
def test_grey_of_many_bits_is_scaled_to_the_page(values: np.typing.NDArray[np.generic]) -> None:
    assert off(to_grey(Image.fromarray(values))) < 1


@pytest.mark.parametrize("value", [1.0, 255.0, 1e9])
def test_grey_of_a_blank_float_page_is_white(value: float) -> None:
    assert to_grey(Image.fromarray(np.full((20, 30), value, np.float32))).min() == 255


def test_grey_of_what_is_not_a_number_is_white() -> None:
    values = (PAGE / 255).astype(np.float32)
    values[5, 5:20] = np.nan
    grey = to_grey(Image.fromarray(values))
    assert grey[5, 5:20].min() == 255
    assert off(grey) < 1


def test_grey_of_no_numbers_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="not numbers"):
        scaled_to_bytes(np.full((3, 3), np.nan))


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30))
def test_scaling_of_floats_keeps_their_order(values: list[float]) -> None:
    array = np.array([values], dtype=np.float32)
    scaled = scaled_to_bytes(array)
    assert np.all(np.diff(scaled[0][np.argsort(array[0], kind="stable")].astype(int)) >= 0)


def test_black_on_clear_is_black_on_white() -> None:
    assert np.array_equal(composited(BLACK, INK), PAGE)


def test_white_on_clear_is_white_on_black() -> None:
    assert np.array_equal(composited(WHITE, INK), INK)


def test_black_and_white_writing_on_clear_is_all_dark() -> None:
    colours = BLACK.copy()
    colours[230:] = 255  # the second line
    assert off(composited(colours, INK)) < 1


def test_black_letters_with_white_outlines_keep_both() -> None:
    letters = INK > 128
    outlines = np.zeros_like(letters)
    for across, down in np.ndindex(9, 9):
        outlines |= np.roll(letters, (across - 4, down - 4), (0, 1))
    shown = composited(np.where(letters, 0, 255).astype(np.uint8), np.where(outlines, 255, 0).astype(np.uint8))
    assert shown[letters].max() == 0
    assert shown[outlines & ~letters].min() == 255
    assert set(np.unique(shown)) == {0, 128, 255}


def test_white_sheet_with_clear_corners_stays_white() -> None:
    alpha = WHITE.copy()
    alpha[:10, :10] = 0
    assert np.array_equal(composited(PAGE, alpha), PAGE)


def test_half_clear_ink_is_half_dark() -> None:
    assert composited(np.zeros((2, 2), np.uint8), np.full((2, 2), 127, np.uint8)).tolist() == [[128, 128]] * 2


def test_grey_of_colours_multiplied_by_their_alpha_is_the_page() -> None:
    straight = Image.merge("LA", (Image.fromarray(BLACK), Image.fromarray(INK)))
    assert np.array_equal(to_grey(straight.convert("La")), PAGE)
    assert np.array_equal(to_grey(straight.convert("RGBA").convert("RGBa")), PAGE)


def test_grey_of_a_palette_with_a_clear_colour_is_on_white(tmp_path: Path) -> None:
    image = Image.fromarray((INK > 128).astype(np.uint8)).convert("P")
    image.putpalette([0, 0, 0, 40, 40, 40])
    image.save(tmp_path / "page.png", transparency=0)
    with Image.open(tmp_path / "page.png") as opened:
        opened.load()
        assert set(np.unique(to_grey(opened))) == {40, 255}


def test_grey_of_sixteen_bits_with_a_clear_grey_is_on_white(tmp_path: Path) -> None:
    values = np.where(INK > 128, 0, 1234).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "page.png", transparency=1234)
    with Image.open(tmp_path / "page.png") as opened:
        opened.load()
        assert opened.mode == "I;16"
        assert np.array_equal(to_grey(opened), np.where(INK > 128, 0, 255))
