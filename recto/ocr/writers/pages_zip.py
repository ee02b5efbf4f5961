"""A ZIP archive with the text of each page in a file of its own, `page-0001.txt`, and `provenance.json`.

Equal input gives equal bytes: files bear the time of the result, the same permissions, and lie in the order of the pages. It is written
front to back, with the sizes behind the data (APPNOTE 4.3.9), so that it may go into a pipe.
"""

import re
import zipfile
from collections.abc import Iterable
from typing import BinaryIO, Final, cast

from recto.ocr.document_file import DocumentFile
from recto.ocr.page import Document, Page
from recto.ocr.writers.provenance import as_json, document_facts, page_facts
from recto.ocr.writers.text import page_text

_TIME: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)")
_EARLIEST: Final = (1980, 1, 1, 0, 0, 0)
"""ZIP knows no time before."""
_LATEST_YEAR: Final = 2107
_REGULAR_FILE_RW_R_R: Final = 0o100644
_MIN_DIGITS: Final = 4


class _Pipe:
    """Hides that a sink may be seekable: zipfile would go back to fill in sizes, and write other bytes than into a pipe."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink

    def write(self, data: bytes) -> int:
        return self._sink.write(data)

    def flush(self) -> None:
        self._sink.flush()


def write_pages_zip(document: Document, pages: Iterable[Page], file: DocumentFile, sink: BinaryIO) -> None:
    """Names count as the pages of the uploaded document do, with as many digits as its last page needs, at least four."""
    del file
    digits, facts = max(_MIN_DIGITS, len(str(document.page_count))), []
    with zipfile.ZipFile(cast(BinaryIO, _Pipe(sink)), "w") as archive:
        for page in pages:
            archive.writestr(_entry(f"page-{page.number:0{digits}}.txt", document.created), page_text(page))
            facts.append(page_facts(page))
        provenance = document_facts(document) | {"pages": facts}
        archive.writestr(_entry("provenance.json", document.created), as_json(provenance) + "\n")


def _entry(name: str, created: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _date_time(created))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3  # Unix, wherever it is written
    entry.external_attr = _REGULAR_FILE_RW_R_R << 16
    return entry


def _date_time(created: str) -> tuple[int, int, int, int, int, int]:
    found = _TIME.match(created)
    if not found:
        return _EARLIEST
    year, month, day, hour, minute, second = map(int, found.groups())
    return (year, month, day, hour, minute, second) if _EARLIEST[0] <= year <= _LATEST_YEAR else _EARLIEST
