"""What tells one PDF that Recto has written from another."""

import io
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from PIL import Image

from recto.ocr.writers.pdf.file_identifier import IDENTIFIER_BYTES, set_identifier
from tests.drawing import LINES, draw_page
from tests.ocr.writers.pdf.samples import page_of, recognised, written


def identifier_of(pdf: bytes | Path) -> list[bytes]:
    with pikepdf.open(pdf if isinstance(pdf, Path) else io.BytesIO(pdf)) as opened:
        return [bytes(part) for part in opened.trailer.ID.as_list()]


def saved(path: Path, own: bytes | None = None, **how: Any) -> Path:
    """A PDF of one empty page, with or without an identifier of its own."""
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(400, 500))
        if own is not None:
            pdf.trailer.ID = pikepdf.Array([pikepdf.String(own), pikepdf.String(b"second")])
        pdf.save(path, **how)
    return path


def test_pdf_of_an_image_has_twice_its_own(tmp_path: Path) -> None:
    image = tmp_path / "scan.png"
    Image.new("L", (400, 500), 255).save(image)
    first, second = identifier_of(written([page_of([], 400, 500)], image))
    assert first == second
    assert len(first) == IDENTIFIER_BYTES
    assert first not in identifier_of(written([recognised(draw_page(), LINES)], image))


@pytest.mark.parametrize("object_streams", [pikepdf.ObjectStreamMode.disable, pikepdf.ObjectStreamMode.generate])
@pytest.mark.parametrize("own", [b"\x01first\xff", bytes.fromhex("31415926535897932384626433832795")])
def test_first_part_of_a_documents_identifier_stays_and_the_second_follows_the_text(
    tmp_path: Path, own: bytes, object_streams: pikepdf.ObjectStreamMode
) -> None:
    source = saved(tmp_path / "source.pdf", own=own, object_stream_mode=object_streams)
    drawn = draw_page()
    empty, full, again = (
        identifier_of(written([page], source))
        for page in (page_of([], 400, 500), recognised(drawn, LINES), recognised(drawn, LINES))
    )
    assert empty[0] == full[0] == own
    assert full == again
    assert len({empty[1], full[1], b"second", own}) == 4


def test_only_what_qpdf_has_written_for_its_tests_is_replaced(tmp_path: Path) -> None:
    before = saved(tmp_path / "random.pdf").read_bytes()
    with pytest.raises(RuntimeError, match="identifier"):
        set_identifier(io.BytesIO(before), bytes(IDENTIFIER_BYTES), keep_first=False)
    with pytest.raises(RuntimeError, match="startxref"):
        set_identifier(io.BytesIO(before[:-20]), bytes(IDENTIFIER_BYTES), keep_first=False)
