"""How long a client may take to send: its headers, its body, and what it goes on sending after it was answered.

A limit on silence alone is not enough: who sends one byte a minute is never silent, and holds a connection for days (Slowloris).
"""

import io
import time
from dataclasses import dataclass
from typing import Any, Final

SILENCE_S: Final = 90.0
"""A connection on which nothing moves for this long is closed. A held request is no silence: nothing is read meanwhile."""
LINGER_S: Final = 30.0
"""How long the rest of a body is still taken in after its request was answered, so that the client gets to read the answer."""


@dataclass(frozen=True, slots=True)
class Patience:
    """The numbers of settings section [limits] that this needs. Seconds, bytes a second."""

    header_timeout_s: float
    body_timeout_s: float
    min_body_bytes_per_s: int


class ClientReader(io.RawIOBase):
    """The bytes of a connection's client. TimeoutError where they take longer than it may: `is_overdue` from then on.

    Time counts while the client is waited for, not while the application works on what has arrived.
    """

    def __init__(self, sock: Any, patience: Patience) -> None:
        super().__init__()
        self._sock = sock
        self._patience = patience
        self._ends_s: float | None = None
        self._awaits_request = True
        self._is_conversation = False
        self._waited_s = 0.0
        self._received_bytes = 0
        self.is_overdue = False
        sock.settimeout(SILENCE_S)

    def readable(self) -> bool:
        """See io.IOBase."""
        return True

    def await_request(self) -> None:
        """The next request may take its time to begin. From its first byte on, its headers may not."""
        self._awaits_request = True
        self._ends_s = None

    def await_body(self) -> None:
        """The headers are there; a body has a speed to keep."""
        self._awaits_request = False
        self._ends_s = None
        self._waited_s, self._received_bytes = 0.0, 0

    def await_messages(self) -> None:
        """The connection is a WebSocket from now on: its client may be slow, but has to answer pings."""
        self._is_conversation = True
        self._ends_s = None

    def linger(self) -> None:
        """The request was answered: what is left of its body is taken for a moment only."""
        self._ends_s = time.monotonic() + LINGER_S

    def readinto(self, buffer: Any) -> int:
        """See io.RawIOBase."""
        if self.is_overdue:
            raise TimeoutError("The client was too slow already.")
        try:
            count = self._receive(buffer)
        except TimeoutError:
            self.is_overdue = True
            raise
        if self._awaits_request:
            self._awaits_request = False
            self._ends_s = time.monotonic() + self._patience.header_timeout_s
        return count

    def _receive(self, buffer: Any) -> int:
        while True:
            began_s = time.monotonic()
            self._sock.settimeout(self._timeout_s(began_s))
            try:
                count = int(self._sock.recv_into(buffer))
            except TimeoutError:
                if not self._keeps_a_speed:
                    raise
                self._judge(time.monotonic() - began_s, 0)
                continue
            finally:
                self._sock.settimeout(SILENCE_S)  # of what is sent
            if self._keeps_a_speed:
                self._judge(time.monotonic() - began_s, count)
            return count

    @property
    def _keeps_a_speed(self) -> bool:
        return not self._is_conversation and not self._awaits_request and self._ends_s is None

    def _timeout_s(self, now_s: float) -> float:
        if self._awaits_request or (self._is_conversation and self._ends_s is None):
            return SILENCE_S
        if self._ends_s is None:
            return self._patience.body_timeout_s - self._waited_s
        if self._ends_s <= now_s:
            raise TimeoutError("The client took too long to send its request.")
        return self._ends_s - now_s

    def _judge(self, waited_s: float, received_bytes: int) -> None:
        """Look at the speed each time that the client was waited for long enough, and begin to count anew."""
        self._waited_s += waited_s
        self._received_bytes += received_bytes
        if self._waited_s < self._patience.body_timeout_s:
            return
        # Nothing at all is too slow for any minimum, also for 0.
        if self._received_bytes < max(1.0, self._waited_s * self._patience.min_body_bytes_per_s):
            raise TimeoutError("The client sends its body too slowly.")
        self._waited_s, self._received_bytes = 0.0, 0
