"""How long the stages of reading take: measured in the page processes, gathered by the Worker, counted on by its heartbeat (recto/stage_labels.py).

Gathered in memory for some seconds, since a histogram costs more rows than a page has: a Worker that is killed loses the times of its last
seconds. What is counted by itself (recto/records/meters.py) is not lost.
"""

import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recto.stage_labels import BUCKETS_S, Stage, stage_label

if TYPE_CHECKING:
    from recto.ocr.engines.base import Engine
    from recto.ocr.engines.osd import Script
    from recto.ocr.page import Block, GreyArray, Traineddata, Word


@dataclass(frozen=True, slots=True)
class Gathered:
    """Times by stage_label, and microseconds by stage."""

    times: Mapping[str, int]
    total_us: Mapping[str, int]


class StageTimes:
    """Times that were not counted on yet. The loop adds, the heartbeat takes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: Counter[str] = Counter()
        self._total_us: Counter[str] = Counter()

    def add(self, stage: Stage, took_s: float) -> None:
        """One time of one stage."""
        with self._lock:
            self._times[stage_label(stage, bisect_left(BUCKETS_S, took_s))] += 1
            self._total_us[stage] += round(took_s * 1_000_000)

    def take(self) -> Gathered:
        """All that there are. Whoever cannot write them down puts them back."""
        with self._lock:
            gathered = Gathered(dict(self._times), dict(self._total_us))
            self._times.clear()
            self._total_us.clear()
        return gathered

    def put_back(self, gathered: Gathered) -> None:
        """They were not written down."""
        with self._lock:
            self._times.update(gathered.times)
            self._total_us.update(gathered.total_us)


class Stopwatch:
    """The seconds that the parts of one piece of work take."""

    def __init__(self) -> None:
        self._took_s: dict[Stage, float] = {}

    @property
    def took_s(self) -> tuple[tuple[Stage, float], ...]:
        """The parts with their seconds."""
        return tuple(self._took_s.items())

    def reset(self) -> None:
        """Another piece of work begins."""
        self._took_s.clear()

    @contextmanager
    def measure(self, stage: Stage, inner: Stage | None = None) -> Iterator[None]:
        """Add the time of the block, less what the part `inner` took in it."""
        inner_before_s = self._took_s.get(inner, 0.0) if inner else 0.0
        started_s = time.perf_counter()
        try:
            yield
        finally:
            inner_s = self._took_s.get(inner, 0.0) - inner_before_s if inner else 0.0
            self._took_s[stage] = self._took_s.get(stage, 0.0) + time.perf_counter() - started_s - inner_s


class TimedEngine:
    """An engine whose time is measured. Implements Engine."""

    def __init__(self, engine: "Engine", stopwatch: Stopwatch) -> None:
        self._engine = engine
        self._stopwatch = stopwatch

    @property
    def name(self) -> str:
        """See Engine."""
        return self._engine.name

    def version(self) -> str:
        """See Engine."""
        return self._engine.version()

    def languages(self) -> frozenset[str]:
        """See Engine."""
        return self._engine.languages()

    def recognise(self, pixels: "GreyArray", dpi: int, languages: tuple[str, ...]) -> tuple["Block", ...]:
        """See Engine."""
        with self._stopwatch.measure("recognise"):
            return self._engine.recognise(pixels, dpi, languages)

    def recognise_line(self, pixels: "GreyArray", dpi: int, languages: tuple[str, ...]) -> tuple["Word", ...]:
        """See Engine."""
        with self._stopwatch.measure("recognise"):
            return self._engine.recognise_line(pixels, dpi, languages)

    def detect_script(self, pixels: "GreyArray", dpi: int) -> "Script | None":
        """See Engine."""
        with self._stopwatch.measure("recognise"):
            return self._engine.detect_script(pixels, dpi)

    def traineddata(self, languages: tuple[str, ...]) -> tuple["Traineddata", ...]:
        """See Engine."""
        return self._engine.traineddata(languages)
