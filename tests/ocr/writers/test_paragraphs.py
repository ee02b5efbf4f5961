import math
from dataclasses import replace

import pytest
from hypothesis import given, settings

from recto.ocr.page import Box, Line, Page, Point, Quad, Word
from recto.ocr.writers.paragraphs import paragraphs_on
from tests.ocr.writers.made_pages import PAGES, block, line, lines, page

RUNNING = (
    "Every morning the baker opens his little shop, lights",
    "the oven and kneads dough for the village. People come",
    "from distant farms to buy his bread, because nobody",
    "else bakes it quite as well.",
)
VERSE = (
    "The winter evening settles on the farthest hills,",
    "And nobody is out;",
    "The river underneath the frozen willow stills,",
    "The snow lies round about.",
)
ADDRESS = ("Herrn Bürgermeister Maximilian Mustermann", "Hauptstraße 5", "12345 Musterhausen an der Muster")
LIST = (
    "1. wash the potatoes in cold running water and peel",
    "2. boil them until they can be pierced easily with a",
    "3. serve",
)
PRICES = (
    "Butter, half a pound            1,20",
    "Bread of rye, two pounds        0,95",
    "Milk, fresh from the farm       0,40",
)
CONTENTS = (
    "Of the beginnings in the valley ........ 12",
    "Of the mill and those who ran it ....... 34",
    "Of bread ... 56",
)
CENTRED = (
    "        The Society for the Advancement",
    "  of Useful Knowledge among the General Public",
    "               of the County",
)


def logical_lines(*given_lines: Line) -> list[str]:
    return [
        text for paragraph in paragraphs_on(page(block(*given_lines)), whole_words=True) for text in paragraph.lines
    ]


def turned(one: Line, angle_deg: float) -> Line:
    """About the origin, counter-clockwise; boxes stay, since they say nothing of reading direction."""
    sine, cosine = math.sin(math.radians(angle_deg)), math.cos(math.radians(angle_deg))

    def turn(quad: Quad) -> Quad:
        first, second, third, fourth = ((x * cosine + y * sine, y * cosine - x * sine) for x, y in quad)
        return first, second, third, fourth

    return replace(one, quad=turn(one.quad), words=tuple(replace(word, quad=turn(word.quad)) for word in one.words))


def mirrored(one: Line) -> Line:
    """The line as it looks in a script that runs to the left: first word at the right, corners from the left to the right."""

    def mirror(quad: Quad) -> Quad:
        def flip(point: Point) -> Point:
            return 3000 - point[0], point[1]

        return flip(quad[1]), flip(quad[0]), flip(quad[3]), flip(quad[2])

    return replace(one, quad=mirror(one.quad), words=tuple(replace(word, quad=mirror(word.quad)) for word in one.words))


@pytest.mark.parametrize("angle_deg", [0, 3, 90, 180, 270])
def test_running_text_is_one_line_however_it_lies(angle_deg: float) -> None:
    assert logical_lines(*(turned(one, angle_deg) for one in lines(*RUNNING))) == [" ".join(RUNNING)]


@pytest.mark.parametrize(
    "kept", [VERSE, ADDRESS, LIST, PRICES, CONTENTS, CENTRED], ids=lambda kept: kept[0][:12].strip()
)
@pytest.mark.parametrize("angle_deg", [0, 90])
def test_text_that_is_set_in_lines_keeps_them(kept: tuple[str, ...], angle_deg: float) -> None:
    assert logical_lines(*(turned(one, angle_deg) for one in lines(*kept))) == [" ".join(one.split()) for one in kept]


def test_running_text_keeps_a_line_that_ends_well_before_the_edge() -> None:
    given_lines = (*RUNNING, *RUNNING)
    assert logical_lines(*lines(*given_lines)) == [" ".join(RUNNING), " ".join(RUNNING)]


def test_running_text_to_the_left_is_judged_by_its_left_edge() -> None:
    hebrew = [
        line_.translate({code: code - ord("a") + ord("א") for code in range(ord("a"), ord("z") + 1)}).lower()
        for line_ in RUNNING
    ]
    short = (hebrew[0], hebrew[3], hebrew[1], hebrew[3], hebrew[2], hebrew[3])
    assert logical_lines(*map(mirrored, lines(*hebrew))) == [" ".join(hebrew)]
    assert logical_lines(*map(mirrored, lines(*short))) == list(short)


def test_running_text_of_chinese_has_no_spaces_where_lines_meet() -> None:
    given_lines = (
        "每天早上面包师打开他的小店点燃炉子为村民们揉面团",
        "人们从遥远的农场来买他的面包因为没有人烤得这么好",
        "冬天窗户上结满了霜",
    )
    assert logical_lines(*lines(*given_lines)) == ["".join(given_lines)]


def test_running_text_makes_divided_words_whole() -> None:
    given_lines = lines(
        "The children draw stars and houses on the frosted win-", "dows of the shop while they wait for bread."
    )
    assert logical_lines(*given_lines) == [
        "The children draw stars and houses on the frosted windows of the shop while they wait for bread."
    ]


def test_running_text_that_flows_around_a_picture_is_joined_by_its_divided_words() -> None:
    given_lines = (
        *RUNNING[:3],
        "while the snow falls on the win-",
        "dows and the smoke of the bak-",
        "ing oven rises over the vil-",
        "lage",
    )
    expected = "while the snow falls on the windows and the smoke of the baking oven rises over the village"
    assert logical_lines(*lines(*given_lines)) == [" ".join((*RUNNING[:3], expected))]


def test_paragraphs_of_different_sizes_keep_their_break() -> None:
    title = line("Bread as it was baked in the village long ago", 0, size_px=64)
    assert logical_lines(title, line("by a baker who had learned it from his father there", 3)) == [
        "Bread as it was baked in the village long ago",
        "by a baker who had learned it from his father there",
    ]


def test_paragraph_knows_its_size_and_confidence() -> None:
    (paragraph,) = paragraphs_on(page(block(line("Hand Bild"))), whole_words=True)
    assert paragraph.em_px == pytest.approx(32 / 0.72)
    assert paragraph.confidence == pytest.approx(0.9)


def test_paragraph_of_small_letters_is_not_taken_for_a_smaller_one() -> None:
    drawn_heights_px = {"am": 24, "Hand": 36, "gym": 34, "Joghurt": 46}
    sizes = [
        next(paragraphs_on(page(block(line(text, size_px=height))), whole_words=True)).em_px
        for text, height in drawn_heights_px.items()
    ]
    assert sizes == pytest.approx([50] * 4, rel=0.05)


def test_words_without_letters_make_no_paragraph() -> None:
    quad = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    empty = Line((Word(" \n", 1.0, Box(0, 0, 1, 1), quad),), Box(0, 0, 1, 1), quad, 0)
    assert list(paragraphs_on(page(block(empty)), whole_words=True)) == []


@settings(deadline=None)  # a busy machine is no fault
@given(PAGES)
def test_paragraphs_of_any_page_have_lines_without_line_ends(given_page: Page) -> None:
    texts = [text for paragraph in paragraphs_on(given_page, whole_words=True) for text in paragraph.lines]
    assert all(text and text.splitlines() == [text] for text in texts)


def test_divided_word_keeps_its_line_end_where_words_are_not_made_whole() -> None:
    given = lines(
        "Every morning the baker opens his little shop, lights",
        "the oven and kneads dough for the whole village. Peo-",
        "ple come from distant farms to buy his bread.",
    )
    (paragraph,) = paragraphs_on(page(block(*given)), whole_words=False)
    assert paragraph.lines == (f"{given[0].text} {given[1].text}", given[2].text)
