"""A real Chromium for tests, and what a person does with Recto's pages in most of them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from playwright.sync_api import (
    Browser,
    BrowserContext,
    FilePayload,
    Locator,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.web.clients import PASSWORD

DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 800}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
PDF: Final = b"%PDF-1.7\n" + b"scan " * 400
_ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
)


@contextmanager
def launched() -> Iterator[Browser]:
    """The browser, which ends with the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def window(browser: Browser, **options: Any) -> Iterator[BrowserContext]:
    """A fresh profile, DESKTOP's size and without motion where `options` (Playwright's) say nothing else.

    AssertionError at its end where a script broke or the Content-Security-Policy blocked something.
    """
    context = browser.new_context(**{"viewport": DESKTOP, "reduced_motion": "reduce", **options})
    faults: list[str] = []
    context.on("weberror", lambda fault: faults.append(str(fault.error)))
    context.on("console", lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None)
    yield context
    context.close()
    assert faults == []


def sign_in(page: Page, address: str, name: str = "admin", password: str = PASSWORD) -> None:
    """At the Recto whose root, with its slash, is `address`; the list is open then."""
    page.goto(f"{address}sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Read a document")).to_be_visible()
    page.wait_for_load_state()  # the scripts run then: keys pressed before are nobody's


def open_list(context: BrowserContext, address: str) -> Page:
    """Signed in as the first user, the list's scripts at work."""
    page = context.new_page()
    sign_in(page, address)
    expect(page.get_by_role("button", name="Choose files")).to_be_visible()
    return page


def choose(page: Page, *files: tuple[str, bytes]) -> None:
    """Upload files (name, content) from the list."""
    payloads: list[FilePayload] = [
        {"name": name, "mimeType": "application/octet-stream", "buffer": content} for name, content in files
    ]
    page.locator("#document").set_input_files(payloads)


def row(page: Page, name: str) -> Locator:
    """Of the list, by the document's name."""
    return page.locator(".job").filter(has=page.get_by_role("link", name=name, exact=True))
