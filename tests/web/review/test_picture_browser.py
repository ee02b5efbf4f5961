"""The picture of a page beside its text in a real Chromium: where words are on it, how it is scrolled and zoomed, and what it shows."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.web.chromium import DESKTOP
from tests.web.drawn_document import DrawnDocument
from tests.web.review.panes import A4_INCHES, PAGES, PICTURE_MS, outline_of, scan, text, width, word

pytestmark = pytest.mark.services


def test_image_stands_left_of_its_text_and_nothing_jumps_as_pages_come(page: Page) -> None:
    before = page.locator(".scans").evaluate("pane => pane.scrollHeight")
    expect(scan(page, 1).get_by_role("img", name="Page 1 as it was uploaded")).to_be_visible(timeout=PICTURE_MS)
    image, beside = page.locator(".scan-side").bounding_box(), page.locator(".recto").bounding_box()
    assert image is not None
    assert beside is not None
    assert image["x"] + image["width"] <= beside["x"] + 1
    assert image["y"] == beside["y"]
    assert page.locator(".scans").evaluate("pane => pane.scrollHeight") == before
    assert page.evaluate("document.documentElement.scrollWidth") <= DESKTOP["width"]


def test_words_are_outlined_where_their_ink_is(page: Page, document: DrawnDocument) -> None:
    first = document.pages[0]
    drawn = next(found for found in first.words if found.text == "harbour")
    element = word(page, "harbour")
    box, paper = outline_of(page, element).bounding_box(), scan(page, 1).locator(".paper").bounding_box()
    assert box is not None
    assert paper is not None
    scale = paper["width"] / first.width_px
    middle_px = (box["x"] + box["width"] / 2 - paper["x"]) / scale
    assert middle_px == pytest.approx(drawn.box.left + drawn.box.width / 2, abs=3)
    assert box["width"] >= drawn.box.width * scale


def test_far_pages_are_let_go_and_come_again(page: Page) -> None:
    page.get_by_label("Page", exact=True).fill(str(PAGES))
    page.keyboard.press("Enter")
    expect(scan(page, PAGES).locator("canvas")).to_be_visible(timeout=PICTURE_MS)
    expect(scan(page, 1).locator("canvas, svg")).to_have_count(0)
    expect(text(page, PAGES).locator(".word").first).to_be_visible()
    assert page.locator(".scan .outlines").count() < PAGES
    for _ in range(PAGES - 1):
        page.locator(".scans").press("k")
    expect(scan(page, 1).locator("canvas")).to_be_visible(timeout=PICTURE_MS)
    expect(page.get_by_label("Page", exact=True)).to_have_value("1")


def test_panes_scroll_together(page: Page) -> None:
    page.locator(".scans").hover()
    page.mouse.wheel(0, 2200)
    expect(page.get_by_label("Page", exact=True)).not_to_have_value("1")
    number = int(page.get_by_label("Page", exact=True).input_value())
    expect(text(page, number)).to_be_in_viewport()
    page.locator(".text-scroll").hover()
    page.mouse.wheel(0, -9000)
    expect(page.get_by_label("Page", exact=True)).to_have_value("1")
    expect(scan(page, 1)).to_be_in_viewport()


def test_zoom_by_choice_buttons_keys_and_wheel(page: Page) -> None:
    paper, zoom = scan(page, 1).locator(".paper"), page.get_by_label("Zoom", exact=True)
    fitted = width(paper)
    zoom.select_option("100")
    assert width(paper) == pytest.approx(A4_INCHES * 96, abs=2)
    zoom.select_option("400")
    assert width(paper) == pytest.approx(4 * A4_INCHES * 96, abs=4)
    page.locator(".scans").press("-")
    expect(zoom).to_have_value("300")
    page.keyboard.press("+")
    expect(zoom).to_have_value("400")
    page.keyboard.press("0")
    expect(zoom).to_have_value("width")
    assert width(paper) == pytest.approx(fitted, abs=1)
    page.get_by_role("button", name="Zoom in").click()
    assert width(paper) > fitted
    zoom.select_option("page")
    pane = page.locator(".scans").bounding_box()
    box = paper.bounding_box()
    assert pane is not None
    assert box is not None
    assert box["height"] < pane["height"]
    page.locator(".scans").hover()
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    page.keyboard.up("Control")
    expect(zoom).to_have_value("other")
    assert width(paper) > box["width"]


def test_zoom_keeps_what_is_under_the_pointer(page: Page) -> None:
    outline = outline_of(page, word(page, "harbour"))
    box = outline.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    expect(page.get_by_label("Zoom", exact=True)).to_have_value("other")
    after = outline.bounding_box()
    assert after is not None
    assert after["width"] > box["width"] * 1.3
    # At the left and upper edge there is nothing to scroll by, so the word may move by the margin.
    assert abs(after["x"] + after["width"] / 2 - x) < 40
    assert abs(after["y"] + after["height"] / 2 - y) < 60


def test_two_fingers_zoom(page: Page) -> None:
    before = width(scan(page, 1).locator(".paper"))
    page.locator(".scans").evaluate(
        """pane => {
            const { left, top } = pane.getBoundingClientRect();
            const send = (type, apart) => {
                const touch = (identifier, x) => new Touch({ identifier, target: pane, clientX: left + x, clientY: top + 200 });
                const touches = [touch(1, 250 - apart), touch(2, 250 + apart)];
                pane.dispatchEvent(new TouchEvent(type, { touches, cancelable: true, bubbles: true }));
            };
            send("touchstart", 50);
            send("touchmove", 100);
        }"""
    )
    assert width(scan(page, 1).locator(".paper")) == pytest.approx(2 * before, rel=0.02)


def test_dragging_moves_the_image_and_is_no_click(page: Page) -> None:
    page.get_by_label("Zoom", exact=True).select_option("200")
    page.evaluate("window.chosen = 0; document.addEventListener('recto:word', () => (window.chosen += 1))")
    pane = page.locator(".scans")
    pane.evaluate("pane => { pane.scrollLeft = 200; pane.scrollTop = 200; }")
    box = pane.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 90, steps=4)
    page.mouse.up()
    assert pane.evaluate("pane => [pane.scrollLeft, pane.scrollTop]") == [280, 310]
    assert page.evaluate("window.chosen") == 0


def test_page_is_shown_as_the_engine_saw_it_with_what_was_done_to_it(page: Page) -> None:
    levelled = scan(page, 1).get_by_text("Levelled by 1.5°")
    expect(levelled).to_be_hidden()
    page.get_by_label("Picture").select_option("preprocessed")
    expect(levelled).to_be_visible()
    expect(scan(page, 2).locator("figcaption")).to_contain_text("Nothing to mend")
    expect(scan(page, 1).get_by_role("img", name="as the engine saw it")).to_be_visible(timeout=PICTURE_MS)
    expect(page.get_by_text("words are not outlined on it")).to_be_visible()
    expect(page.locator(".outline")).to_have_count(0)
    page.locator(".scans").press("e")
    expect(scan(page, 1).get_by_role("img", name="as it was uploaded")).to_be_visible(timeout=PICTURE_MS)
    expect(outline_of(page, word(page, "harbour"))).to_be_visible()


def test_picture_that_cannot_be_had_is_said_on_its_sheet(context: BrowserContext, finished: str) -> None:
    page = context.new_page()
    page.route("**/pages/1/image**", lambda route: route.abort())
    page.goto(finished)
    expect(scan(page, 1).get_by_text("The picture of page 1 could not be shown.")).to_be_visible()
    expect(text(page, 1).locator(".word").first).to_be_visible()
    page.unroute_all()
    scan(page, 1).get_by_role("button", name="Try again").click()
    expect(scan(page, 1).locator("canvas")).to_be_visible(timeout=PICTURE_MS)
