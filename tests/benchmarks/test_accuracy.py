"""The accuracy benchmark's arithmetic, and that it reads pages with every system that is there."""

import json
import math
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from benchmarks import accuracy, accuracy_sources
from benchmarks.accuracy_sources import Page
from benchmarks.accuracy_tables import (
    NO_ERRORS,
    Reading,
    Readings,
    ablation_table,
    error_ratio,
    figures_table,
    geometric_mean,
    less_startup,
    ratio_columns,
    ratios_table,
)
from benchmarks.ocr_systems import RECTO, TESSERACT, TESSERACT_PSM_1, chosen_systems, flattened, read_page
from benchmarks.text_scores import Score, edit_distance, score_page, words
from recto.ocr.options import PREPROCESSING_STEPS

SHORT = st.text("ab ", max_size=12)
STARTUP_S = {TESSERACT: 0.5, TESSERACT_PSM_1: 0.5, RECTO: 1.0}


def score(right: int, *, cpu_s: float = 2.0) -> Score:
    """Of ten words that many are right."""
    return Score(pages=1, characters=50, edits=0, true_words=10, read_words=10, right_words=right, cpu_s=cpu_s)


def readings(group: str, name: str, **right: int) -> list[Reading]:
    """Of one page, by system: raw, psm_1, recto."""
    page = Page(group, Path("set") / name, "truth", "eng")
    names = {"raw": TESSERACT, "psm_1": TESSERACT_PSM_1, "recto": RECTO}
    return [Reading(page, names[system], score(count)) for system, count in right.items()]


def test_edit_distance_of_known_pairs_is_right() -> None:
    assert [edit_distance(*pair) for pair in (("", ""), ("", "abc"), ("kitten", "sitting"), ("abc", "abc"))] == [
        0,
        3,
        3,
        0,
    ]


@given(SHORT, SHORT, SHORT)
def test_edit_distance_is_a_metric(a: str, b: str, c: str) -> None:
    assert edit_distance(a, b) == edit_distance(b, a)
    assert (edit_distance(a, b) == 0) == (a == b)
    assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)


def test_words_are_folded_in_case_and_quotation_marks() -> None:
    assert words("The “ſun”  the\n'SUN'") == words("the \"sun\" THE 'sun'")


def test_score_of_a_page_counts_words_wherever_they_stand() -> None:
    found = score_page("one two three", "three one four", 0.5)
    assert (found.true_words, found.read_words, found.right_words) == (3, 3, 2)
    assert found.word_f1 == 2 / 3
    assert (found + found).pages == 2


def test_startup_is_taken_off_every_page_but_never_below_nothing() -> None:
    pages = score(9, cpu_s=2.0) + score(9, cpu_s=3.0)
    assert less_startup(pages, 1.0).cpu_a_page_s == pytest.approx(1.5)
    assert less_startup(pages, 4.0).cpu_s == 0


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=8), st.floats(0.1, 10))
def test_geometric_mean_scales_with_its_numbers(numbers: list[float], factor: float) -> None:
    mean = geometric_mean(numbers)
    assert min(numbers) * (1 - 1e-9) <= mean <= max(numbers) * (1 + 1e-9)
    assert geometric_mean(number * factor for number in numbers) == pytest.approx(mean * factor)


def test_geometric_mean_of_nothing_is_not_a_number() -> None:
    assert math.isnan(geometric_mean([]))


def test_error_ratio_against_a_perfect_reading_is_finite() -> None:
    assert error_ratio(score(9), score(8)) == pytest.approx(0.5, abs=1e-3)
    assert error_ratio(score(10), score(10)) == 1
    assert error_ratio(score(9), score(10)) == pytest.approx(0.1 / NO_ERRORS, rel=0.01)


def test_the_better_of_both_is_chosen_page_by_page_and_among_upright_pages_only() -> None:
    pages = (
        *readings("set", "a.png", raw=6, psm_1=8, recto=9),
        *readings("set", "b.png", raw=7, psm_1=5, recto=9),
        *readings("set", "c-rotated-180.png", raw=0, psm_1=10, recto=4),
    )
    table = Readings(pages, STARTUP_S)
    assert table.better_of_both("set").right_words == 8 + 7
    columns = ratio_columns(table)
    assert columns["recto by the better of both, upright pages"]["set"] == pytest.approx(0.1 / 0.25, rel=0.01)
    assert columns["recto by tesseract"]["set"] == pytest.approx((8 / 30) / (17 / 30), rel=0.01)
    assert columns["CPU of recto by tesseract"]["set"] == pytest.approx(1.0 / 1.5)


def test_quarter_turns_are_not_upright_and_other_damage_is() -> None:
    groups = ("quarter_turns mild", "tilts strong", "artcat_de")
    assert [Page(group, Path("page.png"), "", "eng").upright for group in groups] == [False, True, True]


def test_degradations_are_compared_with_the_untouched_pages_and_these_left_out_of_the_mean() -> None:
    table = Readings(
        (*readings("untouched", "a.png", raw=8, recto=9), *readings("tilts strong", "a.png", raw=4, recto=7)),
        {TESSERACT: 0.5, RECTO: 1.0},
    )
    assert ratio_columns(table)["recto by recto untouched"]["tilts strong"] == pytest.approx(3, rel=0.01)
    means = [*ratios_table(table)][-1]
    assert means.startswith("| geometric mean | **0.500** | **2.998** |")


def test_tables_have_as_many_cells_in_every_row() -> None:
    pages = (*readings("one", "a.png", raw=6, psm_1=8, recto=9), *readings("two", "b.png", raw=6, psm_1=8, recto=9))
    table = Readings(pages, STARTUP_S)
    for rows in ([*figures_table(table)], [*ratios_table(table)]):
        assert len({row.count("|") for row in rows}) == 1
    assert "| one | 1 | 0.0000 | 0.6000 | 1.5 s |" in [*figures_table(table)][2]


def test_ablation_shows_the_errors_without_a_step_and_its_cost() -> None:
    page = Page("set", Path("a.png"), "truth", "eng")
    pages = (Reading(page, RECTO, score(9, cpu_s=3.0)), Reading(page, "no-light", score(8, cpu_s=2.5)))
    head, _, row = ablation_table(Readings(pages, {RECTO: 1.0, "no-light": 1.0}))
    assert head.split(" | ")[1:] == ["set", "geometric mean", "CPU a page of the step |"]
    assert row == "| no-light | 1.999 | **1.999** | +0.50 s |"


def test_every_step_can_be_switched_off_by_its_name() -> None:
    commands = chosen_systems([f"no-{step}" for step in PREPROCESSING_STEPS])
    assert commands["no-deskew"][-2:] == ("--preprocess", "no-deskew")


def test_an_unknown_system_is_named() -> None:
    with pytest.raises(SystemExit, match="Unknown system abbyy"):
        chosen_systems([TESSERACT, "abbyy"])


def test_a_system_that_is_not_installed_is_left_out_and_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert list(chosen_systems(["ocrmypdf", RECTO])) == [RECTO]
    assert "ocrmypdf is left out" in capsys.readouterr().err


def test_a_command_that_fails_counts_as_empty_and_says_why(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "import sys; print('text'); sys.exit('no ink for {language}')")
    text, cpu_s, problem = read_page(command, tmp_path / "page.png", "eng")
    assert (text, problem) == ("", "no ink for eng")
    assert cpu_s > 0


def test_a_transparent_image_is_flattened_on_white_and_another_left_alone(tmp_path: Path) -> None:
    clear, solid = tmp_path / "clear.png", tmp_path / "solid.png"
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(clear)
    Image.new("L", (4, 4), 0).save(solid)
    assert flattened(solid, tmp_path) == solid
    with Image.open(flattened(clear, tmp_path)) as page:
        assert page.getpixel((0, 0)) == (255, 255, 255)


def test_damaged_pages_come_with_the_untouched_ones_and_only_in_the_strengths_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "set"
    folder.mkdir(parents=True)
    Image.new("L", (60, 80), 255).save(folder / "a.png")
    (folder / "a.gt.txt").write_text("text", encoding="utf-8")
    (folder / "LANG").write_text("deu\n", encoding="utf-8")
    pages = accuracy_sources.damaged(tmp_path / "data", tmp_path / "out", ["jpeg"], ["mild", "strong"], 0, seed=1)
    assert [(page.group, page.image.name, page.truth, page.language) for page in pages] == [
        ("untouched", "a.png", "text", "deu"),
        ("jpeg mild", "a.mild.png", "text", "deu"),
        ("jpeg strong", "a.strong.png", "text", "deu"),
    ]


def test_the_benchmark_reads_a_set_and_writes_its_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "data" / "blank"
    folder.mkdir(parents=True)
    Image.new("L", (200, 100), 255).save(folder / "a.png", dpi=(300, 300))
    (folder / "a.gt.txt").write_text("one", encoding="utf-8")
    (folder / "LANG").write_text("eng", encoding="utf-8")
    figures = tmp_path / "figures.json"
    arguments = [str(tmp_path / "data"), "--systems", TESSERACT, "--jobs", "1", "--json", str(figures)]
    monkeypatch.setattr(sys, "argv", ["accuracy", *arguments])
    accuracy.main()
    assert "| blank | 1 | 1.0000 | 0.0000 |" in capsys.readouterr().out
    (row,) = json.loads(figures.read_text(encoding="utf-8"))
    assert (row["set"], row["page"], row["true_words"], row["problem"]) == ("blank", "blank/a.png", 1, "")


def test_without_data_the_benchmark_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["accuracy", "--systems", TESSERACT])
    with pytest.raises(SystemExit, match="Name a folder of scans"):
        accuracy.main()
