"""One image read: prepared, turned upright, in its languages, and the words back on its own pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from recto.ocr.languages.detection import detect_languages_of_script
from recto.ocr.options import AUTO_LANGUAGE, EVERY_STEP
from recto.ocr.page import mean_confidence, sure_characters, words_of
from recto.ocr.page_numbers import with_page_numbers
from recto.ocr.preprocessing.plan import cleared_of_doubtful_marks, preprocess
from recto.ocr.preprocessing.transform import inverse, map_blocks
from recto.ocr.reading_order.order import in_reading_order
from recto.ocr.scraps import only_sure, without_scraps
from recto.ocr.second_reading import read_again
from recto.ocr.trust import expected_lead, is_known_script, mean_trust

if TYPE_CHECKING:
    from recto.ocr.documents import Limits
    from recto.ocr.engines.base import Engine
    from recto.ocr.engines.osd import Script
    from recto.ocr.options import StepChoice
    from recto.ocr.page import Block, GreyArray, PageImage, Step, Word
    from recto.ocr.preprocessing.prepared import Preprocessed

_DOUBTFUL_CONFIDENCE: Final = 0.6
"""Below this mean a page may be upside down: upright pages of five sets have 0.6 and more, turned ones about 0.4."""
_SURE: Final = 0.8
"""A page whose characters are right with this probability is not read without its faint marks. On 127 pages with such marks 0.88 cost twice as many
readings and gained 0.003 of word F1 on damaged pages, and nothing on others."""
_MIN_GAIN: Final = 0.01
"""Of the words by which the right ones lead."""
_SURE_OSD: Final = 5.0
"""From this confidence OSD's word that a page stands upright is taken against its letters'; wrong answers on five sets had 2 to 3.5."""
_LEAST_DPI: Final = 70.0
_MOST_DPI: Final = 2400.0
"""What Tesseract believes."""


@dataclass(frozen=True, slots=True)
class Reader:
    """What a process reads all its pages with. `fallback_languages` are used where a page's own cannot be found out."""

    engine: Engine
    limits: Limits
    fallback_languages: tuple[str, ...]

    @property
    def engine_name(self) -> str:
        """Name and version."""
        return f"{self.engine.name} {self.engine.version()}"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in an image: blocks in its pixels, the preprocessing that it got, the languages, its resolution."""

    blocks: tuple[Block, ...]
    steps: tuple[Step, ...]
    languages: tuple[str, ...]
    dpi: float


@dataclass(frozen=True, slots=True)
class _Attempt:
    """The page prepared in one way and what was read of it, in the prepared page's pixels."""

    prepared: Preprocessed
    languages: tuple[str, ...]
    found: tuple[Step, ...]
    blocks: tuple[Block, ...]

    @property
    def confidence(self) -> float:
        """0 where nothing was read."""
        return mean_confidence(tuple(words_of(self.blocks))) or 0.0

    @property
    def sure_characters(self) -> float:
        """What counts for the better of two attempts."""
        return sure_characters(words_of(self.blocks))


def read_image(
    image: PageImage, languages: tuple[str, ...], reader: Reader, choice: StepChoice = EVERY_STEP
) -> Reading:
    """Read the image; blocks are empty where it is blank. `languages` may be ("auto",). Raises what Engine.recognise raises.

    What was read doubtfully is read a second time, as `choice` allows.
    """
    attempt = _upright_attempt(image, languages, reader, choice)
    if "contrast" in choice.allowed - choice.wanted:
        attempt = _cleared_where_better(attempt, reader.engine)
    attempt = _refined(attempt, reader.engine, choice)
    if not attempt.blocks and "paper" in choice.allowed - choice.wanted:
        attempt = _on_white_paper(image, languages, reader, choice) or attempt
    prepared = attempt.prepared
    height_px, width_px = image.pixels.shape
    placed = map_blocks(inverse(prepared.transform), attempt.blocks, width_px, height_px)
    return Reading(
        in_reading_order(placed), (*prepared.steps, *attempt.found), attempt.languages, prepared.original_dpi
    )


def _refined(attempt: _Attempt, engine: Engine, choice: StepChoice) -> _Attempt:
    """The attempt with its doubtful lines read again, without scraps, and with its page numbers."""
    blocks, steps = attempt.blocks, attempt.found
    if "second_reading" in choice.allowed:
        recognise = partial(_recognise_grown, attempt, engine)
        second = read_again(attempt.prepared.pixels, blocks, recognise, may_lose_rules="rules" in choice.allowed)
        blocks, steps = second.blocks, (*steps, *second.steps)
    if "scraps" in choice.allowed:
        blocks, step = without_scraps(blocks)
        steps = (*steps, step) if step else steps
    if "page_numbers" in choice.allowed:
        blocks, step = with_page_numbers(
            attempt.prepared.pixels, blocks, partial(_recognise_line_grown, attempt, engine)
        )
        steps = (*steps, step) if step else steps
    return replace(attempt, blocks=blocks, found=steps)


def _on_white_paper(
    image: PageImage, languages: tuple[str, ...], reader: Reader, choice: StepChoice
) -> _Attempt | None:
    """What is surely read in the page's rows of letters with the paper around them made white; None where there is nothing of the kind."""
    prepared = preprocess(image, choice, is_whitened=True)
    if all(step.name != "paper" for step in prepared.steps):
        return None
    attempt = _refined(_attempt(prepared, None, languages, reader), reader.engine, choice)
    blocks = only_sure(attempt.blocks)
    return replace(attempt, blocks=blocks) if blocks else None


def _upright_attempt(image: PageImage, languages: tuple[str, ...], reader: Reader, choice: StepChoice) -> _Attempt:
    """The first reading, of the page turned upright.

    An image whose letters seem to stand on another side than the bottom is turned where OSD says the same. Where OSD has too little text to
    tell, is unsure, or says another side, or says that a page is turned whose reading is doubtful, it is read every way that is said and the best
    reading counts. Upright pages that read well never pay for OSD.
    """
    prepared, script = preprocess(image, choice), None
    suspected_deg = prepared.suspected_text_angle_deg
    if suspected_deg or languages == (AUTO_LANGUAGE,):
        script = reader.engine.detect_script(prepared.pixels, _engine_dpi(prepared))
    is_confirmed = script is not None and script.text_angle_deg == suspected_deg
    if suspected_deg and is_confirmed:
        prepared, script = _turned_upright(image, choice, suspected_deg, script)
        suspected_deg = 0
    attempt = _attempt(prepared, script, languages, reader)
    is_suspicion_refuted = (
        script is not None and script.text_angle_deg == 0 and script.text_angle_confidence >= _SURE_OSD
    )
    if attempt.confidence >= _DOUBTFUL_CONFIDENCE and (not suspected_deg or is_suspicion_refuted):
        return attempt
    if "orientation" not in choice.allowed:
        return attempt
    if script is None and not suspected_deg:
        script = reader.engine.detect_script(prepared.pixels, _engine_dpi(prepared))
    angles_deg = sorted({suspected_deg, script.text_angle_deg if script else 0} - {0})
    others = [_turned_attempt(image, choice, angle_deg, script, languages, reader) for angle_deg in angles_deg]
    return max((attempt, *others), key=lambda one: one.sure_characters)


def _turned_attempt(
    image: PageImage,
    choice: StepChoice,
    text_angle_deg: int,
    script: Script | None,
    languages: tuple[str, ...],
    reader: Reader,
) -> _Attempt:
    """The page read as if its text were turned by that angle."""
    upright, script = _turned_upright(image, choice, text_angle_deg, script)
    return _attempt(upright, script, languages, reader)


def _cleared_where_better(attempt: _Attempt, engine: Engine) -> _Attempt:
    """The attempt, or one on the page without its faint marks where both say so: the first is doubtful, and the other reads better."""
    words = tuple(words_of(attempt.blocks))
    if mean_trust(words) >= _SURE or not is_known_script(attempt.blocks):
        return attempt
    prepared = cleared_of_doubtful_marks(attempt.prepared)
    if prepared is None:
        return attempt
    blocks = engine.recognise(prepared.pixels, _engine_dpi(prepared), attempt.languages)
    before, after = expected_lead(words), expected_lead(words_of(blocks))
    is_better = after - before > _MIN_GAIN * abs(before)
    return replace(attempt, prepared=prepared, blocks=blocks) if is_better else attempt


def _turned_upright(
    image: PageImage, choice: StepChoice, text_angle_deg: int, script: Script | None
) -> tuple[Preprocessed, Script | None]:
    upright = preprocess(image, choice, turn_deg=-text_angle_deg % 360)
    return upright, replace(script, text_angle_deg=0) if script else None


def _attempt(prepared: Preprocessed, script: Script | None, languages: tuple[str, ...], reader: Reader) -> _Attempt:
    dpi = _engine_dpi(prepared)
    steps: tuple[Step, ...] = ()
    if languages == (AUTO_LANGUAGE,):
        found = detect_languages_of_script(prepared.pixels, dpi, script, reader.engine, reader.fallback_languages)
        languages, steps = found.languages, (found.step,)
    return _Attempt(prepared, languages, steps, reader.engine.recognise(prepared.pixels, dpi, languages))


def _recognise_grown(attempt: _Attempt, engine: Engine, picture: GreyArray, growth: float) -> tuple[Block, ...]:
    return engine.recognise(picture, _engine_dpi(attempt.prepared, growth), attempt.languages)


def _recognise_line_grown(attempt: _Attempt, engine: Engine, picture: GreyArray, growth: float) -> tuple[Word, ...]:
    return engine.recognise_line(picture, _engine_dpi(attempt.prepared, growth), attempt.languages)


def _engine_dpi(prepared: Preprocessed, growth: float = 1.0) -> int:
    return round(min(max(prepared.dpi * growth, _LEAST_DPI), _MOST_DPI))
