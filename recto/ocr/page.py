"""What recognition yields: Document > Page > Block > Line > Word, the same tree for every engine.

All coordinates are pixels of the ORIGINAL page: the decoded image after EXIF orientation, or the rendered PDF page, before any
preprocessing. The origin is the top left corner, x grows to the right and y downwards.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

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


@dataclass(frozen=True, slots=True)
class Box:
    """Upright rectangle; `left` and `top` inclusive. All in pixels."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Word:
    """One word. `confidence` is the engine's own, from 0 to 1: an estimate, not a probability."""

    text: str
    confidence: float
    box: Box
    quad: Quad


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
    """Lines that the layout analysis keeps together, in reading order."""

    lines: tuple[Line, ...]
    box: Box


@dataclass(frozen=True, slots=True)
class Step:
    """One preprocessing step that was applied, with what it measured or did, e.g. ("deskew", {"angle_deg": 1.8})."""

    name: str
    measured: dict[str, float | str]


@dataclass(frozen=True, slots=True)
class Page:
    """One recognised page. `number` counts from 1 in the document as uploaded.

    `dpi` is the resolution that was assumed for a page image or used for rendering a PDF page; `blocks` are in reading order
    and empty where the page is blank. `confidence` is the mean over the words, weighted by their length; None without words.
    """

    number: int
    width_px: int
    height_px: int
    dpi: float
    languages: tuple[str, ...]
    engine: str
    preprocessing: tuple[Step, ...]
    blocks: tuple[Block, ...]

    @property
    def words(self) -> tuple[Word, ...]:
        """Every word of the page in reading order."""
        return tuple(word for block in self.blocks for line in block.lines for word in line.words)

    @property
    def confidence(self) -> float | None:
        """Mean confidence of the words, weighted by their characters; None for a page without words."""
        words = self.words
        characters = sum(len(word.text) for word in words)
        if not characters:
            return None
        return sum(word.confidence * len(word.text) for word in words) / characters


@dataclass(frozen=True, slots=True)
class PageWarning:
    """A page that could not be read: the code and the sentence of its error (recto/errors.py)."""

    page: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Document:
    """What a result says of the document as a whole. Its pages travel beside it, one at a time: a thousand would fill the memory.

    `page_count` counts all pages of the uploaded file, also those that were not asked for. `warnings` names the pages that could
    not be read. `created` is an ISO 8601 time in UTC, given by the caller; `generator` names Recto and its version.
    """

    page_count: int
    warnings: tuple[PageWarning, ...]
    created: str
    generator: str
    schema_version: int = SCHEMA_VERSION


@dataclass(frozen=True, slots=True)
class PageImage:
    """A decoded page in grey, light or dark as it was sent, and its resolution. `dpi` is None where nothing trustworthy says it."""

    pixels: "GreyArray"
    dpi: float | None
