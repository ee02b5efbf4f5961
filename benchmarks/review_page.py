"""What the page image beside its text costs on a long document, in real Chromium: the first load, the frames while scrolling, and the memory.

    python -m benchmarks.review_page [--pages N] [--px-per-frame N] [--json FILE]

The document is drawn: pages of A4 at 300 dpi with 46 lines each. Its pages are put there as read and its pictures as made, so that neither
the Worker nor the making of pictures is measured. The peer is the page that one writes first: all pictures one below the other, as wide as
Recto shows them, in a static file beside the same PNG files. Both are scrolled from end to end in their turn, by as many pixels from frame to
frame. Memory is that of Chromium's processes (VmRSS and VmHWM of /proc), the renderer's being that of the page.
"""

import argparse
import json
import statistics
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pypdfium2
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from benchmarks.chromium import backend, launch, sign_in, sizes_on_the_wire
from benchmarks.process_memory import peak_bytes
from benchmarks.server_processes import running
from tests.web.drawn_document import DrawnDocument, draw_document
from tests.web.hand_worker import HandWorker

_LINES: Final = 45
_SCALE: Final = 1.5
_DPI: Final = 300
_WAIT_MS: Final = 120_000
_SETTLE_MS: Final = 3000
_PEER_PAGE: Final = "all.html"
_FIRST_WORD: Final = '.text-page[data-page="1"] .word'
_PANE: Final = ".scans"
_SCROLL: Final = """async ([pane, shown, pxPerFrame]) => {
    const element = pane ? document.querySelector(pane) : document.scrollingElement;
    const frames = [];
    let most = 0;
    await new Promise((done) => {
        let last = performance.now();
        const step = (now) => {
            frames.push(now - last);
            last = now;
            if (frames.length % 20 === 0) most = Math.max(most, document.querySelectorAll(shown).length);
            const before = element.scrollTop;
            element.scrollTop += pxPerFrame;
            if (element.scrollTop > before) requestAnimationFrame(step);
            else done();
        };
        requestAnimationFrame(step);
    });
    return [frames.slice(2), most];
}"""


@dataclass(frozen=True, slots=True)
class FirstLoad:
    """Of the review page: bytes over the wire with their headers, and from when on words can be pointed at."""

    requests: int
    wire_bytes: int
    usable_ms: float


@dataclass(frozen=True, slots=True)
class Scrolled:
    """One way through all pages. `most_pictures` are those that the page held at one time."""

    frames: int
    median_ms: float
    p95_ms: float
    longest_ms: float
    most_pictures: int
    heap_before_bytes: int
    heap_after_bytes: int
    renderer_bytes: int
    renderer_peak_bytes: int
    browser_bytes: int


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument("--px-per-frame", type=int, default=60)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="recto-bench-") as name, sync_playwright() as playwright:
        folder = Path(name)
        document = draw_document(given.pages, lines_a_page=_LINES, scale=_SCALE)
        pictures = draw_pictures(folder / "peer", document)
        with recto(folder / "storage", document, pictures) as (address, uuid), peer(folder / "peer") as peer_address:
            loads = {
                connection: first_load(launch(playwright), address, uuid, is_slow=is_slow)
                for connection, is_slow in (("loopback", False), ("a phone's", True))
            }
            ours = scroll_recto(launch(playwright), address, uuid, given.px_per_frame)
            theirs = scroll_peer(launch(playwright), f"{peer_address}{_PEER_PAGE}", given.px_per_frame)
    show(given.pages, loads, ours, theirs)
    if given.json:
        measured = {"first load": loads, "recto": ours, "peer": theirs}
        given.json.write_text(json.dumps(measured, default=asdict, indent=1))


def draw_pictures(folder: Path, document: DrawnDocument) -> list[bytes]:
    """Each page as the PNG that shows it, into the peer's folder too."""
    folder.mkdir()
    pdf, pictures = pypdfium2.PdfDocument(document.content), []
    for index in range(len(pdf)):
        file = folder / f"{index + 1}.png"
        pdf[index].render(scale=_DPI / 72, grayscale=True).to_pil().save(file)
        pictures.append(file.read_bytes())
    pdf.close()
    return pictures


@contextmanager
def recto(folder: Path, document: DrawnDocument, pictures: list[bytes]) -> Iterator[tuple[str, str]]:
    """(address, job) of a Backend that has the document read, with its pictures."""
    folder.mkdir()
    with backend(folder) as address:
        worker = HandWorker(folder)
        headers = {"Authorization": f"Bearer {worker.token_of('admin')}", "Content-Type": "application/pdf"}
        url = f"{address}api/v1/jobs?dedupe=false&filename=harbour+log.pdf"
        with urllib.request.urlopen(urllib.request.Request(url, document.content, headers), timeout=300):  # noqa: S310
            pass
        claim = worker.claim(len(document.pages))
        for page, picture in zip(document.pages, pictures, strict=True):
            worker.adopt_page(claim, page)
            worker.write_picture(claim, page.number, picture)
        uuid = worker.finish(claim, document.text)
        worker.close()
        yield address, uuid


@contextmanager
def peer(folder: Path) -> Iterator[str]:
    """The address of a server of the folder, with the page that shows all its pictures."""
    count = len(list(folder.glob("*.png")))
    images = "\n".join(f'<img src="{number}.png" alt="Page {number}">' for number in range(1, count + 1))
    style = "<style>img { display: block; width: 590px; margin: 0 auto 16px }</style>"
    (folder / _PEER_PAGE).write_text(f"<!doctype html><title>All pages</title>{style}\n{images}\n")
    program = "import functools, http.server as s, sys; h = functools.partial(s.SimpleHTTPRequestHandler, directory=sys.argv[1])"
    program += "; server = s.ThreadingHTTPServer(('127.0.0.1', 0), h)"
    program += (
        "; print(f'ready http://127.0.0.1:{server.server_port}/', file=sys.stderr, flush=True); server.serve_forever()"
    )
    with running([sys.executable, "-c", program, str(folder)], {}) as (port, _):
        yield f"http://127.0.0.1:{port}/"


def signed_in(browser: Browser, address: str) -> BrowserContext:
    """A window that has nothing but the cookie."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    sign_in(browser, context, address)
    return context


def first_load(browser: Browser, address: str, uuid: str, *, is_slow: bool) -> FirstLoad:
    """The first visit of a browser."""
    page = signed_in(browser, address).new_page()
    sizes = sizes_on_the_wire(page, is_slow=is_slow)
    page.goto(f"{address}jobs/{uuid}", timeout=_WAIT_MS)
    page.locator(_FIRST_WORD).first.wait_for(timeout=_WAIT_MS)
    usable_ms: float = page.evaluate("performance.now()")
    found = FirstLoad(len(sizes), round(sum(sizes)), usable_ms)
    browser.close()
    return found


def scroll_recto(browser: Browser, address: str, uuid: str, px_per_frame: int) -> Scrolled:
    """Through the pane of pictures, from the first page to the last."""
    page = signed_in(browser, address).new_page()
    page.goto(f"{address}jobs/{uuid}", timeout=_WAIT_MS)
    page.locator(".paper canvas").first.wait_for(timeout=_WAIT_MS)
    page.locator(_PANE).dispatch_event("wheel")  # whose pane leads
    return scroll(browser, page, _PANE, ".paper canvas", px_per_frame)


def scroll_peer(browser: Browser, url: str, px_per_frame: int) -> Scrolled:
    """The same with all pictures, once they are there."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(url, timeout=10 * _WAIT_MS)
    return scroll(browser, page, None, "img", px_per_frame)


def scroll(browser: Browser, page: Page, pane: str | None, shown: str, px_per_frame: int) -> Scrolled:
    """The pane of that selector, or the window, from end to end; afterwards the browser is closed."""
    page.wait_for_timeout(_SETTLE_MS)
    before = heap_bytes(page)
    frames, most = page.evaluate(_SCROLL, [pane, shown, px_per_frame])
    page.wait_for_timeout(_SETTLE_MS)
    processes = processes_of(browser)
    renderer = max((pid for pid, kind in processes.items() if kind == "renderer"), key=resident_bytes)
    centiles = statistics.quantiles(frames, n=100)
    found = Scrolled(
        len(frames),
        centiles[49],
        centiles[94],
        max(frames),
        most,
        before,
        heap_bytes(page),
        resident_bytes(renderer),
        peak_bytes(renderer),
        sum(resident_bytes(pid) for pid in processes),
    )
    browser.close()
    return found


def heap_bytes(page: Page) -> int:
    """Of the page's scripts and elements, after a collection."""
    client = page.context.new_cdp_session(page)
    client.send("HeapProfiler.collectGarbage")
    used: dict[str, Any] = client.send("Runtime.getHeapUsage")
    client.detach()
    return int(used["usedSize"])


def processes_of(browser: Browser) -> dict[int, str]:
    """Kind of each process of the browser, by its id."""
    client = browser.new_browser_cdp_session()
    found = client.send("SystemInfo.getProcessInfo")["processInfo"]
    return {process["id"]: process["type"] for process in found}


def resident_bytes(pid: int) -> int:
    """What the process has in RAM, shared memory too; 0 where it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")] or ["VmRSS: 0 kB"]
    return int(line.split()[1]) * 1024


def show(pages: int, loads: dict[str, FirstLoad], ours: Scrolled, theirs: Scrolled) -> None:
    """The tables, as docs/review.md has them."""
    print("| first load, connection | requests | KB | words can be pointed at, ms |\n|---|---:|---:|---:|")
    for connection, load in loads.items():
        print(f"| {connection} | {load.requests} | {load.wire_bytes / 1000:.1f} | {load.usable_ms:,.0f} |")
    rows = {
        "frames, median": ("ms", ours.median_ms, theirs.median_ms),
        "frames, 95th percentile": ("ms", ours.p95_ms, theirs.p95_ms),
        "longest frame": ("ms", ours.longest_ms, theirs.longest_ms),
        "pictures held at a time, at most": ("", ours.most_pictures, theirs.most_pictures),
        "scripts and elements before": ("MB", ours.heap_before_bytes / 1e6, theirs.heap_before_bytes / 1e6),
        "scripts and elements after": ("MB", ours.heap_after_bytes / 1e6, theirs.heap_after_bytes / 1e6),
        "renderer, RAM after": ("MB", ours.renderer_bytes / 1e6, theirs.renderer_bytes / 1e6),
        "renderer, RAM at most": ("MB", ours.renderer_peak_bytes / 1e6, theirs.renderer_peak_bytes / 1e6),
        "all of Chromium, RAM after": ("MB", ours.browser_bytes / 1e6, theirs.browser_bytes / 1e6),
    }
    print(
        f"\n| {pages} pages, end to end | unit | Recto | all pictures in one page | ratio |\n|---|---|---:|---:|---:|"
    )
    for title, (unit, own, other) in rows.items():
        print(f"| {title} | {unit} | {own:,.1f} | {other:,.1f} | {own / other if other else 0:.2f} |")


if __name__ == "__main__":
    main()
