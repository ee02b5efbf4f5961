import json
import stat
import zipfile
from io import BytesIO

import pytest

from recto.ocr.page import Document, Page
from recto.ocr.writers.pages_zip import write_pages_zip
from tests.ocr.writers.made_pages import DOCUMENT, block, lines, page, written


def archive(*pages: Page, document: Document = DOCUMENT) -> zipfile.ZipFile:
    return zipfile.ZipFile(BytesIO(written(write_pages_zip, *pages, document=document)))


def test_zip_has_a_text_for_each_page_by_its_number() -> None:
    with archive(page(block(*lines("one"))), page(number=3), page(block(*lines("ten")), number=10)) as found:
        assert found.namelist() == ["page-0001.txt", "page-0003.txt", "page-0010.txt", "provenance.json"]
        assert [found.read(name) for name in found.namelist()[:3]] == [b"one\n", b"", b"ten\n"]


@pytest.mark.parametrize(("page_count", "name"), [(9_999, "page-0002.txt"), (10_000, "page-00002.txt")])
def test_zip_names_have_the_digits_of_the_last_page(page_count: int, name: str) -> None:
    with archive(page(number=2), document=Document(page_count, (), "", "")) as found:
        assert name in found.namelist()


def test_zip_says_how_each_page_was_read() -> None:
    with archive(page(), page(number=2)) as found:
        facts = json.loads(found.read("provenance.json"))
    assert facts["generator"] == "Recto 1.2"
    assert [one["number"] for one in facts["pages"]] == [1, 2]
    assert facts["pages"][0]["preprocessing"] == [{"name": "deskew", "measured": {"angle_deg": 1.8}}]


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        ("2026-01-02T03:04:05Z", (2026, 1, 2, 3, 4, 4)),  # ZIP counts in steps of two seconds
        ("1979-12-31T23:59:59Z", (1980, 1, 1, 0, 0, 0)),
        ("2108-01-01T00:00:00Z", (1980, 1, 1, 0, 0, 0)),
        ("yesterday", (1980, 1, 1, 0, 0, 0)),
    ],
)
def test_zip_files_bear_the_time_of_the_result(created: str, expected: tuple[int, ...]) -> None:
    with archive(page(), document=Document(1, (), created, "")) as found:
        assert {entry.date_time for entry in found.infolist()} == {expected}


def test_zip_files_are_compressed_and_readable_by_all() -> None:
    with archive(page(block(*lines("word " * 200)))) as found:
        entry = found.infolist()[0]
    assert stat.filemode(entry.external_attr >> 16) == "-rw-r--r--"
    assert entry.compress_size < entry.file_size / 4
