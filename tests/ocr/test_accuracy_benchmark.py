from pathlib import Path
from runpy import run_path

from hypothesis import given
from hypothesis import strategies as st

# A script, not a package: run it as such.
SCRIPT = run_path(str(Path(__file__).parents[2] / "benchmarks" / "accuracy.py"))
edit_distance, score_page, words = SCRIPT["edit_distance"], SCRIPT["score_page"], SCRIPT["words"]

SHORT = st.text("ab ", max_size=12)


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
    score = score_page("one two three", "three one four", 0.5)
    assert (score.true_words, score.read_words, score.right_words) == (3, 3, 2)
    assert score.word_f1 == 2 / 3
    assert (score + score).pages == 2
