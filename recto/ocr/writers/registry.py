"""Every result format with its writer. A writer is imported when it is asked for: one of them loads what the others never need."""

import importlib
from typing import Final, cast

from recto.ocr.options import ResultFormat
from recto.ocr.writers.base import Writer

_WRITERS: Final[dict[ResultFormat, str]] = {
    "txt": "text:write_text",
    "md": "markdown:write_markdown",
    "json": "json:write_json",
    "pdf": "pdf.writer:write_pdf",
    "pdfa": "pdf.archival:write_pdfa",
    "hocr": "hocr:write_hocr",
    "alto": "alto:write_alto",
    "tsv": "tsv:write_tsv",
    "pages.zip": "pages_zip:write_pages_zip",
}
"""Module of this folder and function. A test holds its keys against RESULT_FORMATS in options.py."""


def writer_for(result_format: ResultFormat) -> Writer:
    """The writer of that format."""
    module, _, name = _WRITERS[result_format].partition(":")
    return cast(Writer, getattr(importlib.import_module(f"{__package__}.{module}"), name))
