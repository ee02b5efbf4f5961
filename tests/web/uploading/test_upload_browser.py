"""Ways to hand over a document, what is said of it before it is sent, and what a page catches up with, in a real Chromium."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from recto.errors import DocumentDamaged
from tests.web.axe import complaints
from tests.web.chromium import PDF, PHONE, choose, open_list, row, sign_in
from tests.web.clients import PNG
from tests.web.hand_worker import HandWorker, reporting
from tests.web.live_server import LiveServer

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def server_settings() -> dict[str, str]:
    return {"RECTO_SERVER_MAX_UPLOAD_BYTES": "4000000"}


@pytest.fixture
def worker(server: LiveServer) -> Iterator[HandWorker]:
    """With nothing in its queue."""
    with reporting(server.folder, "eng", "deu") as worker:
        worker.end_waiting()
        yield worker


@pytest.fixture
def page(context: BrowserContext, address: str, worker: HandWorker) -> Page:
    """Signed in."""
    return open_list(context, address)


def paste(page: Page, name: str, media_type: str, content: bytes) -> None:
    page.evaluate(
        """([name, type, content]) => {
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([new Uint8Array(content)], name, { type }));
            document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
        }""",
        [name, media_type, list(content)],
    )


def test_pasted_picture_gets_a_name_of_its_own_and_a_pasted_file_keeps_its(page: Page) -> None:
    paste(page, "image.png", "image/png", PNG)
    pasted = page.locator(".job-name").filter(has_text="Pasted")
    expect(pasted).to_have_text(re.compile(r"^Pasted \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.png$"))
    paste(page, "copied.pdf", "application/pdf", PDF)
    expect(row(page, "copied.pdf")).to_be_visible()


def test_pasted_text_goes_where_it_was_pasted(page: Page, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText('1-3')")
    page.get_by_text("More options").click()
    page.locator("#pages").focus()
    page.keyboard.press("Control+v")
    expect(page.locator("#pages")).to_have_value("1-3")
    expect(page.locator(".upload-item")).to_have_count(0)


def test_phone_offers_its_camera_and_a_desktop_does_not(page: Page, chromium: Browser, address: str) -> None:
    expect(page.get_by_role("button", name="Take a photo")).to_be_hidden()
    context = chromium.new_context(viewport=PHONE, is_mobile=True, has_touch=True)
    phone = context.new_page()
    sign_in(phone, address)
    with phone.expect_file_chooser() as chooser:
        phone.get_by_role("button", name="Take a photo").tap()
    assert chooser.value.element.get_attribute("capture") == "environment"
    chooser.value.set_files({"name": "photo.png", "mimeType": "image/png", "buffer": PNG})
    expect(row(phone, "photo.png")).to_be_visible()
    context.close()


def test_file_of_a_wrong_kind_is_explained_before_it_is_sent(page: Page) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.url.endswith("/api/v1/jobs") else None)
    choose(page, ("minutes.docx", b"PK\x03\x04" + bytes(3_000_000)), ("empty.pdf", b""), ("vast.pdf", PDF * 2500))
    uploads = page.locator(".upload-item")
    expect(uploads.filter(has_text="minutes.docx").get_by_role("alert")).to_contain_text("an office document")
    expect(uploads.filter(has_text="empty.pdf").get_by_role("alert")).to_contain_text("empty")
    expect(uploads.filter(has_text="vast.pdf").get_by_role("alert")).to_contain_text("takes up to 4 MB")
    assert sent == []
    assert complaints(page) == []


def test_running_upload_shows_how_far_it_is_and_can_be_stopped(page: Page, context: BrowserContext) -> None:
    client = context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 200_000}
    client.send("Network.emulateNetworkConditions", slow)
    choose(page, ("slow.pdf", PDF * 1800))
    item = page.locator(".upload-item").filter(has_text="slow.pdf")
    expect(item.locator(".upload-state")).to_have_text(re.compile(r"^[1-9]\d? %$"), timeout=20_000)
    page.get_by_role("button", name="Stop the upload of slow.pdf").click()
    expect(item).to_have_count(0)
    client.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    choose(page, ("quick.pdf", PDF))
    expect(row(page, "quick.pdf")).to_be_visible()
    expect(row(page, "slow.pdf")).to_have_count(0)


def test_options_are_those_of_the_last_time_but_for_pages_and_password(page: Page, worker: HandWorker) -> None:
    page.get_by_role("button", name="Remove English").click()
    page.get_by_role("combobox", name="Languages of the text").select_option("deu")
    page.get_by_text("More options").click()
    page.get_by_label("PDF pages that have text already").select_option("force")
    page.get_by_label("Pages", exact=True).fill("2")
    page.get_by_label("Password of the PDF").fill("secret")
    page.reload()
    expect(page.get_by_label("Chosen languages")).to_have_text(re.compile("German"))
    expect(page.get_by_label("PDF pages that have text already")).to_have_value("force")
    expect(page.get_by_label("PDF pages that have text already")).to_be_visible()
    expect(page.get_by_label("Pages", exact=True)).to_have_value("")
    expect(page.get_by_label("Password of the PDF")).to_have_value("")
    assert "secret" not in str(page.evaluate("JSON.stringify(localStorage)"))
    choose(page, ("brief.pdf", PDF))
    expect(row(page, "brief.pdf")).to_be_visible()
    claim = worker.claim(1)
    assert (claim.options["languages"], claim.options["mode"]) == ("deu", "force")


def test_drop_zone_is_first_and_what_belongs_to_one_document_is_forgotten(page: Page, worker: HandWorker) -> None:
    zone, options = page.locator(".drop").bounding_box(), page.locator("[data-languages]").bounding_box()
    assert zone is not None
    assert options is not None
    assert zone["y"] + zone["height"] <= options["y"]
    page.get_by_text("More options").click()
    page.get_by_label("Pages", exact=True).fill("2")
    choose(page, ("second page.pdf", PDF))
    expect(row(page, "second page.pdf")).to_be_visible()
    expect(page.get_by_label("Pages", exact=True)).to_have_value("")
    assert worker.claim(1).options["pages"] == "2"


def test_place_in_the_queue_and_time_left_are_said(page: Page, worker: HandWorker) -> None:
    def answer(route: Route) -> None:
        told = route.fetch().json() | {
            "queue": {"position": 3},
            "estimated_seconds_left": {"least": 100, "most": 400},
        }
        route.fulfill(json=told)

    page.route(re.compile(r"/api/v1/jobs/[0-9a-f-]{36}$"), answer)
    choose(page, ("third.pdf", PDF))
    expect(row(page, "third.pdf")).to_contain_text("Number 3 in the queue, 1 to 7 minutes left", timeout=15_000)
    row(page, "third.pdf").get_by_role("link", name="third.pdf", exact=True).click()
    expect(page.locator(".outlook")).to_have_text("Number 3 in the queue, 1 to 7 minutes left")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"queue": {"position": 1}, "estimated_seconds_left": None}, "Next in the queue"),
        ({"queue": None, "estimated_seconds_left": {"least": 0, "most": 20}}, "less than a minute left"),
        ({"queue": None, "estimated_seconds_left": {"least": 0, "most": 90}}, "1 to 2 minutes left"),
        ({"queue": None, "estimated_seconds_left": {"least": 5400, "most": 36000}}, "1 to 10 hours left"),
        ({"queue": None, "estimated_seconds_left": None}, ""),
    ],
)
def test_outlook_is_worded_as_people_say_it(page: Page, address: str, told: dict[str, Any], words: str) -> None:
    said = page.evaluate(
        f"told => import('{address}static/js/outlook.js').then((module) => module.outlookWords(told))", told
    )
    assert said == words


def test_page_that_was_away_catches_up_without_a_reload(
    page: Page, context: BrowserContext, address: str, worker: HandWorker
) -> None:
    choose(page, ("away.pdf", PDF))
    expect(row(page, "away.pdf")).to_contain_text("Waiting")
    job_page = context.new_page()
    job_page.goto(address)
    row(job_page, "away.pdf").get_by_role("link", name="away.pdf", exact=True).click()
    job_page.wait_for_url("**/jobs/*")  # with all of its modules: half a page follows nothing
    job_page.evaluate("window.sameDocument = true")
    context.set_offline(True)
    claim = worker.claim(2)
    for number in (1, 2):
        worker.read_page(claim, number)
    worker.finish(claim, "Read while you were away.\fAll of it.")
    expect(page.get_by_text("Connection lost. Trying again…")).to_be_visible(timeout=30_000)
    context.set_offline(False)
    expect(row(page, "away.pdf")).to_contain_text("Finished", timeout=60_000)
    expect(page.get_by_text("Connection lost. Trying again…")).to_be_hidden()
    expect(job_page.locator(".text")).to_contain_text("Read while you were away.", timeout=60_000)
    assert job_page.evaluate("window.sameDocument") is True


def test_job_page_says_that_no_worker_is_running_and_takes_it_back(page: Page, worker: HandWorker) -> None:
    worker.sign_off()
    choose(page, ("patient.pdf", PDF))
    row(page, "patient.pdf").get_by_role("link", name="patient.pdf", exact=True).click()
    expect(page.get_by_text("No Worker is running. The document is kept")).to_be_visible()
    assert complaints(page) == []
    worker.report("eng", "deu")
    expect(page.get_by_text("No Worker is running.")).to_be_hidden(timeout=15_000)


def test_failed_document_is_read_again_with_other_options(page: Page, worker: HandWorker) -> None:
    choose(page, ("torn.pdf", PDF))
    expect(row(page, "torn.pdf")).to_be_visible()
    worker.fail(worker.claim(1), DocumentDamaged("The file breaks off."))
    row(page, "torn.pdf").get_by_role("link", name="torn.pdf", exact=True).click()
    page.get_by_text("Read it again in another way").click()
    form = page.locator("#again")
    form.get_by_role("combobox", name="Languages of the text").select_option("deu")
    form.get_by_label("Pages", exact=True).fill("1")
    form.get_by_label("Crooked, dark or faint pages").select_option("none")
    assert complaints(page) == []
    form.get_by_role("button", name="Read again").click()
    expect(page.get_by_role("heading", name="Waiting for a Worker")).to_be_visible()
    options = worker.claim(1).options
    assert (options["languages"], options["pages"], options["preprocess"]) == ("eng+deu", "1", "none")


def test_finished_job_can_be_read_again_as_soon_as_it_ends(page: Page, worker: HandWorker) -> None:
    choose(page, ("once.pdf", PDF))
    row(page, "once.pdf").get_by_role("link", name="once.pdf", exact=True).click()
    expect(page.get_by_role("heading", name="Waiting for a Worker")).to_be_visible()
    expect(page.get_by_text("Read it again in another way")).to_have_count(0)
    claim = worker.claim(1)
    worker.read_page(claim, 1)
    worker.finish(claim, "Once.")
    page.get_by_text("Read it again in another way").click()
    expect(page.locator("#again").get_by_label("Chosen languages")).to_contain_text("English")


def test_server_that_is_gone_is_said_beside_the_file_which_can_be_tried_again(
    page: Page, context: BrowserContext
) -> None:
    context.set_offline(True)
    choose(page, ("later.pdf", PDF))
    item = page.locator(".upload-item").filter(has_text="later.pdf")
    expect(item.get_by_role("alert")).to_contain_text("The server cannot be reached")
    context.set_offline(False)
    page.get_by_role("button", name="Try again with later.pdf").click()
    expect(row(page, "later.pdf")).to_be_visible()


def test_sign_out_in_another_tab_is_said_on_the_open_page(page: Page, context: BrowserContext, address: str) -> None:
    other = context.new_page()
    other.goto(address)
    other.get_by_role("button", name="Sign out").click()
    choose(page, ("orphan.pdf", PDF))
    expect(page.get_by_role("alert").filter(has_text="sign")).to_be_visible()
    expect(page.get_by_text("You are signed out. Reload the page to sign in again.")).to_be_visible(timeout=60_000)
