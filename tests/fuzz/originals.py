"""Whole documents that are damaged afterwards: drawn in code, or read from a folder. Small, so that thousands can be read."""

import io
from functools import cache
from pathlib import Path
from typing import Final

import pikepdf
import pillow_heif
from PIL import Image, ImageDraw

from recto.ocr.media_types import sniff
from tests.drawing import DPI, font
from tests.ocr.images.tiffs import SHORT, TiffPage, tags_of, tiff

MOST_BYTES: Final = 400_000
"""Larger files of a folder are left out: they would take the time of many small ones."""

_LETTER_PT: Final = 9
_SIDES_PX: Final = (420, 160)


@cache
def drawn() -> dict[str, bytes]:
    """One document of every format that Recto reads, several of PDF and TIFF; equal bytes each time."""
    page = _page("Bread and salt", "on the table")
    documents = {
        **{f"drawn.{name}": _saved(page, name) for name in ("png", "jpeg", "webp", "jpeg2000", "bmp", "gif", "ppm")},
        "drawn-colour.png": _saved(page.convert("RGBA"), "png"),
        "drawn-palette.png": _saved(page.convert("P"), "png"),
        "drawn.avif": _saved(page.convert("RGB"), "avif", quality=80),
        "drawn.heic": _heic(page),
        "drawn-two-pages.tiff": _saved(page, "tiff", save_all=True, append_images=[_page("The second", "page")]),
        "drawn-fax.tiff": _saved(page.convert("1"), "tiff", compression="group4"),
        "drawn-jpeg.tiff": _saved(page.convert("RGB"), "tiff", compression="jpeg"),
        "drawn-strips.tiff": _striped_tiff(page),
        "drawn-big.tiff": _striped_tiff(page, big=True),
    }
    return documents | {f"drawn-{name}.pdf": content for name, content in _pdfs(page)}


def read_folder(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` up to MOST_BYTES that Recto takes for a document, by its path there."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size <= MOST_BYTES)
    contents = ((str(path.relative_to(folder)), path.read_bytes()) for path in files)
    return {name: content for name, content in contents if sniff(content)}


def _page(*lines: str) -> Image.Image:
    size_px = round(_LETTER_PT * DPI / 72)
    image = Image.new("L", _SIDES_PX, 255)
    ImageDraw.Draw(image).multiline_text((30, 30), "\n".join(lines), fill=0, font=font(size_px))
    return image


def _saved(image: Image.Image, image_format: str, **options: object) -> bytes:
    sink = io.BytesIO()
    image.save(sink, image_format, **options)
    return sink.getvalue()


def _heic(image: Image.Image) -> bytes:
    sink = io.BytesIO()
    pillow_heif.from_pillow(image.convert("RGB")).save(sink, quality=80)
    return sink.getvalue()


def _striped_tiff(image: Image.Image, *, big: bool = False) -> bytes:
    """Uncompressed, sixteen rows a strip: as scanners write it, and with tables of offsets to damage."""
    width_px, height_px = image.size
    rows = image.tobytes()
    strip_bytes = 16 * width_px
    strips = [rows[start : start + strip_bytes] for start in range(0, len(rows), strip_bytes)]
    tags = tags_of(width_px, height_px, (8,), 1) | {278: (SHORT, (16,))}
    return tiff([TiffPage(tags, strips)] * 2, big=big)


def _pdfs(page: Image.Image) -> list[tuple[str, bytes]]:
    return [
        ("scan", _pdf([_picture(page, "jpeg")])),
        ("three-scans", _pdf([_picture(page, "flate")] * 3)),
        ("text", _pdf([None])),
        ("text-and-scan", _pdf([None, _picture(page, "jpeg")], object_streams=True)),
    ]


def _picture(page: Image.Image, coding: str) -> pikepdf.Dictionary:
    width_px, height_px = page.size
    return pikepdf.Dictionary(
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Image,
        Width=width_px,
        Height=height_px,
        BitsPerComponent=8,
        ColorSpace=pikepdf.Name.DeviceGray,
        Coding=coding,
        Pixels=pikepdf.String(_saved(page, "jpeg") if coding == "jpeg" else page.tobytes()),
    )


def _pdf(pictures: list[pikepdf.Dictionary | None], *, object_streams: bool = False) -> bytes:
    """A page for each picture; None makes a page of text instead."""
    with pikepdf.new() as pdf:
        for picture in pictures:
            pdf.add_blank_page(page_size=(101, 39))
            _fill(pdf, pdf.pages[-1], picture)
        sink = io.BytesIO()
        modes = pikepdf.ObjectStreamMode
        pdf.save(
            sink,
            deterministic_id=True,
            compress_streams=object_streams,
            object_stream_mode=modes.generate if object_streams else modes.disable,
        )
        return sink.getvalue()


def _fill(pdf: pikepdf.Pdf, page: pikepdf.Page, picture: pikepdf.Dictionary | None) -> None:
    if picture is None:
        face = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        page.obj.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=pdf.make_indirect(face)))
        page.obj.Contents = pdf.make_stream(b"BT /F1 11 Tf 8 20 Td (Bread and salt) Tj 0 -13 Td (on the table) Tj ET")
        return
    described = pikepdf.Dictionary({key: value for key, value in picture.items() if key not in ("/Coding", "/Pixels")})
    stream = pdf.make_stream(bytes(picture.Pixels), described)
    if str(picture.Coding) == "jpeg":
        stream.Filter = pikepdf.Name.DCTDecode
    page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im1=stream))
    page.obj.Contents = pdf.make_stream(b"q 101 0 0 39 0 0 cm /Im1 Do Q")
