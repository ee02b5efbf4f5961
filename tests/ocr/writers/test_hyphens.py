import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.ocr.writers.hyphens import divides_word, join


@pytest.mark.parametrize(
    ("line", "following", "joined"),
    [
        ("die Donau-", "dampfschifffahrt", "die Donaudampfschifffahrt"),
        ("total popu-", "lation in 1900", "total population in 1900"),
        ("der Frauen¬", "kirche", "der Frauenkirche"),
        ("der Frauen⸗", "kirche", "der Frauenkirche"),
        ("soft\u00ad", "hyphen", "softhyphen"),
        ("soft\u00ad", "Hyphen", "softHyphen"),
        ("pražs‐", "ký", "pražský"),
    ],
)
def test_word_that_is_divided_is_made_whole(line: str, following: str, joined: str) -> None:
    assert join(line, following) == joined


@pytest.mark.parametrize(
    ("line", "following", "joined"),
    [
        ("von Nord-", "Süd", "von Nord-Süd"),
        ("Anti-", "Semitism", "Anti-Semitism"),
        ("im Krieg 1914-", "1918 war", "im Krieg 1914-1918 war"),
        ("UN-", "resolution", "UN-resolution"),
        ("well-", "known", "well-known"),
        ("the so-", "called", "the so-called"),
        ("dit-", "il alors", "dit-il alors"),
        ("Peut-", "être", "Peut-être"),
        ("her mother-in-", "law said", "her mother-in-law said"),
        ("the x-", "axis", "the x-axis"),
        ("type-", "a error", "type-a error"),
    ],
)
def test_hyphen_that_may_be_the_words_own_stays(line: str, following: str, joined: str) -> None:
    assert join(line, following) == joined


@pytest.mark.parametrize(
    ("line", "following", "joined"),
    [
        ("Haus-", "und Gartenarbeit", "Haus- und Gartenarbeit"),
        ("pre-", "and post-war", "pre- and post-war"),
        ("and so -", "it went", "and so - it went"),
        ("one", "two", "one two"),
        ("so on...-", "then", "so on...- then"),
        ("Donau-", "„dampf“", "Donau- „dampf“"),
        ("漢字", "かな", "漢字かな"),
        ("漢字", "Latin", "漢字 Latin"),
        ("한국", "사람", "한국 사람"),
    ],
)
def test_lines_that_divide_no_word_are_set_apart_as_their_script_wants(line: str, following: str, joined: str) -> None:
    assert join(line, following) == joined


@given(st.text(min_size=1), st.text(min_size=1))
def test_join_loses_nothing_but_one_mark(line: str, following: str) -> None:
    assert join(line, following) in {
        line + " " + following,
        line + following,
        line[:-1] + following,
    }
    assert join(line, following).endswith(following)


@pytest.mark.parametrize(
    ("line", "following", "divided"),
    [
        ("popu-", "lation", True),
        ("Nord-", "Süd", False),
        ("1914-", "1918", False),
        ("end", "of", False),
        ("-", "a", False),
    ],
)
def test_division_of_a_word_needs_a_hyphen_and_a_small_letter(line: str, following: str, divided: bool) -> None:
    assert divides_word(line, following) == divided
