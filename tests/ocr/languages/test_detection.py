from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pytest

from recto.errors import LanguageNotInstalled
from recto.ocr.engines.base import Engine
from recto.ocr.engines.osd import Script
from recto.ocr.engines.select import choose_engine
from recto.ocr.languages.detection import Detection, detect_languages_of_script, identify_text
from recto.ocr.layout import quad_of
from recto.ocr.page import Block, Box, Line, Traineddata, Word
from tests.drawing import LINES, blank_page, draw_page

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray

TEXTS = {
    "eng": LINES,
    "deu": (
        "Jeden Morgen öffnet der Bäcker seinen kleinen Laden,",
        "heizt den Ofen und knetet Teig für das ganze Dorf.",
        "Die Leute kommen von weit her, um sein Brot zu kaufen,",
        "weil niemand sonst es so gut zu backen versteht.",
    ),
    "fra": (
        "Chaque matin le boulanger ouvre sa petite boutique,",
        "allume le four et pétrit la pâte pour tout le village.",
        "Les gens viennent de loin pour acheter son pain,",
        "parce que personne d'autre ne le fait aussi bien.",
    ),
    "ces": (
        "Každé ráno otevírá pekař svůj malý krámek,",
        "roztápí pec a hněte těsto pro celou vesnici.",
        "Lidé přijíždějí ze vzdálených statků pro jeho chléb,",
        "protože nikdo jiný ho neumí upéct tak dobře.",
    ),
    "spa": (
        "Cada mañana el panadero abre su pequeña tienda,",
        "enciende el horno y amasa para todo el pueblo.",
        "La gente viene de granjas lejanas a comprar su pan,",
        "porque nadie más sabe hacerlo tan bien como él.",
    ),
    "ita": (
        "Ogni mattina il fornaio apre la sua piccola bottega,",
        "accende il forno e impasta per tutto il villaggio.",
        "La gente arriva da lontano per comprare il suo pane,",
        "perché nessun altro riesce a farlo così buono.",
    ),
}
POLISH = (
    "Każdego ranka piekarz otwiera swój mały sklep,",
    "rozpala piec i zagniata ciasto dla całej wsi.",
    "Ludzie przyjeżdżają z daleka po jego chleb,",
    "bo nikt inny nie piecze go tak dobrze jak on.",
)
RUSSIAN = (
    "Каждое утро пекарь открывает свою маленькую лавку,",
    "зажигает печь и месит тесто для всей деревни.",
    "Люди приезжают с дальних хуторов за его хлебом,",
    "потому что никто другой не печёт его так хорошо.",
)
FALLBACK = ("spa",)


def detect_languages(pixels: GreyArray, dpi: int, engine: Engine, fallback: tuple[str, ...]) -> Detection:
    """With what the engine itself says of the script."""
    return detect_languages_of_script(pixels, dpi, engine.detect_script(pixels, dpi), engine, fallback)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return choose_engine("auto")


@dataclass
class PretendedEngine:
    """Has the data that a test names, and reads with each what the test says, with one confidence."""

    readings: dict[str, tuple[tuple[str, ...], float]]
    script: Script | None
    asked: list[tuple[str, ...]] = field(default_factory=list)
    name: str = "pretended"

    def version(self) -> str:
        return "1"

    def languages(self) -> frozenset[str]:
        return frozenset(self.readings)

    def recognise(self, pixels: GreyArray, dpi: int, languages: tuple[str, ...]) -> tuple[Block, ...]:
        self.asked.append(languages)
        lines, confidence = self.readings[languages[0]]
        box = Box(0, 0, 10, 10)
        words = [tuple(Word(text, confidence, box, quad_of(box)) for text in line.split()) for line in lines]
        return (Block(tuple(Line(line, box, quad_of(box), 0) for line in words), box),)

    def recognise_line(self, pixels: GreyArray, dpi: int, languages: tuple[str, ...]) -> tuple[Word, ...]:
        return ()

    def detect_script(self, pixels: GreyArray, dpi: int) -> Script | None:
        return self.script

    def traineddata(self, languages: tuple[str, ...]) -> tuple[Traineddata, ...]:
        return ()


def pretend(script: Script | None, **readings: tuple[tuple[str, ...], float]) -> PretendedEngine:
    return PretendedEngine(readings, script)


def certain(name: str) -> Script:
    return Script(name, 5.0, 0, 20.0)


GIBBERISH = (("Kax]0e yTpO IleKapb OTKPbIBAeT CBOIO MaJeHbkyIO JaBKy",), 0.3)


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_page_in_an_installed_language_is_detected(engine: Engine, language: str) -> None:
    found = detect_languages(draw_page(TEXTS[language]).pixels, 300, engine, FALLBACK)
    assert found.languages == (language,)
    assert found.script == "Latin"
    assert found.confidence > 0.9


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_page_that_lies_turned_is_detected(engine: Engine, quarter_turns: int) -> None:
    page = np.ascontiguousarray(np.rot90(draw_page(TEXTS["deu"] * 2).pixels, quarter_turns))
    assert detect_languages(page, 300, engine, FALLBACK).languages == ("deu",)


def test_page_in_two_languages_yields_both_the_greater_first(engine: Engine) -> None:
    page = draw_page(TEXTS["fra"] * 2 + TEXTS["deu"] * 5).pixels
    found = detect_languages(page, 300, engine, FALLBACK)
    assert found.languages == ("deu", "fra")
    assert found.confidence > 0.8


def test_page_in_a_language_that_is_missing_is_read_with_another_and_says_so(engine: Engine) -> None:
    found = detect_languages(draw_page(POLISH).pixels, 300, engine, FALLBACK)
    assert found.script == "Latin"
    assert found.languages[0] in engine.languages()
    assert found.confidence < 0.1
    assert found.step.measured["not_installed"] == "pl"


@pytest.mark.parametrize(
    "page", [blank_page(), draw_page(("12 345 678 90", "55 666 77 8 99") * 4).pixels, draw_page(("No. 7 a",)).pixels]
)
def test_page_with_too_little_text_gets_the_fallback(engine: Engine, page: GreyArray) -> None:
    found = detect_languages(page, 300, engine, FALLBACK)
    assert (found.languages, found.confidence) == (FALLBACK, 0.0)


def test_page_of_noise_gets_the_fallback(engine: Engine) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (900, 900), np.uint8)
    assert detect_languages(noise, 300, engine, FALLBACK).languages == FALLBACK


def test_page_in_a_script_without_data_names_it_and_what_to_install(engine: Engine) -> None:
    with pytest.raises(LanguageNotInstalled, match=r"Cyrillic.*Install.*deu") as caught:
        detect_languages(draw_page(RUSSIAN).pixels, 300, engine, FALLBACK)
    assert caught.value.members["script"] == "Cyrillic"


def test_script_without_data_that_is_uncertain_gets_the_fallback() -> None:
    engine = pretend(Script("Cyrillic", 5.0, 0, 3.0), eng=GIBBERISH, spa=GIBBERISH)
    found = detect_languages(draw_page().pixels, 300, engine, FALLBACK)
    assert (found.languages, found.script, found.confidence) == (FALLBACK, "Cyrillic", 0.0)


def test_script_without_data_that_reads_well_as_latin_is_latin() -> None:
    engine = pretend(certain("Cyrillic"), eng=(TEXTS["deu"], 0.8), deu=GIBBERISH)
    found = detect_languages(draw_page().pixels, 300, engine, FALLBACK)
    assert (found.languages, found.script) == (("deu",), "Latin")


def test_script_with_data_is_read_with_them() -> None:
    engine = pretend(certain("Cyrillic"), eng=GIBBERISH, rus=(RUSSIAN, 0.9), ukr=GIBBERISH)
    found = detect_languages(draw_page().pixels, 300, engine, FALLBACK)
    assert (found.languages, found.script) == (("rus",), "Cyrillic")
    assert engine.asked == [("rus",)]


def test_script_named_wrongly_is_outdone_by_latin_that_reads_better() -> None:
    engine = pretend(certain("Cyrillic"), eng=(LINES, 0.9), rus=GIBBERISH)
    found = detect_languages(draw_page().pixels, 300, engine, FALLBACK)
    assert (found.languages, found.script) == (("eng",), "Latin")


def test_script_unknown_to_osd_is_found_by_reading_with_each() -> None:
    engine = pretend(None, eng=GIBBERISH, ell=GIBBERISH, rus=(RUSSIAN, 0.9))
    assert detect_languages(draw_page().pixels, 300, engine, ("eng",)).languages == ("rus",)


@pytest.mark.parametrize(("latin", "languages"), [(0.58, ("rus",)), (0.62, ("spa",)), (0.68, ("spa",))])
def test_script_that_osd_is_unsure_of_is_outdone_by_one_that_reads_clearly_better(
    latin: float, languages: tuple[str, ...]
) -> None:
    engine = pretend(Script("Latin", 4.0, 0, 2.0), spa=(TEXTS["spa"], latin), rus=(RUSSIAN, 0.7))
    assert detect_languages(draw_page().pixels, 300, engine, FALLBACK).languages == languages
    assert engine.asked == [("spa",), ("rus",)][: 2 if latin < 0.65 else 1]


def test_script_that_osd_is_sure_of_is_the_only_one_tried() -> None:
    engine = pretend(certain("Latin"), spa=(TEXTS["spa"], 0.58), rus=(RUSSIAN, 0.9))
    assert detect_languages(draw_page().pixels, 300, engine, FALLBACK).languages == ("spa",)


def test_data_of_a_whole_script_read_languages_that_have_none() -> None:
    engine = PretendedEngine({"eng": (POLISH, 0.8), "script/Latin": (POLISH, 0.8)}, certain("Latin"))
    found = detect_languages(draw_page().pixels, 300, engine, FALLBACK)
    assert found.languages == ("script/Latin",)
    assert found.identified is None
    assert found.confidence > 0.9


@pytest.mark.parametrize(("fraktur", "languages"), [(0.9, ("Fraktur",)), (0.71, ("deu",))])
def test_fraktur_is_chosen_where_it_reads_clearly_better(fraktur: float, languages: tuple[str, ...]) -> None:
    engine = pretend(certain("Fraktur"), Fraktur=(TEXTS["deu"], fraktur), deu=(TEXTS["deu"], 0.7))
    assert detect_languages(draw_page().pixels, 300, engine, ("deu",)).languages == languages


def test_fraktur_on_a_page_without_a_clear_orientation_is_not_tried() -> None:
    engine = pretend(Script("Fraktur", 7.0, 180, 2.0), Fraktur=(TEXTS["deu"], 0.9), deu=(TEXTS["deu"], 0.7))
    assert detect_languages(draw_page().pixels, 300, engine, ("deu",)).languages == ("deu",)
    assert engine.asked == [("deu",)]


def test_script_that_is_known_is_not_looked_for_again() -> None:
    engine = pretend(certain("Cyrillic"), eng=(LINES, 0.9), rus=(RUSSIAN, 0.9))
    page = draw_page().pixels
    assert detect_languages_of_script(page, 300, certain("Latin"), engine, FALLBACK).languages == ("eng",)


def test_text_is_identified_without_reading() -> None:
    installed = frozenset({"eng", "deu", "fra", "rus"})
    assert identify_text("\n".join(TEXTS["deu"]), installed, ("eng",)).languages == ("deu",)
    assert identify_text("\n".join(RUSSIAN), installed, ("eng",)).languages == ("rus",)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("每天早上面包师打开他的小店，点燃烤炉为全村人揉面，因为没有别人能烤得这么好。", "chi_sim"),
        ("每天早上麵包師打開他的小店，點燃烤爐為全村人揉麵，因為沒有別人能烤得這麼好。", "chi_tra"),
        ("毎朝パン屋は小さな店を開け、かまどに火を入れ、村中のために生地をこねます。", "jpn"),
    ],
)
def test_text_in_han_characters_is_told_apart(text: str, language: str) -> None:
    installed = frozenset({"eng", "chi_sim", "chi_sim_vert", "chi_tra", "jpn"})
    assert identify_text(text, installed, ("eng",)).languages == (language,)


def test_text_in_a_script_without_data_gets_the_fallback_and_says_what_it_is() -> None:
    found = identify_text("\n".join(RUSSIAN), frozenset({"eng"}), ("eng",))
    assert found == Detection(("eng",), "Cyrillic", 0.0, "ru")


@pytest.mark.parametrize("text", ["", "12,50 + 3", "Nr. 7"])
def test_text_that_is_too_short_gets_the_fallback(text: str) -> None:
    assert identify_text(text, frozenset({"eng", "deu"}), ("deu",)).languages == ("deu",)


def test_step_says_what_was_found() -> None:
    step = Detection(("deu", "fra"), "Latin", 0.973).step
    assert (step.name, step.measured) == ("language", {"languages": "deu+fra", "script": "Latin", "confidence": 0.97})
