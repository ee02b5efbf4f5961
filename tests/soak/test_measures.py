"""When a long run counts as having grown, and that this can be seen in a process that grows."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.soak.measures import MOST_GROWTH_BYTES, MOST_GROWTH_FDS, Usage, comparison, growth, sample, shown, typical

MIB = 1 << 20
BEFORE = {"backend": Usage(1, 100 * MIB, 14), "page process": Usage(2, 400 * MIB, 9)}


def test_numbers_within_the_bounds_are_no_growth() -> None:
    after = {
        "backend": Usage(1, 100 * MIB + MOST_GROWTH_BYTES, 14 + MOST_GROWTH_FDS),
        "page process": Usage(2, 460 * MIB, 3),
    }
    assert list(growth(BEFORE, after)) == []


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        (Usage(1, 101 * MIB + MOST_GROWTH_BYTES, 14), "memory of the backend"),
        (Usage(1, 100 * MIB, 15 + MOST_GROWTH_FDS), "descriptors of the backend"),
        (Usage(2, 100 * MIB, 14), "There were 1 processes of the role backend, now there are 2"),
    ],
)
def test_numbers_above_a_bound_are_named(usage: Usage, words: str) -> None:
    (fault,) = growth(BEFORE, BEFORE | {"backend": usage})
    assert words in fault


def test_process_that_came_to_stay_is_named() -> None:
    assert len(list(growth(BEFORE, BEFORE | {"tracker": Usage(1, MIB, 3)}))) == 1


def test_typical_numbers_are_medians_without_what_comes_and_goes() -> None:
    samples = [{"backend": Usage(1, size * MIB, 10)} for size in (90, 300, 100)]
    samples[1]["derive"] = Usage(1, MIB, 3)
    assert typical(samples) == {"backend": Usage(1, 100 * MIB, 10)}


def test_sample_sees_memory_and_descriptors_of_a_process(tmp_path: Path) -> None:
    program = tmp_path / "app.py"
    program.write_text(
        "import os, sys\nheld = bytes(50 << 20), [os.dup(1) for _ in range(30)]\nprint(flush=True)\ninput()\n"
    )
    with subprocess.Popen([sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        usage = sample(process.pid)["backend"]
        process.communicate(b"\n")
    assert usage.processes == 1
    assert usage.descriptors >= 33
    assert 5 * MIB < usage.rss_bytes < 200 * MIB


def test_sample_takes_the_children_in() -> None:
    taken = sample(os.getpid())
    assert sum(usage.processes for usage in taken.values()) >= 1


def test_lines_show_each_role() -> None:
    assert shown(BEFORE) == "backend 100 MiB 14 fds; page process x2 400 MiB 9 fds"
    assert list(comparison(BEFORE, BEFORE))[2:] == [
        "| backend | 100 | 100 | 14 | 14 |",
        "| page process | 400 | 400 | 9 | 9 |",
    ]
