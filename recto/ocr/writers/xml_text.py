"""XML as text, written piece by piece: what hOCR and ALTO share."""

from collections.abc import Mapping
from typing import TypeAlias
from xml.sax.saxutils import escape, quoteattr

from recto.ocr.page import Point
from recto.ocr.writers.characters import plain

Value: TypeAlias = str | int | float | None


def text(value: str) -> str:
    """Character data; see `plain` for what XML forbids."""
    return escape(plain(value))


def tag(name: str, attributes: Mapping[str, Value], *, closed: bool = False) -> str:
    """A start tag, or an empty element where it is `closed`. Attributes that are None are left out."""
    given = "".join(
        f" {key}={quoteattr(plain(number(value)))}" for key, value in attributes.items() if value is not None
    )
    return f"<{name}{given}{'/' if closed else ''}>"


def number(value: str | float) -> str:
    """Numbers with at most two decimals, never with an exponent; text as it is."""
    if isinstance(value, float):
        return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")  # adding nothing makes -0.0 a 0
    return str(value)


def points(given: tuple[Point, ...]) -> str:
    """`x y x y …`."""
    return " ".join(number(float(value)) for point in given for value in point)
