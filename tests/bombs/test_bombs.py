"""The bombs are what they are called, and the table says what went wrong. All of them at once: `make bombs`."""

from dataclasses import replace
from pathlib import Path

import pytest

from recto.errors import DocumentError
from recto.ocr.document_file import DocumentFile
from recto.ocr.documents import Limits, inspect, load_page
from recto.ocr.media_types import SNIFF_BYTES, sniff
from recto.settings import load_settings
from tests.bombs.bombs import BOMBS
from tests.bombs.run import Result, faults, line

REFUSED_FROM_THE_HEADERS = (
    "PNG of 20,000 x 20,000",
    "PNG that claims 2,147,483,647 x 2,147,483,647",
    "TIFF of 35,000 x 35,000, G4",
    "GIF of 65,535 x 65,535 with 100,000 frames",
    "JPEG that claims 65,500 x 65,500, progressive",
    "JPEG 2000 that claims 100,000 x 100,000",
    "BMP that claims 2,000,000,000 x 2,000,000,000",
    "PDF of 1,000,000 pages",
    "PDF whose page tree is a circle",
)
REFUSED_BEFORE_DRAWING = ("PDF with content of 1 GB, deflated three times", "PDF whose forms draw 10^9 forms")
SOUND = Result("Bomb", 9, "FAILURE: page_too_large", 1.0, 100 << 20, 90 << 20, "read", 0.5)


@pytest.fixture
def limits() -> Limits:
    ocr = load_settings({}).ocr
    return Limits(ocr.max_pages, ocr.max_page_px, ocr.max_document_px)


@pytest.mark.parametrize("name", REFUSED_FROM_THE_HEADERS)
def test_bomb_is_refused_from_its_headers(tmp_path: Path, limits: Limits, name: str) -> None:
    content = BOMBS[name]()
    assert sniff(content[:SNIFF_BYTES]) is not None
    (tmp_path / "bomb").write_bytes(content)
    with pytest.raises(DocumentError) as caught:
        inspect(DocumentFile(tmp_path / "bomb"), limits)
    assert caught.value.code == "document_too_large"


@pytest.mark.parametrize("name", REFUSED_BEFORE_DRAWING)
def test_bomb_is_refused_before_it_is_drawn(tmp_path: Path, limits: Limits, name: str) -> None:
    (tmp_path / "bomb").write_bytes(BOMBS[name]())
    assert inspect(DocumentFile(tmp_path / "bomb"), limits).page_count == 1
    with pytest.raises(DocumentError) as caught:
        load_page(DocumentFile(tmp_path / "bomb"), 1, limits)
    assert caught.value.code == "page_too_large"


def test_faults_are_what_no_bomb_may_do() -> None:
    cap_bytes = 1 << 30
    assert list(faults(SOUND, cap_bytes)) == []
    for wrong in (
        replace(SOUND, letter="not read: "),
        replace(SOUND, outcome="500 internal"),
        replace(SOUND, outcome="IN_PROGRESS: still going on"),
        replace(SOUND, page_process_bytes=cap_bytes + 1),
        replace(SOUND, backend_bytes=1 << 30),
    ):
        assert len(list(faults(wrong, cap_bytes))) == 1


def test_line_is_a_row_of_the_table() -> None:
    assert line(SOUND) == "| Bomb | 9 | FAILURE: page_too_large | 1.0 | 100 | 90 | read, 0.5 s |"
