"""Looking up names of hosts without holding up the Backend: in threads of their own, since a name server may keep each for a minute.

gevent's own resolver takes the threads that the database's work needs.
"""

import socket
from typing import Final

import gevent
from gevent import monkey
from gevent.threadpool import ThreadPool

from recto.errors import NoAnswer

_AT_ONCE: Final = 8


class NameResolver:
    """A `Resolve` of recto/outbound/guard.py."""

    def __init__(self) -> None:
        self._threads = ThreadPool(_AT_ONCE)

    def __call__(self, host: str, port: int, timeout_s: float) -> list[str]:
        """Addresses of a host; none where it has none. NoAnswer where that takes too long; the thread ends when the resolver does."""
        late = NoAnswer("The name of the host takes too long to be looked up.", reason="timed_out")
        with gevent.Timeout(timeout_s, late):
            return self._threads.apply(_look_up, (host, port))


def _look_up(host: str, port: int) -> list[str]:
    """In a thread that gevent knows nothing of."""
    try:
        found = monkey.get_original("socket", "getaddrinfo")(host, port, type=socket.SOCK_STREAM)
    except (
        OSError,
        UnicodeError,
    ):  # a name without an address; gevent would print the traceback of what leaves the thread
        return []
    return [str(address[0]) for *_, address in found]
