"""Documents for the chaos run: drawn in code, read in some 20 ms a page, and each page says which it is."""

import io
from dataclasses import dataclass
from random import Random
from typing import Final

from PIL import Image, ImageDraw, ImageFont

MOST_PAGES: Final = 20
_DPI: Final = (300, 300)
_DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True, slots=True)
class Letter:
    """Document number `number` of a run."""

    number: int
    page_count: int

    @property
    def file_name(self) -> str:
        """By this its job is known again."""
        return f"letter-{self.number}.tif"

    def line(self, page: int) -> str:
        """The text of that page, from 1."""
        return f"Sheet {_spoken(page)} of letter {_spoken(self.number)}"

    def content(self) -> bytes:
        """A TIFF."""
        first, *others = [_draw(self.line(page)) for page in range(1, self.page_count + 1)]
        file = io.BytesIO()
        first.save(file, "TIFF", save_all=True, append_images=others, dpi=_DPI, compression="tiff_deflate")
        return file.getvalue()


def letters(count: int, random: Random) -> list[Letter]:
    """`count` letters of 1 to MOST_PAGES pages, short ones more often than long ones."""
    return [Letter(number, round(MOST_PAGES ** random.random())) for number in range(count)]


def _spoken(number: int) -> str:
    """Its digits as words: an OCR engine takes a 0 for an O now and then, and a test that goes by the text must not."""
    return " ".join(_DIGITS[int(digit)] for digit in str(number))


def _draw(text: str) -> Image.Image:
    image = Image.new("L", (1180, 110), 255)
    ImageDraw.Draw(image).text((30, 25), text, fill=0, font=ImageFont.load_default(size=48))
    return image
