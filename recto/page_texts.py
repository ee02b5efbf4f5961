"""What was read on a page, from its checkpoint: also while the job runs."""

from dataclasses import dataclass

from recto.file_storage.base import FileStorage, checkpoint_name
from recto.ocr.writers.characters import without_surrogates
from recto.ocr.writers.json import page_from_json
from recto.ocr.writers.text import page_text


@dataclass(frozen=True, slots=True)
class PageText:
    """The text of a page as `result.txt` has it, without form feeds, and its mean confidence from 0 to 1; None without words."""

    text: str
    confidence: float | None


def read_page_text(storage: FileStorage, uuid: str, attempt_token: str, number: int) -> PageText:
    """From the checkpoint of that attempt. FileNotFound, StorageUnavailable."""
    with storage.open(uuid, checkpoint_name(attempt_token, number)) as file:
        page = page_from_json(file.read())
    return PageText(without_surrogates(page_text(page)), page.confidence)
