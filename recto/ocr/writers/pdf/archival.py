"""Searchable PDF/A-2b: the searchable PDF made fit for archives by pikepdf, which approves only what it has recognised as conforming.

Nothing is converted: no font is embedded, no colour changed. Scans and images nearly always pass; a born-digital document passes where its
producer has embedded all fonts. What is taken out shows nothing: thumbnails, transitions, the action on opening, producers' private
entries. PDF/A-2 is ISO 19005-2; level b asks for its looks to be reproducible.
"""

import logging
import tempfile
from collections.abc import Iterable
from typing import BinaryIO, Final

import pikepdf
from pikepdf import Name, Pdf, pdfa

from recto.errors import PdfaNotPossible
from recto.ocr.document_file import DocumentFile
from recto.ocr.page import Document, Page
from recto.ocr.writers.pdf.writer import copy_out, write_pdf
from recto.ocr.writers.pdf.xmp import add_contributors, provenance_lines

# The check opens embedded fonts with it; what it remarks on their dates concerns nobody here.
logging.getLogger("fontTools").setLevel(logging.ERROR)

_FLAVOUR: Final = "2b"
_TRAILER_KEYS: Final = frozenset({"/Root", "/Info", "/ID", "/Size", "/Prev", "/XRefStm", "/Encrypt"})
_SHOWN: Final = 3


def write_pdfa(document: Document, pages: Iterable[Page], file: DocumentFile, sink: BinaryIO) -> None:
    """PdfaNotPossible, naming what stands against it, where the document cannot be one; else raises what `write_pdf` raises."""
    with tempfile.TemporaryFile() as searchable, tempfile.TemporaryFile() as ready:
        write_pdf(document, pages, file, searchable)
        with pikepdf.open(searchable, password=file.password or "") as pdf:
            if pdf.is_encrypted:
                raise PdfaNotPossible("A PDF/A may not be encrypted. Send a copy that was saved without a password.")
            _prepare(pdf, document.created)
            _save(pdf, ready)
        copy_out(ready, sink)


def _prepare(pdf: Pdf, created: str) -> None:
    lines = provenance_lines(pdf)
    _take_out_what_shows_nothing(pdf)
    pdfa.prepare(pdf, _FLAVOUR)
    with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
        add_contributors(metadata, lines)
        metadata["xmp:MetadataDate"] = created


def _save(pdf: Pdf, ready: BinaryIO) -> None:
    try:
        pdfa.save(pdf, ready, _FLAVOUR, output_intent=None, repair=False, deterministic_id=True)
    except pdfa.PdfaError as error:
        found = list(dict.fromkeys(finding.message for finding in error.report.findings))
        more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise PdfaNotPossible(
            f"The document cannot be made a PDF/A-2b as it is: {'; '.join(found[:_SHOWN])}{more}. Take the searchable PDF, or save the "
            "document as PDF/A in the program that made it and send that.",
            findings=found,
        ) from error


def _take_out_what_shows_nothing(pdf: Pdf) -> None:
    for key in set(pdf.trailer.keys()) - _TRAILER_KEYS:
        del pdf.trailer[key]
    for name in (Name.OpenAction, Name.PieceInfo):
        if name in pdf.Root:
            del pdf.Root[name]
    for page in pdf.pages:
        for name in (Name.Thumb, Name.Trans, Name.PieceInfo):
            if name in page.obj:
                del page.obj[name]
