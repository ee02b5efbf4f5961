"""Works by turns: while one goes on, the others stand still with all that they have started."""

import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.turns import Done, by_turns

TURN_S = 0.2
by_turns_alone = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells what a process has started")

BUSY = """
import time
moments = []
for _ in range(500):
    moments.append(time.monotonic())
    time.sleep(0.001)
print(*moments)
"""


def busy_in_a_child() -> list[float]:
    """When a process that this one has started was at work."""
    said = subprocess.run([sys.executable, "-c", BUSY], capture_output=True, text=True, check=True).stdout
    return [float(moment) for moment in said.split()]


def strays(done: Done[list[float]]) -> int:
    """Moments outside of the work's own turns, but for the time that a signal may take."""
    late_s = TURN_S / 5
    return sum(not any(start <= moment <= end + late_s for start, end in done.turns) for moment in done.outcome)


@by_turns_alone
def test_while_one_has_its_turn_the_others_stand_still() -> None:
    done = by_turns({"one": busy_in_a_child, "other": busy_in_a_child}, TURN_S)
    assert [len(one.turns) > 2 for one in done.values()] == [True, True]
    assert [strays(one) for one in done.values()] == [0, 0]
    turns = sorted(turn for one in done.values() for turn in one.turns)
    assert all(before[1] <= after[0] for before, after in pairwise(turns))


def test_without_turns_one_comes_after_the_other() -> None:
    done = by_turns({"one": busy_in_a_child, "other": busy_in_a_child}, None)
    assert [len(one.turns) for one in done.values()] == [1, 1]
    assert max(done["one"].outcome) < min(done["other"].outcome)


def test_time_between_two_moments_is_that_of_the_turns() -> None:
    done = Done(None, ((1.0, 2.0), (4.0, 5.0), (8.0, 9.0)))
    assert done.within_s(1.5, 4.25) == pytest.approx(0.75)
    assert done.within_s(2.5, 3.5) == 0


def write_when_interrupted(file: Path) -> None:
    file.touch()
    try:
        time.sleep(60)
    finally:
        file.write_text("stopped in order")


@by_turns_alone
def test_what_one_raises_is_raised_and_the_others_are_stopped(tmp_path: Path) -> None:
    file = tmp_path / "file"

    def fail() -> None:
        while not file.exists():
            time.sleep(0.01)
        raise SystemExit("cannot go on")

    works: dict[str, Callable[[], None]] = {"failing": fail, "other": partial(write_when_interrupted, file)}
    with pytest.raises(SystemExit, match="cannot go on"):
        by_turns(works, TURN_S)
    assert file.read_text() == "stopped in order"
