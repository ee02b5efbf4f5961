"""A document of several drawn pages that was read, with real pictures and a Worker played by hand, on its page."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.web.chromium import window
from tests.web.clients import PASSWORD
from tests.web.drawn_document import DrawnDocument, draw_document
from tests.web.hand_worker import HandWorker, reporting
from tests.web.live_server import LiveServer
from tests.web.review.panes import PAGES, scan, submit_read, text


@pytest.fixture(scope="package")
def document() -> DrawnDocument:
    return draw_document(PAGES)


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One for all of these tests, so that a picture that one has waited for is there for the others."""
    server = LiveServer(tmp_path_factory.mktemp("review") / "storage", {"RECTO_ADMIN_PASSWORD": PASSWORD})
    yield server
    server.stop()


@pytest.fixture(scope="package")
def worker(server: LiveServer) -> Iterator[HandWorker]:
    with reporting(server.folder, "eng") as worker:
        yield worker


@pytest.fixture(scope="package")
def finished(server: LiveServer, worker: HandWorker, document: DrawnDocument) -> str:
    """The address of the page of a document that was read."""
    return submit_read(server, worker, document)


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
