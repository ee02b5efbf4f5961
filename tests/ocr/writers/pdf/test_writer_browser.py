"""The searchable PDF in Chromium's viewer: a double click takes the word under the mouse, a drag takes a phrase."""

import io
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Frame, Page, sync_playwright

from recto.ocr.page import Page as RecognisedPage
from recto.ocr.page import Point, Quad
from tests.drawing import LINES, draw_page, font, save_pdf
from tests.ocr.writers.pdf.samples import line_of, page_of, recognised, upright, written

pytestmark = pytest.mark.services

ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
VIEWER = "chrome-extension://"
CSS_PX_PER_POINT = 96 / 72
IS_ACTIVE = "Boolean(document.querySelector('pdf-viewer')?.pluginController_?.isActive)"
SELECTED_TEXT = """async () => {
    const viewer = document.querySelector('pdf-viewer');
    return (await viewer.pluginController_.getSelectedText()).selectedText;
}"""


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files and logs nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pdfs")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Playwright's own headless mode is a build without the viewer.
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", headless=False, args=ARGUMENTS)
        yield chromium
        chromium.close()


class Viewer:
    """A PDF at 100 %, and where its pixels are on the screen."""

    def __init__(self, page: Page, address: str, recognised_page: RecognisedPage) -> None:
        self._page, self._recognised = page, recognised_page
        page.goto(f"{address}#zoom=100&toolbar=0&navpanes=0")
        self._frame = self._viewer_frame()
        self._wait_until_active()
        page.wait_for_timeout(1500)
        left, top = self._paper()
        self._left, self._top = left, top

    def double_click(self, at: Point) -> str:
        """What is selected then; `at` in pixels of the recognised page."""
        self._page.mouse.dblclick(*self._on_screen(at))
        return self._selected()

    def drag(self, start: Point, end: Point) -> str:
        """What is selected then."""
        self._page.mouse.move(*self._on_screen(start))
        self._page.mouse.down()
        self._page.mouse.move(*self._on_screen(end), steps=5)
        self._page.mouse.up()
        return self._selected()

    def highlighted_share(self, quad: Quad) -> float:
        """How much of an upright box around the quad has another colour than paper and ink."""
        xs, ys = zip(*(self._on_screen(corner) for corner in quad), strict=True)
        pixels = self._screenshot()[round(min(ys)) : round(max(ys)), round(min(xs)) : round(max(xs))].astype(int)
        return float((pixels[:, :, 2] - pixels[:, :, 0] > 15).mean())

    def _on_screen(self, point: Point) -> Point:
        scale = CSS_PX_PER_POINT * 72 / self._recognised.dpi
        return self._left + point[0] * scale, self._top + point[1] * scale

    def _selected(self) -> str:
        self._page.wait_for_timeout(300)
        return str(self._frame.evaluate(SELECTED_TEXT)).strip()

    def _wait_until_active(self) -> None:
        """Asked for again and again from here: the viewer's policy forbids the loop that Playwright would evaluate in it."""
        for _ in range(100):
            if self._frame.evaluate(IS_ACTIVE):
                return
            self._page.wait_for_timeout(100)
        raise AssertionError("Chromium's viewer showed no document.")

    def _viewer_frame(self) -> Frame:
        self._page.wait_for_timeout(500)
        for _ in range(40):
            for frame in self._page.frames:
                if frame.evaluate("location.href").startswith(VIEWER):
                    return frame
            self._page.wait_for_timeout(250)
        raise AssertionError("Chromium showed no viewer.")

    def _paper(self) -> Point:
        """The upper left corner of the page: the first light pixel, on the viewer's dark ground."""
        rows, columns = (self._screenshot().min(axis=2) > 200).nonzero()
        return float(columns.min()), float(rows.min())

    def _screenshot(self) -> np.ndarray:
        return np.asarray(Image.open(io.BytesIO(self._page.screenshot())).convert("RGB"))


def viewer(browser: Browser, address: str, folder: Path, name: str, source: Path, page: RecognisedPage) -> Viewer:
    (folder / name).write_bytes(written([page], source))
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    return Viewer(context.new_page(), f"{address}/{name}", page)


def middle(quad: Quad) -> Point:
    return sum(x for x, _ in quad) / 4, sum(y for _, y in quad) / 4


@pytest.mark.parametrize("skew_deg", [0.0, 1.5, -5.0])
def test_words_of_a_skewed_scan_are_selected_where_they_are_seen(
    browser: Browser, address: str, folder: Path, tmp_path: Path, skew_deg: float
) -> None:
    drawn = draw_page(skew_deg=skew_deg)
    page = recognised(drawn, LINES)
    shown = viewer(
        browser, address, folder, f"skew{skew_deg}.pdf", save_pdf(tmp_path / "scan.pdf", [drawn.pixels]), page
    )
    words = page.words
    for index in (1, 20, 42, len(words) - 3):
        assert shown.double_click(middle(words[index].quad)) == words[index].text.rstrip(".,")
        assert shown.highlighted_share(words[index].quad) > 0.5
    (first_x, first_y), (last_x, last_y) = middle(words[0].quad), middle(words[4].quad)
    phrase = shown.drag((words[0].quad[0][0] + 2, first_y), (words[4].quad[1][0] - 2, last_y))
    assert phrase.split() == [word.text for word in words[:5]]
    assert first_x < last_x


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_words_of_a_turned_photo_are_selected_where_they_are_seen(
    browser: Browser, address: str, folder: Path, tmp_path: Path, orientation: int
) -> None:
    drawn = draw_page()
    stored = Image.fromarray(drawn.pixels).transpose(Image.Transpose({3: 3, 6: 2, 8: 4}[orientation]))
    exif = Image.Exif()
    exif[274] = orientation
    path = tmp_path / "photo.jpg"
    stored.save(path, exif=exif)
    page = recognised(drawn, LINES)
    shown = viewer(browser, address, folder, f"photo{orientation}.pdf", path, page)
    for index in (1, 20, 42):
        assert shown.double_click(middle(page.words[index].quad)) == page.words[index].text
        assert shown.highlighted_share(page.words[index].quad) > 0.5


def test_hebrew_line_is_selected_in_its_logical_order(
    browser: Browser, address: str, folder: Path, tmp_path: Path
) -> None:
    image = Image.new("L", (1200, 400), 255)
    from PIL import ImageDraw

    ImageDraw.Draw(image).text((300, 100), "םולש םלוע", fill=0, font=font(100))
    path = tmp_path / "hebrew.png"
    image.save(path)
    words: list[tuple[str, Quad]] = [
        ("עולם", upright(620, 100, 860, 200)),
        ("שלום", upright(300, 100, 580, 200)),
    ]
    page = page_of([line_of(words)], 1200, 400)
    shown = viewer(browser, address, folder, "hebrew.pdf", path, page)
    assert shown.double_click(middle(words[1][1])) == "שלום"
    assert shown.drag((864, 150), (296, 150)).split() == ["עולם", "שלום"]
