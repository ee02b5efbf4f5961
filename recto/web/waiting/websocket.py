"""WebSockets (RFC 6455) on a connection of the gevent server. The protocol is the websockets library's; the bytes are moved here."""

import io
import logging
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import quote

from flask import Response
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from werkzeug.datastructures import Headers as RequestHeaders

from recto.errors import UpgradeRequired

TAKE_OVER: Final = "recto.take_over"
"""Where a request's environment has the function that gives the Connection away."""
_PROTOCOL_LOG: Final = logging.getLogger(f"{__name__}.protocol")
_PROTOCOL_LOG.setLevel(logging.WARNING)  # the library has a line for each connection
_MOST_BYTES: Final = 1024
"""Of one message of a client, which has nothing to say here."""
_CLOSE_S: Final = 2.0
"""How long a client may take to answer a close."""
_NO_MESSAGES: Final = "This stream takes no messages."
_OF_A_BODY: Final = frozenset({"content-length", "transfer-encoding"})


class Connection:
    """What is left when a request was taken from its connection: bytes to and from the client, under the server's time limits."""

    def __init__(self, sock: Any, reader: io.BufferedReader) -> None:
        self._socket = sock
        self._reader = reader

    def receive(self) -> bytes:
        """The bytes that come next; empty at the end. TimeoutError after too long a silence, OSError where the connection is gone."""
        return self._reader.read1()

    def send(self, data: bytes) -> None:
        """All of it. TimeoutError where the client does not take it, OSError where it is gone."""
        self._socket.sendall(data)

    def end(self) -> None:
        """Nothing is sent or received any more. Who waits in `receive` gets the end."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the client was quicker


def handshake(method: str, path: str, headers: RequestHeaders) -> tuple[ServerProtocol, bytes]:
    """The protocol of an opened WebSocket and the bytes that open it. UpgradeRequired where the request is no handshake."""
    protocol = ServerProtocol(max_size=_MOST_BYTES, logger=_PROTOCOL_LOG)
    sent = Headers([(name, value) for name, value in headers.items() if name.lower() not in _OF_A_BODY])
    protocol.receive_data(Request(quote(path), sent).serialize())
    request = next(iter(protocol.events_received()), None)
    if method != "GET" or not isinstance(request, Request):
        raise _no_handshake("the request could not be understood")
    answer = protocol.accept(request)
    if isinstance(protocol.handshake_exc, InvalidHandshake):
        raise _no_handshake(str(protocol.handshake_exc))
    protocol.send_response(answer)
    return protocol, b"".join(protocol.data_to_send())


def _no_handshake(why: str) -> UpgradeRequired:
    return UpgradeRequired(
        f"This address speaks WebSocket and the request is no handshake of version 13: {why.rstrip('.')}. "
        "Open it with a WebSocket client, or take the events under …/events."
    )


class WebSocket:
    """An opened WebSocket that only sends. Messages of the client end it; pings are answered, and its going calls `on_end`."""

    def __init__(self, connection: Connection, protocol: ServerProtocol, on_end: Callable[[], None]) -> None:
        self._connection = connection
        self._protocol = protocol
        self._on_end = on_end
        self._lock = threading.Lock()  # frames of two greenlets must not mix
        self._listener = threading.Thread(target=self._listen, name="websocket", daemon=True)
        self._listener.start()

    def send(self, text: str) -> None:
        """One message. Nothing where the WebSocket is being closed. OSError, TimeoutError."""
        with self._lock:
            if self._protocol.state is State.OPEN:
                self._protocol.send_text(text.encode())
                self._flush()

    def ping(self) -> None:
        """Ask the client whether it is there: one that does not answer is silent, and let go."""
        with self._lock:
            if self._protocol.state is State.OPEN:
                self._protocol.send_ping(b"")
                self._flush()

    def close(self, code: CloseCode, reason: str) -> None:
        """Close in order where the client does its part in time, and in any case."""
        try:
            with self._lock:
                if self._protocol.state is State.OPEN:
                    self._protocol.send_close(code, reason)
                    self._flush()
            self._listener.join(_CLOSE_S)
        except OSError:
            pass  # gone already
        finally:
            self._connection.end()
            self._listener.join()

    def _listen(self) -> None:
        """Take what the client sends, until one of both has closed."""
        try:
            while not self._protocol.close_expected():
                data = self._connection.receive()
                with self._lock:
                    if data:
                        self._protocol.receive_data(data)
                        self._refuse(self._protocol.events_received())
                    else:
                        self._protocol.receive_eof()
                    self._flush()
                if not data:
                    break
        except (OSError, ValueError):
            pass  # silent for too long, or gone, or closed meanwhile
        finally:
            self._on_end()

    def _refuse(self, frames: Iterable[Any]) -> None:
        for frame in frames:
            if isinstance(frame, Frame) and self._protocol.state is State.OPEN:
                if frame.opcode is Opcode.TEXT:
                    self._protocol.send_close(CloseCode.POLICY_VIOLATION, _NO_MESSAGES)
                elif frame.opcode is Opcode.BINARY:
                    self._protocol.send_close(CloseCode.UNSUPPORTED_DATA, _NO_MESSAGES)

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:  # what is empty asks for the end of the connection, which comes from `close`
                self._connection.send(data)


class WebSocketResponse(Response):
    """101. `converse` is run in the place of a body, when all that looks at answers has seen this one."""

    def __init__(self, converse: Callable[[], None]) -> None:
        super().__init__(status=101)
        self._converse = converse

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """See WSGI. The server is told of no answer: the connection is no longer one of HTTP."""
        del environ, start_response
        self._converse()
        return []
