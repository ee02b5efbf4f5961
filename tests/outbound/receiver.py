"""A receiver on this machine that does what receivers on the internet do: it answers well, badly, late, without end, or not at all."""

import socketserver
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

LATE_S: Final = 0.3
_TLS_HELLO: Final = b"\x16"
_OK: Final = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


class Receiver:
    """Answers a path by the behaviour of its name (`/fail?x=1` by `fail`), and keeps what it was sent. Closed at the end of the block."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.came = threading.Condition()
        self._closing = threading.Event()
        self.behaviours: dict[str, Callable[[Handler], None]] = {
            "ok": lambda handler: handler.send(_OK),
            "fail": lambda handler: handler.send(head(500)),
            "busy": lambda handler: handler.send(head(503)),
            "gone": lambda handler: handler.send(head(410)),
            "missing": lambda handler: handler.send(head(404)),
            "redirect": lambda handler: handler.send(head(302, "Location: /ok")),
            "redirect-inside": lambda handler: handler.send(
                head(307, "Location: http://169.254.169.254/latest/meta-data")
            ),
            "late": self._late,
            "hang": self._hang,
            "endless": self._endless,
            "endless-head": self._endless_head,
            "drip": lambda handler: self._drip(handler, b"HTTP/1.1 200 OK\r\nX-Slow: "),
            "drip-body": lambda handler: self._drip(handler, head(200)),
            "nonsense": lambda handler: handler.send(b"SSH-2.0-OpenSSH_9.2\r\n"),
            "hang-up": lambda handler: None,
            "document": lambda handler: handler.send(head(200, "Content-Length: 5") + b"%PDF-"),
        }
        receiver = self

        class Bound(Handler):
            def handle(self) -> None:
                receiver.answer(self)

        self._server = _Server(("127.0.0.1", 0), Bound)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> "Receiver":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def url(self, behaviour: str) -> str:
        """Where it behaves so."""
        return f"http://127.0.0.1:{self.port}/{behaviour}"

    def answer(self, handler: "Handler") -> None:
        """Take a request and behave as its path says."""
        request = handler.receive()
        if not request:
            return
        with self.came:
            self.requests.append(request)
            self.came.notify_all()
        name = request.split(b" ")[1].decode().removeprefix("/").partition("?")[0]
        with suppress(OSError):  # who hangs up is not waited for
            self.behaviours[name](handler)

    def wait_for(self, count: int, timeout_s: float = 20.0) -> list[bytes]:
        """The requests when there are so many."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.requests) >= count, timeout_s), self.requests
            return list(self.requests)

    def _late(self, handler: "Handler") -> None:
        self._closing.wait(LATE_S)
        handler.send(_OK)

    def _hang(self, _handler: "Handler") -> None:
        self._closing.wait(60)

    def _endless(self, handler: "Handler") -> None:
        handler.send(head(200))
        while not self._closing.is_set():
            handler.send(bytes(65536))

    def _endless_head(self, handler: "Handler") -> None:
        handler.send(b"HTTP/1.1 200 OK\r\n")
        while not self._closing.is_set():
            handler.send(b"X-More: " + b"x" * 1000 + b"\r\n")

    def _drip(self, handler: "Handler", start: bytes) -> None:
        """A byte now and then: each comes well before a socket's own time limit."""
        handler.send(start)
        while not self._closing.wait(0.02):
            handler.send(b"x")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    """The library's 5 are fewer than senders call at once: the kernel drops what it has no room for, and tries again a second later."""


class Handler(socketserver.BaseRequestHandler):
    """One connection."""

    def receive(self) -> bytes:
        """A whole request."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = self.request.recv(65536)
            if not more:
                return b""
            data += more
            if data.startswith(_TLS_HELLO):
                self.send(head(400))
                return b""
        start, _, body = data.partition(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in start.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        while lengths and len(body) < int(lengths[0]):
            more = self.request.recv(65536)
            if not more:
                return b""
            body += more
        return start + b"\r\n\r\n" + body

    def send(self, data: bytes) -> None:
        """Send it all."""
        self.request.sendall(data)


def head(status: int, *headers: str) -> bytes:
    """The head of an answer."""
    return "\r\n".join([f"HTTP/1.1 {status} Status", "Connection: close", *headers, "", ""]).encode()
