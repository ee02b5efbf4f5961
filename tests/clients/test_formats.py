"""The client's list of formats against the service's, which it cannot import."""

from recto.ocr.options import RESULT_FORMATS
from recto_client.formats import NOT_FOR_TERMINALS, SUFFIXES


def test_client_knows_the_formats_of_the_service_and_how_their_files_end() -> None:
    assert list(SUFFIXES.items()) == [(name, described.suffix) for name, described in RESULT_FORMATS.items()]


def test_client_prints_no_format_that_is_packed() -> None:
    assert tuple(name for name, described in RESULT_FORMATS.items() if described.is_packed) == NOT_FOR_TERMINALS
