"""Corrections by people, applied to a page: places, order, and what is refused."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recto.errors import CorrectionInvalid
from recto.ocr.corrections import (
    MOST_CHARACTERS,
    Correction,
    LineCorrection,
    WordsCorrection,
    corrected,
    replaced_text,
)
from recto.ocr.page import Box, Line, Page, Word
from tests.ocr.writers.made_pages import PAGES, block, line, lines, page, quad_of_box

PAGE = page(block(*lines("Tbe cat satonthe mat")), block(*lines("and s l eeps", "there")))
WORDS = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=8)
LINES_OF_TEXT = st.lists(WORDS, min_size=1, max_size=8).map(" ".join)


def texts(made: Page) -> list[str]:
    return [line.text for block in made.blocks for line in block.lines]


def spans(words: tuple[Word, ...]) -> list[tuple[int, int]]:
    return [(word.box.left, word.box.left + word.box.width) for word in words]


def test_corrected_without_corrections_is_the_page_itself() -> None:
    assert corrected(PAGE, ()) is PAGE


def test_word_is_replaced_in_its_own_place_and_marked() -> None:
    made = corrected(PAGE, [WordsCorrection(0, 1, "The")])
    assert made.words[0] == replace(PAGE.words[0], text="The", confidence=1.0, corrected=True)
    assert made.words[1:] == PAGE.words[1:]
    assert made.corrections == 1


def test_word_that_was_read_rightly_is_confirmed_by_its_own_text() -> None:
    made = corrected(PAGE, [WordsCorrection(1, 1, "cat")])
    assert (made.words[1].text, made.words[1].confidence, made.words[1].corrected) == ("cat", 1.0, True)


def test_words_are_split_within_the_room_of_the_one_by_their_widths() -> None:
    made = corrected(PAGE, [WordsCorrection(2, 1, "sat on the")])
    assert texts(made)[0] == "Tbe cat sat on the mat"
    ((left, right),) = spans(PAGE.words[2:3])
    new = spans(made.words[2:5])
    assert (new[0][0], new[-1][1]) == (left, right)
    assert all(one[1] <= other[0] for one, other in pairwise(new))
    assert {word.box.height for word in made.words[2:5]} == {PAGE.words[2].box.height}


def test_words_are_joined_over_the_room_of_all_of_them() -> None:
    made = corrected(PAGE, [WordsCorrection(5, 3, "sleeps")])
    assert texts(made) == ["Tbe cat satonthe mat", "and sleeps", "there"]
    assert spans(made.words[5:6]) == [(PAGE.words[5].box.left, PAGE.words[7].box.left + PAGE.words[7].box.width)]


def test_word_is_deleted_and_a_line_without_words_stays_a_line() -> None:
    made = corrected(PAGE, [WordsCorrection(8, 1, "")])
    assert texts(made) == ["Tbe cat satonthe mat", "and s l eeps", ""]
    again = corrected(made, [LineCorrection(2, "over there")])
    assert texts(again)[2] == "over there"
    assert spans(again.words[-2:])[1][1] == spans(PAGE.words[-1:])[0][1]


def test_line_keeps_the_words_that_are_right_as_they_were_read() -> None:
    made = corrected(PAGE, [LineCorrection(0, "The cat sat on the mat")])
    assert [word.corrected for word in made.words[:6]] == [True, False, True, True, True, False]
    assert made.words[0].box == PAGE.words[0].box
    assert (made.words[1], made.words[5]) == (PAGE.words[1], PAGE.words[3])


def test_word_that_was_not_read_goes_into_the_gap_where_it_stands() -> None:
    first, last = line("red"), line("house", left=500)
    gapped = Line((*first.words, *last.words), first.box, first.quad, 0)
    made = corrected(page(block(gapped)), [LineCorrection(0, "red brick house")])
    assert made.words[0] == first.words[0]
    assert made.words[2] == last.words[0]
    (left, right) = spans(made.words[1:2])[0]
    assert first.words[0].box.left + first.words[0].box.width <= left < right <= 500


@pytest.mark.parametrize(
    ("text", "kept"), [("red big house", [False, True, False]), ("so red house", [True, False, False])]
)
def test_word_that_finds_no_gap_shares_the_room_of_its_neighbour(text: str, kept: list[bool]) -> None:
    plain = page(block(line("red house")))
    made = corrected(plain, [LineCorrection(0, text)])
    assert [word.corrected for word in made.words] == kept
    assert all(one[1] <= other[0] for one, other in pairwise(spans(made.words)))
    assert spans(made.words)[0][0] == spans(plain.words)[0][0]


def test_words_of_a_script_from_right_to_left_are_split_from_the_right() -> None:
    made = corrected(page(block(line("שלוםעולם"))), [WordsCorrection(0, 1, "שלום עולם")])
    first, second = spans(made.words)
    assert second[1] <= first[0]


def test_word_on_a_sloping_line_is_split_along_the_slope() -> None:
    quad = ((0.0, 100.0), (200.0, 80.0), (204.0, 120.0), (4.0, 140.0))
    sloping = Line((Word("aabb", 0.5, Box(0, 80, 204, 60), quad),), Box(0, 80, 204, 60), quad, 0)
    first, second = corrected(page(block(sloping)), [WordsCorrection(0, 1, "aa bb")]).words
    assert first.quad[0] == quad[0]
    assert second.quad[1:3] == quad[1:3]
    assert second.quad[0] == pytest.approx((120.0, 88.0))
    assert first.box == Box(0, 92, 84, 48)


def test_corrections_are_applied_one_after_another() -> None:
    made = corrected(
        PAGE, [WordsCorrection(2, 1, "sat on the"), WordsCorrection(5, 1, "rug"), LineCorrection(1, "and")]
    )
    assert texts(made) == ["Tbe cat sat on the rug", "and", "there"]
    assert made.corrections == 3


@pytest.mark.parametrize(
    ("correction", "said"),
    [
        (WordsCorrection(9, 1, "x"), "no word 9: the page has 9"),
        (WordsCorrection(-1, 1, "x"), "no word -1"),
        (WordsCorrection(0, 0, "x"), "at least one"),
        (WordsCorrection(3, 2, "x"), "not on one line"),
        (WordsCorrection(8, 2, "x"), "not on one line"),
        (LineCorrection(3, "x"), "no line 3: the page has 3"),
        (LineCorrection(-1, "x"), "no line -1"),
        (WordsCorrection(0, 1, "a\x00b"), "control character"),
        (WordsCorrection(0, 1, "a\ud800"), "control character"),
        (LineCorrection(0, "x" * (MOST_CHARACTERS + 1)), "longer than the 2,000"),
    ],
)
def test_correction_that_does_not_fit_the_page_is_refused(correction: Correction, said: str) -> None:
    with pytest.raises(CorrectionInvalid, match=said):
        corrected(PAGE, [correction])


def test_replaced_text_is_what_stood_there() -> None:
    assert replaced_text(PAGE, WordsCorrection(5, 3, "sleeps")) == "s l eeps"
    assert replaced_text(PAGE, LineCorrection(2, "")) == "there"
    with pytest.raises(CorrectionInvalid):
        replaced_text(PAGE, LineCorrection(3, ""))


@given(PAGES, st.data(), LINES_OF_TEXT)
def test_correction_of_any_line_gives_its_text_and_leaves_all_others(
    made: Page, data: st.DataObject, text: str
) -> None:
    before = [line for block in made.blocks for line in block.lines]
    assume(before)
    index = data.draw(st.integers(0, len(before) - 1))
    after = corrected(made, [LineCorrection(index, text)])
    lines_after = [line for block in after.blocks for line in block.lines]
    assert lines_after[index].text == text
    assert [replace(one, words=()) for one in lines_after] == [replace(one, words=()) for one in before]
    assert [one.words for place, one in enumerate(lines_after) if place != index] == [
        one.words for place, one in enumerate(before) if place != index
    ]
    # A word that stays may give some of its room to another.
    stayed = [said_of(word) for word in before[index].words]
    assert all(
        word.confidence == 1.0 and word.corrected for word in lines_after[index].words if said_of(word) not in stayed
    )


def said_of(word: Word) -> tuple[object, ...]:
    """All but the place."""
    return word.text, word.confidence, word.in_dictionary, word.corrected


@given(PAGES, st.data(), LINES_OF_TEXT | st.just(""))
def test_correction_of_any_words_leaves_the_order_of_all_others(made: Page, data: st.DataObject, text: str) -> None:
    assume(made.words)
    index = data.draw(st.integers(0, len(made.words) - 1))
    after = corrected(made, [WordsCorrection(index, 1, text)])
    new = text.split()
    assert after.words[:index] == made.words[:index]
    assert after.words[index + len(new) :] == made.words[index + 1 :]
    assert [word.text for word in after.words[index : index + len(new)]] == new
    assert all(word.corrected and word.confidence == 1.0 for word in after.words[index : index + len(new)])


@given(st.lists(WORDS, min_size=1, max_size=6), LINES_OF_TEXT)
def test_words_of_a_level_line_stay_within_the_room_that_the_line_has(read: list[str], text: str) -> None:
    made = line(" ".join(read))
    after = corrected(page(block(made)), [LineCorrection(0, text)]).words
    edges = [x for word in after for x, _ in word.quad]
    assert min(edges) >= made.box.left - 1e-6
    assert max(edges) <= made.box.left + made.box.width + 1e-6
    for word in after:
        assert quad_of_box(word.box)[0][0] <= word.quad[0][0] <= word.quad[1][0] <= quad_of_box(word.box)[1][0]
