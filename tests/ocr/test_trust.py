import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.ocr.page import Box, Line, Word
from recto.ocr.trust import expected_lead, line_trust, mean_trust, trust
from tests.ocr.made_words import read_line
from tests.ocr.writers.made_pages import quad_of_box

BOX = Box(0, 0, 50, 20)
LISTED = st.sampled_from([None, False, True])
TEXTS = st.text(min_size=1, max_size=12)


def word(text: str, confidence: float = 0.7, in_dictionary: bool | None = None) -> Word:
    return Word(text, confidence, BOX, quad_of_box(BOX), in_dictionary)


@given(TEXTS, LISTED, st.floats(0, 1), st.floats(0, 1))
def test_trust_never_falls_with_confidence(text: str, listed: bool | None, one: float, other: float) -> None:
    lower, higher = sorted((one, other))
    assert 0 < trust(word(text, lower, listed)) <= trust(word(text, higher, listed)) < 1


@given(TEXTS, LISTED)
def test_trust_follows_confidence_over_its_range(text: str, listed: bool | None) -> None:
    assert trust(word(text, 0.95, listed)) - trust(word(text, 0.05, listed)) > 0.5


@given(TEXTS, st.floats(0, 1))
def test_trust_of_a_word_in_the_list_is_higher(text: str, confidence: float) -> None:
    assert trust(word(text, confidence, True)) > trust(word(text, confidence, False))


@pytest.mark.parametrize("listed", [None, False])
def test_trust_of_signs_alone_is_lower_than_that_of_letters(listed: bool | None) -> None:
    for sign in ("|", "~~", "—", "»;"):
        assert trust(word(sign, 0.7, listed)) < trust(word("house", 0.7, listed))


def test_trust_of_a_sign_within_a_word_counts_for_nothing() -> None:
    assert trust(word("house,")) == trust(word("house"))


def test_trust_of_digits_is_lower_where_no_list_is_known() -> None:
    assert trust(word("1984")) < trust(word("year"))


@given(st.lists(st.tuples(st.from_regex(r"[a-z]{1,9}", fullmatch=True), st.floats(0, 1)), min_size=1, max_size=5))
def test_trust_of_a_line_lies_within_that_of_its_words(words: list[tuple[str, float]]) -> None:
    made = tuple(word(text, confidence) for text, confidence in words)
    each = [trust(one) for one in made]
    assert min(each) - 1e-9 <= line_trust(Line(made, BOX, quad_of_box(BOX), 0)) <= max(each) + 1e-9


def test_trust_of_a_line_is_weighted_by_its_characters() -> None:
    sure_and_long = read_line("neighbourhood if", 0.95, 0.1)
    doubtful_and_long = read_line("neighbourhood if", 0.1, 0.95)
    assert line_trust(sure_and_long) > 0.7
    assert line_trust(doubtful_and_long) < 0.3


def test_trust_of_no_words_is_full_and_their_lead_none() -> None:
    assert mean_trust([]) == 1
    assert expected_lead([]) == 0


def test_lead_grows_with_words_that_are_likely_and_falls_with_others() -> None:
    likely, unlikely = word("baker", 0.98), word("bxkr", 0.1)
    assert 0.5 < expected_lead([likely]) < 1
    assert expected_lead([likely, unlikely]) < expected_lead([likely]) < expected_lead([likely, likely])
