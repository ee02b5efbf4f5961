"""Pages of a PDF that PDFium leaves empty because their data are damaged, and pages that are blank in truth."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from recto.errors import PageDamaged
from recto.ocr.pdf.pdf_files import render_page
from tests.drawing import LINES, blank_page, draw_page
from tests.ocr.pdf.pdf_pages import page_of, saved, text

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray

PAGE_PX = 50_000_000
SCAN = "q 400 0 0 300 0 0 cm /I Do Q\n"
PRINT = draw_page(LINES[:4]).pixels


def encoded(pixels: GreyArray, kind: str) -> tuple[bytes, dict[str, object]]:
    """An image's data as they stand in a PDF, and the entries that say so."""
    height, width = pixels.shape
    image, stream = Image.fromarray(pixels), io.BytesIO()
    grey = {"ColorSpace": Name.DeviceGray, "BitsPerComponent": 8, "Width": width, "Height": height}
    if kind == "flate":
        return zlib.compress(pixels.tobytes()), grey | {"Filter": Name.FlateDecode}
    if kind == "jpeg":
        image.save(stream, "JPEG", quality=90)
        return stream.getvalue(), grey | {"Filter": Name.DCTDecode}
    if kind == "jpeg 2000":
        image.save(stream, "JPEG2000")
        return stream.getvalue(), grey | {"Filter": Name.JPXDecode}
    image.point(lambda value: 255 * (value > 127)).convert("1").save(stream, "TIFF", compression="group4")
    stream.seek(0)
    with TiffImageFile(stream) as tiff:
        start, length = tiff.tag_v2[273][0], tiff.tag_v2[279][0]
    parameters = Dictionary(K=-1, Columns=width, Rows=height, BlackIs1=True)
    more = {"BitsPerComponent": 1, "Filter": Name.CCITTFaxDecode, "DecodeParms": parameters}
    return stream.getvalue()[start : start + length], grey | more


def scan(pixels: GreyArray, kind: str, twist: Callable[[bytes], bytes] = bytes, content: str = SCAN) -> pikepdf.Pdf:
    pdf = page_of(content)
    data, entries = encoded(pixels, kind)
    image = pdf.make_stream(twist(data), Type=Name.XObject, Subtype=Name.Image)
    for key, value in entries.items():
        image["/" + key] = value
    pdf.pages[0].obj.Resources.XObject.I = image
    return pdf


def is_damaged(pdf: pikepdf.Pdf, folder: Path, number: int = 1) -> bool:
    try:
        render_page(saved(pdf, folder / "page.pdf"), number, PAGE_PX)
    except PageDamaged:
        return True
    return False


def cut_to(share: float) -> Callable[[bytes], bytes]:
    return lambda data: data[: round(len(data) * share)]


def without_head(data: bytes) -> bytes:
    return bytes(40) + data[40:]


KINDS = ("flate", "jpeg", "jpeg 2000", "group 4")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pixels", [PRINT, blank_page(1200, 900)], ids=["print", "blank"])
def test_page_whose_picture_is_whole_is_rendered(tmp_path: Path, kind: str, pixels: GreyArray) -> None:
    assert not is_damaged(scan(pixels, kind), tmp_path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_page_whose_picture_breaks_off_is_damaged(tmp_path: Path, kind: str, share: float) -> None:
    assert is_damaged(scan(PRINT, kind, cut_to(share)), tmp_path)


@pytest.mark.parametrize("kind", ["flate", "jpeg", "jpeg 2000"])
def test_page_whose_picture_cannot_be_decoded_is_damaged(tmp_path: Path, kind: str) -> None:
    assert is_damaged(scan(PRINT, kind, without_head), tmp_path)


def test_page_whose_picture_cannot_be_decoded_is_damaged_also_under_a_stamp(tmp_path: Path) -> None:
    content = SCAN + text(300, 280, "Page 7")
    assert is_damaged(scan(PRINT, "jpeg", without_head, content), tmp_path)


def test_page_whose_logo_cannot_be_decoded_is_rendered(tmp_path: Path) -> None:
    content = text(20, 250, "A letter") + "q 40 0 0 30 340 260 cm /I Do Q"
    assert not is_damaged(scan(PRINT, "jpeg", without_head, content), tmp_path)


def test_picture_that_lacks_its_end_mark_or_checksum_alone_is_whole(tmp_path: Path) -> None:
    assert not is_damaged(scan(blank_page(1200, 900), "flate", lambda data: data[:-4]), tmp_path)
    assert not is_damaged(scan(PRINT, "jpeg", lambda data: data[:-2]), tmp_path)


def test_page_whose_picture_is_gone_is_damaged(tmp_path: Path) -> None:
    pdf = page_of(SCAN)
    del pdf.pages[0].obj.Resources.XObject.I
    assert is_damaged(pdf, tmp_path)


def test_page_whose_form_draws_a_picture_that_is_gone_is_damaged(tmp_path: Path) -> None:
    pdf = page_of("/X Do")
    pdf.pages[0].obj.Resources.XObject.X = pdf.make_stream(
        SCAN.encode(), Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 400, 300]),
        Resources=Dictionary(XObject=Dictionary()),
    )  # fmt: skip
    assert is_damaged(pdf, tmp_path)


def test_page_whose_pictures_are_those_of_the_page_tree_is_blank(tmp_path: Path) -> None:
    pdf = scan(blank_page(1200, 900), "jpeg")
    pdf.Root.Pages.Resources = pdf.pages[0].obj.Resources
    del pdf.pages[0].obj.Resources
    assert not is_damaged(pdf, tmp_path)


def test_page_whose_content_breaks_off_is_damaged(tmp_path: Path) -> None:
    pdf = page_of("BT /F 12 Tf 1 0 0 1 20 20 Tm (never ends")
    assert is_damaged(pdf, tmp_path)


@pytest.mark.parametrize("content", ["BI EI", "[ Tf ] n"], ids=["picture without parts", "operator as operand"])
def test_page_whose_content_makes_no_sense_is_damaged(tmp_path: Path, content: str) -> None:
    assert is_damaged(page_of(content), tmp_path)


def test_page_whose_compressed_content_breaks_off_is_damaged(tmp_path: Path) -> None:
    pdf = page_of("")
    data = zlib.compress(text(20, 200, "Some words of a page").encode())
    pdf.pages[0].obj.Contents = pdf.make_stream(data[:12], Filter=Name.FlateDecode)
    assert is_damaged(pdf, tmp_path)


def test_page_whose_content_is_no_stream_is_damaged(tmp_path: Path) -> None:
    pdf = page_of("")
    pdf.pages[0].obj.Contents = Name.Nothing
    assert is_damaged(pdf, tmp_path)


def test_page_without_content_is_blank(tmp_path: Path) -> None:
    pdf = page_of("")
    pdf.add_blank_page()
    del pdf.pages[0].obj.Contents
    assert not is_damaged(pdf, tmp_path)
    assert not is_damaged(pdf, tmp_path, 2)


def test_page_with_an_empty_compressed_content_is_blank(tmp_path: Path) -> None:
    pdf = page_of("")
    pdf.pages[0].obj.Contents = pdf.make_stream(b"", Filter=Name.FlateDecode)
    assert not is_damaged(pdf, tmp_path)


def test_pages_of_a_file_that_was_cut_off_are_damaged_and_the_others_rendered(tmp_path: Path) -> None:
    pdf = scan(PRINT, "jpeg")
    pdf.pages.extend(scan(draw_page(LINES[4:]).pixels, "jpeg").pages)
    file = saved(pdf, tmp_path / "whole.pdf")
    content = file.path.read_bytes()
    file.path.write_bytes(content[: content.rindex(b"\xff\xd8\xff")])
    render_page(file, 1, PAGE_PX)
    with pytest.raises(PageDamaged, match="Page 2 "):
        render_page(file, 2, PAGE_PX)
