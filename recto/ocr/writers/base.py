"""What a writer is."""

from collections.abc import Iterable
from typing import BinaryIO, Protocol

from recto.ocr.document_file import DocumentFile
from recto.ocr.page import Document, Page


class Writer(Protocol):
    """Writes pages, ascending by number, to `sink`: one at a time, never all in memory. Equal input gives equal bytes."""

    def __call__(self, document: Document, pages: Iterable[Page], file: DocumentFile, sink: BinaryIO) -> None:
        """`file` is what was uploaded, for formats that build on it. `sink` stays open; nothing is sought, so it may be a pipe."""
