from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from recto.ocr.media_types import ACCEPTED, FILE_NAME_ENDINGS, SNIFF_BYTES, kind, sniff, why_unsupported


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("TIFF", "image/tiff"),
        ("WEBP", "image/webp"),
        ("BMP", "image/bmp"),
        ("DIB", "image/bmp"),
        ("GIF", "image/gif"),
        ("PPM", "image/x-portable-anymap"),
        ("AVIF", "image/avif"),
        ("JPEG2000", "image/jp2"),
        ("PDF", "application/pdf"),
    ],
)
def test_sniff_of_a_written_file_names_its_type(name: str, media_type: str) -> None:
    file = BytesIO()
    Image.new("L", (8, 8)).save(file, format=name)
    assert sniff(file.getvalue()[:SNIFF_BYTES]) == media_type
    assert media_type in ACCEPTED


def test_sniff_of_a_bare_codestream_is_jpeg_2000_without_its_boxes() -> None:
    file = BytesIO()
    Image.new("L", (8, 8)).save(file, format="JPEG2000", no_jp2=True)
    assert sniff(file.getvalue()) == "image/j2c"


@pytest.mark.parametrize("mark", [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"])
def test_sniff_of_a_tiff_of_every_byte_order_and_width(mark: bytes) -> None:
    assert sniff(mark + b"\x08\0\0\0") == "image/tiff"


@pytest.mark.parametrize(
    ("major", "compatible", "media_type"),
    [
        (b"heic", b"mif1heic", "image/heic"),
        (b"heix", b"mif1heix", "image/heic"),
        (b"hevc", b"msf1hevc", "image/heic"),
        (b"mif1", b"mif1heic", "image/heif"),
        (b"msf1", b"msf1", "image/heif"),
        (b"mif1", b"mif1avifmiaf", "image/avif"),
        (b"avif", b"mif1avif", "image/avif"),
        (b"avis", b"msf1avis", "image/avif"),
        (b"isom", b"isommp42", None),
        (b"qt  ", b"qt  ", None),
    ],
)
def test_sniff_of_an_iso_media_file_goes_by_its_brands(major: bytes, compatible: bytes, media_type: str | None) -> None:
    box = (16 + len(compatible)).to_bytes(4, "big") + b"ftyp" + major + b"\0\0\0\0" + compatible
    assert sniff(box + b"\0\0\0\x10metaavif") == media_type


@pytest.mark.parametrize(
    "head",
    [
        b"P1\n# a comment\n3 2\n0 1 0\n1 0 1\n",
        b"P1 3 2 010101",
        b"P2\n3 2\n255\n0 1 2\n3 4 5\n",
        b"P3 1 1 255 10 20 30\n",
        b"P4\n8 2\n\xff\x00",
        b"P5\n# made by hand\n3 2\n255\nabcdef",
        b"P5 3 2 255\nabcdef",
        b"P6\r\n1 1 255\r\nabc",
        b"Pf\n2 1\n-1.0\n\0\0\0\0\0\0\0\0",
    ],
)
def test_sniff_of_a_portable_anymap_is_one(head: bytes) -> None:
    assert sniff(head) == "image/x-portable-anymap"


@pytest.mark.parametrize("header_bytes", [40, 52, 56, 64, 108, 124])
@pytest.mark.parametrize("file_header", [b"", b"BM" + bytes(12), b"BM" + b"\1" * 12])
def test_sniff_of_a_bitmap_knows_every_header(header_bytes: int, file_header: bytes) -> None:
    header = header_bytes.to_bytes(4, "little") + b"\x10\0\0\0\x10\0\0\0\1\0\x18\0" + bytes(header_bytes - 16)
    assert sniff(file_header + header) == "image/bmp"


def test_sniff_of_an_os2_bitmap_is_a_bitmap() -> None:
    assert sniff(b"BM" + bytes(12) + b"\x0c\0\0\0\x10\0\x10\0\1\0\x18\0") == "image/bmp"


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"hello",
        b"PK\x03\x04",
        b"\x00" * 64,
        b"<html>",
        b"BM is how this letter begins",
        b"P5",
        b"P5 is the shelf that the books stand on, and 3 2 255 are numbers",
        b"P1 10 20 were the pages that I read",
        b"P2 1 1 255 and so on",
        b"P4 letters came on 12 10 and 13 10",
        b"P6 2024 10 31 the day of the meeting",
        b"P7\nWIDTH 1\nHEIGHT 1\n",
        b"II* is a mark",
        b"MM, dear",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"\0\0\0\x08ftyp",
    ],
)
def test_sniff_of_anything_else_is_none(head: bytes) -> None:
    assert sniff(head) is None


def test_sniff_of_a_pdf_behind_other_bytes_finds_its_header() -> None:
    assert sniff(b"\n" * 1000 + b"%PDF-1.7") == "application/pdf"


@given(st.binary(max_size=80), st.sampled_from([b"", b"P5 ", b"BM", b"\0\0\0\x18ftyp", b"RIFF", b"P1\n", b"(\0\0\0"]))
def test_sniff_of_any_bytes_is_a_type_or_none(tail: bytes, mark: bytes) -> None:
    assert sniff(mark + tail) in {None, *ACCEPTED}
    assert why_unsupported(mark + tail)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"PK\x03\x04\x14\0\6\0", "office document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office document"),
        (b"{\\rtf1\\ansi", "RTF"),
        (b"%!PS-Adobe-3.0", "PostScript"),
        (b"AT&TFORM\0\0", "DjVu"),
        (b"8BPS\0\1", "Photoshop"),
        (b"\xff\x0a\xfa", "JPEG XL"),
        (b"P7\nWIDTH 1\n", "PAM"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- made by hand -->\n<svg>", "SVG"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"\n  <HTML>", "HTML"),
        (b"<?xml version='1.0'?><alto/>", "XML"),
        (b"Dear Sir or Madam,", "text already"),
        ("Grüße aus Köln".encode() * 100, "text already"),
        (b"Dear Sir or Madam, caf\xc3", "none of the documents"),
        (b"\xff", "none of the documents"),
        (b"\x01\x02\xfe\x00", "none of the documents"),
    ],
)
def test_why_unsupported_says_what_it_is_and_what_is_read(head: bytes, kind: str) -> None:
    assert sniff(head[:SNIFF_BYTES]) is None
    assert kind in why_unsupported(head[:SNIFF_BYTES])
    assert "PDF, PNG, JPEG, TIFF" in why_unsupported(head[:SNIFF_BYTES])


def test_text_that_is_cut_within_a_letter_is_text() -> None:
    assert all(
        "text already" in why_unsupported((b"x" * shift + "ü".encode() * SNIFF_BYTES)[:SNIFF_BYTES]) for shift in (0, 1)
    )


def test_kind_of_a_document_is_the_name_that_people_use() -> None:
    assert [kind("image/x-portable-anymap"), kind("application/pdf"), kind("text/plain")] == [
        "PNM",
        "PDF",
        "text/plain",
    ]


def test_file_name_endings_begin_with_a_point() -> None:
    assert all(ending.startswith(".") and ending == ending.lower() for ending in FILE_NAME_ENDINGS)
