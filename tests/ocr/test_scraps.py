import pytest

from recto.ocr.scraps import only_sure, without_scraps
from tests.ocr.made_words import read_block, read_line
from tests.ocr.reading_order.made_blocks import texts


def test_page_that_reads_well_keeps_every_word() -> None:
    blocks = (read_block(read_line("a page of 12 words , no", 0.95)),)
    kept, step = without_scraps(blocks)
    assert kept is blocks
    assert step is None


def test_short_words_that_are_hardly_right_go_and_are_counted() -> None:
    blocks = (read_block(read_line("| the baker ye opens ~~ his shop", 0.1, 0.9, 0.9, 0.1, 0.9, 0.1, 0.9, 0.9)),)
    kept, step = without_scraps(blocks)
    assert texts(kept) == ["the baker opens his shop"]
    assert step is not None
    assert (step.name, step.measured) == ("scraps", {"left_out_words": 3.0})


def test_long_words_stay_however_unlikely() -> None:
    blocks = (read_block(read_line("the baker opqns his little shop", 0.9, 0.9, 0.02, 0.9, 0.9, 0.9)),)
    assert without_scraps(blocks) == (blocks, None)


def test_short_words_that_are_likely_stay() -> None:
    blocks = (read_block(read_line("it is - as we all know - so", 0.8)),)
    assert without_scraps(blocks) == (blocks, None)


def test_line_that_is_hardly_right_as_a_whole_goes_with_its_long_words() -> None:
    blocks = (
        read_block(read_line("the baker opens", 0.9), read_line("wnmwiw eeessee", 0.05, row=1)),
        read_block(read_line("mmnwwi", 0.05, row=3)),
    )
    kept, step = without_scraps(blocks)
    assert texts(kept) == ["the baker opens"]
    assert len(kept) == 1
    assert step is not None
    assert step.measured == {"left_out_words": 3.0}


@pytest.mark.parametrize("text", ["في هذا ال كتاب", "זה ספר של ילד", "हम सब एक"])
def test_other_scripts_stay_as_they_are(text: str) -> None:
    blocks = (read_block(read_line(text, 0.05)),)
    assert without_scraps(blocks) == (blocks, None)


def test_page_without_words_stays_empty() -> None:
    assert without_scraps(()) == ((), None)


def test_of_a_page_that_seemed_blank_only_lines_that_are_surely_text_are_kept() -> None:
    blocks = (
        read_block(read_line("the baker opens", 0.9), read_line("eeessee oO", 0.5, row=1)),
        read_block(read_line("HH", 0.6)),
    )
    assert texts(only_sure(blocks)) == ["the baker opens"]
    assert only_sure(()) == ()
