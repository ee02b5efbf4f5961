"""The identifier of a written PDF (ISO 32000-1, 14.4), made of what was added to the document.

qpdf makes one that is the same for equal input by MD5 over the whole file, which takes twice as long as writing it. It has none made by
its caller; so it is told to write the one of its tests, and that is replaced where it stands.
"""

import re
from typing import BinaryIO, Final

IDENTIFIER_BYTES: Final = 16
_OF_QPDF: Final = b"31415926535897932384626433832795"
"""What qpdf writes as `static_id`."""
_ID: Final = re.compile(rb"/ID \[<([0-9a-f]*)><(" + _OF_QPDF + rb")>\]")
_START: Final = re.compile(rb"startxref\s+(\d+)\s+%%EOF\s*$")
_END_BYTES: Final = 64


def set_identifier(file: BinaryIO, identifier: bytes, *, keep_first: bool) -> None:
    """Give a PDF that qpdf has written with `static_id` that identifier of IDENTIFIER_BYTES.

    `keep_first` for a document that had one before: its first part stays for good. Leaves the file's position anywhere.
    """
    file.seek(-_END_BYTES, 2)
    end = _START.search(file.read())
    if end is None:
        raise RuntimeError("qpdf has written no startxref.")
    trailer_at = int(end[1])
    file.seek(trailer_at)
    # Texts in a trailer could look like one: the last is the true one, since qpdf ends with it.
    found = list(_ID.finditer(file.read()))
    if not found:
        raise RuntimeError("qpdf has written no identifier of its own.")
    for part in (2,) if keep_first else (1, 2):
        file.seek(trailer_at + found[-1].start(part))
        file.write(identifier.hex().encode())
