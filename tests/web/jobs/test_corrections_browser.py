"""Correcting in the page, in a real Chromium: typed in place, saved, undone, and found in what is downloaded."""

import re
from pathlib import Path
from typing import Final

import pypdfium2
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.drawing import blank_page, save_tiff
from tests.ocr.writers.made_pages import block, lines
from tests.web.chromium import PHONE
from tests.web.clients import PASSWORD
from tests.web.hand_worker import HandWorker
from tests.web.live_server import LiveServer

pytestmark = pytest.mark.services

MAKING_MS: Final = 90_000
"""A format is made by a process that starts for it, on a machine that may be busy."""


@pytest.fixture
def uuid(live: LiveServer, live_token: str, live_worker: HandWorker, tmp_path: Path) -> str:
    """A finished job whose page has two lines."""
    live_worker.report("eng")
    live_worker.end_waiting()
    document = save_tiff(tmp_path / "one.tif", [blank_page(60, 40)]).read_bytes()
    live.submit(live_token, document, "image/tiff", filename="one.tif", dedupe="false")
    claim = live_worker.claim()
    live_worker.read_page(claim, 1, blocks=(block(*lines("Tbe cat satonthe mat", "and sleeps")),))
    return live_worker.finish(claim, "Tbe cat satonthe mat\nand sleeps\n")


def opened(context: BrowserContext, live: LiveServer, uuid: str) -> Page:
    """The page of the job with its words, in a browser that is signed in by now."""
    page = context.new_page()
    page.goto(f"{live.address}/jobs/{uuid}")
    if "/sign-in" in page.url:
        page.get_by_label("Name").fill("admin")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**/jobs/{uuid}")
    expect(word(page, 0)).to_be_visible()
    return page


@pytest.fixture
def page(context: BrowserContext, live: LiveServer, uuid: str) -> Page:
    return opened(context, live, uuid)


def word(page: Page, index: int) -> Locator:
    return page.locator(f".text .word[data-word='{index}']")


def editor(page: Page) -> Locator:
    return page.locator("form.correction input")


def texts(page: Page) -> list[str]:
    return page.locator(".text .word").all_inner_texts()


def downloaded(page: Page, live: LiveServer, uuid: str, result_format: str) -> bytes:
    address = f"{live.address}/api/v1/jobs/{uuid}/result?format={result_format}&wait=60"
    answer = page.request.get(address, timeout=MAKING_MS)
    assert answer.status == 200, answer.text()
    return answer.body()


def test_word_that_is_clicked_and_typed_anew_is_in_text_hocr_and_pdf(page: Page, live: LiveServer, uuid: str) -> None:
    word(page, 0).click()
    expect(editor(page)).to_be_focused()
    editor(page).fill("The")
    editor(page).press("Enter")
    expect(word(page, 0)).to_have_text("The")
    expect(page.locator("#announcer")).to_contain_text("Corrected: The")
    assert downloaded(page, live, uuid, "txt").decode().startswith("The cat")
    assert ">The</span>" in downloaded(page, live, uuid, "hocr").decode()
    pdf = pypdfium2.PdfDocument(downloaded(page, live, uuid, "pdf"))
    try:
        text = pdf[0].get_textpage()
        assert text.get_text_range().split()[:2] == ["The", "cat"]
        text.close()
    finally:
        pdf.close()
    page.reload()
    expect(page.locator(".text pre")).to_contain_text("The cat")


def test_keys_split_a_word_go_on_to_the_next_and_give_up(page: Page) -> None:
    word(page, 2).click()
    editor(page).fill("sat on the")
    editor(page).press("Tab")
    expect(editor(page)).to_have_value("mat")
    expect(page.locator(".text .word")).to_have_text(["Tbe", "cat", "sat", "on", "the", "mat", "and", "sleeps"])
    expect(word(page, 5)).to_have_class(re.compile("is-corrected-now"))
    editor(page).press("Shift+Tab")
    expect(editor(page)).to_have_value("the")
    editor(page).fill("nothing of this")
    editor(page).press("Escape")
    expect(editor(page)).to_have_count(0)
    expect(page.locator(".is-corrected-now")).to_have_count(0)
    assert texts(page)[:6] == ["Tbe", "cat", "sat", "on", "the", "mat"]


def test_whole_line_is_typed_anew_and_undone_by_key_and_by_button(page: Page) -> None:
    word(page, 0).click()
    editor(page).press("ArrowDown")
    expect(editor(page)).to_have_value("Tbe cat satonthe mat")
    editor(page).fill("The cat sat on the mat")
    editor(page).press("Enter")
    expect(word(page, 5)).to_have_text("mat")
    word(page, 7).click()
    editor(page).fill("")
    editor(page).press("Enter")
    expect(word(page, 7)).to_have_count(0)
    page.keyboard.press("Control+z")
    expect(word(page, 7)).to_have_text("sleeps")
    page.get_by_role("button", name="Undo").click()
    expect(word(page, 0)).to_have_text("Tbe")
    assert texts(page) == ["Tbe", "cat", "satonthe", "mat", "and", "sleeps"]
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#announcer")).to_contain_text("nothing more to undo")


def test_page_that_was_corrected_elsewhere_meanwhile_is_not_overwritten(
    page: Page, context: BrowserContext, live: LiveServer, uuid: str
) -> None:
    other = opened(context, live, uuid)
    word(page, 1).click()
    expect(editor(page)).to_be_focused()
    word(other, 1).click()
    editor(other).fill("dog")
    editor(other).press("Enter")
    expect(word(other, 1)).to_have_text("dog")
    editor(page).fill("cow")
    editor(page).press("Enter")
    expect(page.locator(".correction-problem")).to_contain_text("was corrected meanwhile")
    expect(word(page, 1)).to_have_text("dog")
    editor(page).press("Escape")
    assert b"dog" in downloaded(page, live, uuid, "txt")


def test_leaving_the_field_keeps_what_was_typed(page: Page) -> None:
    word(page, 0).click()
    editor(page).fill("The")
    page.locator("h1").click()
    expect(word(page, 0)).to_have_text("The")
    expect(editor(page)).to_have_count(0)


def test_field_lies_beside_its_word_and_at_the_foot_of_a_phone(
    chromium: Browser, live: LiveServer, uuid: str, page: Page
) -> None:
    word(page, 0).click()
    beside, at = editor(page).bounding_box(), word(page, 0).bounding_box()
    assert beside is not None
    assert at is not None
    assert 0 < beside["y"] - at["y"] < 60
    context = chromium.new_context(viewport=PHONE, is_mobile=True, has_touch=True)
    phone = opened(context, live, uuid)
    word(phone, 0).click()
    form = phone.locator("form.correction").bounding_box()
    assert form is not None
    assert round(form["y"] + form["height"]) == PHONE["height"]
    typed_anew = word(phone, 0).bounding_box()
    assert typed_anew is not None
    assert typed_anew["y"] + typed_anew["height"] <= form["y"]
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    context.close()


def test_word_that_is_clicked_while_another_is_saved_stays_open(page: Page) -> None:
    page.evaluate("""() => {
      const { fetch } = window;
      window.fetch = async (...given) => (await new Promise((done) => setTimeout(done, 500)), fetch(...given));
    }""")
    word(page, 0).click()
    editor(page).fill("The")
    editor(page).press("Enter")
    word(page, 1).click()
    expect(editor(page)).to_have_value("cat")
    editor(page).fill("cow")
    page.wait_for_timeout(1000)
    expect(editor(page)).to_have_value("cow")
    editor(page).press("Enter")
    expect(word(page, 1)).to_have_text("cow")
    assert texts(page)[0] == "The"


def test_what_could_not_be_saved_stays_in_the_field_when_another_word_is_clicked(page: Page) -> None:
    word(page, 0).click()
    expect(editor(page)).to_be_focused()
    page.route("**/corrections", lambda route: route.abort())
    editor(page).fill("The")
    word(page, 3).click()
    expect(page.locator(".correction-problem")).to_be_visible()
    expect(editor(page)).to_have_value("The")


@pytest.mark.parametrize("width_px", [1000, 700])
def test_field_of_a_word_at_the_right_stays_within_the_page(page: Page, width_px: int) -> None:
    page.set_viewport_size({"width": width_px, "height": 800})
    word(page, 3).click()
    for _ in ("word", "line"):
        expect(editor(page)).to_be_focused()
        form = page.locator("form.correction").bounding_box()
        assert form is not None
        assert form["x"] + form["width"] <= page.evaluate("document.body.getBoundingClientRect().right")
        editor(page).press("ArrowDown")


def test_bar_that_offers_to_undo_is_put_away_and_says_what_more_it_undoes(page: Page) -> None:
    word(page, 0).click()
    editor(page).fill("The")
    editor(page).press("Enter")
    expect(word(page, 0)).to_have_text("The")
    word(page, 1).click()
    editor(page).fill("cow")
    editor(page).press("Enter")
    expect(word(page, 1)).to_have_text("cow")
    bar = page.locator("#correction-undo")
    bar.get_by_role("button", name="Undo", exact=True).click()
    expect(bar.get_by_role("button", name="Undo one more")).to_be_visible()
    bar.get_by_role("button", name="Close").click()
    expect(bar).to_be_hidden()
    page.keyboard.press("Control+z")
    expect(word(page, 0)).to_have_text("Tbe")


def test_who_is_signed_out_is_told_so_at_the_correction(page: Page) -> None:
    word(page, 0).click()
    page.context.clear_cookies()
    editor(page).fill("The")
    editor(page).press("Enter")
    expect(page.locator(".correction-problem")).to_have_text("You are signed out. Reload the page to sign in again.")


def test_field_has_a_name_and_says_its_keys(page: Page) -> None:
    word(page, 0).click()
    field = page.get_by_role("textbox", name=re.compile("“Tbe” on page 1"))
    expect(field).to_have_accessible_description(re.compile("Enter saves. Tab goes"))
