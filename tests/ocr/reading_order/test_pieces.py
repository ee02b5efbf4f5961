"""What measures say of a block's text."""

import pytest

from recto.ocr.reading_order.pieces import are_figures, is_prose, page_angle_deg, pieces_of
from tests.ocr.reading_order.made_blocks import PROSE, column, turned


@pytest.mark.parametrize(
    "text", ["415", "1,078", "12.50", "(328)", "17 %", "600. —", "—", "£ 5", "$", "7/11/99", "172."]
)
def test_figure_is_known(text: str) -> None:
    assert are_figures(pieces_of([column(100, text)], 0))


@pytest.mark.parametrize("text", ["Coal", "Fr. Cts.", "»", "30 November 1999 or later", "...", "Table 6"])
def test_words_are_no_figure(text: str) -> None:
    assert not are_figures(pieces_of([column(100, text)], 0))


def test_running_text_is_prose() -> None:
    assert is_prose(pieces_of([column(100, *PROSE)], 0))


def test_justified_lines_with_capitals_are_prose() -> None:
    assert is_prose(pieces_of([column(100, *(text.title() for text in PROSE))], 0))


def test_list_of_ragged_lines_is_no_prose() -> None:
    lines = ("Banks of the Reuss near Aarau", "Winter in the mountains", "A morning at Ouchy", "Two girls in a garden")
    assert not is_prose(pieces_of([column(100, *lines)], 0))


def test_two_lines_are_no_prose() -> None:
    assert not is_prose(pieces_of([column(100, *PROSE[:2])], 0))


@pytest.mark.parametrize("angle_deg", [-3.0, 0.0, 7.5, 90.0])
def test_page_angle_is_that_of_the_lines(angle_deg: float) -> None:
    assert page_angle_deg(turned([column(100, *PROSE)], angle_deg)) == pytest.approx(angle_deg)


def test_pieces_of_a_turned_page_lie_level() -> None:
    (piece,) = pieces_of(turned([column(100, "Coal")], 5), 5)
    assert piece.extent.left == pytest.approx(100)
    assert (piece.extent.top, piece.extent.bottom) == pytest.approx((100, 132))
    assert piece.baseline is not None
    assert [*piece.baseline[0], *piece.baseline[1]] == pytest.approx([100, 132, 164, 132])
