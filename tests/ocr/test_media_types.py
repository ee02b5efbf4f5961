from io import BytesIO

import pytest
from PIL import Image

from recto.ocr.media_types import ACCEPTED, SNIFF_BYTES, sniff


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("TIFF", "image/tiff"),
        ("WEBP", "image/webp"),
        ("BMP", "image/bmp"),
        ("GIF", "image/gif"),
        ("PDF", "application/pdf"),
    ],
)
def test_sniff_of_a_written_file_names_its_type(name: str, media_type: str) -> None:
    file = BytesIO()
    Image.new("L", (8, 8)).save(file, format=name)
    assert sniff(file.getvalue()[:SNIFF_BYTES]) == media_type
    assert media_type in ACCEPTED


@pytest.mark.parametrize(
    "head", [b"", b"hello", b"PK\x03\x04", b"\x00" * 64, b"<html>", b"BM is how this letter begins"]
)
def test_sniff_of_anything_else_is_none(head: bytes) -> None:
    assert sniff(head) is None


def test_sniff_of_a_pdf_behind_other_bytes_finds_its_header() -> None:
    assert sniff(b"\n" * 1000 + b"%PDF-1.7") == "application/pdf"
