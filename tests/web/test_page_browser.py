"""The page in a real Chromium, below a sub-path, with the part of the Worker played by hand."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urljoin

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    FilePayload,
    Locator,
    Page,
    ViewportSize,
    expect,
)
from sqlalchemy.orm import Session

from recto import workers
from recto.database.connections import Begin, connect, transaction
from recto.errors import DocumentEncrypted, PageTimeout, RectoError
from recto.file_storage.base import result_name
from recto.file_storage.volume import VolumeStorage
from recto.jobs import Claim, Jobs, QueuePolicy

pytestmark = pytest.mark.services

PASSWORD = "a password for tests"
MAX_UPLOAD_BYTES = 100_000
PDF = b"%PDF-1.7\n" + b"scan " * 400
PHONE: ViewportSize = {"width": 390, "height": 844}


class HandWorker:
    """Claims and ends jobs when a test says so, through the same operations as the Worker."""

    def __init__(self, folder: Path) -> None:
        self._engine = connect(f"sqlite:///{folder / 'recto.db'}", 10.0)
        self._storage = VolumeStorage(folder)
        self._jobs = Jobs(QueuePolicy(3600.0, 60.0, 3, 1.0, 100, 1000))

    def report(self, *languages: str) -> None:
        """Register as a living Worker."""
        with transaction(Session(self._engine), Begin.WRITE) as session:
            workers.report(session, "hand", "1", "hand", languages, 1)

    def sign_off(self) -> None:
        """Be gone."""
        with transaction(Session(self._engine), Begin.WRITE) as session:
            workers.sign_off(session, "hand")

    def cancel_rest(self) -> None:
        """End what other tests left waiting."""
        with transaction(Session(self._engine), Begin.CLAIM) as session:
            while claim := self._jobs.claim_next(session, "hand"):
                self._jobs.cancel(session, claim.user_id, claim.lease.job_uuid)

    def claim(self, page_count: int) -> Claim:
        """Take the next job and open it."""
        with transaction(Session(self._engine), Begin.CLAIM) as session:
            claim = self._jobs.claim_next(session, "hand")
            assert claim is not None
            self._jobs.set_page_count(session, claim.lease, page_count)
        return claim

    def read_page(self, claim: Claim, number: int, error: RectoError | None = None) -> None:
        """End one page."""
        with transaction(Session(self._engine), Begin.WRITE) as session:
            self._jobs.adopt_page(session, claim.lease, number, error)

    def finish(self, claim: Claim, text: str) -> None:
        """End the job with this text."""
        with self._storage.write(claim.lease.job_uuid, result_name(claim.lease.token, "txt")) as file:
            file.write(text.encode())
        with transaction(Session(self._engine), Begin.WRITE) as session:
            self._jobs.finish(session, claim.lease)

    def fail(self, claim: Claim, error: RectoError) -> None:
        """End the job without a result."""
        with transaction(Session(self._engine), Begin.WRITE) as session:
            self._jobs.fail(session, claim.lease, error)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("storage")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "RECTO_FILE_STORAGE_PATH": str(folder),
        "RECTO_SERVER_PORT": str(port),
        "RECTO_SERVER_BASE_PATH": "/recto",
        "RECTO_SERVER_MAX_UPLOAD_BYTES": str(MAX_UPLOAD_BYTES),
        "RECTO_ADMIN_PASSWORD": PASSWORD,
    }
    backend = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=Path(__file__).parents[2],
        env={name: value for name, value in os.environ.items() if not name.startswith("RECTO_")} | settings,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}/recto/"
    try:
        _wait_until_answering(f"{base}sign-in", backend)
        yield base
    finally:
        backend.send_signal(signal.SIGTERM)
        backend.wait(30)


def _wait_until_answering(url: str, backend: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert backend.poll() is None, "the Backend ended"
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own address
                return
        except urllib.error.URLError:
            time.sleep(0.1)
    pytest.fail("the Backend does not answer")


@pytest.fixture(scope="module")
def hand(address: str, folder: Path) -> Iterator[HandWorker]:
    worker = HandWorker(folder)
    worker.report("eng", "deu", "ces")
    yield worker
    worker.close()


@pytest.fixture
def worker(hand: HandWorker) -> HandWorker:
    """The Worker, with nothing in its queue."""
    hand.cancel_rest()
    return hand


@pytest.fixture
def browser_context(chromium: Browser) -> Iterator[BrowserContext]:
    """A fresh profile; the test fails where a script breaks or the Content-Security-Policy blocks something."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    faults: list[str] = []
    context.on("weberror", lambda fault: faults.append(str(fault.error)))
    context.on("console", lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None)
    yield context
    context.close()
    assert faults == []


@pytest.fixture
def page(browser_context: BrowserContext, address: str, worker: HandWorker) -> Page:
    """Signed in."""
    page = browser_context.new_page()
    sign_in(page, address)
    expect(page.get_by_role("button", name="Choose files")).to_be_visible()
    return page


def sign_in(page: Page, address: str, name: str = "admin", password: str = PASSWORD) -> None:
    page.goto(f"{address}sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Read a document")).to_be_visible()


def choose(page: Page, *files: tuple[str, bytes]) -> None:
    payloads: list[FilePayload] = [
        {"name": name, "mimeType": "application/octet-stream", "buffer": content} for name, content in files
    ]
    page.locator("#document").set_input_files(payloads)


def row(page: Page, name: str) -> Locator:
    return page.locator(".job").filter(has=page.get_by_role("link", name=name, exact=True))


def test_sign_in_with_wrong_password_says_so_and_keeps_the_name(browser_context: BrowserContext, address: str) -> None:
    page = browser_context.new_page()
    page.goto(f"{address}account")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    expect(page.get_by_label("Name")).to_have_value("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{address}account")


def test_open_page_notices_the_first_worker(browser_context: BrowserContext, address: str, hand: HandWorker) -> None:
    hand.sign_off()
    page = browser_context.new_page()
    sign_in(page, address)
    expect(page.get_by_text("No Worker is running.")).to_be_visible()
    hand.report("eng", "deu", "ces")
    expect(page.get_by_text("No Worker is running.")).to_be_hidden(timeout=10_000)
    hand.sign_off()
    expect(page.get_by_text("No Worker is running.")).to_be_visible(timeout=30_000)


def test_upload_of_several_files_shows_each_being_read(page: Page, worker: HandWorker) -> None:
    choose(page, ("first.pdf", PDF), ("second.pdf", PDF))
    expect(row(page, "first.pdf")).to_contain_text("Waiting")
    expect(row(page, "second.pdf")).to_contain_text("Waiting")
    claims = [worker.claim(3), worker.claim(3)]
    worker.read_page(claims[0], 1)
    first = page.locator(f'[data-uuid="{claims[0].lease.job_uuid}"]')
    expect(first).to_contain_text("1 of 3 pages")
    expect(first.locator(".leaves .done")).to_have_count(1)
    for claim in claims:
        worker.finish(claim, "one\ftwo\fthree")
        expect(page.locator(f'[data-uuid="{claim.lease.job_uuid}"]')).to_contain_text("Finished")
    with page.expect_download() as download:
        first.get_by_role("link", name="Download").click()
    assert Path(download.value.path()).read_text() == "one\ftwo\fthree"


def test_upload_that_is_refused_says_why_beside_the_file(page: Page) -> None:
    choose(page, ("notes.doc", b"no scan"), ("huge.pdf", PDF * 100), ("nothing.pdf", b""))
    uploads = page.locator(".upload-item")
    expect(uploads.filter(has_text="notes.doc").get_by_role("alert")).to_contain_text("PDF")
    expect(uploads.filter(has_text="huge.pdf").get_by_role("alert")).to_contain_text("takes up to 100 kB")
    expect(uploads.filter(has_text="nothing.pdf").get_by_role("alert")).to_contain_text("empty")
    page.get_by_role("button", name="Dismiss notes.doc").click()
    expect(uploads).to_have_count(2)


def test_languages_are_sent_in_the_order_they_were_chosen(page: Page, worker: HandWorker) -> None:
    page.get_by_role("button", name="Remove English").click()
    page.get_by_role("combobox", name="Languages of the text").select_option("deu")
    page.get_by_role("combobox", name="Languages of the text").select_option("eng")
    choose(page, ("brief.pdf", PDF))
    expect(row(page, "brief.pdf")).to_be_visible()
    claim = worker.claim(1)
    worker.finish(claim, "Brief")
    assert claim.options["languages"] == "deu+eng"


def test_file_dropped_on_the_page_is_uploaded_and_its_name_stays_text(page: Page, worker: HandWorker) -> None:
    page.evaluate(
        """content => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([content], "<b>bold & Söhne.pdf"));
            for (const type of ["dragenter", "drop"]) {
                document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
            }
        }""",
        PDF.decode(),
    )
    expect(row(page, "<b>bold & Söhne.pdf")).to_be_visible()
    expect(page.locator("#drop-cover")).to_be_hidden()
    worker.finish(worker.claim(1), "")


def test_job_page_is_followed_to_its_text(page: Page, browser_context: BrowserContext, worker: HandWorker) -> None:
    choose(page, ("minutes.pdf", PDF))
    row(page, "minutes.pdf").get_by_role("link", name="minutes.pdf", exact=True).click()
    expect(page.get_by_role("heading", name="Waiting for a Worker")).to_be_visible()
    page.get_by_text("History", exact=True).click()
    claim = worker.claim(3)
    worker.read_page(claim, 1)
    worker.read_page(claim, 2, PageTimeout("The page took too long. Scan it again."))
    expect(page.locator(".job-head")).to_contain_text("2 of 3 pages")
    worker.read_page(claim, 3)
    worker.finish(claim, "Dear <i>Sir</i>,\n\n  Item   1.50\n\fYours")
    expect(page.locator(".text pre").first).to_have_text("Dear <i>Sir</i>,\n\n  Item   1.50")
    expect(page.get_by_text("Page 2: The page took too long. Scan it again.")).to_be_visible()
    page.get_by_text("How pages were prepared").click()
    expect(page.locator(".prepared li")).to_have_count(2)
    expect(page.locator(".history")).to_have_attribute("open", "")
    page.get_by_role("button", name="Copy text").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "Dear <i>Sir</i>,\n\n  Item   1.50\n\nYours"


def test_failed_job_says_what_to_do_next(page: Page, worker: HandWorker) -> None:
    choose(page, ("locked.pdf", PDF))
    expect(row(page, "locked.pdf")).to_be_visible()
    worker.fail(worker.claim(1), DocumentEncrypted("Remove the password and send it again."))
    expect(row(page, "locked.pdf")).to_contain_text("Remove the password and send it again.")
    row(page, "locked.pdf").get_by_role("link", name="locked.pdf", exact=True).click()
    expect(page.get_by_role("heading", name="The PDF is locked with a password")).to_be_visible()


def test_deleting_by_keyboard_asks_first_and_vanishes_from_another_window(
    page: Page, browser_context: BrowserContext, address: str
) -> None:
    choose(page, ("gone.pdf", PDF))
    expect(row(page, "gone.pdf")).to_be_visible()
    other = browser_context.new_page()
    other.goto(address)
    row(other, "gone.pdf").get_by_role("link", name="gone.pdf", exact=True).click()
    other.get_by_text("Delete…").focus()
    for key in ("Enter", "Tab", "Enter"):
        other.keyboard.press(key)
    expect(other.get_by_role("status").filter(has_text="deleted")).to_be_visible()
    expect(row(page, "gone.pdf")).to_have_count(0)


def test_lost_connection_is_said_and_made_good(page: Page) -> None:
    page.route(re.compile("after="), lambda route: route.abort())
    page.reload()
    expect(page.get_by_text("Connection lost. Trying again…")).to_be_visible(timeout=10_000)
    page.unroute_all()
    expect(page.get_by_text("Connection lost. Trying again…")).to_be_hidden(timeout=15_000)


def test_upload_list_and_download_work_without_script(chromium: Browser, address: str, worker: HandWorker) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, address)
    choose(page, ("plain.pdf", PDF), ("notes.doc", b"no scan"))
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("alert")).to_contain_text("notes.doc")
    expect(row(page, "plain.pdf")).to_contain_text("Waiting")
    worker.finish(worker.claim(1), "plain")
    page.reload()
    with page.expect_download() as download:
        row(page, "plain.pdf").get_by_role("link", name="Download the text of plain.pdf").click()
    assert Path(download.value.path()).read_text() == "plain"
    context.close()


def test_token_is_shown_once_and_can_be_revoked(page: Page, address: str) -> None:
    page.goto(f"{address}account")
    page.get_by_label("Name of the new token").fill("scanner")
    page.get_by_role("button", name="Create token").click()
    token = page.locator("#new-token").inner_text()
    expect(page.locator("#new-token-example")).to_contain_text(f"{address}api/v1/jobs")
    page.reload()
    expect(page.get_by_text("Revoke…")).to_have_count(1)
    page.goto(f"{address}account")
    expect(page.get_by_text(token)).to_have_count(0)
    page.get_by_text("Revoke…").click()
    page.get_by_role("button", name="Revoke this token").click()
    expect(page.get_by_text("No tokens")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone(
    chromium: Browser, address: str, worker: HandWorker, scheme: Literal["light", "dark"]
) -> None:
    context = chromium.new_context(viewport=PHONE, is_mobile=True, has_touch=True, color_scheme=scheme)
    page = context.new_page()
    sign_in(page, address)
    name = f"a-very-long-name-{'of-a-scan-' * 8}{scheme}.pdf"
    choose(page, (name, PDF))
    link = row(page, name).get_by_role("link", name=name, exact=True)
    expect(link).to_be_visible()
    worker.finish(worker.claim(1), "A" * 300)
    expect(row(page, name)).to_contain_text("Finished")
    for target in (address, urljoin(address, link.get_attribute("href") or ""), f"{address}account", f"{address}none"):
        page.goto(target)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], target
    context.close()
