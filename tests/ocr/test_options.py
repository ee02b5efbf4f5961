import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.errors import OptionInvalid, PageNotInDocument
from recto.ocr.options import Options, page_numbers, parse_options


def test_options_left_out_are_english_and_all_pages() -> None:
    assert parse_options({}) == Options(languages=("eng",), pages=None)


@pytest.mark.parametrize("given_languages", ["deu+fra", "deu,fra", "deu + fra", "deu fra", "+deu, fra+", "deu+fra+deu"])
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
        ({"pages": "1 3"}, "pages"),
        ({"pages": "end-3"}, "pages"),
        ({"languages": "+"}, "languages"),
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
        ("end", [5]),
        ("1,end", [1, 5]),
        ("5-end", [5]),
        ("5,1,1-2", [1, 2, 5]),
    ],
)
def test_page_ranges_within_the_document_are_ascending_numbers(pages: str | None, numbers: list[int]) -> None:
    assert page_numbers(pages, 5) == numbers


@pytest.mark.parametrize("pages", ["6", "1-6", "6-end", "1-99999999", "99999999999-end"])
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


def test_password_is_stored_and_shown_nowhere_else() -> None:
    options = parse_options({"password": "sesame"})
    assert options.plain_password == "sesame"
    assert Options.model_validate(options.stored()) == options
    assert all(
        "sesame" not in str(shown) for shown in (options, options.public(), options.reading(), options.model_dump())
    )


def test_formats_joined_by_a_space_are_split() -> None:
    assert parse_options({"formats": "txt pdf "}).formats == ("txt", "pdf")


def test_formats_are_taken_in_any_order_and_once_each() -> None:
    assert parse_options({"formats": "pdf, txt+pdf"}).formats == ("txt", "pdf")


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"formats": "docx"}, "formats"),
        ({"formats": ""}, "formats"),
        ({"mode": "fast"}, "mode"),
        ({"languages": "auto+deu"}, "languages"),
    ],
)
def test_options_about_text_and_formats_with_a_bad_value_name_it(values: dict[str, str], named: str) -> None:
    with pytest.raises(OptionInvalid, match=named):
        parse_options(values)


def test_options_of_a_result_are_those_that_decide_what_is_read() -> None:
    options = parse_options({"languages": "deu", "mode": "force", "formats": "pdf", "password": "x"})
    assert options.reading() == {"languages": "deu", "pages": None, "mode": "force", "preprocess": "auto"}
