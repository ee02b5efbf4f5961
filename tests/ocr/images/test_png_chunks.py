"""PNGs whose parts are put together here, in orders that the specification allows."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from recto.ocr.images.image_files import decode_page, open_frame, orientation_of
from recto.ocr.images.png_chunks import chunks, has_metadata_behind_pixels, split_pixels
from tests.ocr.images.pngs import chunk

GREY = np.arange(6 * 4, dtype=np.uint8).reshape(6, 4) * 10


def exif(orientation: int) -> bytes:
    values = Image.Exif()
    values[0x0112] = orientation
    return values.tobytes().removeprefix(b"Exif\0\0")


def png(*, before: bytes = b"", behind: bytes = b"", pixel_chunks: int = 1) -> bytes:
    pixels = zlib.compress(b"".join(b"\0" + row.tobytes() for row in GREY))
    size = -(-len(pixels) // pixel_chunks)
    parts = [chunk(b"IDAT", pixels[start : start + size]) for start in range(0, len(pixels), size)]
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", GREY.shape[1], GREY.shape[0], 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + before + b"".join(parts) + behind + chunk(b"IEND", b"")


def test_chunks_are_named_in_order_and_end_where_the_file_does() -> None:
    data = png(before=chunk(b"eXIf", exif(6)), pixel_chunks=2)
    assert [one.name for one in chunks(io.BytesIO(data))] == [b"IHDR", b"eXIf", b"IDAT", b"IDAT", b"IEND"]
    assert [one.name for one in chunks(io.BytesIO(data[:44]))] == [b"IHDR", b"eXIf"]


@pytest.mark.parametrize("pixel_chunks", [1, 2, 5])
def test_pixels_are_split_from_the_rest_of_the_picture(pixel_chunks: int) -> None:
    rest, pixels = split_pixels(png(behind=chunk(b"tEXt", b"a\0b"), pixel_chunks=pixel_chunks))
    assert zlib.decompress(pixels) == b"".join(b"\0" + row.tobytes() for row in GREY)
    assert [one.name for one in chunks(io.BytesIO(rest))] == [b"IHDR", b"IDAT", b"tEXt", b"IEND"]
    with Image.open(io.BytesIO(rest)) as image:
        image.verify()  # the checksums
    with Image.open(io.BytesIO(rest)) as image:
        assert image.size == (4, 6)
        with pytest.raises(OSError, match="truncated"):
            image.load()


@pytest.mark.parametrize("missing", [1, 20, 60])
def test_pixels_that_are_cut_off_are_not_split(missing: int) -> None:
    with pytest.raises(ValueError, match="end before"):
        split_pixels(png(pixel_chunks=2).removesuffix(chunk(b"IEND", b""))[:-missing])


@pytest.mark.parametrize("name", [b"eXIf", b"zTXt", b"tEXt", b"iTXt"])
def test_metadata_behind_the_pixels_is_noticed_and_before_them_is_not(name: bytes) -> None:
    for data, expected in (
        (png(behind=chunk(name, b"a")), True),
        (png(before=chunk(name, b"a")), False),
        (png(behind=chunk(b"tIME", bytes(7))), False),
    ):
        file = io.BytesIO(data)
        file.seek(5)
        assert has_metadata_behind_pixels(file) is expected
        assert file.tell() == 5


@pytest.mark.parametrize("data", [png(before=chunk(b"eXIf", exif(6))), png(behind=chunk(b"eXIf", exif(6)))])
def test_orientation_is_found_wherever_the_exif_is(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "page.png"
    path.write_bytes(data)
    with open_frame(path, 1) as image:
        assert orientation_of(image) == 6
    assert np.array_equal(decode_page(path, 1, 1000).pixels, np.rot90(GREY, -1))


def test_orientation_of_a_png_is_found_without_decoding_it(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    path.write_bytes(png(before=chunk(b"eXIf", exif(3))))
    with open_frame(path, 1) as image:
        assert isinstance(image, PngImageFile)
        assert orientation_of(image) == 3
        assert image.fp is not None  # Pillow lets go of the file once it has the pixels
        assert np.array_equal(np.asarray(image), GREY)
