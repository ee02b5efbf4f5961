"""The page in a real Chromium, below a sub-path, with the part of the Worker played by hand."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from recto.errors import DocumentEncrypted, PageTimeout
from tests.web.chromium import PDF, PHONE, choose, open_list, row, sign_in, window
from tests.web.clients import PASSWORD
from tests.web.hand_worker import HandWorker, reporting
from tests.web.live_server import LiveServer

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def server_settings() -> dict[str, str]:
    return {"RECTO_SERVER_BASE_PATH": "/recto", "RECTO_SERVER_MAX_UPLOAD_BYTES": "100000"}


@pytest.fixture(scope="module")
def hand(server: LiveServer) -> Iterator[HandWorker]:
    with reporting(server.folder, "eng", "deu", "ces") as worker:
        yield worker


@pytest.fixture
def worker(hand: HandWorker) -> HandWorker:
    """The Worker, with nothing in its queue."""
    hand.end_waiting()
    return hand


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """One that may look at the clipboard."""
    with window(chromium, permissions=["clipboard-read", "clipboard-write"]) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext, address: str, worker: HandWorker) -> Page:
    """Signed in."""
    return open_list(context, address)


def test_sign_in_with_wrong_password_says_so_and_keeps_the_name(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    page.goto(f"{address}account")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    expect(page.get_by_label("Name")).to_have_value("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{address}account")


def test_open_page_notices_the_first_worker(context: BrowserContext, address: str, hand: HandWorker) -> None:
    hand.sign_off()
    page = context.new_page()
    sign_in(page, address)
    expect(page.get_by_text("No Worker is running.")).to_be_visible()
    hand.report("eng", "deu", "ces")
    expect(page.get_by_text("No Worker is running.")).to_be_hidden(timeout=10_000)
    hand.sign_off()
    expect(page.get_by_text("No Worker is running.")).to_be_visible(timeout=30_000)


def test_upload_of_several_files_shows_each_being_read(page: Page, worker: HandWorker) -> None:
    choose(page, ("first.pdf", PDF), ("second.pdf", PDF))
    expect(row(page, "first.pdf")).to_contain_text("Waiting")
    expect(row(page, "second.pdf")).to_contain_text("Waiting")
    claims = [worker.claim(3), worker.claim(3)]
    worker.read_page(claims[0], 1)
    first = page.locator(f'[data-uuid="{claims[0].lease.job_uuid}"]')
    expect(first).to_contain_text("1 of 3 pages")
    expect(first.locator(".leaves .done")).to_have_count(1)
    for claim in claims:
        worker.finish(claim, "one\ftwo\fthree")
        expect(page.locator(f'[data-uuid="{claim.lease.job_uuid}"]')).to_contain_text("Finished")
    with page.expect_download() as download:
        first.get_by_role("link", name="Download").click()
    assert Path(download.value.path()).read_text() == "one\ftwo\fthree"


def test_upload_that_is_refused_says_why_beside_the_file(page: Page) -> None:
    choose(page, ("notes.doc", b"no scan"), ("huge.pdf", PDF * 100), ("nothing.pdf", b""))
    uploads = page.locator(".upload-item")
    expect(uploads.filter(has_text="notes.doc").get_by_role("alert")).to_contain_text("PDF")
    expect(uploads.filter(has_text="huge.pdf").get_by_role("alert")).to_contain_text("takes up to 100 kB")
    expect(uploads.filter(has_text="nothing.pdf").get_by_role("alert")).to_contain_text("empty")
    page.get_by_role("button", name="Dismiss notes.doc").click()
    expect(uploads).to_have_count(2)


def test_languages_are_sent_in_the_order_they_were_chosen(page: Page, worker: HandWorker) -> None:
    page.get_by_role("button", name="Remove English").click()
    page.get_by_role("combobox", name="Languages of the text").select_option("deu")
    page.get_by_role("combobox", name="Languages of the text").select_option("eng")
    choose(page, ("brief.pdf", PDF))
    expect(row(page, "brief.pdf")).to_be_visible()
    claim = worker.claim(1)
    worker.finish(claim, "Brief")
    assert claim.options["languages"] == "deu+eng"


def test_file_dropped_on_the_page_is_uploaded_and_its_name_stays_text(page: Page, worker: HandWorker) -> None:
    page.evaluate(
        """content => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([content], "<b>bold & Söhne.pdf"));
            for (const type of ["dragenter", "drop"]) {
                document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
            }
        }""",
        PDF.decode(),
    )
    expect(row(page, "<b>bold & Söhne.pdf")).to_be_visible()
    expect(page.locator("#drop-cover")).to_be_hidden()
    worker.finish(worker.claim(1), "")


def test_job_page_is_followed_to_its_text(page: Page, context: BrowserContext, worker: HandWorker) -> None:
    choose(page, ("minutes.pdf", PDF))
    row(page, "minutes.pdf").get_by_role("link", name="minutes.pdf", exact=True).click()
    expect(page.get_by_role("heading", name="Waiting for a Worker")).to_be_visible()
    page.get_by_text("History", exact=True).click()
    claim = worker.claim(3)
    worker.read_page(claim, 1)
    worker.read_page(claim, 2, PageTimeout("The page took too long. Scan it again."))
    expect(page.locator(".job-head")).to_contain_text("2 of 3 pages")
    worker.read_page(claim, 3)
    worker.finish(claim, "Dear <i>Sir</i>,\n\n  Item   1.50\n\fYours")
    expect(page.locator(".text pre").first).to_have_text("Dear <i>Sir</i>,\n\n  Item   1.50")
    expect(page.get_by_text("Page 2: The page took too long. Scan it again.")).to_be_visible()
    page.get_by_text("How pages were prepared").click()
    expect(page.locator(".prepared li")).to_have_count(2)
    expect(page.locator(".history")).to_have_attribute("open", "")
    page.get_by_role("button", name="Copy text").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "Dear <i>Sir</i>,\n\n  Item   1.50\n\nYours"


def test_failed_job_says_what_to_do_next(page: Page, worker: HandWorker) -> None:
    choose(page, ("locked.pdf", PDF))
    expect(row(page, "locked.pdf")).to_be_visible()
    worker.fail(worker.claim(1), DocumentEncrypted("Remove the password and send it again."))
    expect(row(page, "locked.pdf")).to_contain_text("Remove the password and send it again.")
    row(page, "locked.pdf").get_by_role("link", name="locked.pdf", exact=True).click()
    expect(page.get_by_role("heading", name="The PDF is locked with a password")).to_be_visible()


def test_deleting_by_keyboard_asks_first_and_vanishes_from_another_window(
    page: Page, context: BrowserContext, address: str
) -> None:
    choose(page, ("gone.pdf", PDF))
    expect(row(page, "gone.pdf")).to_be_visible()
    other = context.new_page()
    other.goto(address)
    row(other, "gone.pdf").get_by_role("link", name="gone.pdf", exact=True).click()
    other.get_by_text("Delete…").focus()
    for key in ("Enter", "Tab", "Enter"):
        other.keyboard.press(key)
    expect(other.get_by_role("status").filter(has_text="deleted")).to_be_visible()
    expect(row(page, "gone.pdf")).to_have_count(0)


def test_lost_connection_is_said_and_made_good(page: Page) -> None:
    page.route(re.compile("after="), lambda route: route.abort())
    page.reload()
    expect(page.get_by_text("Connection lost. Trying again…")).to_be_visible(timeout=10_000)
    page.unroute_all()
    expect(page.get_by_text("Connection lost. Trying again…")).to_be_hidden(timeout=15_000)


def test_upload_list_and_download_work_without_script(chromium: Browser, address: str, worker: HandWorker) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, address)
    choose(page, ("plain.pdf", PDF), ("notes.doc", b"no scan"))
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("alert")).to_contain_text("notes.doc")
    expect(row(page, "plain.pdf")).to_contain_text("Waiting")
    worker.finish(worker.claim(1), "plain")
    page.reload()
    with page.expect_download() as download:
        row(page, "plain.pdf").get_by_role("link", name="Download the text of plain.pdf").click()
    assert Path(download.value.path()).read_text() == "plain"
    context.close()


def test_token_is_shown_once_and_can_be_revoked(page: Page, address: str) -> None:
    page.goto(f"{address}account")
    page.get_by_label("Name of the new token").fill("scanner")
    page.get_by_role("button", name="Create token").click()
    token = page.locator("#new-token").inner_text()
    expect(page.locator("#new-token-example")).to_contain_text(f"{address}api/v1/jobs")
    page.reload()
    expect(page.get_by_text("Revoke…")).to_have_count(1)
    page.goto(f"{address}account")
    expect(page.get_by_text(token)).to_have_count(0)
    page.get_by_text("Revoke…").click()
    page.get_by_role("button", name="Revoke this token").click()
    expect(page.get_by_text("No tokens")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone(
    chromium: Browser, address: str, worker: HandWorker, scheme: Literal["light", "dark"]
) -> None:
    context = chromium.new_context(viewport=PHONE, is_mobile=True, has_touch=True, color_scheme=scheme)
    page = context.new_page()
    sign_in(page, address)
    name = f"a-very-long-name-{'of-a-scan-' * 8}{scheme}.pdf"
    choose(page, (name, PDF))
    link = row(page, name).get_by_role("link", name=name, exact=True)
    expect(link).to_be_visible()
    worker.finish(worker.claim(1), "A" * 300)
    expect(row(page, name)).to_contain_text("Finished")
    for target in (address, urljoin(address, link.get_attribute("href") or ""), f"{address}account", f"{address}none"):
        page.goto(target)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], target
    context.close()
