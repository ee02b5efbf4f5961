"""hOCR 1.2 (kba.github.io/hocr-spec) as XHTML: areas, paragraphs, lines and words with boxes, polygons and confidences.

A box is left, top, right, bottom with the right and bottom edge exclusive, as Tesseract writes it. A word has a `poly`, in whole pixels as the
specification wants it, where its quad says more than its box. A line that lies askew has a `baseline` with that slope; one that is turned by a quarter or more has a `textangle`.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

from recto.ocr.document_file import DocumentFile
from recto.ocr.languages.names import bcp47, only_tag
from recto.ocr.layout import height_px, paragraphs_of, quarter_turn_deg, union
from recto.ocr.page import Box, Document, Line, Page, Word
from recto.ocr.scripts import is_right_to_left
from recto.ocr.writers.provenance import comment, document_facts, page_facts, peek
from recto.ocr.writers.xml_text import Value, number, tag, text

_CAPABILITIES: Final = "ocr_page ocr_carea ocr_par ocr_line ocrx_word ocrp_wconf ocrp_poly ocrp_lang ocrp_dir"
_HEAD: Final = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml">
<head>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8"/>
<title></title>
"""


def write_hocr(document: Document, pages: Iterable[Page], file: DocumentFile, sink: BinaryIO) -> None:
    """One XHTML document; engine and languages in its head are those of the first page, and every page names its own."""
    del file
    first, pages = peek(pages)
    sink.write("\n".join([_HEAD + "\n".join(_metadata(document, first)), "</head>", "<body>", ""]).encode())
    sink.writelines("\n".join([*_page(page), ""]).encode() for page in pages)
    sink.write(b"</body>\n</html>\n")


def _metadata(document: Document, first: Page | None) -> Iterator[str]:
    system = document.generator if first is None else f"{document.generator}, {first.engine}"
    languages = [found for name in (first.languages if first else ()) if (found := bcp47(name))]
    yield _meta("ocr-system", system)
    yield _meta("ocr-capabilities", _CAPABILITIES)
    yield _meta("ocr-langs", " ".join(languages) or "unknown")
    yield _meta("dcterms.created", document.created)
    yield comment("provenance", document_facts(document))


def _meta(name: str, content: str) -> str:
    return tag("meta", {"name": name, "content": content}, closed=True)


def _page(page: Page) -> Iterator[str]:
    number_, language, dpi = page.number, only_tag(page.languages), round(page.dpi)
    title = f"bbox 0 0 {page.width_px} {page.height_px}; ppageno {number_ - 1}; scan_res {dpi} {dpi}"
    names = {"xml:lang": language, "lang": language}
    yield tag("div", {"class": "ocr_page", "id": f"page_{number_}", "title": title, **names})
    yield comment("page", page_facts(page))
    for index, block in enumerate(page.blocks, 1):
        paragraphs = list(paragraphs_of(block))
        if paragraphs:
            yield tag("div", _attributes("ocr_carea", f"block_{number_}_{index}", _bbox(block.box)))
            for count, lines in enumerate(paragraphs, 1):
                yield from _paragraph(lines, f"{number_}_{index}_{count}")
            yield "</div>"
    yield "</div>"


def _paragraph(lines: tuple[Line, ...], place: str) -> Iterator[str]:
    direction = "rtl" if is_right_to_left(" ".join(line.text for line in lines)) else None
    box = union(line.box for line in lines)
    yield tag("p", {**_attributes("ocr_par", f"par_{place}", _bbox(box)), "dir": direction})
    for index, line in enumerate(lines, 1):
        yield tag("span", _attributes("ocr_line", f"line_{place}_{index}", _line_title(line)))
        yield from (_word(word, f"word_{place}_{index}_{count}") for count, word in enumerate(line.words, 1))
        yield "</span>"
    yield "</p>"


def _word(word: Word, identifier: str) -> str:
    title = _bbox(word.box)
    corners = [round(value) for point in word.quad for value in point]
    if corners != _corners(word.box):
        title += f"; poly {' '.join(map(str, corners))}"
    title += f"; x_wconf {round(word.confidence * 100)}"
    return f"{tag('span', _attributes('ocrx_word', identifier, title))}{text(word.text)}</span>"


def _line_title(line: Line) -> str:
    turn_deg = quarter_turn_deg(line.quad)
    place = f"; textangle {turn_deg}" if turn_deg else _baseline(line)
    return f"{_bbox(line.box)}{place}; x_size {number(float(height_px(line.quad)))}"


def _baseline(line: Line) -> str:
    """Slope, and offset against the bottom left corner of the line's box, y growing downwards as Tesseract has it."""
    if line.baseline is None or line.baseline[0][0] == line.baseline[1][0]:
        return ""
    (x, y), (end_x, end_y) = line.baseline
    slope = (end_y - y) / (end_x - x)
    offset = y + slope * (line.box.left - x) - (line.box.top + line.box.height)
    return f"; baseline {slope:.4f} {number(float(offset))}"


def _attributes(kind: str, identifier: str, title: str) -> dict[str, Value]:
    return {"class": kind, "id": identifier, "title": title}


def _corners(box: Box) -> list[int]:
    """As a `poly` would give them for a word that the box says all about."""
    right, bottom = box.left + box.width, box.top + box.height
    return [box.left, box.top, right, box.top, right, bottom, box.left, bottom]


def _bbox(box: Box) -> str:
    return f"bbox {box.left} {box.top} {box.left + box.width} {box.top + box.height}"
