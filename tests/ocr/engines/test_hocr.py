import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.errors import PageUnreadable
from recto.ocr.engines.hocr import parse_hocr
from recto.ocr.layout import quad_of
from recto.ocr.page import Box

PAGE = """<div class='ocr_page' title='bbox 0 0 100 100'>
 <div class='ocr_carea' title="bbox 10 10 90 60">
  <p class='ocr_par' title="bbox 10 10 90 30">
   <span class='ocr_header' title="bbox 10 10 90 30; baseline 0.1 -4; x_size 20">
    <span class='ocrx_word' title='bbox 10 10 40 30; x_wconf 93'>A&amp;B</span>
    <span class='ocrx_word' title='bbox 50 12 90 30; x_wconf 41'><strong><em>x</em>y</strong></span>
    <span class='ocrx_word' title='bbox 90 12 90 30; x_wconf 95'> </span>
   </span>
  </p>
  <p class='ocr_par' title="bbox 10 40 30 60">
   <span class='ocr_line' title="bbox 10 40 30 60; textangle 90; x_size 20">
    <span class='ocrx_word' title='bbox 10 40 30 60; x_wconf 0'>up</span>
   </span>
  </p>
 </div>
 <div class='ocr_photo' title="bbox 0 70 100 100"></div>
 <div class='ocr_carea' title="bbox 0 70 9 80"><p class='ocr_par' title="bbox 0 70 9 80"></p></div>
</div>"""


def test_parsing_keeps_words_with_text_and_blocks_with_words() -> None:
    (block,) = parse_hocr(PAGE)
    assert [[word.text for word in line.words] for line in block.lines] == [["A&B", "xy"], ["up"]]
    assert [line.paragraph for line in block.lines] == [0, 1]
    assert block.lines[0].words[1].confidence == 0.41
    assert block.lines[0].words[1].box == Box(50, 12, 40, 18)


def test_parsing_turns_slope_and_offset_into_a_baseline() -> None:
    (block,) = parse_hocr(PAGE)
    assert block.lines[0].baseline == ((10, 26), (90, 34))
    assert block.lines[1].baseline is None


def test_parsing_of_text_turned_upwards_starts_its_quad_at_the_bottom() -> None:
    (block,) = parse_hocr(PAGE)
    assert block.lines[1].words[0].quad == ((10, 60), (10, 40), (30, 40), (30, 60))


@pytest.mark.parametrize("broken", ["", "<div class='ocr_page'>", PAGE.replace("bbox 10 10 40 30; ", "")])
def test_parsing_of_a_broken_answer_is_unreadable(broken: str) -> None:
    with pytest.raises(PageUnreadable):
        parse_hocr(broken)


@given(st.sampled_from([0, 90, 180, 270]), st.integers(1, 50), st.integers(1, 50))
def test_quads_of_any_turn_run_clockwise_over_the_corners(angle_deg: int, width: int, height: int) -> None:
    quad = quad_of(Box(3, 7, width, height), angle_deg)
    assert set(quad) == {(3, 7), (3 + width, 7), (3, 7 + height), (3 + width, 7 + height)}
    (ax, ay), (bx, by), (cx, cy), _ = quad
    assert (bx - ax) * (cy - by) - (by - ay) * (cx - bx) > 0
