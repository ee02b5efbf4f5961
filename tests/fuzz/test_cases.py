"""What the fuzz run is made of: cases that come out the same again, pass the type check mostly, and damage what they say."""

import pytest

from recto.ocr.media_types import ACCEPTED, sniff
from tests.fuzz.cases import KINDS, make_case
from tests.fuzz.originals import drawn

SEED = 7


def test_originals_are_one_of_every_format_but_those_that_are_another_by_name() -> None:
    assert {sniff(content) for content in drawn().values()} == {*ACCEPTED} - {"image/heif", "image/j2c"}


def test_case_of_a_seed_and_number_is_the_same_again() -> None:
    drawn.cache_clear()
    first = [make_case(SEED, number, drawn()) for number in range(60)]
    drawn.cache_clear()
    assert [make_case(SEED, number, drawn()) for number in range(60)] == first
    assert [make_case(SEED + 1, number, drawn()) for number in range(60)] != first


def test_most_cases_pass_the_check_of_the_type_and_are_damaged() -> None:
    cases = [make_case(SEED, number, drawn()) for number in range(400)]
    assert sum(case.media_type is not None for case in cases) > 300
    assert sum(case.content == drawn()[case.original] for case in cases) < 20


@pytest.mark.parametrize("kind", KINDS)
def test_kind_of_damage_comes_up_in_few_hundred_cases(kind: str) -> None:
    assert any(make_case(SEED, number, drawn()).kind == kind for number in range(600))
