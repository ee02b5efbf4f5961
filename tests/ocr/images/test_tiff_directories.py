import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from recto.ocr.images import tiff_directories
from recto.ocr.images.tiff_directories import Directory, TiffFrom, find_directories
from tests.ocr.images.tiffs import directory_offsets, grey_page, tiff


def pages(count: int) -> list[np.typing.NDArray[np.uint8]]:
    return [np.full((10 + number, 20 + number), 40 * number, np.uint8) for number in range(count)]


def written(folder: Path, content: bytes | bytearray) -> Path:
    (folder / "file.tif").write_bytes(content)
    return folder / "file.tif"


def sizes(path: Path, at_most: int = 100) -> list[tuple[int, int] | None]:
    return [directory.size_px for directory in find_directories(path, at_most)]


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_directories_are_found_in_their_order(tmp_path: Path, order: str, big: bool) -> None:
    path = written(tmp_path, tiff([grey_page(page) for page in pages(3)], order, big))
    assert sizes(path) == [(20, 10), (21, 11), (22, 12)]
    assert sizes(path, 2) == [(20, 10), (21, 11)]


@pytest.mark.parametrize("pages_left", [1, 3])
def test_directories_that_lead_back_end_with_a_torn_one(tmp_path: Path, pages_left: int) -> None:
    content = bytearray(tiff([grey_page(page) for page in pages(3)]))
    offsets = list(directory_offsets(content))
    _link(content, offsets[pages_left - 1], offsets[0])
    assert sizes(written(tmp_path, content)) == [*[(20, 10), (21, 11), (22, 12)][:pages_left], None]


def _link(content: bytearray, directory: int, following: int) -> None:
    (count,) = struct.unpack_from("<H", content, directory)
    struct.pack_into("<L", content, directory + 2 + 12 * count, following)


def test_directory_beyond_the_end_is_torn(tmp_path: Path) -> None:
    content = tiff([grey_page(page) for page in pages(3)])
    _, second, last = directory_offsets(content)
    assert sizes(written(tmp_path, content[: last + 20])) == [(20, 10), (21, 11), None]
    far = bytearray(content)
    _link(far, second, len(content) + 1000)
    assert find_directories(written(tmp_path, far), 9)[1:] == (Directory(second, (21, 11)), Directory(None, None))


@pytest.mark.parametrize("offset", [1 << 20, 1 << 45, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
def test_directory_further_than_files_reach_is_torn(tmp_path: Path, offset: int) -> None:
    """2^45 bytes are more than ext4 lets anybody seek to: an error of the disk, were it tried."""
    content = struct.pack("<2sHHHQ", b"II", 43, 8, 0, offset)
    assert find_directories(written(tmp_path, content), 9) == (Directory(None, None),)


@pytest.mark.parametrize("head", [b"II*\0", b"MM\0*\0\0\0", b"II+\0\x08\0\0\0", b"II+\0\x08\0\0\0\x10\0\0\0", b"II"])
def test_directories_behind_a_header_that_breaks_off_are_none(tmp_path: Path, head: bytes) -> None:
    assert find_directories(written(tmp_path, head), 9) == ()


def test_directories_of_a_file_are_walked_once_until_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walks: list[int] = []
    walk = tiff_directories._walk

    def counted(file: BinaryIO) -> Iterator[Directory]:
        walks.append(1)
        return walk(file)

    monkeypatch.setattr(tiff_directories, "_walk", counted)
    path = written(tmp_path, tiff([grey_page(page) for page in pages(3)]))
    assert [find_directories(path, number)[-1].size_px for number in (1, 2, 3)] == [(20, 10), (21, 11), (22, 12)]
    assert len(walks) == 1
    written(tmp_path, tiff([grey_page(page) for page in pages(2)]))
    assert sizes(path) == [(20, 10), (21, 11)]
    assert len(walks) == 2


def test_directories_beyond_a_thousand_are_found_in_any_order(tmp_path: Path) -> None:
    path = written(tmp_path, tiff([grey_page(np.zeros((1, number), np.uint8)) for number in range(1, 2101)]))
    for at_most in (1500, 1, 2100, 1024, 1025, 9999):
        found = sizes(path, at_most)
        assert (len(found), found[-1]) == (min(at_most, 2100), (min(at_most, 2100), 1))


def test_directory_without_a_width_is_passed(tmp_path: Path) -> None:
    content = bytearray(tiff([grey_page(page) for page in pages(3)]))
    _, second, _ = directory_offsets(content)
    struct.pack_into("<H", content, second + 2, 60_000)  # the first entry is the width
    assert sizes(written(tmp_path, content)) == [(20, 10), None, (22, 12)]


@given(st.binary(max_size=200))
def test_directories_of_any_bytes_are_finite(tmp_path_factory: pytest.TempPathFactory, tail: bytes) -> None:
    path = written(tmp_path_factory.mktemp("any"), b"II*\x00\x08\x00\x00\x00" + tail)
    assert all(isinstance(directory, Directory) for directory in find_directories(path, 50))


def test_file_from_a_directory_begins_with_its_page(tmp_path: Path) -> None:
    path = written(tmp_path, tiff([grey_page(page) for page in pages(3)]))
    for directory, page in zip(find_directories(path, 9), pages(3), strict=True):
        assert directory.offset is not None
        with TiffFrom(path, directory.offset) as file, Image.open(file) as image:
            assert np.array_equal(np.asarray(image), page)


@pytest.mark.parametrize("at", range(10))
@pytest.mark.parametrize("size", [0, 1, 3, 6, 100, -1])
def test_file_from_a_directory_reads_as_the_file_with_another_header(tmp_path: Path, at: int, size: int) -> None:
    path = written(tmp_path, tiff([grey_page(page) for page in pages(1)]))
    expected = bytearray(path.read_bytes())
    struct.pack_into("<L", expected, 4, 1234)
    with TiffFrom(path, 1234) as file:
        file.seek(at)
        assert file.read(size) == expected[at : None if size < 0 else at + size]
