import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.errors import OptionInvalid, PageNotInDocument
from recto.ocr.options import Options, page_numbers, parse_options


def test_options_left_out_are_english_and_all_pages() -> None:
    assert parse_options({}) == Options(languages=("eng",), pages=None)


@pytest.mark.parametrize("given_languages", ["deu+fra", "deu,fra", "deu + fra", "deu+fra+deu"])
def test_languages_joined_in_any_way_are_split_once_each(given_languages: str) -> None:
    assert parse_options({"languages": given_languages}).languages == ("deu", "fra")


def test_options_written_out_can_be_read_again() -> None:
    options = parse_options({"languages": "deu+fra", "pages": "1-3, 7"})
    assert parse_options(options.model_dump()) == options


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"languages": "../etc/passwd"}, "languages"),
        ({"languages": ""}, "languages"),
        ({"pages": "3-1"}, "pages"),
        ({"pages": "0"}, "pages"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_options_with_a_bad_value_name_it(values: dict[str, str], named: str) -> None:
    with pytest.raises(OptionInvalid, match=named):
        parse_options(values)


@pytest.mark.parametrize(
    ("pages", "numbers"),
    [
        (None, [1, 2, 3, 4, 5]),
        ("2", [2]),
        ("1-3,5", [1, 2, 3, 5]),
        ("4-end", [4, 5]),
        ("4-", [4, 5]),
        ("5,1,1-2", [1, 2, 5]),
    ],
)
def test_page_ranges_within_the_document_are_ascending_numbers(pages: str | None, numbers: list[int]) -> None:
    assert page_numbers(pages, 5) == numbers


@pytest.mark.parametrize("pages", ["6", "1-6", "6-end"])
def test_page_ranges_beyond_the_document_are_refused(pages: str) -> None:
    with pytest.raises(PageNotInDocument, match="5 pages"):
        page_numbers(pages, 5)


@given(st.integers(1, 60).flatmap(lambda count: st.tuples(st.just(count), st.sets(st.integers(1, count), min_size=1))))
def test_page_ranges_of_any_set_of_pages_yield_that_set(case: tuple[int, set[int]]) -> None:
    count, chosen = case
    assert page_numbers(",".join(map(str, chosen)), count) == sorted(chosen)


@given(st.text(alphabet="0123456789-,end ", max_size=20))
def test_page_ranges_of_any_text_are_valid_or_refused(text: str) -> None:
    try:
        options = parse_options({"pages": text})
    except OptionInvalid:
        return
    try:
        numbers = page_numbers(options.pages, 9)
    except PageNotInDocument:
        return
    assert numbers == sorted(set(numbers))
    assert set(numbers) <= set(range(1, 10))


def test_too_many_languages_are_refused_with_the_limit() -> None:
    with pytest.raises(OptionInvalid, match="Option 'languages': that is too much; at most 8 are taken"):
        parse_options({"languages": "+".join(f"la{letter}" for letter in "abcdefghi")})
