"""Text layers on the pages of one PDF, with the one font that they share."""

import hashlib
import zlib
from collections.abc import Iterable, Sequence
from typing import Final

from pikepdf import Dictionary, Matrix, Name, Object, Page, Pdf

from recto.ocr.page import Line
from recto.ocr.writers.pdf.font import InvisibleFont
from recto.ocr.writers.pdf.text_layer import TextLayer

_FONT_NAME: Final = "/RectoText"


class TextLayers:
    """`add` for each page, then `finish`."""

    def __init__(self, pdf: Pdf) -> None:
        self._pdf = pdf
        self._font = InvisibleFont(pdf)
        self._is_used = False
        self.sha256 = hashlib.sha256()
        """Of the text layers so far."""

    def add(self, page: Page, blocks: Iterable[Sequence[Line]], to_user_space: Matrix) -> None:
        """Before the page's own content, which may leave behind any state of graphics. `to_user_space` maps the pixels of the lines."""
        font_name = self._free_font_name(page)
        layer = TextLayer(font_name, self._font)
        for lines in blocks:
            layer.add(lines, to_user_space)
        content = layer.content()
        if not content:
            return
        _dictionary(_dictionary(page.obj, Name.Resources), Name.Font)[font_name] = self._font.object
        self.sha256.update(content)
        # Compressed at once: a thousand pages wait in memory until the whole is saved.
        page.contents_add(self._pdf.make_stream(zlib.compress(content), Filter=Name.FlateDecode), prepend=True)
        self._is_used = True

    def finish(self) -> None:
        """Writes the font; a PDF without a layer gets none."""
        if self._is_used:
            self._font.embed()

    def _free_font_name(self, page: Page) -> Name:
        """The same on every page, unless an earlier layer has taken it. Pages may share their resources."""
        resources = page.obj.get(Name.Resources)
        fonts = resources.get(Name.Font) if isinstance(resources, Dictionary) else None
        if not isinstance(fonts, Dictionary):
            return Name(_FONT_NAME)
        number, name = 0, Name(_FONT_NAME)
        while name in fonts and fonts[name].objgen != self._font.object.objgen:
            number += 1
            name = Name(f"{_FONT_NAME}{number}")
        return name


def _dictionary(parent: Object, key: Name) -> Object:
    """The dictionary under that key, made where there is none."""
    if not isinstance(parent.get(key), Dictionary):
        parent[key] = Dictionary()
    return parent[key]
