import importlib.util
from pathlib import Path

import pytest

from recto.errors import EngineMissing
from recto.ocr.engines import select
from recto.ocr.engines.select import choose_engine


def test_choice_left_to_recto_is_tesserocr_where_it_is_installed() -> None:
    assert choose_engine("auto").name == "tesserocr"


def test_choice_left_to_recto_is_pytesseract_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        select, "find_spec", lambda name: None if name == "tesserocr" else importlib.util.find_spec(name)
    )
    assert choose_engine("auto").name == "pytesseract"


@pytest.mark.parametrize("name", ["auto", "pytesseract", "tesserocr"])
def test_choice_with_a_folder_without_data_names_it(tmp_path: Path, name: select.EngineName) -> None:
    with pytest.raises(EngineMissing, match=str(tmp_path)):
        choose_engine(name, tmp_path)
