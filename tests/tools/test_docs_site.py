"""The documentation's site, drawn and read in a browser: `make docs` finds no fault, and no page asks anybody for anything."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.document_blocks import ROOT

pytestmark = pytest.mark.services

PAGES = ("index.html", "docs/architecture.html", "docs/reference/addresses.html", "docs/how-to/scanners.html")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the class has it
        """Nothing: what is asked for is seen by the browser."""


@pytest.fixture(scope="module")
def site() -> Path:
    done = subprocess.run(
        [sys.executable, "-m", "tools.docs_site"], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert ": 0 faults" in done.stdout
    return ROOT / "build" / "docs"


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_pages_are_read_and_searched_without_asking_anybody(address: str) -> None:
    asked, errors = set(), []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda request: asked.add(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        for name in PAGES:
            page.goto(address + name)
            assert page.locator("h1").first.is_visible(), name
        page.goto(address, wait_until="networkidle")
        page.locator("input.md-search__input").click()
        page.keyboard.type("idempotency")  # the theme listens to keys
        page.locator("a.md-search-result__link").first.wait_for(timeout=120_000)
        browser.close()
    assert errors == []
    assert {url for url in asked if not url.startswith((address, "data:", "blob:"))} == set()
