"""A font that draws nothing, for text that is only searched, selected and copied.

Each character that occurs gets a code of two bytes, in the order of its first occurrence, and a width near that of common typefaces,
so that a selection inside a word lies near its letters. A ToUnicode table (ISO 32000-1, 9.10.3) gives the characters back, those
beyond the Basic Multilingual Plane included. All pages of a document share the one font; it is written after the last of them.
"""

import io
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Final

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib.tables._g_l_y_f import Glyph
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream, String

UNITS_PER_EM: Final = 1000

_NAME: Final = "RectoInvisible"
_NARROW: Final = frozenset("fijlrtIJ.,:;!|'’‘`´()[]{}/\\- ")
_WIDE: Final = frozenset("mwMWÆŒæœ@%&—…")
_MARK: Final = 1
"""Of marks that sit on other characters, as a width: PDFium drops characters of width 0."""
_WIDTHS: Final = (_MARK, 300, 500, 800, 1000)
"""Widths that glyphs have, in thousandths of the font size. Glyph n+1 has width n; glyph 0 is the obligatory .notdef."""

_MADE_S: Final = 3_850_070_400
"""1 January 2026, in seconds since 1904 as TrueType counts: equal input gives equal bytes."""

# PDF readers with defaults of their own take a descent of 0 for "not given".
_ASCENT: Final = 1000
_DESCENT: Final = -1


@cache
def width_of(character: str) -> int:
    """Width in thousandths of the font size: next to nothing for marks that sit on other characters, 1000 for East Asian wide ones."""
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return _MARK
    if unicodedata.east_asian_width(character) in ("W", "F"):
        return 1000
    if character in _NARROW:
        return 300
    return 800 if character in _WIDE else 500


class _Codes(dict[int, str]):
    """Of each character (its code point) the code, four hexadecimal digits, in the order in which they were asked for. From 1: 0 is .notdef."""

    def __missing__(self, character: int) -> str:
        code = self[character] = f"{len(self) + 1:04x}"
        return code


class InvisibleFont:
    """Codes for one document's characters. `embed` ends it: what is encoded later is missing from the font."""

    def __init__(self, pdf: Pdf) -> None:
        self._pdf = pdf
        self._codes = _Codes()
        self.object: Object = pdf.make_indirect(Dictionary(Type=Name.Font))
        """What pages name in their resources, from the beginning; `embed` fills it."""

    def encode(self, text: str) -> str:
        """Codes of two bytes in hexadecimal digits, for a content stream. At most 65,534 different characters: more than any script has."""
        return text.translate(self._codes)

    def embed(self) -> None:
        """Write the font that `object` stands for."""
        make_indirect, stream = self._pdf.make_indirect, self._stream
        metrics = Dictionary(
            Type=Name.FontDescriptor,
            FontName=Name("/" + _NAME),
            Flags=4,  # symbolic: its characters are its own
            FontBBox=Array([0, _DESCENT, UNITS_PER_EM, _ASCENT]),
            ItalicAngle=0,
            Ascent=_ASCENT,
            Descent=_DESCENT,
            CapHeight=_ASCENT,
            StemV=80,
            FontFile2=stream(_truetype()),
        )
        descendant = Dictionary(
            Type=Name.Font,
            Subtype=Name.CIDFontType2,
            BaseFont=Name("/" + _NAME),
            CIDSystemInfo=Dictionary(Registry=String("Adobe"), Ordering=String("Identity"), Supplement=0),
            FontDescriptor=make_indirect(metrics),
            DW=500,
            W=Array([1, Array(self._widths())]),
            CIDToGIDMap=stream(self._glyph_numbers()),
        )
        for key, value in {
            Name.Subtype: Name.Type0,
            Name.BaseFont: Name("/" + _NAME),
            Name.Encoding: Name("/Identity-H"),
            Name.DescendantFonts: Array([make_indirect(descendant)]),
            Name.ToUnicode: stream(self._to_unicode()),
        }.items():
            self.object[key] = value

    def _stream(self, data: bytes) -> Stream:
        return Stream(self._pdf, data)

    def _widths(self) -> list[int]:
        return [width_of(chr(character)) for character in self._codes]

    def _glyph_numbers(self) -> bytes:
        numbers = [0, *(_WIDTHS.index(width) + 1 for width in self._widths())]
        return b"".join(number.to_bytes(2, "big") for number in numbers)

    def _to_unicode(self) -> bytes:
        return "\n".join(self._to_unicode_lines()).encode("ascii")

    def _to_unicode_lines(self) -> Iterator[str]:
        """Adobe Technical Note 5411, 1.4: at most 100 characters in one list."""
        yield "/CIDInit /ProcSet findresource begin 12 dict begin begincmap"
        yield "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def"
        yield "/CMapName /Adobe-Identity-UCS def /CMapType 2 def"
        yield "1 begincodespacerange <0000> <FFFF> endcodespacerange"
        characters = list(self._codes.items())
        for some in (characters[first : first + 100] for first in range(0, len(characters), 100)):
            yield f"{len(some)} beginbfchar"
            for character, code in some:
                yield f"<{code.upper()}> <{chr(character).encode('utf-16-be').hex().upper()}>"
            yield "endbfchar"
        yield "endcmap CMapName currentdict /CMap defineresource pop end end"


@cache
def _truetype() -> bytes:
    """A TrueType file with a glyph for each width. It is the same for every document."""
    names = [".notdef", *(f"blank{width}" for width in _WIDTHS)]
    builder = FontBuilder(UNITS_PER_EM, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({})
    widths = dict(zip(names, (500, *_WIDTHS), strict=True))
    builder.setupGlyf({name: _hairline(width) for name, width in widths.items()})
    builder.setupHorizontalMetrics({name: (width, 0) for name, width in widths.items()})
    builder.setupHorizontalHeader(ascent=_ASCENT, descent=_DESCENT)
    builder.setupPost(keepGlyphNames=False)
    builder.font["head"].created = builder.font["head"].modified = _MADE_S
    builder.font.recalcTimestamp = False
    file = io.BytesIO()
    builder.save(file)
    return file.getvalue()


def _hairline(width: int) -> Glyph:
    """From the lower left corner of a character's box to the upper right and back: it encloses nothing, so nothing can be filled.

    PDFium takes the box of a character from its outline; without one, Chromium's selection would have no height.
    """
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    pen.lineTo((width, UNITS_PER_EM))
    pen.closePath()
    return pen.glyph()
