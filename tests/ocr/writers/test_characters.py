import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from recto.ocr.writers.characters import plain, without_surrogates
from recto.ocr.writers.xml_text import number, points, tag, text


@given(st.text(st.characters()))
def test_plain_text_is_one_line_that_xml_and_utf_8_can_hold(given_text: str) -> None:
    found = plain(given_text)
    assert found.encode("utf-8").decode("utf-8") == found
    assert len(found.splitlines()) <= 1
    assert etree.fromstring(f"<a>{text(given_text)}</a>").text in (found, None)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn", "Zl", "Zp"])))
def test_plain_text_is_left_as_it_is(given_text: str) -> None:
    assert plain(given_text) == given_text


def test_text_with_half_a_pair_becomes_utf_8() -> None:
    assert without_surrogates("a\ud800\U0001f600") == "a\ufffd\U0001f600"


@given(st.text(st.characters()))
def test_tag_carries_any_value(value: str) -> None:
    assert etree.fromstring(tag("a", {"b": value, "c": None}, closed=True)).get("b") == plain(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1.0, "1"), (100.0, "100"), (0.004, "0"), (-0.001, "0"), (2.5, "2.5"), (1 / 3, "0.33"), (7, "7"), (1e-9, "0")],
)
def test_number_has_at_most_two_decimals(value: float, expected: str) -> None:
    assert number(value) == expected


def test_points_are_separated_by_spaces() -> None:
    assert points(((1, 2), (3.5, -4.0))) == "1 2 3.5 -4"
