"""Where a URL that a user names may lead: to public addresses, by http or https, and to what the administrator allows besides.

A URL is read in one way only: what two programs could understand differently is refused. A name is judged by what it resolves to, every
address of it, and the caller connects to those addresses and resolves nothing again (exchange.py): DNS that changes in between
leads nowhere else.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from recto.errors import AddressRefused, NoAnswer

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network
Resolve: TypeAlias = Callable[[str, int, float], Collection[str]]
"""Addresses of a name and a port, in the order in which they are to be tried, found within so many seconds. NoAnswer."""

MOST_URL_CHARACTERS: Final = 2000
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LEAST_OTHER_PORT: Final = 1024
"""Below it stand services that might take a request for their own protocol, mail before all."""
_URL_CHARACTERS: Final = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
_LABEL: Final = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")
_NUMBER: Final = re.compile(r"([0-9]+|0x[0-9a-f]*)")
"""A last label like this makes a host an IPv4 address in whatever notation (URL Standard, section 3.5): 127.1, 0x7f000001, 2130706433."""

# Listed here rather than left to `is_global`, which follows the version of Python. https://www.iana.org/assignments/iana-ipv4-special-registry
_REFUSED_IPV4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",  # shared by the customers of a carrier (RFC 6598); some clouds have their metadata here
            "127.0.0.0/8",
            "168.63.129.16/32",  # public by its number; from within Azure it is the host's own service
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",  # relays of 6to4 (RFC 7526)
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_REFUSED_IPV6: Final = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments, Teredo (2001::/32) among them, which carries an IPv4 address
            "2001:db8::/32",
            "2002::/16",  # 6to4, which carries an IPv4 address
            "3fff::/20",
        ),
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")
"""How hosts without IPv4 reach it (RFC 6052): as good as the address that it carries."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL, taken apart. `host` is a name in small letters or an address without brackets; `path` has the query with it."""

    scheme: str
    host: str
    port: int
    path: str


@dataclass(frozen=True, slots=True)
class AllowList:
    """What may be reached although it is not public: hosts by their names, whatever they resolve to, and networks."""

    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    def has(self, host: str) -> bool:
        """Whether a host as it stands in a URL is allowed by itself."""
        address = _literal(host)
        return host in self.names if address is None else self.has_address(address)

    def has_address(self, address: Address) -> bool:
        """Whether an address is in one of the networks. One that carries an IPv4 address counts as that."""
        carried = carried_ipv4(address) or address
        return any(one in network for one in (address, carried) for network in self.networks)


def parse_allow_list(given: str) -> AllowList:
    """Names, addresses and networks (10.1.0.0/16), separated by commas. ValueError that names the one that is none of them."""
    names: set[str] = set()
    networks: list[Network] = []
    for item in filter(None, (part.strip().lower() for part in given.split(","))):
        if _is_network(item):
            networks.append(ip_network(item))
        elif _NAME.fullmatch(item) and not _NUMBER.fullmatch(item.rpartition(".")[2]):
            names.add(item)
        else:
            raise ValueError(f"'{item}' is neither a host's name nor an address nor a network such as 10.1.0.0/16")
    return AllowList(frozenset(names), tuple(networks))


class Guard:
    """Judges addresses by the rules above."""

    def __init__(self, resolve: Resolve, allowed: AllowList = AllowList()) -> None:
        self._resolve = resolve
        self._allowed = allowed

    def target(self, url: str) -> Target:
        """The URL taken apart. AddressRefused for what is refused whatever it resolves to. Asks nobody."""
        target = _parse(url)
        if self._allowed.has(target.host):
            return target
        if target.port not in _DEFAULT_PORTS.values() and target.port < _LEAST_OTHER_PORT:
            raise AddressRefused(f"Port {target.port} is not called. Take 80, 443 or one from {_LEAST_OTHER_PORT} on.")
        address = _literal(target.host)
        if address is not None and not is_public(address):
            raise _not_public()
        return target

    def addresses(self, target: Target, timeout_s: float) -> tuple[Address, ...]:
        """The addresses to connect to, and no other. AddressRefused where any of them is not allowed; NoAnswer where there is none."""
        literal = _literal(target.host)
        found = [str(literal)] if literal else self._resolve(target.host, target.port, timeout_s)
        addresses = tuple(dict.fromkeys(ip_address(one) for one in found))
        if not addresses:
            raise NoAnswer("The name of the host has no address. Check the URL.", reason="name_not_found")
        if target.host not in self._allowed.names and not all(map(self._may_be_reached, addresses)):
            raise _not_public()
        return addresses

    def _may_be_reached(self, address: Address) -> bool:
        return is_public(address) or self._allowed.has_address(address)


def is_public(address: Address) -> bool:
    """Whether the address is one of the public internet. One that carries an IPv4 address is as good as that, or refused."""
    carried = carried_ipv4(address)
    if carried is not None:
        return is_public(carried)
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _REFUSED_IPV4)
    # Everything else that IPv6 has for special ends lies outside: loopback, link-local, unique local, multicast, mapped, local NAT64.
    is_unicast = address.scope_id is None and address in _GLOBAL_UNICAST
    return is_unicast and not any(address in network for network in _REFUSED_IPV6)


def carried_ipv4(address: Address) -> IPv4Address | None:
    """The IPv4 address that this one stands for: mapped (::ffff:0:0/96) or behind NAT64. None where it stands for itself."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None


def _parse(url: str) -> Target:
    if len(url) > MOST_URL_CHARACTERS or not _URL_CHARACTERS.fullmatch(url):
        raise AddressRefused(
            f"This is no URL of at most {MOST_URL_CHARACTERS:,} characters that all programs read alike. Write other characters as %20, "
            "names of hosts in their ASCII form (xn--…)."
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused(
            "The host or the port of this URL cannot be read. Write https://host:port/path."
        ) from error
    if parts.scheme not in _DEFAULT_PORTS:
        raise AddressRefused("Only URLs that begin with https:// or http:// are called.")
    if "@" in parts.netloc:
        raise AddressRefused("A URL with a user name or password before its host is not called. Leave it out.")
    host = (parts.hostname or "").removesuffix(".")
    _check_host(host, is_bracketed="[" in parts.netloc)
    if port == 0:
        raise AddressRefused("Port 0 is none. Leave it out, or give the one that the receiver listens on.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme], path)


def _check_host(host: str, *, is_bracketed: bool) -> None:
    if _literal(host) is not None:
        return
    if is_bracketed or not _NAME.fullmatch(host):
        raise AddressRefused("The URL has no host, or one whose name no host can have. Write https://host/path.")
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        raise AddressRefused("An IPv4 address is only taken as four decimal numbers, such as 198.35.26.96.")


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_network(item: str) -> bool:
    try:
        ip_network(item)
    except ValueError:
        return False
    return True


def _not_public() -> AddressRefused:
    """Does not repeat the address: what names inside a network resolve to is nobody's business outside."""
    return AddressRefused(
        "This leads to an address that is not public, such as one of a private network or of this machine. Take a public one, or have an "
        "administrator add the host to the setting outbound.allowed_hosts."
    )
