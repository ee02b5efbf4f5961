"""Every result format with its writer."""

from typing import Final

from recto.ocr.options import ResultFormat
from recto.ocr.writers.base import Writer
from recto.ocr.writers.json import write_json
from recto.ocr.writers.text import write_text

WRITERS: Final[dict[ResultFormat, Writer]] = {"txt": write_text, "json": write_json}
"""A test holds its keys against RESULT_MEDIA_TYPES in options.py."""
