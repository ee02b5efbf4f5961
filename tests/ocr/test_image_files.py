from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from recto.ocr.image_files import decode_page, is_plausible_dpi, scaled_to_bytes, turned_upright

MAX_PX = 10_000_000


def mark(
    mode: str, ground: tuple[int, ...] | int, ink: tuple[int, ...] | int, size: tuple[int, int] = (60, 40)
) -> Image.Image:
    """A picture with a bar of ink in its upper left quarter."""
    image = Image.new(mode, size, ground)
    ImageDraw.Draw(image).rectangle((4, 4, 25, 13), fill=ink)
    return image


@pytest.mark.parametrize(
    "image",
    [
        mark("1", 1, 0),
        mark("L", 255, 0),
        mark("RGB", (255, 255, 255), (0, 0, 0)),
        mark("CMYK", (0, 0, 0, 0), (0, 0, 0, 255)),
        mark("RGB", (255, 255, 255), (0, 0, 0)).convert("P"),
        mark("RGBA", (0, 0, 0, 0), (0, 0, 0, 255)),
        mark("LA", (0, 0), (0, 255)),
        mark("I;16", 65535, 0),
    ],
    ids=lambda image: image.mode,
)
def test_decode_of_black_on_white_or_clear_is_black_on_white(tmp_path: Path, image: Image.Image) -> None:
    path = tmp_path / "page.tif"
    image.save(path)
    pixels = decode_page(path, 1, MAX_PX).pixels
    assert pixels[8, 10] <= 5
    assert pixels[30, 50] >= 250


def test_decode_of_white_on_clear_keeps_the_writing(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    mark("RGBA", (255, 255, 255, 0), (255, 255, 255, 255)).save(path)
    pixels = decode_page(path, 1, MAX_PX).pixels
    assert abs(int(pixels[8, 10]) - int(pixels[30, 50])) > 200


def test_decode_of_a_white_sheet_with_clear_corners_stays_white(tmp_path: Path) -> None:
    image = mark("RGBA", (255, 255, 255, 255), (0, 0, 0, 255))
    image.putpixel((0, 0), (0, 0, 0, 0))
    image.save(tmp_path / "page.png")
    pixels = decode_page(tmp_path / "page.png", 1, MAX_PX).pixels
    assert pixels[0, 0] == 255
    assert pixels[8, 10] == 0


def test_decode_of_a_palette_with_a_clear_colour_is_on_white(tmp_path: Path) -> None:
    image = mark("P", 0, 1)
    image.putpalette([0, 0, 0, 40, 40, 40])
    image.save(tmp_path / "page.gif", transparency=0)
    pixels = decode_page(tmp_path / "page.gif", 1, MAX_PX).pixels
    assert pixels[30, 50] == 255
    assert pixels[8, 10] == 40


def test_decode_of_sixteen_bits_is_scaled_not_clipped(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(1, -1)
    Image.fromarray(np.repeat(ramp, 4, axis=0)).save(tmp_path / "ramp.png")
    pixels = decode_page(tmp_path / "ramp.png", 1, MAX_PX).pixels
    assert np.array_equal(pixels[0], np.arange(256))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_decode_with_an_exif_orientation_is_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    upright = mark("L", 255, 0)
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"page.{suffix}"
    stored.save(path, exif=exif)
    pixels = decode_page(path, 1, MAX_PX).pixels
    assert pixels.shape == (40, 60)
    assert pixels[8, 10] < 20
    assert pixels[30, 50] > 235


@pytest.mark.parametrize("orientation", [0, 9, 255, 65535])
def test_decode_with_an_invalid_orientation_takes_the_page_as_it_is(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    mark("L", 255, 0).save(tmp_path / "page.jpg", exif=exif)
    assert decode_page(tmp_path / "page.jpg", 1, MAX_PX).pixels.shape == (40, 60)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF:UserWarning")  # Pillow remarks on it, and reads on
def test_decode_with_broken_exif_takes_the_page_as_it_is(tmp_path: Path) -> None:
    mark("L", 255, 0).save(tmp_path / "page.jpg", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff")
    assert decode_page(tmp_path / "page.jpg", 1, MAX_PX).pixels.shape == (40, 60)


@given(st.integers(1, 8), st.integers(1, 9), st.integers(1, 9))
def test_turning_upright_keeps_every_pixel(orientation: int, width: int, height: int) -> None:
    pixels = np.arange(width * height, dtype=np.uint8).reshape(height, width)
    turned = turned_upright(pixels, orientation)
    assert turned.flags.c_contiguous
    assert sorted(turned.ravel()) == sorted(pixels.ravel())
    assert turned.shape == (pixels.shape if orientation < 5 else pixels.shape[::-1])


@pytest.mark.parametrize("dpi", [(1, 1), (72, 72), (96, 96), (2400, 2400), (300, 150), (1200, 1200)])
def test_decode_with_an_absurd_resolution_trusts_none(tmp_path: Path, dpi: tuple[int, int]) -> None:
    Image.new("L", (1700, 2200), 255).save(tmp_path / "page.png", dpi=dpi)
    assert decode_page(tmp_path / "page.png", 1, MAX_PX).dpi is None


@pytest.mark.parametrize("dpi", [100, 150, 200, 300, 600])
def test_decode_with_a_scanners_resolution_keeps_it(tmp_path: Path, dpi: int) -> None:
    Image.new("L", (1700, 2200), 255).save(tmp_path / "page.tif", dpi=(dpi, dpi))
    assert decode_page(tmp_path / "page.tif", 1, MAX_PX).dpi == pytest.approx(dpi)


@pytest.mark.parametrize("dpi", [float("nan"), float("inf"), -300.0, 0.0])
def test_resolution_that_is_no_number_is_implausible(dpi: float) -> None:
    assert not is_plausible_dpi(dpi, 2480, 3508)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30))
def test_scaling_of_floats_keeps_their_order(values: list[float]) -> None:
    array = np.array([values], dtype=np.float32)
    scaled = scaled_to_bytes(array)
    assert np.all(np.diff(scaled[0][np.argsort(array[0], kind="stable")].astype(int)) >= 0)
