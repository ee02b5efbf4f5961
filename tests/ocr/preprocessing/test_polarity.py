import numpy as np

from recto.ocr.preprocessing.polarity import inverted, is_inverted
from tests.drawing import blank_page, draw_page


def test_polarity_of_dark_text_on_light_is_kept() -> None:
    assert not is_inverted(draw_page(noise=10).pixels)


def test_polarity_of_light_text_on_dark_is_found() -> None:
    assert is_inverted(inverted(draw_page(noise=10).pixels))


def test_polarity_of_two_colours_only_is_found() -> None:
    page = np.where(draw_page().pixels > 127, 0, 255).astype(np.uint8)
    assert is_inverted(page)
    assert not is_inverted(inverted(page))


def test_polarity_of_a_sheet_on_a_dark_desk_is_kept() -> None:
    sheet = draw_page().pixels
    desk = np.full((sheet.shape[0] * 2, sheet.shape[1] * 2), 30, np.uint8)
    desk[300 : 300 + sheet.shape[0], 300 : 300 + sheet.shape[1]] = sheet
    assert not is_inverted(desk)


def test_polarity_of_blank_paper_of_any_grey_is_kept() -> None:
    assert not any(is_inverted(blank_page() * 0 + level) for level in (0, 128, 255))


def test_inverting_twice_is_the_page_again() -> None:
    page = draw_page().pixels
    assert np.array_equal(inverted(inverted(page)), page)
