"""Keeps visible text that reads as garbage from being searched and copied, without a change to how it looks.

The page's content becomes one marked span without text (ActualText, ISO 32000-1, 14.9.4). poppler takes that from the tag Span; PDFium
passes over an empty ActualText, and drops what is marked with one of control characters only, here under a tag that poppler does not
look at. pdfminer and pdfplumber heed neither, nor does PDFium for text in form XObjects: there the garbage stands beside the new layer.
"""

from typing import Final

from pikepdf import (
    ContentStreamInstruction,
    Dictionary,
    Name,
    Operator,
    Page,
    Pdf,
    String,
    unparse_content_stream,
)

_NOTHING: Final = ((Name.Span, ""), (Name("/RectoGarbled"), "\x00\x01"))


def hide_text_from_readers(pdf: Pdf, page: Page) -> None:
    """For the content that the page has now: what is added afterwards is read."""
    begin = [
        ContentStreamInstruction([tag, Dictionary(ActualText=_utf16(text))], Operator("BDC")) for tag, text in _NOTHING
    ]
    end = [ContentStreamInstruction([], Operator("EMC")) for _ in _NOTHING]
    page.contents_add(pdf.make_stream(unparse_content_stream(begin)), prepend=True)
    page.contents_add(pdf.make_stream(unparse_content_stream(end)))


def _utf16(text: str) -> String:
    return String(b"\xfe\xff" + text.encode("utf-16-be")) if text else String("")
