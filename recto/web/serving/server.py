"""The HTTP edge of the gevent server: which requests are not even parsed, how long a silent client is listened to, and its stop."""

import io
import re
import socket
from contextlib import suppress
from http.client import HTTPException
from typing import Any, Final, cast

from gevent.event import Event
from gevent.pywsgi import WSGIHandler, WSGIServer

from recto.web.serving.slow_clients import ClientReader, Patience
from recto.web.waiting.twins import SEND, Answered
from recto.web.waiting.websocket import TAKE_OVER, Connection

_REQUEST_TIMEOUT: Final = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 15\r\n\r\nRequest Timeout"
_LENGTH: Final = re.compile(r"[0-9]{1,18}")


class RectoServer(WSGIServer):
    """Knows how many requests it is answering: at its stop those are waited for, and idle connections are not."""

    def __init__(self, address: tuple[str, int], application: Any, patience: Patience) -> None:
        super().__init__(address, application, log=None, error_log=None, handler_class=RectoHandler)
        self.patience = patience
        self._answering = 0
        self._is_quiet = Event()
        self._is_quiet.set()

    def request_begins(self) -> None:
        """Called before a request is handed to the application."""
        self._answering += 1
        self._is_quiet.clear()

    def request_ends(self) -> None:
        """Called when its answer is sent, or its client gone."""
        self._answering -= 1
        if not self._answering:
            self._is_quiet.set()

    def stop_gently(self, timeout_s: float) -> None:
        """Take no new connections, let running requests end for as long, then close everything."""
        self.close()
        self._is_quiet.wait(timeout_s)
        self.stop(timeout=0)


class RectoHandler(WSGIHandler):
    """One connection of a RectoServer. Refuses a body whose length can be understood in two ways: a proxy in front might choose the other."""

    def __init__(self, sock: Any, address: Any, server: RectoServer) -> None:
        super().__init__(sock, address, server)
        self.rfile.close()
        self._client = ClientReader(sock, server.patience)
        self.rfile = io.BufferedReader(self._client)

    def handle_one_request(self) -> Any:
        """One request, from waiting for it to its end. Nothing more is read from a client that was too slow."""
        self._client.await_request()
        more = super().handle_one_request()
        return None if more is True and self._client.is_overdue else more

    def _handle_client_error(self, ex: Exception) -> Any:
        """gevent's hook for what is wrong with a request before the application sees it."""
        if isinstance(ex, TimeoutError):
            return "408", _REQUEST_TIMEOUT
        return super()._handle_client_error(ex)  # type: ignore[misc]  # the types leave it out

    def handle_error(self, t: Any, v: Any, tb: Any) -> None:
        """gevent's hook for faults. A client that does not take its answer is none of this program, as one that hangs up is not."""
        if isinstance(v, TimeoutError):
            self.close_connection = True
        else:
            super().handle_error(t, v, tb)

    def get_environ(self) -> Any:
        """What the application is told of the request, and how it gets hold of the connection for a WebSocket."""
        environ = super().get_environ()
        environ[TAKE_OVER] = self._take_over
        environ[SEND] = self._send
        return environ

    def _send(self, answer: bytes) -> None:
        """All of an answer, in the place of what the application would give. Who asked for it to be the last one has the end at once.

        A client that is gone, or takes nothing, misses it.
        """
        self.headers_sent = True
        self.response_length = len(answer)
        try:
            self.socket.sendall(answer)
        except OSError:
            self.close_connection = True
        if self.close_connection:
            with suppress(OSError):  # the client was quicker
                self.socket.shutdown(socket.SHUT_WR)

    def _take_over(self) -> Connection:
        """No request follows on this connection; it is closed when the application has returned."""
        self.close_connection = True
        self._client.await_messages()
        return Connection(self.socket, self.rfile)

    def run_application(self) -> None:
        """Let the application answer. Of the body that it did not want, the rest is taken for a moment only."""
        self._client.await_body()
        try:
            super().run_application()
        except Answered:
            pass  # by _send
        finally:
            self._client.linger()

    def handle_one_response(self) -> None:
        """One request from its headers to the end of its answer."""
        server = cast(RectoServer, self.server)
        server.request_begins()
        try:
            super().handle_one_response()
        finally:
            server.request_ends()

    def MessageClass(self, *args: Any) -> Any:  # noqa: N802 - gevent's name
        """Parse the headers. ValueError, which gevent answers with 400, where they are ambiguous or too many."""
        try:
            headers = super().MessageClass(*args)
        except HTTPException as error:
            raise ValueError(str(error)) from error
        check_framing(headers.get_all("content-length", []), headers.get_all("transfer-encoding", []))
        return headers


def check_framing(lengths: list[str], encodings: list[str]) -> None:
    """ValueError unless the headers give one length, or one chunked encoding, or neither (RFC 9112, section 6.3)."""
    if len(lengths) + len(encodings) > 1:
        raise ValueError("The length of the body is given more than once.")
    if any(not _LENGTH.fullmatch(length.strip()) for length in lengths):
        raise ValueError("Content-Length is no number of bytes.")
    if any(encoding.strip().lower() != "chunked" for encoding in encodings):
        raise ValueError("The only Transfer-Encoding taken is chunked.")
