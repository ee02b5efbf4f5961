"""The words of a document beside its pictures in a real Chromium: pointed at, searched, doubted, chosen and copied."""

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.web.drawn_document import DrawnDocument
from tests.web.review.panes import PAGES, occurrences, outline_of, scan, text, word

pytestmark = pytest.mark.services


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
