"""The kinds of drawn pages, and their folders."""

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import cv2

from benchmarks.degradations import Picture
from benchmarks.drawn_pages.books import book_page
from benchmarks.drawn_pages.forms import form
from benchmarks.drawn_pages.letters import letter
from benchmarks.drawn_pages.magazines import magazine_page
from benchmarks.drawn_pages.receipts import receipt
from benchmarks.drawn_pages.reports import report
from benchmarks.drawn_pages.typewriting import typescript

PAGES: Final = 6
KINDS: Final[dict[str, tuple[str, Callable[[random.Random], tuple[Picture, str]]]]] = {
    "forms_100dpi": ("eng", form),
    "receipts": ("eng", receipt),
    "reports": ("eng", report),
    "typewriting": ("eng", typescript),
    "books_fr": ("fra", partial(book_page, "fra")),
    "books_es": ("spa", partial(book_page, "spa")),
    "books_it": ("ita", partial(book_page, "ita")),
    "clean_300dpi": ("eng", letter),
    "magazine": ("eng", magazine_page),
}
"""Tesseract's language, and what draws a page with its text."""


def drawn(kind: str, number: int, seed: int) -> tuple[Picture, str]:
    return KINDS[kind][1](random.Random(f"{seed}/{kind}/{number}"))


def write_kind(kind: str, out: Path, pages: int, seed: int) -> Path:
    folder = out / kind
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "LANG").write_text(KINDS[kind][0], encoding="utf-8")
    for number in range(pages):
        page, truth = drawn(kind, number, seed)
        cv2.imwrite(str(folder / f"{number:02d}.png"), page)
        (folder / f"{number:02d}.gt.txt").write_text(truth, encoding="utf-8")
    return folder
