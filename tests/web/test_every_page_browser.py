"""Every page that people see, in a real Chromium: on a very narrow phone, by axe-core's rules, without a mouse, and without motion."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, ViewportSize, expect

from recto.errors import DocumentDamaged
from tests.web.axe import complaints
from tests.web.chromium import DESKTOP
from tests.web.drawn_document import DrawnDocument, draw_document
from tests.web.hand_worker import HandWorker, reporting
from tests.web.live_server import LiveServer

pytestmark = pytest.mark.services

NARROW: Final[ViewportSize] = {"width": 320, "height": 568}
LONG_NAME: Final = f"Wasserstandsaufzeichnungen_{'des_Hafenmeisters' * 9}.pdf"
MOST_TABS: Final = 120


@dataclass(frozen=True, slots=True)
class Documents:
    """One document in each state that a page shows; all of them have the long name."""

    finished: str
    failed: str
    running: str
    waiting: str
    read_again: str

    @property
    def paths(self) -> tuple[str, ...]:
        """Of pages that somebody who is signed in can open. Lists, account and administration are in test_admin_browser.py."""
        jobs = tuple(
            f"jobs/{uuid}" for uuid in (self.finished, self.failed, self.running, self.waiting, self.read_again)
        )
        return (
            "search",
            "search?q=harbour",
            "search?q=zebra",
            f"jobs/{self.finished}?q=harbour",
            *jobs,
            "nothing/here",
        )


@pytest.fixture(scope="module")
def worker(server: LiveServer) -> Iterator[HandWorker]:
    with reporting(server.folder, "eng", "deu") as worker:
        yield worker


@pytest.fixture(scope="module")
def documents(server: LiveServer, worker: HandWorker) -> Documents:
    token, drawn = worker.token_of("admin"), draw_document(1)
    finished = submit(server, token, drawn.content)
    read(worker, drawn)
    form = urlencode({"pages": "1", "mode": "force"}).encode()
    read_again = server.job_from(token, f"jobs/{finished}/retry", form, "application/x-www-form-urlencoded")
    read(worker, drawn)
    failed = submit(server, token, drawn.content)
    worker.fail(worker.claim(), DocumentDamaged("The file breaks off. Scan it again, or save it anew."))
    running = submit(server, token, drawn.content)
    worker.claim(12)
    worker.index()
    return Documents(finished, failed, running, submit(server, token, drawn.content), read_again)


def submit(server: LiveServer, token: str, content: bytes) -> str:
    return server.submit(token, content, filename=LONG_NAME, dedupe="false")


def read(worker: HandWorker, drawn: DrawnDocument) -> None:
    """What waits is read as it was drawn, with its doubtful words."""
    claim = worker.claim(len(drawn.pages))
    for page in drawn.pages:
        worker.adopt_page(claim, page)
    worker.finish(claim, drawn.text)


def opened(
    chromium: Browser,
    signed_in: Any,
    *,
    viewport: ViewportSize = DESKTOP,
    scheme: Literal["light", "dark"] = "light",
    motion: Literal["reduce", "no-preference"] = "reduce",
) -> BrowserContext:
    return chromium.new_context(viewport=viewport, storage_state=signed_in, color_scheme=scheme, reduced_motion=motion)


@pytest.mark.parametrize(
    ("viewport", "scheme"), [(NARROW, "dark"), (DESKTOP, "light")], ids=["narrow and dark", "wide and light"]
)
def test_every_page_fits_its_window_and_axe_finds_nothing(
    chromium: Browser,
    server: LiveServer,
    signed_in: Any,
    documents: Documents,
    viewport: ViewportSize,
    scheme: Literal["light", "dark"],
) -> None:
    context = opened(chromium, signed_in, viewport=viewport, scheme=scheme)
    page = context.new_page()
    found: dict[str, Any] = {}
    for path in documents.paths:
        page.goto(f"{server.address}/{path}")
        unfold(page)
        beyond_px, wrong = too_wide(page, viewport), complaints(page)
        if beyond_px or wrong:
            found[path] = (beyond_px, wrong)
    context.close()
    assert found == {}


def unfold(page: Page) -> None:
    """Open all that can be opened."""
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")


def too_wide(page: Page, viewport: ViewportSize) -> int:
    """Pixels by which the page goes beyond the window."""
    wide: int = page.evaluate("document.documentElement.scrollWidth")
    return max(0, wide - viewport["width"])


@pytest.mark.parametrize(
    "path", ["", "?status=FINISHED&since=1", "account", "admin", "admin/users", "admin/audit", "docs"]
)
def test_lists_account_and_administration_fit_a_very_narrow_phone(
    chromium: Browser, server: LiveServer, signed_in: Any, documents: Documents, path: str
) -> None:
    context = opened(chromium, signed_in, viewport=NARROW)
    page = context.new_page()
    page.goto(f"{server.address}/{path}")
    unfold(page)
    assert too_wide(page, NARROW) == 0
    context.close()


def test_asking_before_a_selection_is_deleted_fits_and_axe_finds_nothing(
    chromium: Browser, server: LiveServer, signed_in: Any, documents: Documents
) -> None:
    context = opened(chromium, signed_in, viewport=NARROW)
    page = context.new_page()
    page.goto(f"{server.address}/")
    for box in page.locator(".job").get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Delete…").click()
    expect(page.get_by_role("heading", name="Delete these 5 documents?")).to_be_visible()
    assert too_wide(page, NARROW) == 0
    assert complaints(page) == []
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_open_field_of_a_correction_is_accessible(
    chromium: Browser, server: LiveServer, signed_in: Any, documents: Documents, scheme: Literal["light", "dark"]
) -> None:
    context = opened(chromium, signed_in, scheme=scheme)
    page = context.new_page()
    page.goto(f"{server.address}/jobs/{documents.finished}")
    page.locator(".text .word").nth(2).click()
    expect(page.locator("form.correction input")).to_be_focused()
    assert complaints(page) == []
    context.close()


def test_document_is_found_reviewed_and_corrected_by_keyboard_alone(
    chromium: Browser, server: LiveServer, signed_in: Any, documents: Documents
) -> None:
    context = opened(chromium, signed_in)
    page = context.new_page()
    page.goto(f"{server.address}/")
    page.keyboard.press("/")
    page.keyboard.type("harbour")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What was found")).to_be_visible()
    tab_to(page, page.locator(f"a[href*='{documents.finished}']").first)
    page.keyboard.press("Enter")
    expect(page.locator(".text .word").first).to_be_visible()
    page.keyboard.press("n")
    expect(page.locator(".text .word.is-current")).to_be_visible()
    page.keyboard.press("Enter")
    field = page.locator("form.correction input")
    expect(field).to_be_focused()
    before = field.input_value()
    page.keyboard.press("Control+a")
    page.keyboard.type("typed")
    page.keyboard.press("Enter")
    expect(page.locator("#announcer")).to_contain_text("Corrected: typed")
    page.keyboard.press("Control+z")
    expect(page.locator(".text .word").get_by_text("typed", exact=True)).to_have_count(0)
    expect(page.locator(".text .word").get_by_text(before, exact=True).first).to_be_visible()
    tab_to(page, page.get_by_role("link", name="Searchable PDF"), back=True)
    context.close()


def tab_to(page: Page, target: Locator, *, back: bool = False) -> None:
    """By Tab alone, as often as it takes."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    pytest.fail("Tab does not lead there")


def test_nothing_moves_where_motion_is_not_wanted(
    chromium: Browser, server: LiveServer, signed_in: Any, documents: Documents
) -> None:
    moving = "document.getAnimations().filter(each => each.playState === 'running').length"
    for path in ("", f"jobs/{documents.running}"):
        still, lively = opened(chromium, signed_in), opened(chromium, signed_in, motion="no-preference")
        for context, is_still in ((still, True), (lively, False)):
            page = context.new_page()
            page.goto(f"{server.address}/{path}")
            assert (page.evaluate(moving) == 0) == is_still, path
            context.close()
