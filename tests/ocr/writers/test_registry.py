from typing import get_args

import pytest

from recto.ocr.options import RESULT_FORMATS, ResultFormat
from recto.ocr.writers.registry import writer_for


@pytest.mark.parametrize("result_format", RESULT_FORMATS)
def test_every_result_format_has_a_writer(result_format: ResultFormat) -> None:
    assert callable(writer_for(result_format))


def test_result_format_that_is_text_says_that_it_is_utf_8() -> None:
    media_types = [description.media_type for description in RESULT_FORMATS.values()]
    assert [one for one in media_types if one.startswith("text/") and not one.endswith("; charset=utf-8")] == []


def test_result_formats_are_those_that_the_type_names() -> None:
    assert get_args(ResultFormat) == tuple(RESULT_FORMATS)
