"""What a writer is."""

from collections.abc import Iterable
from typing import BinaryIO, Protocol

from recto.ocr.page import Document, Page


class Writer(Protocol):
    """Writes pages, ascending by number, to `sink`: one at a time, never all in memory. Equal input gives equal bytes."""

    def __call__(self, document: Document, pages: Iterable[Page], sink: BinaryIO) -> None:
        """`sink` stays open; nothing is sought, so it may be a pipe."""
