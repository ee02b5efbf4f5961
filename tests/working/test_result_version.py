"""What a reading depends on, as one string."""

import pytest

from recto import __version__
from recto.ocr.page import Traineddata
from recto.working import result_version as module
from recto.working.result_version import result_version

ENG, DEU = Traineddata("eng", "1" * 64), Traineddata("deu", "2" * 64)
VERSION = result_version("tesserocr 5.5.0", [ENG, DEU], ["eng"])


def test_result_version_names_recto_and_the_engine_and_fits_its_column() -> None:
    assert VERSION.startswith(f"Recto {__version__}.{module.READING}, tesserocr 5.5.0, data ")
    assert len(VERSION) <= 200


def test_result_version_is_the_same_in_whatever_order_the_data_come() -> None:
    assert result_version("tesserocr 5.5.0", [DEU, ENG], ["eng"]) == VERSION


@pytest.mark.parametrize(
    "other",
    [
        result_version("tesserocr 5.5.1", [ENG, DEU], ["eng"]),
        result_version("tesserocr 5.5.0", [ENG], ["eng"]),
        result_version("tesserocr 5.5.0", [ENG, Traineddata("deu", "3" * 64)], ["eng"]),
        result_version("tesserocr 5.5.0", [ENG, DEU], ["deu"]),
    ],
    ids=["engine", "languages", "data", "fallback"],
)
def test_result_version_changes_with_all_that_changes_a_reading(other: str) -> None:
    assert other != VERSION


def test_result_version_changes_with_the_way_of_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READING", module.READING + 1)
    assert result_version("tesserocr 5.5.0", [ENG, DEU], ["eng"]) != VERSION
