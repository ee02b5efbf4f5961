"""The text operators of a content stream (ISO 32000-1, 9.3 and 9.4), each written as it is called.

pikepdf has a builder for these, which makes objects of every operator and its operands: on a page of some hundred words that takes
five times as long as all the rest of its text layer.
"""

from functools import lru_cache
from typing import Final

from pikepdf import ContentStreamInstruction, Dictionary, Name, Operator, String, unparse_content_stream

from recto.ocr.page import Point

_INVISIBLE: Final = 3


class TextOperators:
    """Content of one text object. Lengths in units of the user space, codes of characters as two bytes in hexadecimal digits each."""

    def __init__(self) -> None:
        self._operators: list[str] = []

    def font(self, name: Name, size: float) -> None:
        """Tf"""
        self._operators.append(f"{name} {_number(size)} Tf")

    def scaling(self, percent: float) -> None:
        """Tz: how wide letters are, of what the font says."""
        self._operators.append(f"{_number(percent)} Tz")

    def place(self, start: Point, direction: Point) -> None:
        """Tm: where the next text starts, and the cosine and the sine of its direction."""
        self._operators.append(f"{_rotation(direction)} {_number(start[0])} {_number(start[1])} Tm")

    def show(self, codes: str) -> None:
        """Tj"""
        self._operators.append(f"<{codes}> Tj")

    def show_moved(self, parts: list[str | int]) -> None:
        """TJ: codes, and between them how far to go back, in thousandths of the text's height."""
        shown = " ".join(f"<{part}>" if isinstance(part, str) else str(part) for part in parts)
        self._operators.append(f"[{shown}] TJ")

    def begin_actual_text(self, tag: Name, text: str) -> None:
        """BDC with what stands instead of all up to `end_actual_text` (ISO 32000-1, 14.9.4)."""
        operands = [tag, Dictionary(ActualText=String(text))]
        instruction = unparse_content_stream([ContentStreamInstruction(operands, Operator("BDC"))])
        self._operators.append(instruction.decode("latin-1"))

    def end_actual_text(self) -> None:
        """EMC"""
        self._operators.append("EMC")

    def invisible(self) -> bytes:
        """The whole as a text object that paints nothing; the graphics state is as before after it. Empty where there is nothing."""
        if not self._operators:
            return b""
        return "\n".join(["q", "BT", f"{_INVISIBLE} Tr", *self._operators, "ET", "Q\n"]).encode("latin-1")


@lru_cache(maxsize=64)
def _rotation(direction: Point) -> str:
    """The first four numbers of a matrix. The words of a line have one direction, and so have most lines of a page."""
    cosine, sine = _number(direction[0], 6), _number(direction[1], 6)
    minus_sine = sine[1:] if sine[0] == "-" else f"-{sine}"
    return f"{cosine} {sine} {minus_sine} {cosine}"


def _number(value: float, decimals: int = 2) -> str:
    """As PDF has it: without an exponent."""
    written = f"{value:.{decimals}f}".rstrip("0").rstrip(".")
    return "0" if written == "-0" else written
