from pathlib import Path

import pikepdf
import pytest

from recto.ocr.pdf.qpdf import asked
from tests.drawing import blank_page, save_pdf


def page_count(pdf: pikepdf.Pdf) -> int:
    return len(pdf.pages)


@pytest.mark.parametrize(("password", "expected"), [("sesame", 2), ("wrong", -1), (None, -1)])
def test_encrypted_pdf_answers_to_its_password_alone(tmp_path: Path, password: str | None, expected: int) -> None:
    path = save_pdf(tmp_path / "secret.pdf", [blank_page(60, 40)] * 2)
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.save(path, encryption=pikepdf.Encryption(owner="owner", user="sesame"))
    assert asked(path, password, page_count, otherwise=-1) == expected


def test_pdf_that_needs_no_password_answers_whatever_is_given(tmp_path: Path) -> None:
    path = save_pdf(tmp_path / "open.pdf", [blank_page(60, 40)])
    assert asked(path, "not needed", page_count, otherwise=-1) == 1


def test_file_that_qpdf_cannot_open_gives_the_other_answer(tmp_path: Path) -> None:
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing more")
    assert asked(tmp_path / "broken.pdf", None, page_count, otherwise=-1) == -1
