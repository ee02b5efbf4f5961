"""What was read on one page, as the writers have it: from its checkpoint, so also before its job has ended."""

from io import BytesIO
from pathlib import Path
from typing import Final

from recto.file_storage.base import FileStorage, checkpoint_name
from recto.ocr.document_file import DocumentFile
from recto.ocr.page import Document, Page
from recto.ocr.writers.json import page_from_json, write_json
from recto.ocr.writers.text import page_text

_NO_FILE: Final = DocumentFile(Path())
_NO_DOCUMENT: Final = Document(1, (), "", "")


def page_as_json(storage: FileStorage, uuid: str, token: str, number: int) -> bytes:
    """The page as it stands in `result.json`, where a page has a line of its own. FileNotFound, StorageUnavailable."""
    sink = BytesIO()
    write_json(_NO_DOCUMENT, [_page(storage, uuid, token, number)], _NO_FILE, sink)
    return sink.getvalue().splitlines()[1] + b"\n"


def page_as_text(storage: FileStorage, uuid: str, token: str, number: int) -> bytes:
    """The page as it stands in `result.txt`, without form feeds. FileNotFound, StorageUnavailable."""
    return page_text(_page(storage, uuid, token, number)).encode()


def _page(storage: FileStorage, uuid: str, token: str, number: int) -> Page:
    with storage.open(uuid, checkpoint_name(token, number)) as file:
        return page_from_json(file.read())
