"""Searchable PDF: the document as it was sent, with an invisible text layer on the pages that were read.

A PDF keeps its objects. What is added is one content stream a page, one font, and provenance in the XMP metadata; an old invisible
layer is taken out where the page was read anew. Images become pages without being encoded again wherever a PDF can hold them as
they are (image_pages.py).

- Visible text keeps its own layer: words that were read from it are left out, unless that layer is garbage, which is then hidden from
  readers as far as they let it (garbled_text.py).
- An invisible layer that was taken at its word stays, until people have corrected the page: then all its words are written anew.
- An encrypted PDF stays encrypted, with the same passwords and permissions. Its bytes then differ from run to run (AES begins with
  random bytes); those of every other document are the same for equal input.
- A signature cannot outlive a change of the file. Its field and what that shows stay; the value, which would now be reported as a
  broken signature, is removed.
"""

import shutil
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import BinaryIO, Final

import pikepdf
from pikepdf import Name, ObjectStreamMode, Pdf, StreamDecodeLevel

from recto.errors import DocumentDamaged, DocumentEncrypted
from recto.ocr.document_file import DocumentFile
from recto.ocr.media_types import sniff_file
from recto.ocr.page import Document, Line, Page
from recto.ocr.pdf.pdf_files import opened
from recto.ocr.writers.pdf.file_identifier import IDENTIFIER_BYTES, set_identifier
from recto.ocr.writers.pdf.garbled_text import hide_text_from_readers
from recto.ocr.writers.pdf.image_pages import image_pdf
from recto.ocr.writers.pdf.invisible_text import take_out_invisible_text
from recto.ocr.writers.pdf.layers import TextLayers
from recto.ocr.writers.pdf.page_space import pixels_to_user_space
from recto.ocr.writers.pdf.signatures import end_signatures
from recto.ocr.writers.pdf.visible_text import VisibleText
from recto.ocr.writers.pdf.xmp import Provenance

_NEW_VERSION: Final = "1.6"
"""Of PDFs made from images: has JPEG 2000, 16 bits a colour, and units larger than a point."""
_READ_ANEW: Final = ("garbled", "ignored")


def write_pdf(document: Document, pages: Iterable[Page], file: DocumentFile, sink: BinaryIO) -> None:
    """See the module. DocumentEncrypted or DocumentDamaged where a PDF does not open; DocumentDamaged where a page is not in it."""
    with tempfile.TemporaryFile() as ready:
        if sniff_file(file.path) == "application/pdf":
            with _opened(file) as pdf:
                _write_with_layers(pdf, document, pages, file, ready)
        else:
            with image_pdf(file, document.page_count, pages) as (pdf, read):
                _write_with_layers(pdf, document, read, file, ready, is_new=True)
        copy_out(ready, sink)


def copy_out(ready: BinaryIO, sink: BinaryIO) -> None:
    """A finished file into a sink that cannot seek: pikepdf and qpdf write back and forth."""
    ready.seek(0)
    shutil.copyfileobj(ready, sink)


def _write_with_layers(
    pdf: Pdf, document: Document, pages: Iterable[Page], file: DocumentFile, ready: BinaryIO, *, is_new: bool = False
) -> None:
    """`pdf` is the `file` as it was sent, or `is_new`: made of it."""
    with ExitStack() as held:
        layers, provenance = TextLayers(pdf), Provenance()
        visible: VisibleText | None = None
        for page in pages:
            provenance.add(page)
            pdf_page = _page_of(pdf, page.number)
            to_user_space = pixels_to_user_space(pdf_page, page.width_px, page.height_px)
            is_mended = page.text_layer == "used" and page.corrections > 0
            blocks = _all(page) if is_mended else _recognised(page)
            if page.text_layer in _READ_ANEW or is_mended:
                take_out_invisible_text(pdf, pdf_page)
            if page.text_layer == "garbled":
                hide_text_from_readers(pdf, pdf_page)
            elif page.text_layer == "ignored" or is_mended:
                visible = visible or VisibleText(held.enter_context(opened(file))[0])
                blocks = visible.blocks_beside(blocks, page.number, to_user_space)
            layers.add(pdf_page, blocks, to_user_space)
        layers.finish()
        end_signatures(pdf)
        provenance.write(pdf, document, describe=is_new)
        layers.sha256.update(repr(document).encode())
        _save(pdf, ready, _NEW_VERSION if is_new else "", layers.sha256.digest()[:IDENTIFIER_BYTES])


def _recognised(page: Page) -> Iterator[Sequence[Line]]:
    """The lines of each block that was read from pixels: the rest is in the page already."""
    return (block.lines for block in page.blocks if block.origin == "recognised")


def _all(page: Page) -> Iterator[Sequence[Line]]:
    return (block.lines for block in page.blocks)


def _save(pdf: Pdf, ready: BinaryIO, least_version: str, identifier: bytes) -> None:
    # Object streams came with PDF 1.5. An older document may be a PDF/A-1, which may not have them.
    is_modern = max(pdf.pdf_version, least_version) >= "1.5"
    if Name.Size not in pdf.trailer:
        # qpdf sets it to what it should be, but only where there is one: a trailer that it had to make up has none.
        pdf.trailer.Size = 1
    with warnings.catch_warnings():
        # Form fields that a document has outside of its form stay where they are: nothing is wrong that was not before.
        warnings.simplefilter("ignore", pikepdf.PageCopyWarning)
        pdf.save(
            ready,
            encryption=True if pdf.is_encrypted else None,
            static_id=not pdf.is_encrypted,  # of an encrypted PDF, passwords depend on it
            # Streams stay as they are; where all are encrypted anew, qpdf leaves no choice.
            stream_decode_level=None if pdf.is_encrypted else StreamDecodeLevel.none,
            object_stream_mode=ObjectStreamMode.generate if is_modern else ObjectStreamMode.preserve,
            min_version=least_version,
        )
    if not pdf.is_encrypted:
        set_identifier(ready, identifier, keep_first=Name.ID in pdf.trailer)


def _page_of(pdf: Pdf, number: int) -> pikepdf.Page:
    if number > len(pdf.pages):
        raise DocumentDamaged(
            f"Page {number} cannot be found when the PDF is written: its structure is damaged. Repair it with a PDF tool and send it "
            "again, or take another format."
        )
    return pdf.pages[number - 1]


@contextmanager
def _opened(file: DocumentFile) -> Iterator[Pdf]:
    try:
        pdf = pikepdf.open(file.path, password=file.password or "")
    except pikepdf.PasswordError as error:
        raise DocumentEncrypted("The PDF opens only with a password. Give it as the option 'password'.") from error
    except pikepdf.PdfError as error:
        raise DocumentDamaged(
            "The PDF cannot be written anew: its structure is damaged. Repair it with a PDF tool and send it again, or take another format."
        ) from error
    with pdf:
        yield pdf
