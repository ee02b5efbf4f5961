"""PDF pages written by hand: content streams in Helvetica, which PDFium brings along, and letters of other scripts in its glyphs."""

from collections.abc import Mapping
from pathlib import Path

import pikepdf
from pikepdf import Array, Dictionary, Name

from recto.ocr.document_file import DocumentFile

WIDTH_PT, HEIGHT_PT = 400, 300


def text(x: float, y: float, words: str, size: float = 12, more: str = "") -> str:
    """Operators that write words at that place, in points from the lower left corner."""
    return f"BT {more} /F {size} Tf 1 0 0 1 {x} {y} Tm ({words}) Tj ET\n"


def picture(pdf: pikepdf.Pdf, width_px: int = 60, height_px: int = 60) -> pikepdf.Object:
    """A black image."""
    return pdf.make_stream(
        bytes(width_px * height_px), Type=Name.XObject, Subtype=Name.Image, Width=width_px, Height=height_px,
        ColorSpace=Name.DeviceGray, BitsPerComponent=8,
    )  # fmt: skip


def page_of(content: str, letters: Mapping[str, str] | None = None) -> pikepdf.Pdf:
    """One page of WIDTH_PT x HEIGHT_PT with /F Helvetica and an image /I.

    `letters` gives for a letter of the content what its glyph stands for: the font's /ToUnicode.
    """
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(WIDTH_PT, HEIGHT_PT))
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, Encoding=Name.WinAnsiEncoding)
    if letters:
        font.ToUnicode = pdf.make_stream(_to_unicode(letters).encode())
    page = pdf.pages[0].obj
    page.Resources = Dictionary(Font=Dictionary(F=font), XObject=Dictionary(I=picture(pdf)))
    page.Contents = pdf.make_stream(content.encode("latin-1"))
    return pdf


def saved(pdf: pikepdf.Pdf, path: Path) -> DocumentFile:
    pdf.save(path)
    return DocumentFile(path)


def add_annotation(
    pdf: pikepdf.Pdf, rect: tuple[float, float, float, float], content: str, **more: object
) -> pikepdf.Object:
    """An annotation on the first page, with an appearance of that content."""
    page = pdf.pages[0].obj
    size = rect[2] - rect[0], rect[3] - rect[1]
    look = pdf.make_stream(
        content.encode(), Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, *size]), Resources=page.Resources
    )
    annotation = pdf.make_indirect(
        Dictionary(
            {"/Type": Name.Annot, "/Rect": Array(rect), "/F": 4, "/AP": Dictionary(N=look)}
            | {f"/{key}": value for key, value in more.items()}
        )
    )
    page.Annots = Array([*page.get("/Annots", []), annotation])
    return annotation


def _to_unicode(letters: Mapping[str, str]) -> str:
    lines = [f"<{ord(code):02x}> <{meaning.encode('utf-16-be').hex()}>" for code, meaning in letters.items()]
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Made def /CMapType 2 def\n"
        "1 begincodespacerange <00> <ff> endcodespacerange\n"
        f"{len(lines)} beginbfchar\n" + "\n".join(lines) + "\nendbfchar\nendcmap end end\n"
    )  # fmt: skip
