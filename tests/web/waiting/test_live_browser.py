"""The streams in a real Chromium that is signed in: EventSource and WebSocket, cut off by a Backend that is stopped in the middle."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.ports import free_port
from tests.web.chromium import launched, sign_in
from tests.web.clients import PASSWORD
from tests.web.followers import PATIENCE_S, SseFollower, WebSocketFollower, paths_of
from tests.web.hand_worker import HandWorker
from tests.web.live_server import LiveServer
from tests.web.openapi.test_api_docs import DOCS
from tests.web.waiting.test_live import PAGES, expected_pages, read_pages, submit

pytestmark = pytest.mark.services

(EXAMPLE,) = re.findall(r"```js\n(.*?)```", DOCS.partition("\n## Live\n")[2].partition("\n## ")[0], re.DOTALL)
FOLLOW = """path => {
    window.messages = [];
    window.opened = 0;
    const source = new EventSource(path);
    source.onopen = () => window.opened += 1;
    source.onerror = () => window.state = source.readyState;
    for (const name of ["status", "progress", "page", "end", "deleted"]) {
        source.addEventListener(name, (event) => {
            const message = JSON.parse(event.data);
            if (event.lastEventId !== String(message.id)) throw new Error("the ids differ");
            window.messages.push(message);
        });
    }
}"""
WEB_SOCKET = """({host, path}) => new Promise((resolve) => {
    const events = [];
    const socket = new WebSocket(`ws://${host}${path}`);
    socket.onmessage = (message) => events.push(JSON.parse(message.data));
    socket.onclose = (close) => resolve({events, code: close.code});
})"""


@contextmanager
def signed_in_page(address: str) -> Iterator[Page]:
    """A page of Recto in a browser that is signed in."""
    with launched() as browser:
        page = browser.new_page()
        sign_in(page, f"{address}/")
        yield page


def wait_for(page: Page, condition: str) -> None:
    """Until JavaScript says so. Playwright's own way is to evaluate a string, which the page's policy forbids."""
    until_s = time.monotonic() + PATIENCE_S
    while not page.evaluate(condition):
        assert time.monotonic() < until_s, condition
        page.wait_for_timeout(50)


def pages_of(messages: list[dict[str, Any]]) -> list[tuple[int, str | None]]:
    return [(message["page"]["number"], message["page"]["text"]) for message in messages if message["event"] == "page"]


def test_event_source_goes_on_by_itself_after_the_backend_was_stopped(tmp_path: Path) -> None:
    environ = {"RECTO_ADMIN_PASSWORD": PASSWORD, "RECTO_SERVER_PORT": str(free_port())}
    server = LiveServer(tmp_path / "storage", environ)
    worker = HandWorker(server.folder)
    try:
        uuid = submit(server, worker.token_of("admin"))
        claim = worker.claim(PAGES)
        order = list(range(PAGES, 0, -1))
        with signed_in_page(server.address) as page:
            page.evaluate(FOLLOW, paths_of(uuid, SseFollower))
            read_pages(worker, claim, order[:9])
            wait_for(page, "window.messages.length === 12")
            server.stop()
            read_pages(worker, claim, order[9:14])  # nobody hears of them
            server.log.unlink()
            server = LiveServer(tmp_path / "storage", environ)
            wait_for(page, "window.messages.length === 17")
            read_pages(worker, claim, order[14:])
            worker.finish(claim)
            # After the end it comes back once more, and hears by 204 that it need not.
            wait_for(page, "window.state === EventSource.CLOSED")
            messages = page.evaluate("window.messages")
            assert page.evaluate("window.opened") == 2
            printed: list[str] = []
            page.on("console", lambda message: printed.append(message.text))
            with page.expect_console_message(lambda message: message.text == "FINISHED"):
                page.evaluate(f"uuid => {{ {EXAMPLE} }}", uuid)
            by_socket = page.evaluate(
                WEB_SOCKET, {"host": f"{server.host}:{server.port}", "path": paths_of(uuid, WebSocketFollower)}
            )
    finally:
        server.stop()
        worker.close()
    assert pages_of(messages) == expected_pages(order)
    texts = [f"{number} {'null' if text is None else text}" for number, text in expected_pages(order)]
    assert printed == [*texts, "FINISHED"]
    assert [message["id"] for message in messages] == sorted({message["id"] for message in messages})
    assert (by_socket["events"], by_socket["code"]) == (messages, 1000)


class _BlankPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """A page on another port: another origin of the same site, to which SameSite cookies are sent."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _BlankPage) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_websocket_of_a_page_from_elsewhere_is_refused_in_spite_of_the_cookie(live: LiveServer, elsewhere: str) -> None:
    before = len(live.events())
    with signed_in_page(live.address) as page:
        page.goto(elsewhere)
        closed = page.evaluate(WEB_SOCKET, {"host": f"{live.host}:{live.port}", "path": "/api/v1/stream"})
    assert (closed["events"], closed["code"]) == ([], 1006)
    answers = [event["status"] for event in live.events()[before:] if event.get("path") == "/api/v1/stream"]
    assert answers == [403]
