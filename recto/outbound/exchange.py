"""One request to an address that a user names, and its answer: to the addresses that the guard has judged, within one time limit.

Built on http.client, which follows no redirect, knows no proxy, keeps no cookie and unpacks no content: nothing of that has to be
switched off. The time limit is one for everything from the first packet to the last byte: a socket's own begins anew with every byte.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Final

from recto.errors import NoAnswer
from recto.outbound.guard import Address, Guard, Target

_STRIKE_AGAIN_S: Final = 0.25
_HTTPS_PORT: Final = 443


class Answer:
    """What comes back. Read within the block that it was given for."""

    def __init__(self, response: HTTPResponse, limit: "_TimeLimit") -> None:
        self._response = response
        self._limit = limit
        self.status = response.status

    def header(self, name: str) -> str:
        """A header's value; empty where there is none."""
        return self._response.headers.get(name, "")

    def read(self, size: int) -> bytes:
        """At most so many bytes more; empty at the end. NoAnswer where the time is up or the connection breaks."""
        with self._limit.translated():
            return self._response.read(size)


class Outbound:
    """Sends requests under a guard. `tls` gives whose certificates are believed; it is asked where a connection is to be encrypted."""

    def __init__(self, guard: Guard, tls: Callable[[], ssl.SSLContext]) -> None:
        self.guard = guard
        self._tls = tls

    @contextmanager
    def answer(
        self, method: str, url: str, headers: Mapping[str, str], timeout_s: float, body: bytes | None = None
    ) -> Iterator[Answer]:
        """The answer to a request, whatever its status, while the block runs. AddressRefused, NoAnswer."""
        started_s = time.monotonic()
        target = self.guard.target(url)
        addresses = self.guard.addresses(target, timeout_s)
        connection = _PinnedConnection(target, addresses, self._tls)
        with _TimeLimit(connection, started_s + timeout_s) as limit, ExitStack() as opened:
            with limit.translated():
                connection.request(method, target.path, body, {**headers, "Connection": "close"})
                response = opened.enter_context(closing(connection.getresponse()))
            yield Answer(response, limit)


class _PinnedConnection(HTTPConnection):
    """Connects to addresses that are given, and to no other. Name and port of the URL stand in the Host header and the certificate."""

    def __init__(self, target: Target, addresses: tuple[Address, ...], tls: Callable[[], ssl.SSLContext]) -> None:
        super().__init__(target.host, target.port)
        self._target = target
        self._addresses = addresses
        self._tls = tls
        self._socket: socket.socket | None = None
        self.until_s = 0.0
        if target.scheme == "https":
            self.default_port = _HTTPS_PORT  # which the Host header leaves out

    def connect(self) -> None:
        """See HTTPConnection. The addresses share the time, so that one that is dead leaves some to the next."""
        for left, address in zip(range(len(self._addresses), 0, -1), self._addresses, strict=True):
            try:
                self._connect_to(address, self._remaining_s() / left)
                break
            except OSError:
                if left == 1:
                    raise
        self._encrypt()

    def strike(self) -> None:
        """End whatever waits for this connection, from another thread. `sock` is gone by the time that an answer is read."""
        if self._socket is not None:
            with suppress(OSError):  # not connected yet, or not any more
                self._socket.shutdown(socket.SHUT_RDWR)

    def _connect_to(self, address: Address, timeout_s: float) -> None:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        self.sock = self._socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self.sock.settimeout(timeout_s)
            self.sock.connect((str(address), self._target.port))
        except OSError:
            self.sock.close()  # the connection's own `close` would forget what is being sent
            raise

    def _encrypt(self) -> None:
        self.sock.settimeout(self._remaining_s())
        if self._target.scheme == "https":
            name = self._target.host
            encrypted = self._tls().wrap_socket(self.sock, server_hostname=name, do_handshake_on_connect=False)
            self.sock = self._socket = encrypted
            encrypted.do_handshake()

    def _remaining_s(self) -> float:
        remaining_s = self.until_s - time.monotonic()
        if remaining_s <= 0:
            raise TimeoutError
        return remaining_s


class _TimeLimit:
    """Ends a connection when its time is up, whatever it waits for, and closes it at the end of the block."""

    def __init__(self, connection: _PinnedConnection, until_s: float) -> None:
        self._connection = connection
        self._until_s = connection.until_s = until_s
        self._is_late = False
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="time-limit", daemon=True)

    def __enter__(self) -> "_TimeLimit":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._connection.close()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """What goes wrong in the block is NoAnswer. Where the time is up, an end that looks regular is one as well."""
        try:
            yield
        except (OSError, HTTPException, ValueError) as error:
            raise self._explained(error) from error
        if self._is_late:
            raise _timed_out()

    def _watch(self) -> None:
        pause_s = max(0.0, self._until_s - time.monotonic())
        while not self._done.wait(pause_s):
            self._is_late = True
            self._connection.strike()
            pause_s = _STRIKE_AGAIN_S  # the socket may just have been taken over by another one, for TLS

    def _explained(self, error: Exception) -> NoAnswer:
        if self._is_late or isinstance(error, TimeoutError):
            return _timed_out()
        if isinstance(error, ssl.SSLCertVerificationError):
            detail = (
                f"The certificate of the host does not hold: {error.verify_message}. Mend it there, or check the URL."
            )
            return NoAnswer(detail, reason="certificate_refused")
        if isinstance(error, OSError) and not isinstance(error, ConnectionResetError):
            detail = f"There is no connection to the host: {error.strerror or type(error).__name__}. See whether it is running."
            return NoAnswer(detail, reason="connection_failed")
        return NoAnswer(
            "The host ended the connection, or sent what is no HTTP answer. See its log.", reason="bad_answer"
        )


def _timed_out() -> NoAnswer:
    return NoAnswer(
        "The host took too long. See whether it is running, and have it answer at once.", reason="timed_out"
    )


def resolve(host: str, port: int, _timeout_s: float) -> list[str]:
    """Addresses of a host by the system's resolver, which keeps its own time limit. NoAnswer where there is none."""
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise NoAnswer(
            "The name of the host has no address at the moment. Check the URL.", reason="name_not_found"
        ) from error
