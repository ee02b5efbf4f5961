"""Pages whose content is small in the file and vast when it is unpacked."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

import pikepdf
import pytest
from pikepdf import Array, Name

from recto.errors import PageTooLarge
from recto.ocr.pdf.content_size import MAX_CONTENT_BYTES, is_content_too_large
from recto.ocr.pdf.pdf_files import render_page
from tests.ocr.pdf.pdf_pages import page_of, saved, text

if TYPE_CHECKING:
    from pathlib import Path


def deflated_spaces(length: int) -> bytes:
    packing = zlib.compressobj(1)
    pieces = [packing.compress(b" " * min(1_000_000, length - start)) for start in range(0, length, 1_000_000)]
    return b"".join([*pieces, packing.flush()])


def test_page_whose_content_unpacks_to_too_much_is_refused_and_the_others_are_not(tmp_path: Path) -> None:
    pdf = page_of(text(20, 200, "A page"))
    pdf.pages.append(pdf.pages[0])
    pdf.pages[1].obj.Contents = pdf.make_stream(deflated_spaces(MAX_CONTENT_BYTES + 1), Filter=Name.FlateDecode)
    file = saved(pdf, tmp_path / "vast.pdf")
    assert render_page(file, 1, 50_000_000).pixels.min() == 0
    with pytest.raises(PageTooLarge, match="page 2 of the PDF"):
        render_page(file, 2, 50_000_000)


def test_streams_of_a_page_are_counted_together(tmp_path: Path) -> None:
    pdf = page_of("")
    half = pdf.make_stream(deflated_spaces(MAX_CONTENT_BYTES // 2), Filter=Name.FlateDecode)
    pdf.pages[0].obj.Contents = Array([half, half])
    assert not is_content_too_large(saved(pdf, tmp_path / "full.pdf").path, None, 0)
    pdf.pages[0].obj.Contents = Array([half, pdf.make_stream(b" "), half])
    assert is_content_too_large(saved(pdf, tmp_path / "over.pdf").path, None, 0)


@pytest.mark.parametrize("times", [2, 3])
def test_content_that_is_deflated_several_times_is_counted(tmp_path: Path, times: int) -> None:
    pdf = page_of("")
    for over, length in ((False, MAX_CONTENT_BYTES), (True, MAX_CONTENT_BYTES + 1)):
        packed = deflated_spaces(length)
        for _ in range(times - 1):
            packed = zlib.compress(packed, 9)
        pdf.pages[0].obj.Contents = pdf.make_stream(packed, Filter=Array([Name.FlateDecode] * times))
        file = saved(pdf, tmp_path / f"{over}.pdf")
        assert file.path.stat().st_size < MAX_CONTENT_BYTES // 100
        assert is_content_too_large(file.path, None, 0) is over


def test_content_of_an_encrypted_page_is_counted(tmp_path: Path) -> None:
    pdf = page_of("")
    pdf.pages[0].obj.Contents = pdf.make_stream(deflated_spaces(MAX_CONTENT_BYTES + 1), Filter=Name.FlateDecode)
    pdf.save(tmp_path / "locked.pdf", encryption=pikepdf.Encryption(user="geheim", owner="chef"))
    assert is_content_too_large(tmp_path / "locked.pdf", "geheim", 0)
    assert not is_content_too_large(tmp_path / "locked.pdf", "wrong", 0)


@pytest.mark.parametrize("length", [b"/Length /None", b"/Length [ ]", b"/Length 1.5", b"/Length null"])
def test_page_whose_content_states_no_length_is_drawn(tmp_path: Path, length: bytes) -> None:
    """As bytes, since pikepdf would mend it."""
    pdf = page_of(text(20, 200, "A page"))
    path = tmp_path / "page.pdf"
    pdf.save(path, compress_streams=False)
    stated = re.search(rb"/Length \d+(?= >>\nstream\nBT)", path.read_bytes())
    assert stated is not None
    path.write_bytes(path.read_bytes().replace(stated[0], length))
    assert not is_content_too_large(path, None, 0)
