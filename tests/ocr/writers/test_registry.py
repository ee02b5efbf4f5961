from typing import get_args

import pytest

from recto.ocr.options import RESULT_FORMATS, ResultFormat
from recto.ocr.writers.registry import writer_for


@pytest.mark.parametrize("result_format", RESULT_FORMATS)
def test_every_result_format_has_a_writer(result_format: ResultFormat) -> None:
    assert callable(writer_for(result_format))


def test_result_formats_are_those_that_the_type_names() -> None:
    assert get_args(ResultFormat) == tuple(RESULT_FORMATS)
