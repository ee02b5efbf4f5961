"""Which text is taken out of a content stream, and that nothing else changes."""

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from recto.ocr.writers.pdf.invisible_text import take_out_invisible_text


def content_after(content: bytes, forms: dict[str, bytes] | None = None) -> bytes:
    """A page's content after the removal, its forms' contents behind it, white space made even."""
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page()
        page.obj.Resources = Dictionary(XObject=Dictionary())
        for name, data in (forms or {}).items():
            form = pdf.make_stream(data, Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 9, 9]))
            form.Resources = page.obj.Resources
            page.obj.Resources.XObject[name] = form
        page.obj.Contents = pdf.make_stream(content)
        take_out_invisible_text(pdf, page)
        streams = [page.obj.Contents, *page.obj.Resources.XObject.as_dict().values()]
        return b" ".join(b" ".join(stream.read_bytes().split()) for stream in streams)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"BT 3 Tr /F 9 Tf 1 2 Td (a) Tj ET", b"BT 3 Tr /F 9 Tf 1 2 Td ET"),
        (b"BT 3 Tr (a) Tj 0 Tr ET BT (b) Tj ET", b"BT 3 Tr 0 Tr ET BT (b) Tj ET"),
        (b"q 3 Tr BT (a) Tj ET Q BT (b) Tj ET", b"q 3 Tr BT ET Q BT (b) Tj ET"),
        (b"BT 3 Tr 9 TL (a) ' ET", b"BT 3 Tr 9 TL T* ET"),
        (b'BT 3 Tr 1 2 (a) " ET', b"BT 3 Tr 1 Tw 2 Tc T* ET"),
        (b"BT 3 Tr [(a) 5] TJ 0 Tr 5 0 Td (b) Tj ET", b"BT 3 Tr 0 Tr 5 0 Td (b) Tj ET"),
        (b"q BT 7 Tr (a) Tj ET Q 0 0 9 9 re f", b"q BT 7 Tr ET Q 0 0 9 9 re f"),
    ],
)
def test_invisible_text_goes_and_what_it_sets_stays(before: bytes, after: bytes) -> None:
    assert content_after(before) == after


@pytest.mark.parametrize(
    "content",
    [
        b"BT (a) Tj ET",
        b"BT 1 Tr (a) Tj ET",
        b"BT 3 Tr (a) Tj 0 Tr (b) Tj ET",  # (b) begins where (a) ends
        b"q BT 7 Tr (a) Tj ET 0 0 9 9 re f Q",  # painted through the letters
        b"q BT 7 Tr (a) Tj ET q 0 0 9 9 re f Q Q",
        b"3 Tr",
        b"BT 3 Tr (a",  # breaks off
    ],
)
def test_content_without_text_to_take_out_stays_as_it_is(content: bytes) -> None:
    assert content_after(content) == content


def test_form_takes_the_mode_in_which_it_is_drawn() -> None:
    assert content_after(b"3 Tr /A Do", {"/A": b"BT (a) Tj ET"}) == b"3 Tr /A Do BT ET"
    assert content_after(b"/A Do", {"/A": b"BT (a) Tj ET"}) == b"/A Do BT (a) Tj ET"


def test_form_that_draws_itself_comes_to_an_end() -> None:
    assert content_after(b"/A Do", {"/A": b"BT 3 Tr (a) Tj ET /A Do"}) == b"/A Do BT 3 Tr ET /A Do"
