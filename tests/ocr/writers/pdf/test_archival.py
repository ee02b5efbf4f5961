"""PDF/A-2b: approved by pikepdf's own check, with the document's look and text, or refused with what stands against it."""

import io
import time
from collections.abc import Iterable
from pathlib import Path

import pikepdf
import pytest
from fpdf import FPDF
from pikepdf import Array, Dictionary, Encryption, Name, pdfa
from PIL import Image

from recto.errors import PdfaNotPossible
from recto.ocr.document_file import DocumentFile
from recto.ocr.page import Page
from recto.ocr.writers.pdf.archival import write_pdfa
from recto.ocr.writers.pdf.xmp import NAMESPACE
from tests.drawing import DPI, LINES, draw_page, save_pdf, save_tiff
from tests.ocr.writers.pdf.samples import CREATED, document, pdfium_text, recognised, same_look, written


def archived(pages: Iterable[Page], path: Path, page_count: int = 1, password: str | None = None) -> bytes:
    sink = io.BytesIO()
    write_pdfa(document(page_count), pages, DocumentFile(path, password), sink)
    return sink.getvalue()


def is_approved(pdf: bytes) -> bool:
    return pdfa.validate_written(io.BytesIO(pdf), "2b").passed


def read(number: int = 1) -> Page:
    return recognised(draw_page(), LINES, number=number)


def image(path: Path) -> Path:
    Image.fromarray(draw_page().pixels).save(path, dpi=(DPI, DPI))
    return path


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_image_becomes_an_approved_pdfa_with_its_text(tmp_path: Path, suffix: str) -> None:
    pdf = archived([read()], image(tmp_path / f"page.{suffix}"))
    assert is_approved(pdf)
    assert LINES[0] in pdfium_text(pdf)


def test_pages_of_a_tiff_and_of_a_scanned_pdf_become_an_approved_pdfa(tmp_path: Path) -> None:
    pixels = draw_page().pixels
    for path in (save_tiff(tmp_path / "two.tif", [pixels] * 2), save_pdf(tmp_path / "two.pdf", [pixels] * 2)):
        pdf = archived([read(1), read(2)], path, 2)
        assert is_approved(pdf)
        assert LINES[0] in pdfium_text(pdf, 2)


def test_scanned_pdf_looks_as_before(tmp_path: Path) -> None:
    path = save_pdf(tmp_path / "scan.pdf", [draw_page().pixels])
    assert same_look(path.read_bytes(), archived([read()], path))


def test_provenance_and_time_are_in_the_metadata(tmp_path: Path) -> None:
    with (
        pikepdf.open(io.BytesIO(archived([read()], image(tmp_path / "page.png")))) as pdf,
        pdf.open_metadata(set_pikepdf_as_editor=False) as metadata,
    ):
        told = " ".join(metadata["dc:contributor"])
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("2", "B")
        assert metadata["xmp:MetadataDate"] == CREATED
    for expected in ("Recto 1.2.3", "drawn 1.0", "eng sha256:abab", '"mode": "auto"'):
        assert expected in told


def test_pdfa_that_is_read_again_still_conforms_and_says_so_once(tmp_path: Path) -> None:
    path = tmp_path / "archived.pdf"
    path.write_bytes(archived([read()], image(tmp_path / "page.png")))
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
            metadata["dc:contributor"] = {*metadata["dc:contributor"], "A. Scanner", "Engine: older 0.9 (1 page)"}
        pdf.save(path)
    again = recognised(draw_page(), LINES, text_layer="ignored")
    for result in (written([again], path), archived([again], path)):
        assert is_approved(result)
        assert pdfium_text(result).count(LINES[0]) == 1
        with pikepdf.open(io.BytesIO(result)) as pdf:
            assert NAMESPACE.encode() not in pdf.Root.Metadata.read_bytes()
            with pdf.open_metadata(set_pikepdf_as_editor=False) as metadata:
                told = sorted(metadata["dc:contributor"])
                assert metadata["pdfaid:part"] == "2"
        assert [text for text in told if text.startswith("Engine")] == ["Engine: drawn 1.0 (1 page)"]
        assert "A. Scanner" in told
        assert "TextLayer: ignored (1 page)" in told


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    """Also in another second: pikepdf would write the time and an /ID of its own."""
    path = image(tmp_path / "page.png")
    first = archived([read()], path)
    time.sleep(1.1)
    assert archived([read()], path) == first


def test_what_shows_nothing_is_taken_out(tmp_path: Path) -> None:
    path = tmp_path / "scan.pdf"
    save_pdf(path, [draw_page().pixels])
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.Root.OpenAction = Array([pdf.pages[0].obj, Name.Fit])
        pdf.pages[0].obj.Thumb = pdf.make_stream(b"", Width=1, Height=1)
        pdf.trailer["/DocChecksum"] = pikepdf.Name("/0011")
        pdf.save(path)
    assert is_approved(archived([read()], path))


def test_document_with_a_font_that_is_not_embedded_is_refused_with_the_reason(tmp_path: Path) -> None:
    typed = FPDF()
    typed.add_page()
    typed.set_font("Helvetica", size=12)
    typed.cell(text="Typed, and not embedded")
    typed.output(str(tmp_path / "typed.pdf"))
    with pytest.raises(PdfaNotPossible, match="not embedded") as caught:
        archived([], tmp_path / "typed.pdf")
    assert caught.value.members["findings"]


def test_encrypted_document_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.pdf"
    save_pdf(path, [draw_page().pixels])
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.save(path, encryption=Encryption(owner="owner", user="user"))
    with pytest.raises(PdfaNotPossible, match="encrypted"):
        archived([read()], path, password="user")


def test_form_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "form.pdf"
    save_pdf(path, [draw_page().pixels])
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.Root.AcroForm = Dictionary(Fields=Array([]))
        pdf.save(path)
    with pytest.raises(PdfaNotPossible, match="form"):
        archived([read()], path)


def test_jpeg_2000_is_refused_since_its_check_does_not_judge_it(tmp_path: Path) -> None:
    with pytest.raises(PdfaNotPossible, match="JPEG 2000"):
        archived([read()], image(tmp_path / "scan.jp2"))
