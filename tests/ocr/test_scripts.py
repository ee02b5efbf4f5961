import pytest

from recto.ocr.scripts import columns, is_european, is_right_to_left, joint


@pytest.mark.parametrize(
    ("text", "leftward"),
    [
        ("שלום", True),
        ("مرحبا", True),
        ("hello", False),
        ("", False),
        ("12,50 €", False),
        ("שלום OK", True),
        ("see שלו there", False),
    ],
)
def test_direction_is_that_of_most_letters(text: str, leftward: bool) -> None:
    assert is_right_to_left(text) == leftward


@pytest.mark.parametrize(
    ("before", "after", "between"),
    [
        ("漢", "字", ""),
        ("カ", "。", ""),
        ("漢", "A", " "),
        ("A", "漢", " "),
        ("한", "국", " "),
        ("a", "b", " "),
        ("", "漢", " "),
        ("𠀀", "𠀁", ""),
    ],
)
def test_words_stand_apart_but_in_chinese_and_japanese(before: str, after: str, between: str) -> None:
    assert joint(before, after) == between


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("漢字", 4), ("한", 2), ("", 0)])
def test_wide_characters_count_twice(text: str, width: int) -> None:
    assert columns(text) == width


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The baker", True),
        ("Ο φούρνος", True),
        ("Пекарь", True),
        ("Łódź straße", True),
        ("", True),
        ("12,50 € — |", True),
        ("خباز", False),
        ("אופה", False),
        ("面包店", False),
        ("बेकर", False),
        ("abc שלו", True),
        ("ab שלו", False),
    ],
)
def test_european_is_what_has_half_of_its_letters_so(text: str, expected: bool) -> None:
    assert is_european(text) == expected
