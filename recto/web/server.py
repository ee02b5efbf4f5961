"""The HTTP edge of the gevent server: which requests are not even parsed, and how long a silent client is listened to."""

import re
from http.client import HTTPException
from typing import Any, Final

from gevent.pywsgi import WSGIHandler

SILENCE_S: Final = 90.0
"""A connection on which nothing moves for this long is closed. A held request is no silence: nothing is read meanwhile."""

_LENGTH: Final = re.compile(r"[0-9]{1,18}")


class RectoHandler(WSGIHandler):
    """One connection. Refuses a body whose length can be understood in two ways: a proxy in front might choose the other."""

    def __init__(self, sock: Any, address: Any, server: Any) -> None:
        sock.settimeout(SILENCE_S)
        super().__init__(sock, address, server)

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
