"""Forms that draw forms: few in the file, millions on the page."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from recto.errors import PageTooLarge
from recto.ocr.document_file import DocumentFile
from recto.ocr.pdf.form_nesting import draws_too_many_forms
from recto.ocr.pdf.pdf_files import render_page
from tests.ocr.pdf.pdf_pages import page_of, saved

BLACK = b"0 0 100 100 re f"


def nested(contents: Sequence[bytes], *, is_circle: bool = False, has_own: bool = True) -> pikepdf.Pdf:
    """A page that draws the first form; each finds the next as /Next, the last one the first if it `is_circle`."""
    pdf = page_of("/Next Do")
    forms = [
        pdf.make_stream(content, Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 100, 100]))
        for content in contents
    ]
    for form, following in zip(forms, [*forms[1:], forms[0]], strict=True):
        if has_own and (is_circle or form is not forms[-1]):
            form.Resources = Dictionary(XObject=Dictionary(Next=following))
    pdf.pages[0].obj.Resources.XObject.Next = forms[0]
    return pdf


def is_refused(pdf: pikepdf.Pdf, folder: Path) -> bool:
    return draws_too_many_forms(saved(pdf, folder / "page.pdf").path, None, 0)


@pytest.mark.parametrize(
    ("levels", "refused"), [(1, False), (10, False), (18, False), (19, True), (30, True), (200, True)]
)
def test_forms_that_draw_the_next_twice_are_counted(tmp_path: Path, levels: int, refused: bool) -> None:
    contents = [*[b"/Next Do /Next Do"] * (levels - 1), BLACK]
    assert is_refused(nested(contents), tmp_path) is refused


@pytest.mark.parametrize(("content", "refused"), [(b"/Next Do " * 2, True), (b"/Next Do", False), (BLACK, False)])
@pytest.mark.parametrize("has_own", [True, False], ids=["own resources", "the page's resources"])
def test_form_that_draws_itself_is_refused_where_that_multiplies(
    tmp_path: Path, content: bytes, refused: bool, has_own: bool
) -> None:
    assert is_refused(nested([content], is_circle=True, has_own=has_own), tmp_path) is refused


def test_form_drawn_often_in_a_row_is_no_nesting(tmp_path: Path) -> None:
    assert not is_refused(nested([b"/Next Do " * 5000, BLACK]), tmp_path)
    assert is_refused(nested([b"/Next Do " * 1000, b"/Next Do " * 1000, BLACK]), tmp_path)


def test_page_of_too_many_forms_is_refused_at_once_and_the_others_are_drawn(tmp_path: Path) -> None:
    pdf = nested([BLACK])
    pdf.pages.extend(nested([b"/Next Do /Next Do"], is_circle=True).pages)
    file = saved(pdf, tmp_path / "two.pdf")
    assert render_page(file, 1, 50_000_000).pixels.min() == 0
    started_s = time.monotonic()
    with pytest.raises(PageTooLarge, match="Page 2 of the PDF draws more than"):
        render_page(file, 2, 50_000_000)
    assert time.monotonic() - started_s < 1


def test_forms_of_a_locked_page_are_counted(tmp_path: Path) -> None:
    pdf = nested([b"/Next Do /Next Do"], is_circle=True)
    pdf.save(tmp_path / "locked.pdf", encryption=pikepdf.Encryption(user="geheim", owner="chef"))
    with pytest.raises(PageTooLarge):
        render_page(DocumentFile(tmp_path / "locked.pdf", "geheim"), 1, 50_000_000)
