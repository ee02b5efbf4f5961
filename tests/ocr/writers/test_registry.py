import pytest

from recto.ocr.options import RESULT_FORMATS, ResultFormat
from recto.ocr.writers.registry import writer_for


@pytest.mark.parametrize("result_format", RESULT_FORMATS)
def test_every_result_format_has_a_writer(result_format: ResultFormat) -> None:
    assert callable(writer_for(result_format))
