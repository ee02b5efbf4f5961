"""The writer of each result format. It is imported when it is asked for: one of them loads what the others never need."""

import importlib
from typing import cast

from recto.ocr.options import RESULT_FORMATS, ResultFormat
from recto.ocr.writers.base import Writer


def writer_for(result_format: ResultFormat) -> Writer:
    """The writer of that format."""
    module, _, name = RESULT_FORMATS[result_format].writer.partition(":")
    return cast(Writer, getattr(importlib.import_module(f"{__package__}.{module}"), name))
