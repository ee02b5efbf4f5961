"""`recognise --save-stages`: each page as it was uploaded and after each step as a PNG, and what the steps measured."""

import json
from dataclasses import asdict
from functools import partial
from itertools import count
from pathlib import Path

from recto.errors import StorageUnavailable
from recto.ocr.document_file import DocumentFile
from recto.ocr.options import Options
from recto.ocr.page import Page, PageImage
from recto.ocr.stages import write_png
from recto.ocr.step_words import sentence
from recto.working.page_tasks import page_stages, read_page


def make_folder(folder: Path) -> None:
    """The folder, with those above it. StorageUnavailable where it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_written(folder, error) from error


def read_and_save_stages(folder: Path, file: DocumentFile, number: int, options: Options) -> Page:
    """Read one page of a file and write its stages into `folder`: 0007.0.original.png, 0007.1.deskew.png, …, 0007.steps.json.

    Raises what `read_page` raises, and StorageUnavailable where the folder cannot be written.
    """
    page = read_page(file, number, options)
    try:
        page_stages(file, page, options, partial(_save, folder, number, count()))
        (folder / f"{number:04d}.steps.json").write_text(_about(page), encoding="utf-8")
    except OSError as error:
        raise _not_written(folder, error) from error
    return page


def _save(folder: Path, number: int, places: "count[int]", stage: str, image: PageImage) -> None:
    with (folder / f"{number:04d}.{next(places)}.{stage}.png").open("wb") as sink:
        write_png(image, sink)


def _about(page: Page) -> str:
    steps = [asdict(step) | {"description": sentence(step)} for step in page.preprocessing]
    return (
        json.dumps({"page": page.number, "text_layer": page.text_layer, "steps": steps}, indent=1, ensure_ascii=False)
        + "\n"
    )


def _not_written(folder: Path, error: OSError) -> StorageUnavailable:
    return StorageUnavailable(f"The stages cannot be written into {folder}: {error.strerror}. Name another folder.")
