"""Who may read the metrics without being an administrator."""

import hmac
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from flask import request

_PROXIED: Final = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")


@dataclass(frozen=True, slots=True)
class Scraper:
    """Settings section [metrics]: `on_loopback`, whether a program on this machine needs no token; `token`, of one elsewhere, empty for none."""

    on_loopback: bool
    token: str = field(repr=False)

    def is_caller(self) -> bool:
        """Whether the current request is its."""
        return self._has_token() or (self.on_loopback and _is_from_this_machine())

    def _has_token(self) -> bool:
        given = request.authorization
        if not self.token or given is None or given.type != "bearer" or not given.token:
            return False
        return hmac.compare_digest(given.token.encode(), self.token.encode())


def _is_from_this_machine() -> bool:
    """A request that a proxy on this machine passes on comes from elsewhere; most say so, and some hide it."""
    if any(header in request.headers for header in _PROXIED):
        return False
    try:
        return ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
