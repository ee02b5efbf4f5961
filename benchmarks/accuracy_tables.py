"""The accuracy benchmark's arithmetic and its tables, in Markdown."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from benchmarks.accuracy_sources import UNTOUCHED, Page
from benchmarks.ocr_systems import RECTO, TESSERACT, TESSERACT_PSM_1
from benchmarks.text_scores import Score

NO_ERRORS: Final = 1e-4
"""Added to word errors on both sides of a ratio, so that a perfect set leaves it finite."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one system made of one page."""

    page: Page
    system: str
    score: Score
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Readings:
    """All of them, with the systems in the order of their columns and the CPU seconds of their start."""

    all: tuple[Reading, ...]
    startup_s: dict[str, float]

    @property
    def groups(self) -> list[str]:
        """In the order in which they were read."""
        return list(dict.fromkeys(reading.page.group for reading in self.all))

    def total(self, group: str, system: str, *, upright_only: bool = False) -> Score:
        """The sum over a group's pages, CPU less the start."""
        scores = (
            less_startup(reading.score, self.startup_s[system])
            for reading in self.all
            if reading.page.group == group and reading.system == system and (reading.page.upright or not upright_only)
        )
        return sum(scores, Score())

    def better_of_both(self, group: str) -> Score:
        """Of Tesseract's two readings of each upright page of the group the better one."""
        pages: dict[str, list[Score]] = {}
        for reading in self.all:
            if reading.page.group == group and reading.page.upright and reading.system in (TESSERACT, TESSERACT_PSM_1):
                pages.setdefault(str(reading.page.image), []).append(reading.score)
        return sum((max(scores, key=lambda score: score.word_f1) for scores in pages.values()), Score())


def less_startup(score: Score, startup_s: float) -> Score:
    return score + Score(cpu_s=max(-score.cpu_s, -startup_s * score.pages))


def error_ratio(score: Score, other: Score) -> float:
    """Word errors (1 - word F1) of the one by those of the other."""
    return (1 - score.word_f1 + NO_ERRORS) / (1 - other.word_f1 + NO_ERRORS)


def geometric_mean(ratios: Iterable[float]) -> float:
    """Of positive numbers; not a number where there are none."""
    logarithms = [math.log(ratio) for ratio in ratios]
    return math.exp(sum(logarithms) / len(logarithms)) if logarithms else math.nan


def figures_table(readings: Readings) -> Iterator[str]:
    """CER, word F1 and CPU of each system on each group."""
    systems = list(readings.startup_s)
    yield _row("set", "pages", *(f"{system} {figure}" for system in systems for figure in ("CER", "word F1", "CPU")))
    yield _rule(1 + 3 * len(systems))
    for group in readings.groups:
        scores = [readings.total(group, system) for system in systems]
        cells = (f"{score.cer:.4f} | {score.word_f1:.4f} | {score.cpu_a_page_s:.1f} s" for score in scores)
        yield _row(group, str(scores[0].pages), *cells)


def ratios_table(readings: Readings) -> Iterator[str]:
    """Word errors by raw Tesseract's and by what else there is to compare with, and Recto's CPU by raw Tesseract's."""
    columns = ratio_columns(readings)
    yield _row("word errors, set", *columns)
    yield _rule(len(columns))
    for group in readings.groups:
        yield _row(group, *(f"{column[group]:.3f}" if group in column else "" for column in columns.values()))
    means = (
        geometric_mean(ratio for group, ratio in column.items() if group != UNTOUCHED) for column in columns.values()
    )
    yield _row("geometric mean", *(f"**{mean:.3f}**" for mean in means))


def ratio_columns(readings: Readings) -> dict[str, dict[str, float]]:
    """The ratios of each column by group. A group without such pages is left out of a column."""
    systems, groups = list(readings.startup_s), readings.groups
    columns: dict[str, dict[str, float]] = {}
    if TESSERACT in systems:
        for system in systems:
            if system != TESSERACT:
                columns[f"{system} by {TESSERACT}"] = _by_system(readings, system, TESSERACT)
    if RECTO in systems and {TESSERACT, TESSERACT_PSM_1} <= set(systems):
        columns["recto by the better of both, upright pages"] = {
            group: error_ratio(readings.total(group, RECTO, upright_only=True), better)
            for group in groups
            if (better := readings.better_of_both(group)).pages
        }
    if RECTO in systems and UNTOUCHED in groups:
        untouched = readings.total(UNTOUCHED, RECTO)
        columns["recto by recto untouched"] = {
            group: error_ratio(readings.total(group, RECTO), untouched) for group in groups
        }
    if {RECTO, TESSERACT} <= set(systems):
        columns["CPU of recto by tesseract"] = _cpu_ratios(readings)
    return columns


def _by_system(readings: Readings, system: str, other: str) -> dict[str, float]:
    return {
        group: error_ratio(readings.total(group, system), readings.total(group, other)) for group in readings.groups
    }


def _cpu_ratios(readings: Readings) -> dict[str, float]:
    ratios = {}
    for group in readings.groups:
        ours, theirs = readings.total(group, RECTO).cpu_s, readings.total(group, TESSERACT).cpu_s
        if ours > 0 and theirs > 0:
            ratios[group] = ours / theirs
    return ratios


def ablation_table(readings: Readings) -> Iterator[str]:
    """Word errors without each step by those with all: above 1 the step helps. And the CPU that it costs."""
    steps, groups = [system for system in readings.startup_s if system != RECTO], readings.groups
    columns = {step: _by_system(readings, step, RECTO) for step in steps}
    yield _row("word errors without the step by those with it", *groups, "geometric mean", "CPU a page of the step")
    yield _rule(len(groups) + 2)
    for step, column in columns.items():
        ratios = [f"{column[group]:.3f}" for group in groups]
        yield _row(step, *ratios, f"**{geometric_mean(column.values()):.3f}**", f"{_cost_s(readings, step):+.2f} s")


def _cost_s(readings: Readings, step: str) -> float:
    """CPU seconds a page, all groups together."""
    with_it = sum((readings.total(group, RECTO) for group in readings.groups), Score())
    without = sum((readings.total(group, step) for group in readings.groups), Score())
    return with_it.cpu_a_page_s - without.cpu_a_page_s


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _rule(numbers: int) -> str:
    return "|---|" + "--:|" * numbers
