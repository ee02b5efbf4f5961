from recto.ocr.page import Block, Box, Page
from recto.ocr.writers import text
from tests.ocr.writers.made_pages import block, line, lines, page
from tests.ocr.writers.made_pages import written as bytes_written


def written(*pages: Page) -> str:
    return bytes_written(text.write_text, *pages).decode("utf-8")


def test_text_of_paragraphs_and_blocks_has_blank_lines_between() -> None:
    given = Block((line("one two"), line("three", 1), line("four", 2, paragraph=1)), Box(0, 0, 1, 1))
    assert written(page(given, block(line("fünf", 3)))) == "one two\nthree\n\nfour\n\nfünf\n"


def test_text_of_running_lines_is_one_line() -> None:
    given = lines(
        "Every morning the baker opens his little shop, lights",
        "the oven and kneads dough for the village. People come",
        "from distant farms to buy his bread.",
    )
    assert written(page(block(*given))) == " ".join(one.text for one in given) + "\n"


def test_text_of_pages_has_form_feeds_between() -> None:
    assert written(page(block(line("a"))), page(block(line("b")))) == "a\n\fb\n"


def test_text_of_a_blank_page_keeps_its_place() -> None:
    assert written(page(block(line("a"))), page(), page(block(line("c")))) == "a\n\f\fc\n"


def test_text_of_no_pages_is_empty() -> None:
    assert written() == ""


def test_text_says_nothing_but_what_the_pages_say() -> None:
    assert written(page(block(line("a")))) == "a\n"
