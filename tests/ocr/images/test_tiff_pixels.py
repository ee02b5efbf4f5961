"""Kinds and layouts of TIFF pages, most of them built by hand, as pages that look like the drawn one."""

import zlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from PIL import Image

from recto.ocr.images.image_files import decode_page
from tests.drawing import draw_page
from tests.ocr.images.tiffs import LONG, SHORT, TiffPage, grey_page, tags_of, tiff

PAGE = draw_page().pixels[:300, :488]
HEIGHT, WIDTH = PAGE.shape
BITS = np.where(PAGE >= 128, 255, 0)
MAX_PX = 10_000_000


def off(folder: Path, content: bytes, page: np.typing.NDArray[np.generic] = PAGE) -> float:
    """Mean difference between the page in a file and the drawn one, in shades."""
    (folder / "page.tif").write_bytes(content)
    pixels = decode_page(folder / "page.tif", 1, MAX_PX).pixels
    assert pixels.shape == page.shape
    return float(np.abs(pixels.astype(int) - page).mean())


def ordered(values: np.typing.NDArray[np.generic], order: Literal["<", ">"]) -> np.typing.NDArray[np.generic]:
    return values.astype(values.dtype.newbyteorder(order))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("values", "photometric"),
    [
        (PAGE, 1),
        (255 - PAGE, 0),
        (PAGE.astype(np.uint16) * 257, 1),
        (65_535 - PAGE.astype(np.uint16) * 257, 0),
        ((PAGE.astype(np.int16) - 128).astype(np.int8), 1),
        (PAGE.astype(np.int16) * 128, 1),
        (PAGE.astype(np.uint32) * 16_843_009, 1),
        (PAGE.astype(np.int32) * 70_000, 1),
        (PAGE / np.float32(255), 1),
        (1 - PAGE / np.float32(255), 0),
    ],
    ids=lambda given: str(getattr(given, "dtype", given)),
)
def test_page_of_grey_numbers_looks_as_drawn(
    tmp_path: Path, values: np.typing.NDArray[np.generic], photometric: int, order: Literal["<", ">"], packed: bool
) -> None:
    page = grey_page(ordered(values, order), photometric)
    if packed:
        page = TiffPage(page.tags | {259: (SHORT, (8,))}, [zlib.compress(page.chunks[0])])
    assert off(tmp_path, tiff([page], order)) < 1


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("fill_order", [1, 2])
@pytest.mark.parametrize("photometric", [0, 1])
def test_page_of_one_bit_looks_as_drawn(tmp_path: Path, photometric: int, fill_order: int, order: str) -> None:
    bits = np.packbits((PAGE >= 128) == bool(photometric), axis=1, bitorder="big" if fill_order == 1 else "little")
    tags = tags_of(WIDTH, HEIGHT, (1,), photometric) | {266: (SHORT, (fill_order,))}
    assert off(tmp_path, tiff([TiffPage(tags, [bits.tobytes()])], order), BITS) == 0


@pytest.mark.parametrize("bits", [2, 4])
def test_page_of_few_bits_looks_as_drawn(tmp_path: Path, bits: int) -> None:
    shades = PAGE >> (8 - bits)
    planes = [shades[:, place :: 8 // bits] << (8 - bits * (place + 1)) for place in range(8 // bits)]
    packed = np.bitwise_or.reduce(planes).astype(np.uint8)
    content = tiff([TiffPage(tags_of(WIDTH, HEIGHT, (bits,), 1), [packed.tobytes()])])
    assert off(tmp_path, content, shades * (255 // (2**bits - 1))) == 0


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("layout", ["strips", "tiles", "planes", "planes in tiles"])
def test_page_of_every_layout_looks_as_drawn(
    tmp_path: Path, layout: str, depth: type, big: bool, order: Literal["<", ">"]
) -> None:
    shades: np.typing.NDArray[Any] = PAGE.astype(depth) * (257 if depth is np.uint16 else 1)
    planes = ordered(np.stack([shades] * 3), order)
    tags = tags_of(WIDTH, HEIGHT, (np.dtype(depth).itemsize * 8,) * 3, 2)
    if "planes" in layout:
        tags[284] = (SHORT, (2,))
        pictures = [plane[..., None] for plane in planes]
    else:
        pictures = [np.moveaxis(planes, 0, -1)]
    if "tiles" in layout:
        tags |= {322: (LONG, (64,)), 323: (LONG, (48,))}
        chunks = [tile for picture in pictures for tile in tiles(picture)]
    else:
        tags[278] = (LONG, (37,))
        chunks = [picture[top : top + 37].tobytes() for picture in pictures for top in range(0, HEIGHT, 37)]
    assert off(tmp_path, tiff([TiffPage(tags, chunks, tiled="tiles" in layout)], order, big)) == 0


def tiles(picture: np.typing.NDArray[np.generic]) -> list[bytes]:
    """Tiles of 64 x 48, filled up beyond the edges."""
    padded = np.pad(picture, ((0, -HEIGHT % 48), (0, -WIDTH % 64), (0, 0)))
    return [
        padded[top : top + 48, left : left + 64].tobytes()
        for top in range(0, HEIGHT, 48)
        for left in range(0, WIDTH, 64)
    ]


@pytest.mark.parametrize("extra", [1, 2])
def test_page_with_alpha_of_either_kind_looks_as_drawn(tmp_path: Path, extra: int) -> None:
    ink = np.dstack([np.zeros_like(PAGE)] * 3 + [255 - PAGE])
    tags = tags_of(WIDTH, HEIGHT, (8,) * 4, 2) | {338: (SHORT, (extra,))}
    assert off(tmp_path, tiff([TiffPage(tags, [ink.tobytes()])])) == 0


@pytest.mark.parametrize("colours", [(0, 85, 170, 255), (10, 200, 90, 30)])
def test_page_of_lab_has_its_lightness(tmp_path: Path, colours: tuple[int, ...]) -> None:
    lightness = np.repeat(np.array(colours, np.uint8), 40)[None].repeat(20, 0)
    lab = np.dstack([lightness, np.zeros_like(lightness), np.zeros_like(lightness)])
    content = tiff([TiffPage(tags_of(160, 20, (8,) * 3, 8), [lab.tobytes()])])
    star = lightness / 255 * 100  # CIE 15, 8.2.1: from L* to luminance, and IEC 61966-2-1: to sRGB
    luminance = np.where(star > 8, ((star + 16) / 116) ** 3, star / 903.3)
    srgb = np.where(luminance <= 0.0031308, 12.92 * luminance, 1.055 * luminance ** (1 / 2.4) - 0.055)
    assert off(tmp_path, content, srgb * 255) < 2


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK"])
@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "zstd", "lzma"])
def test_page_of_every_packing_looks_as_drawn(tmp_path: Path, compression: str, mode: str) -> None:
    image = Image.fromarray(PAGE).convert("RGB").convert(mode)
    image.save(tmp_path / "packed.tif", compression=compression)
    expected = np.asarray(image.convert("L")) if mode == "1" else PAGE
    assert off(tmp_path, (tmp_path / "packed.tif").read_bytes(), expected) < 1


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt"])
def test_page_packed_as_a_fax_looks_as_drawn(tmp_path: Path, compression: str) -> None:
    Image.fromarray(PAGE).convert("1", dither=Image.Dither.NONE).save(tmp_path / "fax.tif", compression=compression)
    assert off(tmp_path, (tmp_path / "fax.tif").read_bytes(), BITS) == 0


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_page_packed_as_jpeg_looks_as_drawn(tmp_path: Path, mode: str) -> None:
    Image.fromarray(PAGE).convert("RGB").convert(mode).save(tmp_path / "jpeg.tif", compression="jpeg", quality=95)
    assert off(tmp_path, (tmp_path / "jpeg.tif").read_bytes()) < 2
