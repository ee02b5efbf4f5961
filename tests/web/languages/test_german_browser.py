"""The pages in a real Chromium whose reader wants German: what the scripts say, the switch, and the room that longer words need."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from recto.errors import DocumentDamaged
from tests.web.axe import complaints
from tests.web.chromium import PDF, choose, row, window
from tests.web.clients import PASSWORD
from tests.web.hand_worker import HandWorker, reporting
from tests.web.live_server import LiveServer

pytestmark = pytest.mark.services
PATHS = ("", "account", "admin", "admin/users", "admin/audit", "search", "search?q=nichts", "nirgends")


@pytest.fixture(scope="module")
def worker(server: LiveServer) -> Iterator[HandWorker]:
    with reporting(server.folder, "eng", "deu") as worker:
        yield worker


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """Of a reader who wants German."""
    with window(chromium, locale="de-DE") as context:
        yield context


@pytest.fixture
def page(context: BrowserContext, address: str, worker: HandWorker) -> Page:
    """An administrator's, signed in."""
    page = context.new_page()
    page.goto(address)
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Passwort").fill(PASSWORD)
    page.get_by_role("button", name="Anmelden").click()
    expect(page.get_by_role("heading", name="Dokument lesen lassen")).to_be_visible()
    return page


def test_scripts_speak_german_from_the_upload_to_the_text(page: Page, address: str, worker: HandWorker) -> None:
    expect(page.get_by_role("list", name="Gewählte Sprachen")).to_contain_text("Englisch")
    choose(page, ("leer.pdf", b""), ("tabelle.docx", b"PK\x03\x04 no scan"), ("brief.pdf", PDF))
    expect(page.get_by_text("Die Datei ist leer. Wählen Sie eine andere.")).to_be_visible()
    expect(page.get_by_text("Recto liest diese Art von Datei nicht.")).to_be_visible()
    expect(row(page, "brief.pdf")).to_contain_text("Wartet")
    expect(row(page, "brief.pdf")).to_contain_text("gerade eben")
    expect(row(page, "brief.pdf")).to_contain_text("Als Nächstes an der Reihe", timeout=15_000)
    page.get_by_role("link", name="brief.pdf", exact=True).click()
    claim = worker.claim(2)
    worker.read_page(claim, 1)
    expect(page.locator("[data-part=pages]")).to_have_text("1 von 2\u00a0Seiten", timeout=15_000)
    expect(page.get_by_role("heading", name="Wird gelesen")).to_be_visible()
    worker.read_page(claim, 2)
    worker.finish(claim, "Ein Brief\fmit zwei Seiten")
    expect(page.locator("[data-part=status]")).to_have_text("Fertig", timeout=15_000)
    page.get_by_role("button", name="Text kopieren").click()
    expect(
        page.get_by_role("button", name="Kopiert").or_(page.get_by_role("button", name="Mit Strg+C"))
    ).to_be_visible()


def test_failure_is_said_in_german_where_it_is_shown_without_a_reload(page: Page, worker: HandWorker) -> None:
    choose(page, ("zerrissen.pdf", PDF))
    expect(row(page, "zerrissen.pdf")).to_be_visible()
    worker.fail(worker.claim(), DocumentDamaged("The PDF breaks off."))
    expect(row(page, "zerrissen.pdf")).to_contain_text("Gescheitert", timeout=15_000)
    expect(row(page, "zerrissen.pdf")).to_contain_text("Die Datei ist beschädigt oder bricht ab.")


def test_switch_at_the_foot_changes_the_language_and_stays_on_the_page(page: Page, address: str) -> None:
    page.goto(f"{address}account")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Account")).to_be_visible()
    assert page.url == f"{address}account"
    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_role("heading", name="Konto", exact=True)).to_be_visible()


def test_switch_at_the_foot_needs_no_script(chromium: Browser, address: str, worker: HandWorker) -> None:
    context = chromium.new_context(locale="de-DE", java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}sign-in")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    context.close()


@pytest.mark.parametrize("path", PATHS)
def test_german_page_fits_a_narrow_phone(page: Page, address: str, path: str) -> None:
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(f"{address}{path}")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    for fold in page.locator("details.fold > summary").all():
        fold.click()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 320
    assert complaints(page) == []
