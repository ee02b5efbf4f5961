"""Pages whose forms draw each other over and over: a file of one kilobyte can name a billion drawings.

PDFium takes 1.6 KB of memory for each form that it draws, a form that draws itself included, and ends its process without it. What
patterns, fonts and annotations draw is not counted.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import pikepdf

from recto.ocr.pdf.drawn_objects import content_streams, drawn_names, resources_of
from recto.ocr.pdf.qpdf import asked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_DRAWN_FORMS: Final = 500_000
"""They take 0.8 GB and 3 s."""

_MOST_LEVELS: Final = 32
"""Deep enough for forms that draw the next one twice to pass the limit; a chain of single ones ends there uncounted."""


def draws_too_many_forms(path: Path, password: str | None, index: int) -> bool:
    """Whether page `index` (from 0) draws more than MAX_DRAWN_FORMS forms, counting those in others as often as these are drawn."""
    stat = path.stat()
    return index in _such_pages(path, password, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4)
def _such_pages(path: Path, password: str | None, _mtime_ns: int, _size_bytes: int) -> frozenset[int]:
    """The pages of a file, from 0; remembered, since a process reads many pages of one document."""
    return asked(path, password, _such_pages_of, otherwise=frozenset())


def _such_pages_of(pdf: pikepdf.Pdf) -> frozenset[int]:
    return frozenset(index for index, page in enumerate(pdf.pages) if _has_too_many(page.obj))


def _has_too_many(page: pikepdf.Object) -> bool:
    resources = resources_of(page)
    if not any(_may_hold_forms(form, resources) for form in _forms_in(resources)):
        return False  # as almost always; no content is read
    content = b"\n".join(stream.read_bytes() for stream in content_streams(page))
    return _Count().drawn(content, resources, _MOST_LEVELS) > MAX_DRAWN_FORMS


def _forms_in(resources: pikepdf.Object) -> Iterator[pikepdf.Object]:
    objects = resources.get("/XObject")
    for drawn in objects.values() if isinstance(objects, pikepdf.Dictionary) else ():
        if _is_form(drawn):
            yield drawn


def _is_form(drawn: object) -> bool:
    return isinstance(drawn, pikepdf.Stream) and drawn.get("/Subtype") == "/Form"


def _may_hold_forms(form: pikepdf.Object, around: pikepdf.Object) -> bool:
    return any(True for _ in _forms_in(_own_or(form, around)))


def _own_or(form: pikepdf.Object, around: pikepdf.Object) -> pikepdf.Object:
    """The resources of a form: its own, or those of what draws it."""
    own = form.get("/Resources")
    return own if isinstance(own, pikepdf.Dictionary) else around


class _Count:
    """Counts the forms of one page; every form's content is read once."""

    def __init__(self) -> None:
        self._names: dict[tuple[int, int], Counter[str]] = {}
        self._counted: dict[tuple[tuple[int, int], int], int] = {}

    def drawn(self, content: bytes, resources: pikepdf.Object, levels: int) -> int:
        """Forms that the content draws, those in them included; no further than just over the limit."""
        return self._drawn(Counter(drawn_names(content)), resources, levels)

    def _drawn(self, names: Counter[str], resources: pikepdf.Object, levels: int) -> int:
        objects, count = resources.get("/XObject"), 0
        if not isinstance(objects, pikepdf.Dictionary):
            return 0
        for name, times in names.items():
            form = objects.get(name)
            if form is not None and _is_form(form):
                count += times * (1 + (self._drawn_by(form, resources, levels - 1) if levels else 0))
            if count > MAX_DRAWN_FORMS:
                break
        return count

    def _drawn_by(self, form: pikepdf.Object, around: pikepdf.Object, levels: int) -> int:
        key = form.objgen, levels
        if key not in self._counted:
            if form.objgen not in self._names:
                self._names[form.objgen] = Counter(drawn_names(form.read_bytes()))
            self._counted[key] = self._drawn(self._names[form.objgen], _own_or(form, around), levels)
        return self._counted[key]
