"""The name of a download, in both spellings."""

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.web.downloads.content_disposition import attachment

QUOTED = re.compile(
    r"attachment; filename=\"([^\"\\%/\x00-\x1f\x7f-\U0010ffff]*)\"(; filename\*=UTF-8''([!#-&+.^-~\w-]+))?"
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("letter.txt", 'attachment; filename="letter.txt"'),
        ("my letter (2).txt", 'attachment; filename="my letter (2).txt"'),
        (
            "Brief für Ödön.txt",
            "attachment; filename=\"Brief fur Odon.txt\"; filename*=UTF-8''Brief%20f%C3%BCr%20%C3%96d%C3%B6n.txt",
        ),
        ("文書.pdf", "attachment; filename=\"__.pdf\"; filename*=UTF-8''%E6%96%87%E6%9B%B8.pdf"),
        ('a"b;c=d.txt', "attachment; filename=\"a_b;c=d.txt\"; filename*=UTF-8''a%22b%3Bc%3Dd.txt"),
        ("100%25.txt", "attachment; filename=\"100_25.txt\"; filename*=UTF-8''100%2525.txt"),
        ("50€ & ½.txt", "attachment; filename=\"50_ & 1_2.txt\"; filename*=UTF-8''50%E2%82%AC%20&%20%C2%BD.txt"),
    ],
)
def test_name_is_given_in_ascii_and_in_utf_8_where_they_differ(name: str, expected: str) -> None:
    assert attachment(name) == expected


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_name_makes_a_header_that_gives_it_back(name: str) -> None:
    header = attachment(name)
    matched = QUOTED.fullmatch(header)
    assert matched is not None, header
    assert header.isascii()
    assert (unquote(matched[3]) if matched[3] else matched[1]) == name
