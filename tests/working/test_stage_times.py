"""Times of stages: measured, gathered, counted on."""

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.stage_labels import BUCKETS_S, STAGES, stage_label
from recto.working.stage_times import Gathered, StageTimes, Stopwatch, TimedEngine
from tests.ocr.made_engines import SilentEngine

if TYPE_CHECKING:
    pass


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the clock says at each look, in order."""
    left: list[float] = []
    looks: Iterator[float] = iter(lambda: left.pop(0), None)
    monkeypatch.setattr("recto.working.stage_times.time.perf_counter", lambda: next(looks))
    return left


def test_stopwatch_takes_the_inner_stage_off_the_outer(ticks: list[float]) -> None:
    ticks += [0.0, 1.0, 3.0, 10.0]
    watch = Stopwatch()
    with watch.measure("prepare", inner="recognise"), watch.measure("recognise"):
        pass
    assert dict(watch.took_s) == {"recognise": 2.0, "prepare": 8.0}


def test_stopwatch_adds_up_a_stage_that_comes_twice_and_forgets_at_its_reset(ticks: list[float]) -> None:
    ticks += [0.0, 1.0, 5.0, 7.0]
    watch = Stopwatch()
    for _ in range(2):
        with watch.measure("store"):
            pass
    assert watch.took_s == (("store", 3.0),)
    watch.reset()
    assert not watch.took_s


def test_stopwatch_counts_what_ended_with_an_error(ticks: list[float]) -> None:
    ticks += [0.0, 4.0]
    watch = Stopwatch()
    with pytest.raises(RuntimeError), watch.measure("store"):
        raise RuntimeError
    assert watch.took_s == (("store", 4.0),)


def test_time_at_a_bound_belongs_below_it() -> None:
    times = StageTimes()
    times.add("store", 0.05)
    times.add("store", 0.0501)
    times.add("open", 999.0)
    gathered = times.take()
    assert gathered.times == {stage_label("store", 0): 1, stage_label("store", 1): 1, stage_label("open", 11): 1}
    assert gathered.total_us == {"store": 100_100, "open": 999_000_000}


@given(st.lists(st.tuples(st.sampled_from(STAGES), st.floats(0, 1000)), max_size=30), st.integers(0, 30))
def test_times_that_were_put_back_are_taken_with_those_that_came_meanwhile(
    added: list[tuple[str, float]], first: int
) -> None:
    at_once, in_two = StageTimes(), StageTimes()
    for stage, took_s in added:
        at_once.add(stage, took_s)  # type: ignore[arg-type]  # hypothesis forgets that they are literals
    for stage, took_s in added[:first]:
        in_two.add(stage, took_s)  # type: ignore[arg-type]
    failed = in_two.take()
    for stage, took_s in added[first:]:
        in_two.add(stage, took_s)  # type: ignore[arg-type]
    in_two.put_back(failed)
    assert in_two.take() == at_once.take()
    assert in_two.take() == Gathered({}, {})


def test_buckets_grow() -> None:
    assert all(lower < upper for lower, upper in pairwise(BUCKETS_S))


def test_timed_engine_answers_as_the_engine_does_and_measures_both_kinds_of_reading(ticks: list[float]) -> None:
    ticks += [0.0, 1.0, 2.0, 2.5]
    watch, pixels = Stopwatch(), np.full((4, 4), 255, np.uint8)
    engine = TimedEngine(SilentEngine(), watch)
    assert (engine.name, engine.version(), engine.languages()) == ("silent", "1", frozenset({"eng"}))
    assert engine.traineddata(("eng",)) == ()
    assert engine.recognise(pixels, 300, ("eng",)) == ()
    assert engine.detect_script(pixels, 300) is None
    assert watch.took_s == (("recognise", 1.5),)
