import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from recto.ocr.page import Block, Line, Page
from recto.ocr.writers.markdown import write_markdown
from tests.ocr.writers.made_pages import block, line, lines, page, written

READERS = [MarkdownIt("commonmark"), MarkdownIt("js-default", {"html": True, "typographer": False})]
"""Strict CommonMark, and one with GitHub's tables and strikethrough."""
BODY = (
    "Every morning the baker opens his little shop and kneads dough for the village, and people come from far to buy."
)


def markdown(*blocks: Block) -> str:
    """Of one page, without the comments."""
    text = written(write_markdown, page(*blocks)).decode("utf-8")
    return re.sub(r"<!--.*-->\n", "", text).strip("\n")


def shown(text: str) -> set[str]:
    """What readers see of Markdown, markup taken away."""
    return {html.unescape(re.sub(r"<!--.*?-->|<[^>]+>", "", reader.render(text))).strip("\n") for reader in READERS}


def title(text: str, size_px: int) -> Line:
    return line(text, size_px=size_px)


@pytest.mark.parametrize(
    "text",
    [
        "1. no list", "1) none", "12. May", "# no heading", "#tag", "* star *", "_under_ __score__", "<b>bold</b>", "a | b", "|---|", "---", "===",
        "> quoted", "+ plus", "- minus", "`code`", "[a](b)", "![a](b)", "&amp; &lt;", "\\*", "a\\", "~~struck~~", "$x$", "~~~", "```", "<!-- x -->",
        "https://example.org/a_b_c", "a: b", ": b", "2 * 3 * 4", "<http://x>", "[x]: y", "| a | b |",
    ],
)  # fmt: skip
def test_markdown_shows_text_as_it_is(text: str) -> None:
    assert shown(markdown(block(line(text)))) == {text}


@settings(deadline=None)  # a busy machine is no fault
@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126) | st.just(" "), min_size=1, max_size=30).filter(
        str.strip
    )
)
def test_markdown_shows_any_ascii_text_as_it_is(text: str) -> None:
    folded = " ".join(text.split())
    assert shown(markdown(block(line(folded)))) == {folded}
    assert shown(markdown(block(*lines("First", folded, "Last")))) == {f"First\n{folded}\nLast"}


def test_markdown_keeps_lines_of_verse() -> None:
    assert READERS[0].render(markdown(block(*lines("And so", "It went")))) == "<p>And so<br />\nIt went</p>\n"


@pytest.mark.parametrize(("size_px", "mark"), [(32, ""), (38, ""), (44, "### "), (52, "## "), (66, "# "), (120, "# ")])
def test_markdown_heading_is_by_its_size_against_the_body(size_px: int, mark: str) -> None:
    assert markdown(block(title("Of bread", size_px)), block(line(BODY, 5))).partition("\n")[0] == mark + "Of bread"


def test_markdown_heading_of_two_lines_is_one() -> None:
    two = title("Of bread", 64), line("and its makers", 2, size_px=64)
    assert markdown(block(*two), block(line(BODY, 5))).startswith("# Of bread and its makers\n\nEvery")


@pytest.mark.parametrize("text", ["4711 – 0815", "X" * 130, "small letters", "¢ a bullet"])
def test_markdown_takes_nothing_but_short_titles_for_a_heading(text: str) -> None:
    assert not markdown(block(title(text, 64)), block(*(line(BODY, row) for row in range(5)))).startswith("#")


def test_markdown_of_a_page_with_hardly_any_text_has_no_heading() -> None:
    assert markdown(block(title("Of bread", 64)), block(line("a few words"))) == "Of bread\n\na few words"


def test_markdown_list_has_items() -> None:
    assert markdown(block(*lines("• flour", "• water_", "• salt"))) == "- flour\n- water\\_\n- salt"
    assert markdown(block(*lines("3. flour", "4. water", "5. salt"))) == "3. flour\n4. water\n5. salt"
    assert markdown(block(line("• flour"))) == "- flour"


def test_markdown_takes_years_and_single_dashes_for_no_list() -> None:
    assert READERS[0].render(markdown(block(*lines("3. flour", "7. water")))) == "<p>3. flour<br />\n7. water</p>\n"
    assert READERS[0].render(markdown(block(line("- he said")))) == "<p>- he said</p>\n"


def test_markdown_pages_follow_each_other_unseen() -> None:
    text = written(
        write_markdown, page(block(line("one"))), page(number=2), page(block(line("three")), number=3)
    ).decode()
    assert [found.strip() for found in READERS[0].render(text).splitlines() if "<!--" not in found] == [
        "<p>one</p>",
        "<p>three</p>",
    ]
    assert text.count("<!-- page {") == 3


def test_markdown_comments_end_where_they_should() -> None:
    given_page = Page(1, 9, 9, 1.0, ("-->",), "--> x --", (), (block(line("text")),))
    text = written(write_markdown, given_page).decode("utf-8")
    assert shown(text) == {"text"}
