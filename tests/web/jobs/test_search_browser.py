"""Search, filters and selections in a real Chromium, with and without scripts."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.web.chromium import DESKTOP, PHONE, row, sign_in, window
from tests.web.clients import PDF
from tests.web.hand_worker import HandWorker
from tests.web.live_server import LiveServer

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def documents(live: LiveServer, live_token: str) -> None:
    """Three documents of the admin's, read and indexed."""
    worker = HandWorker(live.folder)
    worker.report("eng")
    worker.end_waiting()
    texts = {
        "goatminutes.pdf": (
            "The goat was discussed.",
            "",
            "Nobody who was there that night saw the Ziegen-\nbock again, nor the goat that was said to be so black.",
        ),
        "goatletter.pdf": ("Dear goat,",),
        "goatbill.pdf": ("Lamb, 3 pieces",),
    }
    for name, pages in texts.items():
        live.submit(live_token, PDF, filename=name, dedupe="false")
        worker.finish_pages(worker.claim(len(pages)), *pages)
    worker.close()


def context_of(chromium: Browser, *, phone: bool = False) -> BrowserContext:
    size = PHONE if phone else DESKTOP
    return chromium.new_context(viewport=size, reduced_motion="reduce")


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def page(request: pytest.FixtureRequest, chromium: Browser, live: LiveServer, documents: None) -> Iterator[Page]:
    """Signed in, on the list."""
    with window(chromium, java_script_enabled=request.param) as context:
        page = context.new_page()
        sign_in(page, f"{live.address}/")
        yield page


def marked(place: Page | Locator) -> Locator:
    """The words that are marked in the text; where scripts run they have elements of their own."""
    return place.locator("pre mark, .word.is-hit")


def test_words_that_are_not_neighbours_are_marked_and_stepped_through(
    chromium: Browser, live: LiveServer, documents: None
) -> None:
    context = context_of(chromium)
    page = context.new_page()
    sign_in(page, f"{live.address}/")
    page.goto(f"{live.address}/search?q=goat+night")
    page.get_by_role("link", name="goatminutes.pdf").click()
    expect(marked(page.locator("#page-3"))).to_have_text(["night", "goat"])
    expect(page.get_by_role("searchbox", name="Search in this document")).to_have_value("goat night")
    expect(page.locator('[data-review="hits"]')).to_have_text("1 of 2")
    page.get_by_role("button", name="Next place").click()
    expect(page.locator("#page-3 .is-hit-now")).to_have_text("goat")
    context.close()


def test_word_is_found_and_shown_on_its_page(page: Page) -> None:
    page.get_by_role("searchbox").fill("goat")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", level=3)).to_have_text(["goatletter.pdf", "goatminutes.pdf"])
    expect(page.locator("mark")).to_have_text(["goat"] * 3)
    page.get_by_role("link", name="Page 3").click()
    expect(page).to_have_url(re.compile(r"\?q=goat#page-3$"))
    expect(marked(page.locator("#page-3"))).to_have_text("goat")
    expect(page.locator("#page-3")).to_be_in_viewport()
    page.get_by_role("link", name="Take the marks away").click()
    expect(page.locator("#page-3")).to_contain_text("goat")
    expect(marked(page)).to_have_count(0)


def test_word_divided_at_a_line_end_is_marked_whole(page: Page) -> None:
    page.get_by_role("searchbox").fill("ziegenbock")
    page.get_by_role("searchbox").press("Enter")
    page.get_by_role("link", name="goatminutes.pdf").click()
    expect(marked(page.locator("#page-3")).first).to_be_visible()
    assert "\n".join(marked(page.locator("#page-3")).all_inner_texts()).split("\n") == ["Ziegen-", "bock"]


def test_list_is_filtered_and_sorted(page: Page) -> None:
    page.get_by_text("Filter and sort").click()
    page.get_by_label("Order").select_option(label="By name")
    page.get_by_label("Status").select_option(label="Finished")
    page.get_by_role("button", name="Show", exact=True).click()
    names = page.locator(".job-name").all_inner_texts()
    assert names == sorted(names, key=str.lower)
    assert {"goatbill.pdf", "goatletter.pdf", "goatminutes.pdf"} <= set(names)
    page.get_by_role("link", name="Show all").click()
    assert page.locator(".job-name").all_inner_texts()[:3] == ["goatbill.pdf", "goatletter.pdf", "goatminutes.pdf"]


def test_selection_is_downloaded_and_asked_about(page: Page) -> None:
    for name in ("goatletter.pdf", "goatbill.pdf"):
        row(page, name).get_by_role("checkbox").check()
    with page.expect_download() as download:
        page.get_by_role("form", name="Documents that are selected").get_by_role("button", name="Download").click()
    with zipfile.ZipFile(Path(download.value.path())) as archive:
        assert sorted(archive.namelist()) == ["goatbill.txt", "goatletter.txt"]
    page.get_by_role("button", name="Delete…").click()
    expect(page.get_by_role("heading", name="Delete these 2 documents?")).to_be_visible()
    page.get_by_role("link", name="Keep them").click()
    expect(row(page, "goatletter.pdf")).to_be_visible()


def test_slash_leads_to_the_search_and_the_bar_counts(chromium: Browser, live: LiveServer, documents: None) -> None:
    context = context_of(chromium)
    page = context.new_page()
    sign_in(page, f"{live.address}/")
    bar = page.get_by_role("form", name="Documents that are selected")
    expect(bar).to_be_hidden()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("a/b")
    expect(page.get_by_role("searchbox")).to_have_value("a/b")
    row(page, "goatbill.pdf").get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    expect(bar).to_contain_text("1 selected")
    bar.get_by_role("checkbox", name="Select all").check()
    expect(bar).to_contain_text(f"{page.locator('.job').count()} selected")
    bar.get_by_role("checkbox", name="Select all").uncheck()
    expect(bar).to_be_hidden()
    context.close()


def test_pages_of_the_search_fit_a_phone(chromium: Browser, live: LiveServer, documents: None) -> None:
    context = context_of(chromium, phone=True)
    page = context.new_page()
    sign_in(page, f"{live.address}/")
    row(page, "goatbill.pdf").get_by_role("checkbox").check()
    page.get_by_text("Filter and sort").click()
    for path in ("", "/search", "/search?q=goat", "/search?q=horse", "/search?q=-"):
        if path:
            page.goto(f"{live.address}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
    context.close()
