"""Reading one page of a document again from its review page, by a real Worker, until that reading counts: in a real Chromium."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.drawing import LINES, draw_page, save_tiff
from tests.web.axe import complaints
from tests.web.chromium import sign_in
from tests.web.hand_worker import reporting
from tests.web.live_server import LiveServer

pytestmark = pytest.mark.services

ROOT: Final = Path(__file__).resolve().parents[3]
READING_MS: Final = 180_000
"""A Worker starts and reads a page, on a machine that may be busy."""
DRAWN: Final = LINES[:4]


@pytest.fixture
def uuid(server: LiveServer, tmp_path: Path) -> str:
    """A finished job of two drawn pages, which a Worker played by hand has misread."""
    pages = [draw_page(DRAWN).pixels] * 2
    document = save_tiff(tmp_path / "two.tif", pages).read_bytes()
    with reporting(server.folder, "eng", "deu") as worker:
        uuid = server.submit(worker.token_of("admin"), document, "image/tiff", filename="two.tif")
        worker.finish_pages(worker.claim(2), "the first page as it was misread", "the second page as it was misread")
        worker.sign_off()
    return uuid


@contextmanager
def real_worker(server: LiveServer) -> Iterator[None]:
    """Reads what waits, until the block ends."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith("RECTO_")}
    own = {"RECTO_FILE_STORAGE_PATH": str(server.folder), "RECTO_FILE_STORAGE_MIN_FREE_BYTES": "0"}
    with server.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "ocr_worker.py", "run", "--processes", "1"],
            cwd=ROOT,
            env=outer | own,
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def test_page_is_read_again_with_other_options_and_that_reading_is_used_until_undone(
    context: BrowserContext, server: LiveServer, uuid: str
) -> None:
    page = context.new_page()
    sign_in(page, f"{server.address}/")
    page.goto(f"{server.address}/jobs/{uuid}#page-2")
    expect(text_of(page, 2)).to_have_text("the second page as it was misread")
    page.get_by_text("Read a page again…").click()
    expect(page.get_by_label("Page to read again")).to_have_value("2")  # the page in view
    page.get_by_label("A crooked, dark or faint page").select_option("none")
    assert complaints(page) == []
    page.get_by_role("button", name="Read it again").click()
    expect(page.get_by_role("heading", name="Waiting for a Worker")).to_be_visible()
    expect(page.get_by_text("This is page 2 of")).to_be_visible()
    expect(page.get_by_role("button", name="Use this reading")).to_have_count(0)
    assert complaints(page) == []
    with real_worker(server):
        use = page.get_by_role("button", name="Use this reading")
        expect(use).to_be_visible(timeout=READING_MS)
    expect(page.locator(".text")).to_contain_text(DRAWN[0])
    assert complaints(page) == []

    use.click()
    expect(page).to_have_url(f"{server.address}/jobs/{uuid}?taken=2#page-2")
    expect(page.get_by_role("status").filter(has_text="Page 2 is now as it was just read.")).to_be_visible()
    expect(text_of(page, 1)).to_have_text("the first page as it was misread")
    expect(text_of(page, 2)).to_contain_text(DRAWN[0])
    assert complaints(page) == []
    page.get_by_role("button", name="Undo").click()
    expect(text_of(page, 2)).to_have_text("the second page as it was misread")


def text_of(page: Page, number: int) -> Locator:
    return page.locator(f'.text-page[data-page="{number}"] pre')
