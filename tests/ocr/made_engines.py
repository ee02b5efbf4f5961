"""An engine that needs none, for doubles to say how they differ from it, and what an engine yields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recto.ocr.page import Block, Box, Line, Traineddata, Word

if TYPE_CHECKING:
    from recto.ocr.engines.osd import Script
    from recto.ocr.page import GreyArray


class SilentEngine:
    """Has English, and reads nothing. Implements Engine."""

    name = "silent"

    def version(self) -> str:
        return "1"

    def languages(self) -> frozenset[str]:
        return frozenset({"eng"})

    def traineddata(self, languages: tuple[str, ...]) -> tuple[Traineddata, ...]:
        return ()

    def detect_script(self, pixels: GreyArray, dpi: int) -> Script | None:
        return None

    def recognise(self, pixels: GreyArray, dpi: int, languages: tuple[str, ...]) -> tuple[Block, ...]:
        return ()

    def recognise_line(self, pixels: GreyArray, dpi: int, languages: tuple[str, ...]) -> tuple[Word, ...]:
        return ()


def word_alone(text: str, confidence: float) -> tuple[Block, ...]:
    """A page on which one word was found."""
    box, quad = Box(10, 10, 20, 10), ((10, 10), (30, 10), (30, 20), (10, 20))
    return (Block((Line((Word(text, confidence, box, quad),), box, quad, 0),), box),)
