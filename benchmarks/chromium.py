"""Recto's pages in a real Chromium that is measured: a Backend for it, signing in, and what comes over the wire."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, Playwright

from benchmarks.server_processes import running

_PASSWORD: Final = "a password for benchmarks"  # noqa: S105
_ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking")
_SLOW: Final = {"offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8}
_SLOWER_PROCESSOR: Final = 4
_SIGN_IN_MS: Final = 120_000


def launch(playwright: Playwright) -> Browser:
    """A browser that has nothing of anybody's."""
    return playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_ARGUMENTS)


@contextmanager
def backend(folder: Path) -> Iterator[str]:
    """The address of one on that folder, with a slash at its end."""
    settings = {
        "RECTO_FILE_STORAGE_PATH": str(folder),
        "RECTO_SERVER_PORT": "0",
        "RECTO_ADMIN_PASSWORD": _PASSWORD,
        "RECTO_FILE_STORAGE_MIN_FREE_BYTES": "0",
    }
    with running([sys.executable, "app.py"], settings) as (port, _):
        yield f"http://127.0.0.1:{port}/"


def sign_in(browser: Browser, context: BrowserContext, address: str) -> None:
    """In a window of its own, so that this one has only the cookie of it."""
    other = browser.new_context()
    other.set_default_timeout(_SIGN_IN_MS)
    page = other.new_page()
    page.goto(f"{address}sign-in")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Choose files").wait_for()
    context.add_cookies([dict(cookie) for cookie in other.cookies()])  # type: ignore[misc]  # the same shape by another name
    other.close()


def sizes_on_the_wire(page: Page, *, is_slow: bool) -> list[float]:
    """Bytes of each answer that the page gets from now on, headers with them; as over a phone's connection where `is_slow`."""
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    if is_slow:
        _slow_down(client)
    sizes: list[float] = []
    client.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    return sizes


def _slow_down(client: CDPSession) -> None:
    """Lighthouse's slow 4G, and a processor slowed down to a quarter."""
    client.send("Network.emulateNetworkConditions", _SLOW)
    client.send("Emulation.setCPUThrottlingRate", {"rate": _SLOWER_PROCESSOR})
