"""What every writer promises, whatever its format."""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from recto.ocr.options import RESULT_FORMATS, ResultFormat
from recto.ocr.page import Page
from recto.ocr.writers.registry import writer_for
from tests.ocr.writers.made_pages import DOCUMENT, FILE, PAGES, block, lines, page, written

FORMATS: Final[list[ResultFormat]] = [name for name in RESULT_FORMATS if name not in ("pdf", "pdfa")]
"""A PDF is built on the document itself and has tests of its own."""
WITH_PROVENANCE: Final[list[ResultFormat]] = ["md", "json", "hocr", "alto", "pages.zip"]
BLANK = page(number=2)
WORDLESS = page(block(), block(*lines("")), number=3)
ODD = page(
    block(*lines('a<b>&"c" ]]> -- <!-- x', "\x00\x0b\x1b\ufffe\ud800 tab\tnew\nline", "שלום عالم \U0001f600")), number=4
)


def readable(data: bytes) -> str:
    return data.decode("utf-8")


def read_json(data: bytes) -> str:
    return str(json.loads(data))


def read_xml(data: bytes) -> str:
    root = etree.fromstring(data, etree.XMLParser(no_network=True, resolve_entities=False))
    return " ".join([*map(str, root.itertext()), *(str(node.get("CONTENT", "")) for node in root.iter("{*}String"))])


def read_tsv(data: bytes) -> str:
    rows = list(csv.reader(io.StringIO(data.decode("utf-8"), newline=""), delimiter="\t", quoting=csv.QUOTE_NONE))
    assert {len(row) for row in rows} == {12}
    return " ".join(row[11] for row in rows)


def read_zip(data: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return "".join(archive.read(name).decode("utf-8") for name in archive.namelist())


READERS: Final[dict[ResultFormat, Callable[[bytes], str]]] = {
    "txt": readable,
    "md": readable,
    "json": read_json,
    "hocr": read_xml,
    "alto": read_xml,
    "tsv": read_tsv,
    "pages.zip": read_zip,
}


class Pipe(io.RawIOBase):
    """A sink that can do nothing but write."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.data += data
        return len(data)


pytestmark = pytest.mark.parametrize("name", FORMATS)


def test_writer_of_equal_input_gives_equal_bytes(name: ResultFormat) -> None:
    pages = page(block(*lines("one two", "three"))), BLANK, ODD
    assert written(writer_for(name), *pages) == written(writer_for(name), *pages)


def test_writer_into_a_pipe_gives_the_same_bytes_as_into_a_file(name: ResultFormat) -> None:
    pipe = Pipe()
    writer_for(name)(DOCUMENT, iter([page(block(*lines("one"))), BLANK]), FILE, pipe)  # type: ignore[arg-type]
    assert bytes(pipe.data) == written(writer_for(name), page(block(*lines("one"))), BLANK)
    assert not pipe.closed


@pytest.mark.parametrize("pages", [(), (BLANK,), (WORDLESS,), (BLANK, WORDLESS, page(number=5))], ids=len)
def test_writer_of_pages_without_words_gives_a_readable_file(name: ResultFormat, pages: tuple[Page, ...]) -> None:
    READERS[name](written(writer_for(name), *pages))


def test_writer_keeps_special_and_foreign_characters_and_replaces_impossible_ones(name: ResultFormat) -> None:
    text = READERS[name](written(writer_for(name), ODD))
    for expected in ("a", "c", "שלום", "عالم", "\U0001f600", "tab", "line"):
        assert expected in text
    assert "\x00" not in text
    assert "\ud800" not in text


@settings(deadline=None)  # a busy machine is no fault
@given(given_pages=st.lists(PAGES, max_size=2, unique_by=lambda given: given.number))
def test_writer_of_any_pages_gives_a_readable_file(name: ResultFormat, given_pages: list[Page]) -> None:
    READERS[name](written(writer_for(name), *given_pages))


def test_writer_takes_one_page_after_the_other(name: ResultFormat) -> None:
    sink, sizes = io.BytesIO(), []

    def pages() -> Iterator[Page]:
        for number in range(1, 5):
            sizes.append(sink.tell())
            yield page(block(*lines("words of a page")), number=number)

    writer_for(name)(DOCUMENT, pages(), FILE, sink)
    assert sizes[1:] == sorted(set(sizes[1:]))
    assert sizes[1] > 0


def test_writer_says_how_the_text_came_about_where_the_format_has_room(name: ResultFormat) -> None:
    text = READERS[name](written(writer_for(name), page(block(*lines("one")))))
    raw = written(writer_for(name), page(block(*lines("one")))).decode("utf-8", "replace") + text
    facts = ("Recto 1.2", "tesserocr 5.5.4", "2026-01-02T03:04:05Z", "0" * 64, "angle_deg", "page_damaged", "deu+eng")
    assert all(fact in raw for fact in facts) == (name in WITH_PROVENANCE)
    assert str(FILE.path) not in raw
