from recto.ocr.options import RESULT_MEDIA_TYPES
from recto.ocr.writers.registry import WRITERS


def test_every_result_format_has_a_writer() -> None:
    assert WRITERS.keys() == RESULT_MEDIA_TYPES.keys()
