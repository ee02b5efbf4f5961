"""What recognition yields: Document > Page > Block > Line > Word, the same tree for every engine.

All coordinates are pixels of the ORIGINAL page: the decoded image after EXIF orientation, or the rendered PDF page, before any
preprocessing. The origin is the top left corner, x grows to the right and y downwards.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    GreyArray: TypeAlias = NDArray[np.uint8]
    """Shape (height, width), dtype uint8, 0 black to 255 white."""

SCHEMA_VERSION = 1
"""Version of the tree as `result.json` shows it. Raised when a field changes its meaning or goes away."""

MAX_SIDE_PX = 32_767
"""The longest side of a page. Tesseract refuses longer ones (INT16_MAX in its TessBaseAPI)."""

Point: TypeAlias = tuple[float, float]
"""(x, y) in pixels of the original page."""

Quad: TypeAlias = tuple[Point, Point, Point, Point]
"""Corners in reading direction: top left, top right, bottom right, bottom left as the reader of the text sees them."""


Origin: TypeAlias = Literal["recognised", "text_layer"]
"""Where text comes from: read from pixels, or taken from the text that a PDF page has."""

TextLayerUse: TypeAlias = Literal["none", "used", "garbled", "ignored"]
"""What became of the text that the page had: there was none; it was taken; it is garbage and the page was read; `force` left it aside."""


@dataclass(frozen=True, slots=True)
class Box:
    """Upright rectangle; `left` and `top` inclusive. All in pixels."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Word:
    """One word. `confidence` is the engine's own, from 0 to 1: an estimate, not a probability.

    `in_dictionary` is whether the engine's word list of the language has it; None where the engine does not say. `corrected` is whether a
    person has put it there (corrections.py); its confidence is 1 then.
    """

    text: str
    confidence: float
    box: Box
    quad: Quad
    in_dictionary: bool | None = None
    corrected: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """Words in reading order. `paragraph` counts from 0 within the block; `baseline` runs from the first word to the last."""

    words: tuple[Word, ...]
    box: Box
    quad: Quad
    paragraph: int
    baseline: tuple[Point, Point] | None = None

    @property
    def text(self) -> str:
        """The words, joined by single spaces."""
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that the layout analysis keeps together, in reading order. Words of a text layer have the confidence 1."""

    lines: tuple[Line, ...]
    box: Box
    origin: Origin = "recognised"


def words_of(blocks: Iterable[Block]) -> Iterator[Word]:
    """Every word of the blocks in reading order."""
    return (word for block in blocks for line in block.lines for word in line.words)


def sure_characters(words: Iterable[Word]) -> float:
    """The characters of the words, each counted by its word's confidence."""
    return sum(word.confidence * len(word.text) for word in words)


def mean_confidence(words: Collection[Word]) -> float | None:
    """Of the words, weighted by their characters; None where there are none."""
    characters = sum(len(word.text) for word in words)
    return sure_characters(words) / characters if characters else None


@dataclass(frozen=True, slots=True)
class Step:
    """One preprocessing step that was applied, with what it measured or did, e.g. ("deskew", {"angle_deg": 1.8})."""

    name: str
    measured: dict[str, float | str]


@dataclass(frozen=True, slots=True)
class Traineddata:
    """Language data that a page was read with: Tesseract's name, and the SHA-256 of the file in hexadecimal."""

    language: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Page:
    """One recognised page. `number` counts from 1 in the document as uploaded.

    `dpi` is the resolution that was assumed for a page image or used for rendering a PDF page; `blocks` are in reading order
    and empty where the page is blank. `confidence` is the mean over the words, weighted by their length; None without words.
    `languages` are those that took effect, also where they were found out; `traineddata` is empty where nothing was read from pixels.
    `corrections` counts those of people that stand in it.
    """

    number: int
    width_px: int
    height_px: int
    dpi: float
    languages: tuple[str, ...]
    engine: str
    preprocessing: tuple[Step, ...]
    blocks: tuple[Block, ...]
    text_layer: TextLayerUse = "none"
    traineddata: tuple[Traineddata, ...] = ()
    corrections: int = 0

    @property
    def words(self) -> tuple[Word, ...]:
        """Every word of the page in reading order."""
        return tuple(words_of(self.blocks))

    @property
    def confidence(self) -> float | None:
        """Mean confidence of the words, weighted by their characters; None for a page without words."""
        return mean_confidence(self.words)


@dataclass(frozen=True, slots=True)
class ResultWarning:
    """Something that a reader of the result has to know: a stable code (docs/errors.md) and a full sentence.

    `page` is the number of the page that it concerns, and None where it concerns the document as a whole.
    """

    page: int | None
    code: str
    detail: str

    @property
    def sentence(self) -> str:
        """The detail as people are to see it: with the page before it, where it does not begin with that itself."""
        if self.page is None or self.detail.startswith(f"Page {self.page} "):
            return self.detail
        return f"Page {self.page}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Document:
    """What a result says of the document as a whole. Its pages travel beside it, one at a time: a thousand would fill the memory.

    `page_count` counts all pages of the uploaded file, also those that were not asked for. `warnings` names among others the pages
    that could not be read. `created` is an ISO 8601 time in UTC, given by the caller; `generator` names Recto and its version.
    `options` are those of the job (options.py) as JSON values, without secrets.
    """

    page_count: int
    warnings: tuple[ResultWarning, ...]
    created: str
    generator: str
    options: dict[str, Any] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION


@dataclass(frozen=True, slots=True)
class PageImage:
    """A decoded page in grey, light or dark as it was sent, and its resolution. `dpi` is None where nothing trustworthy says it.

    `pixel_aspect` is a pixel's height by its width: 1 but for faxes, 2.08 for one of 204 x 98 dpi. `dpi` is then the finer of both.
    """

    pixels: "GreyArray"
    dpi: float | None
    pixel_aspect: float = 1.0
