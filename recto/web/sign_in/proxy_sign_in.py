"""Sign-in at a proxy in front, which names in a header who has signed in there. Believed from the proxy's own addresses alone."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from flask import request

from recto.users.identities import PROXY, Identity


@dataclass(frozen=True, slots=True)
class ProxySignIn:
    """Settings section [proxy_sign_in]."""

    header: str
    trusted: tuple[IPv4Network | IPv6Network, ...]
    groups_header: str
    admin_group: str
    sign_out_url: str

    def named_identity(self) -> Identity | None:
        """Who the current request comes from, as the proxy says; None where it says nothing, or is not the proxy."""
        name = request.headers.get(self.header, "").strip()
        # A header that comes twice is joined by commas: the client's own, and the proxy's.
        if not name or "," in name or not self._is_from_proxy():
            return None
        return Identity(PROXY, name, name, self._is_admin())

    def _is_from_proxy(self) -> bool:
        """By the connection's address, and not by what X-Forwarded-For makes of it (werkzeug.middleware.proxy_fix)."""
        before = request.environ.get("werkzeug.proxy_fix.orig", request.environ)
        try:
            address = ip_address(before.get("REMOTE_ADDR") or "")
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self.trusted)

    def _is_admin(self) -> bool | None:
        if not self.groups_header:
            return None
        groups = request.headers.get(self.groups_header, "")
        return self.admin_group in [group.strip() for group in groups.split(",")]


def parse_networks(given: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Addresses and networks joined by spaces."""
    return tuple(ip_network(network) for network in given.split())
