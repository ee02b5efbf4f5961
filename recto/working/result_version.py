"""What a reading depends on besides the document and its options, as one string: readings under the same one are the same."""

import hashlib
import json
from collections.abc import Iterable
from typing import Final

from recto import __version__
from recto.ocr.page import Traineddata

READING: Final = 6
"""Counts the ways of reading of one version of Recto. A change of what is read raises it: results from before answer for no document then."""


def result_version(engine: str, data: Iterable[Traineddata], fallback_languages: Iterable[str]) -> str:
    """Recto, the engine with its version, and a digest of the installed language data and of the languages where a page's own are not found out."""
    installed = sorted((one.language, one.sha256) for one in data)
    depends_on = json.dumps([installed, list(fallback_languages)])
    digest = hashlib.sha256(depends_on.encode()).hexdigest()[:16]
    return f"Recto {__version__}.{READING}, {engine}, data {digest}"
