"""The page image beside its text of a document of 300 pages: what it loads, and how smoothly it scrolls. `-s` shows the numbers.

The limits are far above what was measured (docs/review.md): they are to find what makes it cost by the page, on a busy machine too.
"""

import statistics
import time
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.chromium import DESKTOP, sign_in
from tests.web.drawn_document import draw_document
from tests.web.hand_worker import reporting
from tests.web.live_server import LiveServer
from tests.web.review.panes import submit_read

pytestmark = [pytest.mark.services, pytest.mark.long]

PAGES: Final = 300
_SCROLL_S: Final = 20
_SCROLL: Final = """async ([pxPerFrame, seconds]) => {
    const pane = document.querySelector(".scans");
    const frames = [];
    let last = performance.now();
    const end = last + 1000 * seconds;
    pane.dispatchEvent(new WheelEvent("wheel"));
    await new Promise((done) => {
        const step = (now) => {
            frames.push(now - last);
            last = now;
            pane.scrollTop += pxPerFrame;
            if (now < end) requestAnimationFrame(step);
            else done();
        };
        requestAnimationFrame(step);
    });
    return frames.slice(2);
}"""


@pytest.fixture(scope="module")
def finished(server: LiveServer) -> str:
    """The address of the page of a document that was read."""
    document = draw_document(PAGES, lines_a_page=45, scale=1.5)
    with reporting(server.folder, "eng") as worker:
        return submit_read(server, worker, document)


@pytest.fixture
def page(chromium: Browser, address: str) -> Page:
    """Signed in."""
    page = chromium.new_page(viewport=DESKTOP)
    sign_in(page, address)
    return page


def shown(title: str, **values: float) -> None:
    print(title, ", ".join(f"{name} {value:,.1f}" for name, value in values.items()))  # noqa: T201 - what -s is for


def scrolled(page: Page, px_per_frame: int) -> list[float]:
    """Milliseconds from frame to frame while the pane of pictures is moved on."""
    frames: list[float] = page.evaluate(_SCROLL, [px_per_frame, _SCROLL_S])
    centiles = statistics.quantiles(frames, n=100)
    shown(
        f"{px_per_frame} px a frame, ms:", median=centiles[49], p95=centiles[94], p99=centiles[98], longest=max(frames)
    )
    return frames


def heap_mb(page: Page) -> float:
    """Of the page's scripts and elements, after a collection."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.detach()
    used: float = page.evaluate("performance.memory.usedJSHeapSize / 1e6")
    return used


def test_review_of_300_pages_loads_little_and_scrolls_smoothly(page: Page, finished: str) -> None:
    session: Any = page.context.new_cdp_session(page)
    session.send("Network.enable")
    loaded: list[int] = []
    session.on("Network.loadingFinished", lambda event: loaded.append(event["encodedDataLength"]))
    begun_s = time.monotonic()
    page.goto(finished)
    page.locator('.text-page[data-page="1"] .word').first.wait_for()
    words_s = time.monotonic() - begun_s
    page.locator(".paper canvas").first.wait_for(timeout=60_000)
    picture_s = time.monotonic() - begun_s
    shown("first page:", words_s=words_s, picture_s=picture_s, requests=len(loaded), mb=sum(loaded) / 1e6)
    assert sum(loaded) < 5_000_000
    before_mb = heap_mb(page)

    for px_per_frame in (10, 60):
        frames = scrolled(page, px_per_frame)
        assert statistics.median(frames) < 40
    page.locator(".paper canvas").first.wait_for(timeout=60_000)
    page.wait_for_timeout(5000)
    after_mb, canvases = heap_mb(page), page.locator(".paper canvas").count()
    shown("after scrolling:", before_mb=before_mb, after_mb=after_mb, canvases=canvases, mb=sum(loaded) / 1e6)
    assert after_mb < before_mb + 50
    assert 1 <= canvases <= 8

    begun_s = time.monotonic()
    page.get_by_label("Search in this document").fill(f"page {PAGES} of the harbour")
    expect(page.locator(".find-count")).to_have_text("1 of 1")
    search_s = time.monotonic() - begun_s
    begun_s = time.monotonic()
    page.get_by_role("button", name="Doubtful words").click()
    expect(page.locator('[data-review="doubtful-count"]')).to_have_text("3,441 found", timeout=120_000)
    shown("all pages:", search_s=search_s, doubtful_s=time.monotonic() - begun_s)
    page.context.close()


def test_review_of_300_pages_is_laid_out_a_few_times_and_not_once_a_page(page: Page, finished: str) -> None:
    client = page.context.new_cdp_session(page)
    client.send("Performance.enable")

    def layouts() -> int:
        values = client.send("Performance.getMetrics")["metrics"]
        return int(next(value["value"] for value in values if value["name"] == "LayoutCount"))

    before = layouts()
    page.goto(finished)
    expect(page.locator('.text-page[data-page="1"] .word').first).to_be_visible()
    loading = layouts() - before
    page.get_by_role("button", name="Zoom in").click()
    expect(page.locator("[data-review=zoom]")).not_to_have_value("width")
    zooming = layouts() - before - loading
    shown("layouts", loading=loading, zooming=zooming)
    assert loading < PAGES / 3
    assert zooming < PAGES / 3
