"""The two panes of the review page, and what is in them, as tests look for it."""

from playwright.sync_api import Locator, Page

from tests.web.drawn_document import DrawnDocument
from tests.web.hand_worker import HandWorker
from tests.web.live_server import LiveServer

PAGES = 8
PICTURE_MS = 180_000
"""A picture is made by a process that starts for it, on a machine that may be busy."""
A4_INCHES = 8.27


def submit(server: LiveServer, worker: HandWorker, document: DrawnDocument) -> str:
    """Send the document; gives the address of its page."""
    return f"{server.address}/jobs/{server.submit(worker.token_of('admin'), document.content, dedupe='false')}"


def submit_read(server: LiveServer, worker: HandWorker, document: DrawnDocument) -> str:
    """Send the document and read it as it was drawn; gives the address of its page."""
    address = submit(server, worker, document)
    claim = worker.claim_when_there(len(document.pages))
    for page in document.pages:
        worker.adopt_page(claim, page)
    worker.finish(claim, document.text)
    return address


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


def occurrences(document: DrawnDocument, words: str) -> int:
    return " ".join(document.text.split()).casefold().count(words)
