"""The documentation's pictures: `python -m tools.screenshots` starts a Recto of its own, has it read scans drawn here, and looks.

Everything in the pictures is really read: nothing is staged but the documents. Needs Chromium and a running Tesseract.
"""

import io
import os
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal, TypeAlias

from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, ViewportSize

from recto.setting_layers import PROJECT_FOLDER
from tests.ports import free_port
from tests.web.chromium import DESKTOP, PHONE, launched, row
from tools.demo import TEXT, draw_scan

Scheme: TypeAlias = Literal["light", "dark"]
TARGET: Final = PROJECT_FOLDER / "docs" / "screenshots"
_LOG_BOOK_PAGES: Final = 40
_READ_WITHIN_MS: Final = 180_000


@contextmanager
def running_recto() -> Iterator[tuple[str, str]]:
    """(address, password) of a Recto on a free port with an empty storage folder, gone when the block ends."""
    port = free_port()
    password = secrets.token_urlsafe(12)
    with tempfile.TemporaryDirectory(prefix="recto-screenshots-") as folder:
        settings = {
            "RECTO_FILE_STORAGE_PATH": folder,
            "RECTO_SERVER_PORT": str(port),
            "RECTO_ADMIN_PASSWORD": password,
            "RECTO_ADMIN_USERNAME": "keeper",
        }
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RECTO_")} | settings
        program = subprocess.Popen([sys.executable, "-m", "recto.supervise"], cwd=PROJECT_FOLDER, env=environment)
        try:
            address = f"http://127.0.0.1:{port}/"
            _wait_until_ready(f"{address}readyz", program)
            yield address, password
        finally:
            program.terminate()
            program.wait(30)


def _wait_until_ready(url: str, program: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if program.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own address
                return
        except urllib.error.URLError:
            time.sleep(0.1)
    raise SystemExit("Recto did not start. What it said is above.")


def letter() -> FilePayload:
    """One scanned page."""
    return {"name": "lighthouse letter.png", "mimeType": "image/png", "buffer": draw_scan(TEXT)}


def log_book() -> FilePayload:
    """A TIFF of many pages."""
    pages = [
        Image.open(io.BytesIO(draw_scan(f"Log book, page {number}\n\n{TEXT}"))) for number in range(_LOG_BOOK_PAGES)
    ]
    file = io.BytesIO()
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:], compression="tiff_deflate")
    return {"name": "log book 1931.tif", "mimeType": "image/tiff", "buffer": file.getvalue()}


def torn_scan() -> FilePayload:
    """A PDF that breaks off after its header."""
    return {"name": "torn.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7\n"}


def note() -> FilePayload:
    """No document that Recto reads."""
    return {"name": "notes.docx", "mimeType": "application/octet-stream", "buffer": b"PK\x03\x04 no scan"}


def sign_in(page: Page, address: str, password: str) -> None:
    """Sign in and wait for the list."""
    page.goto(f"{address}sign-in")
    page.get_by_label("Name").fill("keeper")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Choose files").wait_for()
    page.locator("#no-worker").wait_for(state="hidden")


def picture(page: Page, name: str) -> None:
    """Save what the page shows, palette-reduced: these files live in the repository."""
    page.wait_for_selector("time[datetime]:not([title])", state="detached")
    shot = Image.open(io.BytesIO(page.screenshot(animations="disabled")))
    shot.convert("RGB").quantize(128).save(TARGET / f"{name}.png", optimize=True)
    sys.stdout.write(f"docs/screenshots/{name}.png\n")


def show_reading(page: Page) -> None:
    """The list and a job while pages are read, then the job with its text."""
    upload = page.locator("#document")
    upload.set_input_files([letter()])
    row(page, letter()["name"]).filter(has_text="Finished").wait_for(timeout=_READ_WITHIN_MS)
    upload.set_input_files([torn_scan(), note()])
    row(page, "torn.pdf").filter(has_text="Failed").wait_for(timeout=_READ_WITHIN_MS)
    upload.set_input_files([log_book()])
    book = row(page, log_book()["name"])
    book.locator(".leaves .done").nth(5).wait_for(timeout=_READ_WITHIN_MS)
    picture(page, "jobs-desktop-light")
    book.get_by_role("link", name=log_book()["name"], exact=True).click()
    page.locator(".arriving .text-page").nth(12).wait_for(timeout=_READ_WITHIN_MS)
    picture(page, "reading-desktop-light")
    page.locator('.scan[data-page="1"] canvas').wait_for(timeout=_READ_WITHIN_MS)
    page.locator('.scan[data-page="2"] canvas').wait_for(timeout=_READ_WITHIN_MS)
    picture(page, "review-desktop-light")


def show_pages(browser: Browser, address: str, password: str, size: ViewportSize, scheme: Scheme) -> None:
    """Every page that needs no reading to go on."""
    suffix = f"{'phone' if size is PHONE else 'desktop'}-{scheme}"
    context = browser.new_context(
        viewport=size, color_scheme=scheme, reduced_motion="reduce", is_mobile=size is PHONE, has_touch=size is PHONE
    )
    page = context.new_page()
    page.goto(f"{address}sign-in")
    picture(page, f"sign-in-{suffix}")
    sign_in(page, address, password)
    picture(page, f"list-{suffix}")
    for document, name in ((letter()["name"], "text"), ("torn.pdf", "failure")):
        page.goto(address)
        page.get_by_role("link", name=document, exact=True).click()
        page.locator("#job").wait_for()
        if name == "text":
            show_text(page, suffix, is_phone=size is PHONE)
        else:
            picture(page, f"{name}-{suffix}")
    page.goto(f"{address}search?q=lighthouse")
    picture(page, f"search-{suffix}")
    for path in ("account", "admin"):
        page.goto(f"{address}{path}")
        picture(page, f"{path}-{suffix}")
    page.goto(f"{address}admin/users")
    page.get_by_text("Change…").last.click()
    picture(page, f"users-{suffix}")
    page.goto(f"{address}admin/audit")
    picture(page, f"audit-{suffix}")
    page.goto(f"{address}nothing-here")
    picture(page, f"not-found-{suffix}")
    context.close()


def show_text(page: Page, suffix: str, *, is_phone: bool) -> None:
    """A finished document: its image and its text, side by side or, on a phone, one after the other."""
    page.locator(".text .word").first.wait_for()
    if is_phone:
        picture(page, f"text-{suffix}")
        page.get_by_role("button", name="Page image").click()
    page.locator(".paper canvas").first.wait_for(timeout=_READ_WITHIN_MS)
    picture(page, f"{'image' if is_phone else 'text'}-{suffix}")


def main() -> None:
    """Draw every picture anew."""
    TARGET.mkdir(exist_ok=True)
    with running_recto() as (address, password), launched() as browser:
        page = browser.new_page(viewport=DESKTOP, reduced_motion="reduce")
        sign_in(page, address, password)
        picture(page, "empty-desktop-light")
        show_reading(page)
        page.close()
        show_pages(browser, address, password, DESKTOP, "light")
        show_pages(browser, address, password, DESKTOP, "dark")
        show_pages(browser, address, password, PHONE, "light")
        show_pages(browser, address, password, PHONE, "dark")


if __name__ == "__main__":
    main()
