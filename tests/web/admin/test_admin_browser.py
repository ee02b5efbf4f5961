"""Administration and account in a real Chromium: by mouse and by keyboard, on a phone, and by axe-core's rules."""

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from recto.errors import DocumentDamaged
from tests.web.axe import complaints
from tests.web.chromium import DESKTOP, PDF, PHONE, choose, row, sign_in
from tests.web.hand_worker import HandWorker, reporting
from tests.web.live_server import LiveServer

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def worker(server: LiveServer) -> Iterator[HandWorker]:
    with reporting(server.folder, "eng", "deu") as worker:
        yield worker


@pytest.fixture
def page(context: BrowserContext, address: str, worker: HandWorker) -> Page:
    """An administrator's, signed in."""
    page = context.new_page()
    sign_in(page, address)
    return page


def test_open_page_shows_the_queue_grow_and_a_worker_go(page: Page, address: str, worker: HandWorker) -> None:
    page.get_by_role("link", name="Admin", exact=True).click()
    waiting = page.locator(".figures div").filter(has_text="Waiting")
    expect(waiting.locator("dd").first).to_have_text("0")
    other = page.context.new_page()
    other.goto(address)
    choose(other, ("first.pdf", PDF), ("second.pdf", PDF))
    expect(row(other, "second.pdf")).to_be_visible()
    expect(waiting.locator("dd").first).to_have_text("2", timeout=10_000)
    claim = worker.claim(1)
    worker.read_page(claim, 1)
    worker.finish(claim)
    worker.fail(worker.claim(1), DocumentDamaged("Torn."))
    worker.sign_off()
    expect(page.get_by_text("No Worker is running.")).to_be_visible(timeout=10_000)
    worker.report("eng", "deu")
    page.reload()
    for title in ("Pages read", "Jobs finished", "Jobs failed"):
        expect(page.get_by_role("img", name=f"{title}, the last day: 1")).to_be_visible()
    page.get_by_text("As a table").click()
    expect(page.get_by_role("row").filter(has_text="UTC")).to_have_count(0)  # times are the reader's own
    expect(page.get_by_role("region", name="What ended, as a table").get_by_role("row")).to_have_count(2)


def test_user_is_added_limited_and_disabled_by_keyboard(page: Page, chromium: Browser, address: str) -> None:
    page.goto(f"{address}admin/users")
    page.get_by_label("Name of the new user").focus()
    page.keyboard.type("grace")
    page.keyboard.press("Enter")
    password = page.locator("#new-password").inner_text()
    expect(page.locator("#main")).to_be_focused()
    grace = page.locator(".user").filter(has_text="grace")
    grace.get_by_text("Change…").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="limits of grace are saved")).to_be_visible()
    expect(grace).to_contain_text("of 5.0 MB")
    hers = chromium.new_context().new_page()
    sign_in(hers, address, "grace", password)
    expect(hers.get_by_role("link", name="Admin", exact=True)).to_have_count(0)
    hers.goto(f"{address}account")
    expect(hers.locator(".storage-words")).to_contain_text("0 documents")
    expect(hers.get_by_role("meter", name="Storage used")).to_be_visible()
    grace.get_by_text("Change…").click()
    grace.get_by_role("button", name="Disable").click()
    expect(grace).to_contain_text("Disabled")
    hers.reload()
    expect(hers.get_by_role("heading", name="Sign in")).to_be_visible()
    hers.context.close()


def test_another_browser_is_signed_out_from_the_account_page(page: Page, chromium: Browser, address: str) -> None:
    other = chromium.new_context(user_agent="Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0").new_page()
    sign_in(other, address)
    page.goto(f"{address}account")
    page.get_by_role("button", name="Sign out Firefox on Windows").click()
    expect(page.get_by_text("That browser is signed out.")).to_be_visible()
    expect(other.get_by_text("You are signed out. Reload the page to sign in again.")).to_be_visible(timeout=60_000)
    other.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_pages_have_nothing_that_axe_complains_of(
    chromium: Browser, address: str, worker: HandWorker, scheme: Literal["light", "dark"], size: str
) -> None:
    viewport = PHONE if size == "phone" else DESKTOP
    context = chromium.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    sign_in(page, address)
    for path in ("", "account", "admin", "admin?days=30", "admin/users", "admin/audit"):
        page.goto(f"{address}{path}")
        for details in page.locator("details > summary").all():
            details.click()
        assert complaints(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], path
    context.close()


def test_users_are_administered_without_script(chromium: Browser, address: str, worker: HandWorker) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, address)
    page.goto(f"{address}admin/users")
    page.get_by_label("Name of the new user").fill("plain")
    page.get_by_role("button", name="Add user").click()
    expect(page.locator("#new-password")).to_be_visible()
    page.goto(f"{address}admin")
    expect(page.get_by_role("heading", name="Now")).to_be_visible()
    context.close()
