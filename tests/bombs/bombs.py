"""The bombs by name: small as files, large in pixels, pages, bytes or time."""

import gzip
import io
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from tests.bombs import pdfs, pictures

_A4_AT_600_DPI: Final = (4960, 7016)


def _noise() -> bytes:
    """A page of black and white at random, as large as pages usually are at most."""
    width_px, height_px = _A4_AT_600_DPI
    return _png(Image.frombytes("1", _A4_AT_600_DPI, Random(1).randbytes((width_px + 7) // 8 * height_px)))


def _crowded() -> bytes:
    """A page full of the smallest print: more than 100,000 letters."""
    image = Image.new("L", _A4_AT_600_DPI, 255)
    letters = Random(2).choices("abcdefghijklmnopqrstuvwxyz ", k=_A4_AT_600_DPI[0] // 14)
    for top in range(40, _A4_AT_600_DPI[1] - 40, 32):
        ImageDraw.Draw(image).text((40, top), "".join(letters), fill=0, font=ImageFont.load_default(size=24))
        letters.append(letters.pop(0))
    return _png(image)


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()


BOMBS: Final[Mapping[str, Callable[[], bytes]]] = {
    "PNG of 20,000 x 20,000": lambda: pictures.png(20_000, 20_000),
    "PNG that claims 2,147,483,647 x 2,147,483,647": lambda: pictures.png(2**31 - 1, 2**31 - 1, rows=1),
    "PNG with a comment and a profile of 2 GB each": lambda: pictures.png_with_text(2_000),
    "TIFF of 35,000 x 35,000, G4": lambda: pictures.tiff_g4(35_000),
    "TIFF of 1,000,000 pages": lambda: pictures.tiff_of_pages(1_000_000),
    "TIFF whose last page is before its first": pictures.tiff_in_a_circle,
    "GIF of 65,535 x 65,535 with 100,000 frames": lambda: pictures.gif(65_535, 65_535, 100_000),
    "GIF of 10,000 x 10,000 with 100,000 frames": lambda: pictures.gif(10_000, 10_000, 100_000),
    "JPEG that claims 65,500 x 65,500, progressive": lambda: pictures.jpeg(65_500),
    "JPEG that claims 14,000 x 14,000, progressive": lambda: pictures.jpeg(14_000),
    "WebP of 14,000 x 14,000": lambda: pictures.webp(14_000),
    "JPEG 2000 that claims 100,000 x 100,000": lambda: pictures.jpeg_2000(100_000),
    "JPEG 2000 that claims 14,000 x 14,000": lambda: pictures.jpeg_2000(14_000),
    "BMP that claims 2,000,000,000 x 2,000,000,000": lambda: pictures.bmp(2_000_000_000),
    "BMP that claims 14,000 x 14,000": lambda: pictures.bmp(14_000),
    "PGM that claims 14,000 x 14,000": lambda: pictures.pnm(14_000),
    "gzip of a PNG": lambda: gzip.compress(pictures.png(20_000, 20_000), mtime=0),
    "PDF of 1,000,000 pages": pdfs.million_pages,
    "PDF whose page tree has 100,000 levels": lambda: pdfs.deep_page_tree(100_000),
    "PDF whose page tree is a circle": pdfs.page_tree_in_a_circle,
    "PDF with content of 1 GB, deflated three times": lambda: pdfs.nested_streams(1_000),
    "PDF whose forms draw 10^9 forms": lambda: pdfs.forms_that_draw_forms(9),
    "PDF with a picture of 30,000 x 30,000": lambda: pdfs.large_picture(30_000),
    "PDF page of 380 x 380 m": pdfs.large_page,
    "PDF with 1,000,000 arrays in each other": lambda: pdfs.deep_objects(1_000_000),
    "PDF that fills the page 2,000,000 times": lambda: pdfs.many_operators(2_000_000),
    "A4 page of noise at 600 dpi": _noise,
    "A4 page of the smallest print at 600 dpi": _crowded,
}
