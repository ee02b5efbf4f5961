"""What the first look at Recto's pages costs, in real Chromium: bytes and requests over the wire, and when the page can be used.

    python -m benchmarks.first_load [--jobs N] [--rounds N] [--json FILE]

Each page is opened by a browser that has nothing of it, and once more by the same browser. A page can be used from the moment on when its
scripts have run: its button for choosing files is there, or, where there is none, the last module has been executed. Over a phone's
connection means 1.6 Mbit/s down, 750 kbit/s up, 150 ms there and back, and a processor slowed down to a quarter: Lighthouse's slow 4G.
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, sync_playwright
from sqlalchemy.orm import Session

from benchmarks.chromium import backend, launch, sign_in, sizes_on_the_wire
from recto import accounts
from recto.database.connections import Begin, connect, transaction
from recto.jobs import Jobs, QueuePolicy, Submission

_SETTLE_MS: Final = 1500
_NOTES_USABLE: Final = """
addEventListener("DOMContentLoaded", () => { window.usableMs = performance.now(); });
new MutationObserver(() => {
  const button = document.querySelector("[data-choose]");
  if (button && !button.hidden && !window.chooseMs) window.chooseMs = performance.now();
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["hidden"] });
"""
"""Module scripts have been executed when DOMContentLoaded comes: they are deferred (HTML, section 8.1.3)."""


@dataclass(frozen=True, slots=True)
class Load:
    """One page being opened. Bytes as they came over the wire, headers with them; milliseconds from the beginning of the navigation."""

    requests: int
    wire_bytes: int
    first_paint_ms: float
    usable_ms: float


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    measured: dict[str, Load] = {}
    print(
        "| page | browser | connection | requests | KB | first paint, ms | can be used, ms |\n|---|---|---|---:|---:|---:|---:|"
    )
    with served(given.jobs) as address, sync_playwright() as playwright:
        browser = launch(playwright)
        for name, path in (("sign-in", "sign-in"), (f"list of {given.jobs}", ""), ("admin", "admin")):
            for is_slow in (False, True):
                rounds = [loads(browser, address, path, is_slow=is_slow) for _ in range(given.rounds)]
                for visit, found in zip(("first", "again"), zip(*rounds, strict=True), strict=True):
                    load = median(found)
                    connection = "a phone's" if is_slow else "loopback"
                    measured[f"{name}, {visit}, {connection}"] = load
                    print(
                        f"| {name} | {visit} | {connection} | {load.requests} | {load.wire_bytes / 1000:.1f} "
                        f"| {load.first_paint_ms:.0f} | {load.usable_ms:.0f} |",
                        flush=True,
                    )
        browser.close()
    if given.json:
        given.json.write_text(json.dumps({name: asdict(load) for name, load in measured.items()}, indent=1))


@contextmanager
def served(jobs: int) -> Iterator[str]:
    """The address of a Backend whose admin has that many documents waiting."""
    with tempfile.TemporaryDirectory(prefix="recto-bench-") as folder, backend(Path(folder)) as address:
        submit(Path(folder), jobs)
        yield address


def submit(folder: Path, count: int) -> None:
    """Rows alone: the list shows no document."""
    engine = connect(f"sqlite:///{folder / 'recto.db'}", 10.0)
    queue = Jobs(QueuePolicy(20.0, 5.0, 3, 1.0, 10_000, 100_000))
    with transaction(Session(engine), Begin.WRITE) as session:
        user_id = accounts.find_user(session, "admin").id
        for number in range(count):
            uuid = f"00000000-0000-4000-8000-{number:012}"
            options = {"languages": "eng"}
            queue.submit(
                session, Submission(uuid, user_id, f"scan {number}.pdf", "application/pdf", 1_000_000, options)
            )
    engine.dispose()


def loads(browser: Browser, address: str, path: str, *, is_slow: bool) -> tuple[Load, Load]:
    """The first visit of a browser, and the second."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    if path != "sign-in":
        sign_in(browser, context, address)
    first = load(context, f"{address}{path}", is_slow=is_slow)
    again = load(context, f"{address}{path}", is_slow=is_slow)
    context.close()
    return first, again


def load(context: BrowserContext, url: str, *, is_slow: bool) -> Load:
    """Open the page in a new tab, and look at what came until a little after it could be used: the held request of the list is left out."""
    page = context.new_page()
    page.add_init_script(_NOTES_USABLE)
    sizes = sizes_on_the_wire(page, is_slow=is_slow)
    page.goto(url, wait_until="load")
    page.wait_for_timeout(_SETTLE_MS)
    times: dict[str, Any] = page.evaluate(
        """() => ({
            paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
            usable: window.chooseMs ?? window.usableMs,
        })"""
    )
    page.close()
    came = [size for size in sizes if size > 0]  # from the browser's own store nothing comes
    return Load(len(came), round(sum(came)), times["paint"], times["usable"])


def median(found: tuple[Load, ...]) -> Load:
    """Of each figure."""
    return Load(
        round(statistics.median(load.requests for load in found)),
        round(statistics.median(load.wire_bytes for load in found)),
        statistics.median(load.first_paint_ms for load in found),
        statistics.median(load.usable_ms for load in found),
    )


if __name__ == "__main__":
    main()
