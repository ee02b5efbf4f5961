"""Pages made in code for the writers' tests: small ones by hand, and any by hypothesis."""

from io import BytesIO
from pathlib import Path

from hypothesis import strategies as st

from recto.ocr.document_file import DocumentFile
from recto.ocr.page import (
    Block,
    Box,
    Document,
    Line,
    Page,
    Quad,
    ResultWarning,
    Step,
    Traineddata,
    Word,
)
from recto.ocr.writers.base import Writer

FILE = DocumentFile(Path("not read"))
CREATED = "2026-01-02T03:04:05Z"
DOCUMENT = Document(
    12,
    (
        ResultWarning(3, "page_damaged", "Page 3 … <x> -- ]]>"),
        ResultWarning(None, "signature_ended", "The signature …"),
    ),
    CREATED,
    "Recto 1.2",
    {"languages": "deu+eng", "pages": None},
)
STEPS = (Step("deskew", {"angle_deg": 1.8}),)
TRAINEDDATA = (Traineddata("eng", "0" * 64),)
CHARACTER_PX, LINE_PX, PITCH_PX = 16, 32, 48


def quad_of_box(box: Box) -> Quad:
    left, top, right, bottom = box.left, box.top, box.left + box.width, box.top + box.height
    return (left, top), (right, top), (right, bottom), (left, bottom)


def line(text: str, row: int = 0, *, left: int = 100, paragraph: int = 0, size_px: int = LINE_PX) -> Line:
    """As a typewriter sets it: every character, spaces too, is half as wide as the line is high."""
    advance, words, start = size_px * CHARACTER_PX // LINE_PX, [], left
    for piece in text.split(" "):
        if piece:
            box = Box(start, 100 + row * PITCH_PX, len(piece) * advance, size_px)
            words.append(Word(piece, 0.9, box, quad_of_box(box)))
        start += (len(piece) + 1) * advance
    box = Box(left, 100 + row * PITCH_PX, start - left - advance, size_px)
    (left_x, _), (right_x, _), (_, bottom), _ = quad_of_box(box)
    return Line(tuple(words), box, quad_of_box(box), paragraph, ((left_x, bottom), (right_x, bottom)))


def lines(*texts: str) -> tuple[Line, ...]:
    return tuple(line(text, row) for row, text in enumerate(texts))


def block(*given: Line) -> Block:
    return Block(given, Box(100, 100, 1000, 500))


def page(*blocks: Block, number: int = 1, languages: tuple[str, ...] = ("eng",)) -> Page:
    return Page(number, 2480, 3508, 300.0, languages, "tesserocr 5.5.4", STEPS, blocks, "none", TRAINEDDATA)


def written(writer: Writer, *pages: Page, document: Document = DOCUMENT) -> bytes:
    sink = BytesIO()
    writer(document, iter(pages), FILE, sink)
    return sink.getvalue()


ODD_CHARACTERS = "<>&\"'-\\*_#|`~\x00\x0b\t\n\r\x85\u2028\ufffe\ud800\U0001f600אبه中あ\u00ad"
TEXTS = st.text(st.characters() | st.sampled_from(ODD_CHARACTERS), max_size=10)
COORDINATES = st.floats(-1e6, 1e6)
POINTS = st.tuples(COORDINATES, COORDINATES)
QUADS = st.tuples(POINTS, POINTS, POINTS, POINTS)
BOXES = st.builds(Box, *[st.integers(0, 40_000)] * 4)


def blocks_with(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Block]:
    words = st.builds(Word, texts, st.floats(0, 1), BOXES, QUADS | BOXES.map(quad_of_box), corrected=st.booleans())
    some_lines = st.builds(
        Line,
        words=st.lists(words, max_size=3).map(tuple),
        box=BOXES,
        quad=QUADS,
        paragraph=st.integers(0, 2),
        baseline=st.none() | st.tuples(POINTS, POINTS),
    )
    return st.builds(
        Block, st.lists(some_lines, max_size=3).map(tuple), BOXES, st.sampled_from(["recognised", "text_layer"])
    )


def pages_with(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Page]:
    """Any page, also such as no engine yields: boxes anywhere, words without letters, lines without words."""
    steps = st.builds(Step, texts, st.dictionaries(texts, COORDINATES | texts, max_size=2))
    return st.builds(
        Page,
        number=st.integers(1, 10_000),
        width_px=st.integers(1, 32_767),
        height_px=st.integers(1, 32_767),
        dpi=st.floats(1, 2400),
        languages=st.lists(texts | st.sampled_from(["deu", "chi_sim", "script/Latin"]), max_size=2).map(tuple),
        engine=texts,
        preprocessing=st.lists(steps, max_size=2).map(tuple),
        blocks=st.lists(blocks_with(texts), max_size=2).map(tuple),
        text_layer=st.sampled_from(["none", "used", "garbled", "ignored"]),
        traineddata=st.lists(st.builds(Traineddata, texts, texts), max_size=2).map(tuple),
        corrections=st.integers(0, 2),
    )


PAGES = pages_with(TEXTS)
ENCODABLE_PAGES = pages_with(st.text(st.characters(exclude_categories=["Cs"]), max_size=10))
