"""The page image beside its text in a real Chromium: a finished document of several drawn pages, with real pictures and a Worker played by hand."""

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from recto.errors import PageTimeout
from tests.web.axe import complaints
from tests.web.chromium import DESKTOP, PHONE, window
from tests.web.drawn_document import DrawnDocument, draw_document
from tests.web.hand_worker import HandWorker, reporting
from tests.web.live_server import LiveServer

pytestmark = pytest.mark.services

PAGES = 8
PICTURE_MS = 180_000
"""A picture is made by a process that starts for it, on a machine that may be busy."""
A4_INCHES = 8.27


@pytest.fixture(scope="module")
def document() -> DrawnDocument:
    return draw_document(PAGES)


@pytest.fixture(scope="module")
def worker(server: LiveServer) -> Iterator[HandWorker]:
    with reporting(server.folder, "eng") as worker:
        yield worker


@pytest.fixture(scope="module")
def finished(server: LiveServer, worker: HandWorker, document: DrawnDocument) -> str:
    """The address of the page of a document that was read."""
    address = submit(server, worker, document)
    claim = worker.claim_when_there(PAGES)
    for page in document.pages:
        worker.adopt_page(claim, page)
    worker.finish(claim, document.text)
    return address


@pytest.fixture
def context(chromium: Browser, signed_in: Any) -> Iterator[BrowserContext]:
    """A person's, who is signed in and may look at the clipboard."""
    allowed = ["clipboard-read", "clipboard-write"]
    with window(chromium, storage_state=signed_in, permissions=allowed) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext, finished: str) -> Page:
    """The finished document, its first page's words in place."""
    page = context.new_page()
    page.goto(finished)
    expect(scan(page, 1).locator(".outline").first).to_be_attached()
    expect(text(page, 1).locator(".word").first).to_be_visible()
    return page


def submit(server: LiveServer, worker: HandWorker, document: DrawnDocument) -> str:
    """Send the document; gives the address of its page."""
    return f"{server.address}/jobs/{server.submit(worker.token_of('admin'), document.content, dedupe='false')}"


def scan(page: Page, number: int) -> Locator:
    return page.locator(f'.scan[data-page="{number}"]')


def text(page: Page, number: int) -> Locator:
    return page.locator(f'.text-page[data-page="{number}"]')


def word(page: Page, letters: str) -> Locator:
    """The first word of that text on page 1."""
    return text(page, 1).locator(".word").get_by_text(letters, exact=True).first


def outline_of(page: Page, element: Locator) -> Locator:
    """The word's outline on the image."""
    number, index = element.get_attribute("data-page"), element.get_attribute("data-word")
    return page.locator(f'.outline[data-page="{number}"][data-word="{index}"]')


def width(locator: Locator) -> float:
    box = locator.bounding_box()
    assert box is not None
    return box["width"]


def is_in(page: Page, inner: Locator, outer: str) -> bool:
    """Whether the element is wholly within what the pane shows."""
    pane, box = page.locator(outer).bounding_box(), inner.bounding_box()
    assert pane is not None
    assert box is not None
    return pane["y"] <= box["y"] and box["y"] + box["height"] <= pane["y"] + pane["height"]


def occurrences(document: DrawnDocument, words: str) -> int:
    return " ".join(document.text.split()).casefold().count(words)


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


def test_hovering_marks_a_word_on_both_sides(page: Page) -> None:
    element = word(page, "harbour")
    outline = outline_of(page, element)
    element.hover()
    expect(outline).to_have_class("outline is-hovered")
    other = word(page, "log")
    outline_of(page, other).hover()
    expect(other).to_have_class("word is-hovered")
    expect(element).to_have_class("word")
    page.mouse.move(5, 5)
    expect(other).to_have_class("word")


def test_confidence_is_shown_in_three_levels_until_it_is_hidden(page: Page) -> None:
    levels = {
        letters: text(page, 1).locator(".word").get_by_text(letters, exact=True).first.get_attribute("data-level")
        for letters in ("frost", "harbour")
    }
    assert levels == {"frost": "doubtful", "harbour": "sure"}
    line = "el => getComputedStyle(el).textDecorationStyle + ' ' + getComputedStyle(el).textDecorationLine"
    assert word(page, "frost").evaluate(line) == "wavy underline"
    assert page.locator('.word[data-level="unsure"]').first.evaluate(line) == "dotted underline"
    under = page.locator('.level-line[data-level="doubtful"]').first
    expect(under).to_have_css("display", "inline")
    page.get_by_role("button", name="Confidence").click()
    assert word(page, "frost").evaluate(line) == "solid none"
    expect(under).to_have_css("display", "none")
    page.reload()
    expect(page.get_by_role("button", name="Confidence")).to_have_attribute("aria-pressed", "false")
    page.locator(".scans").press("c")
    expect(page.get_by_role("button", name="Confidence")).to_have_attribute("aria-pressed", "true")


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


def test_search_finds_on_all_pages_and_marks_image_and_text(page: Page, document: DrawnDocument) -> None:
    page.locator(".scans").press("/")
    page.keyboard.type("HARBOUR  log")
    count = page.locator(".find-count")
    expect(count).to_have_text(f"1 of {PAGES}")
    expect(text(page, 1).locator(".is-hit-now")).to_have_text(["harbour", "log"])
    expect(scan(page, 1).locator(".outline.is-hit-now")).to_have_count(2)
    page.keyboard.press("Enter")
    expect(count).to_have_text(f"2 of {PAGES}")
    page.get_by_role("button", name="Previous place").click()
    page.get_by_role("button", name="Previous place").click()
    expect(count).to_have_text(f"{PAGES} of {PAGES}")
    expect(text(page, PAGES).locator(".is-hit-now").first).to_be_in_viewport()
    expect(scan(page, PAGES).locator(".outline.is-hit-now").first).to_be_in_viewport()
    page.get_by_label("Search in this document").fill("shop, lights")
    expect(count).to_contain_text(f"of {occurrences(document, 'shop, lights')}")
    page.get_by_label("Search in this document").fill("no such words")
    expect(count).to_have_text("Not found")
    expect(page.get_by_role("button", name="Next place")).to_be_disabled()
    expect(page.locator(".is-hit, .is-hit-now")).to_have_count(0)


def test_copied_selection_is_the_text_of_the_result(page: Page, document: DrawnDocument) -> None:
    page.evaluate(
        """() => {
            const [one, two] = [1, 2].map((number) => document.querySelector(`.text-page[data-page="${number}"] pre`));
            getSelection().setBaseAndExtent(one.querySelector(".word").firstChild, 0, two, two.childNodes.length);
        }"""
    )
    page.locator(".text-scroll").press("Control+c")
    expected = "\n\n".join(part.strip("\n") for part in document.text.split("\f")[:2])
    assert page.evaluate("navigator.clipboard.readText()") == expected
    page.evaluate("getSelection().removeAllRanges()")
    page.get_by_role("button", name="Copy text").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith(expected)


def test_doubtful_words_are_stepped_through_on_all_pages(page: Page, document: DrawnDocument) -> None:
    doubtful = [(part.number, found) for part in document.pages for found in part.words if found.confidence < 0.7]
    page.locator(".scans").press("n")
    current = page.locator(".word.is-current")
    expect(current).to_have_text(doubtful[0][1].text)
    expect(page.locator(".outline.is-current")).to_be_in_viewport()
    page.keyboard.press("n")
    page.keyboard.press("p")
    page.keyboard.press("p")
    expect(current).to_have_attribute("data-page", str(doubtful[-1][0]))
    expect(current).to_be_in_viewport()
    page.get_by_role("button", name="Doubtful words").click()
    expect(page.locator(".doubtful li")).to_have_count(len(doubtful))
    expect(page.get_by_text(f"{len(doubtful)} found")).to_be_visible()
    page.get_by_label("Order").select_option("doubt")
    least = min(found.confidence for _, found in doubtful)
    expect(page.locator(".doubtful li").first).to_contain_text(f"{least:.0%}".replace("%", " %"))
    page.locator(".doubtful li button").first.click()
    expect(current).to_have_text("bakes")
    expect(page.locator("#announcer")).to_contain_text("bakes: 41 % sure")


def test_chosen_word_is_told_by_an_event_from_its_element(page: Page, finished: str) -> None:
    page.evaluate(
        """() => {
            window.told = [];
            document.addEventListener("recto:word", ({ target, detail }) =>
                window.told.push([target.dataset.page, target.dataset.word, detail.uuid, detail.page, detail.text]));
        }"""
    )
    element = word(page, "harbour")
    index = element.get_attribute("data-word")
    element.click()
    outline_of(page, element).click()
    page.locator(".scans").press("Enter")
    assert page.evaluate("window.told") == [["1", index, finished.rpartition("/")[2], 1, "harbour"]] * 3
    expect(outline_of(page, element)).to_have_class("outline is-current is-hovered")


def test_enter_waits_for_the_step_before_it(context: BrowserContext, finished: str) -> None:
    page = context.new_page()
    page.add_init_script("""{
      const { fetch } = window;
      window.fetch = async (...given) => (await new Promise((done) => setTimeout(done, 700)), fetch(...given));
    }""")
    page.goto(finished)
    page.locator(".scans").press("w")
    page.locator(".scans").press("Enter")
    expect(page.locator("form.correction input")).to_be_focused()


def test_key_leads_from_the_words_to_the_downloads(page: Page) -> None:
    page.locator(".scans").press("d")
    expect(page.get_by_role("link", name="Text", exact=True)).to_be_focused()


def test_page_says_how_a_word_is_corrected(page: Page) -> None:
    expect(page.get_by_text("Click or tap a word to correct it.")).to_be_visible()


def test_keys_are_listed_and_can_be_switched_off(page: Page) -> None:
    page.locator(".scans").press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Use these keys").uncheck()
    dialog.get_by_role("button", name="Close").click()
    page.locator(".scans").press("n")
    page.wait_for_timeout(200)
    expect(page.locator(".is-current")).to_have_count(0)


def test_address_with_a_page_leads_there(context: BrowserContext, finished: str) -> None:
    page = context.new_page()
    page.goto(f"{finished}#page-5")
    expect(page.get_by_label("Page", exact=True)).to_have_value("5")
    expect(scan(page, 5)).to_be_in_viewport()
    expect(text(page, 5)).to_be_in_viewport()


def test_picture_that_cannot_be_had_is_said_on_its_sheet(context: BrowserContext, finished: str) -> None:
    page = context.new_page()
    page.route("**/pages/1/image**", lambda route: route.abort())
    page.goto(finished)
    expect(scan(page, 1).get_by_text("The picture of page 1 could not be shown.")).to_be_visible()
    expect(text(page, 1).locator(".word").first).to_be_visible()
    page.unroute_all()
    scan(page, 1).get_by_role("button", name="Try again").click()
    expect(scan(page, 1).locator("canvas")).to_be_visible(timeout=PICTURE_MS)


def test_pages_beyond_a_text_cut_short_are_shown_and_searched(context: BrowserContext, finished: str) -> None:
    """As the server draws a text of more than two million letters: here its page 3 breaks off and the others are missing."""
    page = context.new_page()

    def cut(route: Route) -> None:
        html = route.fetch().text()
        start = html.index('<section class="text-page" id="page-4"')
        end = html.index("</section>", html.index(f'id="page-{PAGES}"')) + len("</section>")
        html = html[:start] + html[end:]
        route.fulfill(body=html.replace('class="text">', 'class="text" data-cut>'), content_type="text/html")

    page.route(finished, cut)
    page.goto(finished)
    expect(page.locator(".scan")).to_have_count(PAGES)
    page.get_by_label("Search in this document").fill(f"page {PAGES} of the harbour")
    expect(page.locator(".find-count")).to_have_text("1 of 1")
    expect(text(page, PAGES).locator(".is-hit-now").first).to_be_in_viewport()


def test_pages_appear_while_the_job_runs_and_stay_in_view_when_it_ends(
    context: BrowserContext, server: LiveServer, worker: HandWorker, document: DrawnDocument
) -> None:
    address = submit(server, worker, document)
    claim = worker.claim_when_there(PAGES)
    worker.adopt_page(claim, document.pages[2])
    page = context.new_page()
    page.goto(address)
    arrived = page.locator(".arriving .text-page")
    expect(arrived.locator("h3")).to_have_text(["Page 3"])
    worker.adopt_page(claim, document.pages[0])
    expect(arrived.locator("h3")).to_have_text(["Page 1", "Page 3"])
    expect(arrived.first).to_contain_text("Page 1 of the harbour log")
    worker.read_page(claim, 2, PageTimeout("The page took too long."))
    expect(arrived.nth(1)).to_contain_text("The page took too long.")
    for drawn in document.pages[3:]:
        worker.adopt_page(claim, drawn)
    expect(arrived).to_have_count(PAGES)
    kept = [drawn for drawn in document.pages if drawn.number != 2]
    worker.finish(claim, "\f".join(DrawnDocument(b"", (drawn,)).text for drawn in kept))
    expect(scan(page, 1).locator(".outline").first).to_be_attached()
    expect(page.locator(".scan")).to_have_count(PAGES - 1)
    expect(text(page, 1).locator(".word").first).to_be_visible()


def test_page_without_script_is_its_text(chromium: Browser, signed_in: Any, finished: str) -> None:
    context = chromium.new_context(java_script_enabled=False, storage_state=signed_in, viewport=DESKTOP)
    page = context.new_page()
    page.goto(finished)
    expect(page.locator(".text-page pre")).to_have_count(PAGES)
    expect(page.get_by_role("heading", name="Text", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Searchable PDF")).to_be_visible()
    for hidden in (".scan-side", ".text-tools", ".side-choice"):
        expect(page.locator(hidden)).to_be_hidden()
    assert page.locator(".text-scroll").evaluate("pane => pane.scrollHeight <= pane.clientHeight + 1")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone_shows_one_side_at_a_time(
    chromium: Browser, signed_in: Any, finished: str, scheme: Literal["light", "dark"]
) -> None:
    context = chromium.new_context(
        viewport=PHONE, is_mobile=True, has_touch=True, color_scheme=scheme, storage_state=signed_in
    )
    page = context.new_page()
    page.goto(f"{finished}#page-4")
    expect(text(page, 4).locator(".word").first).to_be_visible()
    expect(page.locator(".scan-side")).to_be_hidden()
    page.get_by_role("button", name="Page image").tap()
    expect(scan(page, 4)).to_be_in_viewport()
    expect(page.locator(".recto")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert complaints(page) == []
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_review_is_accessible(
    chromium: Browser, signed_in: Any, finished: str, scheme: Literal["light", "dark"]
) -> None:
    context = chromium.new_context(viewport=DESKTOP, color_scheme=scheme, storage_state=signed_in)
    page = context.new_page()
    page.goto(finished)
    expect(text(page, 1).locator(".word").first).to_be_visible()
    page.get_by_role("button", name="Doubtful words").click()
    page.locator(".scans").press("n")
    page.get_by_label("Search in this document").fill("harbour")
    expect(page.locator(".word.is-hit-now").first).to_be_visible()
    word(page, "log").hover()
    assert complaints(page) == []
    page.locator(".scans").press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    assert complaints(page) == []
    context.close()
