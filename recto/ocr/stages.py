"""Pictures of a page: as it was uploaded, as the engine saw it, and after each step in between.

None is kept with the text: the page is decoded once more, and gets the same steps by the same measurements.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, Final, TypeAlias

from PIL import Image

from recto.errors import PageNotPreprocessed
from recto.ocr.documents import Limits, load_page
from recto.ocr.page import PageImage
from recto.ocr.preprocessing.plan import preprocess

if TYPE_CHECKING:
    from recto.ocr.document_file import DocumentFile
    from recto.ocr.options import Options, Stage
    from recto.ocr.page import Page
    from recto.ocr.preprocessing.prepared import Observer, Preprocessed

Show: TypeAlias = Callable[[str, PageImage], None]
"""Gets a stage's name, which is `original` or a step's, and the page at that stage."""

_COMPRESSION_LEVEL: Final = 6
"""On six scans level 9 took six times as long for 2 to 8 % less, level 1 half as long for 11 to 44 % more."""


def page_picture(file: DocumentFile, page: Page, stage: Stage, options: Options, limits: Limits) -> PageImage:
    """The page, which was read under `options`, at that stage.

    Raises what `load_page` raises, and PageNotPreprocessed where the text of the page was taken from the PDF.
    """
    if stage == "original":
        return load_page(file, page.number, limits)
    if page.text_layer == "used":
        raise PageNotPreprocessed(
            f"The text of page {page.number} was taken from the PDF, so the engine saw no picture of the whole page. "
            "Ask for stage=original, or read the document anew with mode=force."
        )
    return _picture(_preprocessed(load_page(file, page.number, limits), page, options))


def show_stages(file: DocumentFile, page: Page, options: Options, limits: Limits, show: Show) -> None:
    """Show the page as it was uploaded and then after each step; the original alone where its text was taken from the PDF.

    Raises what `load_page` raises.
    """
    original = load_page(file, page.number, limits)
    show("original", original)
    if page.text_layer != "used":
        _preprocessed(original, page, options, lambda after: show(after.steps[-1].name, _picture(after)))


def write_png(image: PageImage, sink: BinaryIO) -> None:
    """Write the picture as PNG, without loss and with its resolution where that is known. `sink` stays open."""
    about = {}
    if image.dpi is not None:
        about["dpi"] = image.dpi * min(1.0, image.pixel_aspect), image.dpi / max(1.0, image.pixel_aspect)
    Image.fromarray(image.pixels).save(sink, format="PNG", compress_level=_COMPRESSION_LEVEL, **about)


def _preprocessed(original: PageImage, page: Page, options: Options, observer: Observer | None = None) -> Preprocessed:
    """The original as in the reading that counts: turned, whitened and cleared as that says, otherwise by its measurements, which are the same again."""
    turns = [float(step.measured["turn_deg"]) for step in page.preprocessing if step.name == "orientation"]
    taken = {step.name for step in page.preprocessing}
    return preprocess(
        original,
        options.steps,
        round(sum(turns)),
        observer,
        is_whitened="paper" in taken,
        is_cleared="contrast" in taken,
    )


def _picture(prepared: Preprocessed) -> PageImage:
    return PageImage(prepared.pixels, prepared.dpi)
