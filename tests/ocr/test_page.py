import pytest

from recto.ocr.page import ResultWarning


@pytest.mark.parametrize(
    ("page", "detail", "sentence"),
    [
        (3, "Page 3 cannot be decoded.", "Page 3 cannot be decoded."),
        (3, "Tesseract gave up on the page.", "Page 3: Tesseract gave up on the page."),
        (3, "Page 30 is mentioned.", "Page 3: Page 30 is mentioned."),
        (None, "The PDF is signed.", "The PDF is signed."),
    ],
)
def test_sentence_of_a_warning_names_its_page_once(page: int | None, detail: str, sentence: str) -> None:
    assert ResultWarning(page, "some_code", detail).sentence == sentence
