"""A short chaos run: `make test-chaos` is a shorter one, `python -m tests.chaos.run` as long as you like."""

import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tests.chaos.documents import MOST_PAGES, letters
from tests.chaos.run import Outcome, Plan, report, run
from tests.chaos.verdict import Verdict


def outcome(verdict: Verdict, answers: dict[str, int] | None = None, orphans: list[str] | None = None) -> Outcome:
    return Outcome(Plan(2, 1, 1), verdict, {}, {}, 0, 0, 0, answers or {}, 3, 0, orphans or [], 0, 1.0)


def test_run_is_sound_only_where_every_letter_ended_once_and_nothing_is_left() -> None:
    sound = Verdict(accepted=2, ended=2, endings=Counter({"FINISHED": 2}))
    assert outcome(sound).is_sound
    assert not outcome(Verdict(accepted=2, ended=1)).is_sound
    assert not outcome(Verdict(accepted=1, ended=1)).is_sound
    assert not outcome(Verdict(accepted=2, ended=2, ended_twice=1)).is_sound
    assert not outcome(Verdict(accepted=2, ended=2, torn=["one"])).is_sound
    assert not outcome(Verdict(accepted=2, ended=2, lost=["one"])).is_sound
    assert not outcome(sound, {"500": 1}).is_sound
    assert not outcome(sound, orphans=["process 7"]).is_sound


def test_report_names_the_seed_and_ends_with_the_numbers() -> None:
    text = report(outcome(Verdict(accepted=2, ended=2), orphans=["process 7"]))
    assert text.startswith("seed 1: 2 letters")
    assert text.endswith("results torn / orphans left = 2 / 2 / 0 / 0 / 1\n")


def test_letters_of_a_seed_are_the_same_and_have_one_to_twenty_pages() -> None:
    drawn = letters(300, Random(5))
    assert drawn == letters(300, Random(5))
    assert {letter.page_count for letter in drawn} == set(range(1, MOST_PAGES + 1))
    assert drawn[7].content() == drawn[7].content()


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_jobs_end_once_and_whole_whatever_is_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(Plan(jobs=100, kills=50, seed=7), tmp_path)
    with capsys.disabled():
        sys.stdout.write(f"\n{report(result)}")
    assert result.is_sound
    assert sum(result.at_work.values()) >= 40
