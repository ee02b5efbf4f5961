"""How the text came about, in the PDF's XMP metadata under a namespace of its own. What the document says of itself stays.

A PDF/A may have a namespace of its own only with a description of it, which pikepdf's check does not know: there it is told to
`dc:contributor`, a list of texts.
"""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Final

from pikepdf import Name, Object, Pdf, PdfError, Stream
from pikepdf.models import PdfMetadata

from recto.ocr.page import Document, Page

NAMESPACE: Final = "urn:recto:provenance:1.0:"
_PREFIX: Final = "recto"
_NAMES: Final = (
    "Generator", "Created", "Options", "PagesRead", "Engine", "Languages", "Traineddata", "Preprocessing", "TextLayer",
)  # fmt: skip


class Provenance:
    """Gathers what the pages say, one after another."""

    def __init__(self) -> None:
        self._engines: Counter[str] = Counter()
        self._languages: Counter[str] = Counter()
        self._traineddata: Counter[str] = Counter()
        self._steps: Counter[str] = Counter()
        self._text_layers: Counter[str] = Counter()

    def add(self, page: Page) -> None:
        """One recognised page."""
        self._engines[page.engine] += 1
        self._languages.update(page.languages)
        self._traineddata.update(f"{data.language} sha256:{data.sha256}" for data in page.traineddata)
        self._steps.update({step.name for step in page.preprocessing})
        self._text_layers[page.text_layer] += 1

    def write(self, pdf: Pdf, document: Document, *, describe: bool) -> None:
        """Into the XMP metadata. `describe` also says what a PDF says of its making: for those that are made here."""
        PdfMetadata.register_xml_namespace(NAMESPACE, _PREFIX)
        _drop_unreadable_metadata(pdf)
        with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=describe) as metadata:
            if describe:
                metadata["xmp:CreatorTool"] = metadata["pdf:Producer"] = document.generator
                metadata["xmp:CreateDate"] = metadata["xmp:ModifyDate"] = document.created
            else:
                for name in _NAMES:
                    if _own(name) in metadata:
                        del metadata[_own(name)]
            values = self._values(document)
            if "pdfaid:part" in metadata:
                add_contributors(metadata, _lines(values))
            else:
                for name, value in values.items():
                    metadata[_own(name)] = value

    def _values(self, document: Document) -> dict[str, str | set[str]]:
        """By names of `_NAMES`: a text, or several in no order."""
        values: dict[str, str | set[str]] = {
            "Generator": document.generator,
            "Created": document.created,
            "Options": json.dumps(document.options, ensure_ascii=False, sort_keys=True),
            "PagesRead": f"{self._engines.total()} of {document.page_count}",
        }
        for name, counted in (
            ("Engine", self._engines),
            ("Languages", self._languages),
            ("Traineddata", self._traineddata),
            ("Preprocessing", self._steps),
            ("TextLayer", self._text_layers),
        ):
            if counted:
                values[name] = {f"{value} ({_pages(count)})" for value, count in counted.items()}
        return values


def provenance_lines(pdf: Pdf) -> list[str]:
    """The same as texts, for metadata that may not have a namespace of their own. Empty for what has none in its own already."""
    with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
        return _lines({name: value for name in _NAMES if (value := metadata.get(_own(name)))})


def add_contributors(metadata: PdfMetadata, lines: Iterable[str]) -> None:
    """To `dc:contributor`. What an earlier run said there goes where there is something to say."""
    found = metadata.get("dc:contributor", ())
    others = {found} if isinstance(found, str) else set(found)
    if told := set(lines):
        others = {text for text in others if not text.startswith(tuple(f"{name}: " for name in _NAMES))}
    if told or others:
        metadata["dc:contributor"] = others | told


def _lines(values: dict[str, str | set[str]]) -> list[str]:
    return [
        f"{name}: {value if isinstance(value, str) else ', '.join(sorted(value))}" for name, value in values.items()
    ]


def _drop_unreadable_metadata(pdf: Pdf) -> None:
    """What is no stream, or one that cannot be unpacked, says nothing to anyone; pikepdf stops at it."""
    if Name.Metadata in pdf.Root and not _is_readable(pdf.Root.Metadata):
        del pdf.Root[Name.Metadata]


def _is_readable(metadata: Object) -> bool:
    if not isinstance(metadata, Stream):
        return False
    try:
        metadata.read_bytes()
    except PdfError:
        return False
    return True


def _own(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _pages(count: int) -> str:
    return "1 page" if count == 1 else f"{count} pages"
