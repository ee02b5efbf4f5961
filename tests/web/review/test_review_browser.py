"""The page of a document in a real Chromium, image and text side by side: while it is read, by keys, on a phone, without scripts, by axe-core's rules."""

from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from recto.errors import PageTimeout
from tests.web.axe import complaints
from tests.web.chromium import DESKTOP, PHONE
from tests.web.drawn_document import DrawnDocument
from tests.web.hand_worker import HandWorker
from tests.web.live_server import LiveServer
from tests.web.review.panes import PAGES, scan, submit, text, word

pytestmark = pytest.mark.services


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
