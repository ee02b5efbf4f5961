"""Where outgoing requests may lead: every way to write an address that is not public, and names that resolve to one."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.errors import AddressRefused, NoAnswer
from recto.outbound.guard import AllowList, Guard, is_public, parse_allow_list

PUBLIC = "198.35.26.96"
PUBLIC_IPV6 = "2620:0:863:ed1a::1"


def guard(*found: str, allowed: str = "") -> Guard:
    """A guard for whom every name resolves to these."""
    return Guard(lambda host, port, timeout_s: found, parse_allow_list(allowed))


def check(url: str, *found: str, allowed: str = "") -> Sequence[str]:
    """The addresses that would be connected to."""
    judge = guard(*found, allowed=allowed)
    return [str(address) for address in judge.addresses(judge.target(url), 1.0)]


NOT_PUBLIC = {
    "loopback": "127.0.0.1",
    "another loopback": "127.8.9.10",
    "this host": "0.0.0.0",  # noqa: S104 - refused, not bound
    "this network": "0.1.2.3",
    "private 10": "10.0.0.1",
    "private 172": "172.31.255.255",
    "private 192": "192.168.1.1",
    "link-local, metadata of clouds": "169.254.169.254",
    "carrier-grade NAT": "100.64.0.1",
    "metadata of Alibaba": "100.100.100.200",
    "metadata of Oracle": "192.0.0.192",
    "host service of Azure": "168.63.129.16",
    "documentation": "203.0.113.9",
    "benchmarking": "198.18.0.1",
    "relay of 6to4": "192.88.99.1",
    "multicast": "224.0.0.1",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "IPv6 loopback": "::1",
    "IPv6 unspecified": "::",
    "IPv6 link-local": "fe80::1",
    "IPv6 link-local with a zone": "fe80::1%2",
    "IPv6 unique local": "fd00:ec2::254",
    "IPv6 site-local": "fec0::1",
    "IPv6 multicast": "ff02::1",
    "IPv6 documentation": "2001:db8::1",
    "IPv6 documentation, new": "3fff::1",
    "IPv6 discard": "100::1",
    "mapped loopback": "::ffff:127.0.0.1",
    "mapped loopback, in hex": "::ffff:7f00:1",
    "mapped private": "::ffff:192.168.1.1",
    "compatible loopback": "::127.0.0.1",
    "compatible public": f"::{PUBLIC}",
    "translated": "::ffff:0:127.0.0.1",
    "6to4 of loopback": "2002:7f00:1::1",
    "6to4 of a public one": "2002:c623:1a60::1",
    "Teredo": "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "NAT64 of loopback": "64:ff9b::127.0.0.1",
    "NAT64 of metadata": "64:ff9b::a9fe:a9fe",
    "local NAT64": "64:ff9b:1::a00:1",
    "outside of what is assigned": "4000::1",
}
PUBLIC_ONES = [
    PUBLIC,
    "8.8.8.8",
    "172.32.0.1",
    "100.128.0.1",
    PUBLIC_IPV6,
    "2a00:1450:4001:81b::200e",
    f"::ffff:{PUBLIC}",
    f"64:ff9b::{PUBLIC}",
]


@pytest.mark.parametrize("address", NOT_PUBLIC.values(), ids=NOT_PUBLIC)
def test_address_that_is_not_public_is_refused_in_a_url_and_behind_a_name(address: str) -> None:
    shown = f"[{address}]" if ":" in address else address
    with pytest.raises(AddressRefused):
        guard().target(f"https://{shown}/hook")
    with pytest.raises(AddressRefused, match="not public"):
        check("https://hooks.example.com/", address)


@pytest.mark.parametrize("address", PUBLIC_ONES)
def test_public_address_may_be_called_in_a_url_and_behind_a_name(address: str) -> None:
    shown = f"[{address}]" if ":" in address else address
    assert check(f"https://{shown}/hook") == [str(ip_address(address))]
    assert check("https://hooks.example.com/", address) == [str(ip_address(address))]


@pytest.mark.parametrize("address", NOT_PUBLIC.values(), ids=NOT_PUBLIC)
def test_name_of_which_one_address_is_not_public_is_refused_as_a_whole(address: str) -> None:
    with pytest.raises(AddressRefused):
        check("https://hooks.example.com/", PUBLIC, PUBLIC_IPV6, address)


OTHER_NOTATIONS = {
    "decimal": "http://2130706433/",
    "decimal, public": "http://3324189280/",
    "octal": "http://0177.0.0.1/",
    "octal throughout": "http://017700000001/",
    "hexadecimal": "http://0x7f000001/",
    "hexadecimal in parts": "http://0x7f.0x0.0x0.0x1/",
    "two parts": "http://127.1/",
    "three parts": "http://127.0.1/",
    "leading zeros": "http://127.000.000.001/",
    "one zero": "http://0/",
    "five parts": "http://1.2.3.4.5/",
    "above 255": "http://1.2.3.256/",
    "a name that ends in a number": "http://metadata.1/",
    "a name that ends in 0x": "http://metadata.0x/",
    "a dot at the end": "http://127.0.0.1./",
}
REFUSED_URLS = OTHER_NOTATIONS | {
    "nothing": "",
    "a word": "hooks",
    "no scheme": "//hooks.example.com/",
    "no host": "https:///hook",
    "file": "file:///etc/passwd",
    "ftp": "ftp://hooks.example.com/",
    "gopher": "gopher://hooks.example.com:70/_x",
    "javascript": "javascript:alert(1)",
    "a user name": "https://user@hooks.example.com/",
    "user name and password": "https://user:pass@hooks.example.com/",
    "an empty user name": "https://@hooks.example.com/",
    "a host before the host": "https://hooks.example.com@127.0.0.1/",
    "a backslash before the host": "https://hooks.example.com\\@127.0.0.1/",
    "a space": "https://hooks.example.com/a b",
    "a space in front": " https://hooks.example.com/",
    "a line end": "https://hooks.example.com/\r\nX-Injected: 1",
    "a tab": "https://hooks\t.example.com/",
    "a null": "https://hooks.example.com/\0",
    "an encoded host": "https://%31%32%37.0.0.1/",
    "circled digits": "https://①②⑦.⓪.⓪.①/",
    "wide digits": "https://１２７.0.0.1/",
    "an ideographic dot": "https://127。0。0。1/",
    "a name beyond ASCII": "https://höoks.example.com/",
    "an empty label": "https://hooks..example.com/",
    "a hyphen in front": "https://-hooks.example.com/",
    "a long label": f"https://{'a' * 64}.com/",
    "a long name": f"https://{'a.' * 130}com/",
    "a long URL": f"https://hooks.example.com/{'a' * 2000}",
    "an open bracket": "https://[::1/",
    "no address in brackets": "https://[hooks.example.com]/",
    "an address of the future": "https://[v1.x]/",
    "IPv6 without brackets": "https://::1/",
    "port 0": "https://hooks.example.com:0/",
    "a port too high": "https://hooks.example.com:65536/",
    "no number as port": "https://hooks.example.com:http/",
    "the port of mail": "http://hooks.example.com:25/",
    "the port of ssh": "https://hooks.example.com:22/",
}


@pytest.mark.parametrize("url", REFUSED_URLS.values(), ids=REFUSED_URLS)
def test_url_that_may_mean_anything_else_is_refused_before_it_is_resolved(url: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        guard(PUBLIC).target(url)
    assert refused.value.detail.endswith((".", "…"))


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://hooks.example.com", "hooks.example.com", 443, "/"),
        ("http://hooks.example.com", "hooks.example.com", 80, "/"),
        ("HTTPS://Hooks.Example.COM:8443/a/b?c=d&e", "hooks.example.com", 8443, "/a/b?c=d&e"),
        ("https://hooks.example.com./?q", "hooks.example.com", 443, "/?q"),
        ("https://xn--hks-sna0d.example/%20#part", "xn--hks-sna0d.example", 443, "/%20"),
        ("https://hooks.example.com#@127.0.0.1/", "hooks.example.com", 443, "/"),
        ("https://hooks.example.com?@127.0.0.1/", "hooks.example.com", 443, "/?@127.0.0.1/"),
        ("https://a_b.example:1024/", "a_b.example", 1024, "/"),
        ("https://localhost.example.1a/", "localhost.example.1a", 443, "/"),
        (f"https://[{PUBLIC_IPV6}]:8080/x", PUBLIC_IPV6, 8080, "/x"),
    ],
)
def test_url_is_taken_apart(url: str, host: str, port: int, path: str) -> None:
    target = guard(PUBLIC).target(url)
    assert (target.host, target.port, target.path) == (host, port, path)


def test_name_without_an_address_is_no_answer() -> None:
    with pytest.raises(NoAnswer) as missing:
        check("https://hooks.example.com/")
    assert missing.value.members == {"reason": "name_not_found"}


def test_refusal_does_not_repeat_what_a_name_resolves_to() -> None:
    with pytest.raises(AddressRefused) as refused:
        check("https://intranet.example.com/", "10.9.8.7")
    assert "10.9.8.7" not in refused.value.detail


def test_addresses_keep_their_order_and_come_once() -> None:
    found = [PUBLIC_IPV6, PUBLIC, PUBLIC_IPV6]
    assert check("https://hooks.example.com/", *found) == [PUBLIC_IPV6, PUBLIC]


@pytest.mark.parametrize(
    ("allowed", "url", "found"),
    [
        ("127.0.0.1", "http://127.0.0.1:25/", "127.0.0.1"),
        ("127.0.0.0/8", "http://127.0.0.2/", "127.0.0.2"),
        ("10.0.0.0/8, 192.168.7.0/24", "http://hooks.internal/", "192.168.7.1"),
        ("hooks.internal", "http://hooks.internal:22/", "10.0.0.1"),
        ("Hooks.Internal ,", "http://HOOKS.internal./", "::1"),
        ("fd00::/8", "http://[fd00::1]/", "fd00::1"),
        ("10.0.0.0/8", "http://[::ffff:10.0.0.1]/", "::ffff:10.0.0.1"),
    ],
)
def test_allowed_hosts_may_be_called_although_not_public(allowed: str, url: str, found: str) -> None:
    assert check(url, found, allowed=allowed) == [str(ip_address(found))]


@pytest.mark.parametrize(
    ("allowed", "url", "found"),
    [
        ("hooks.internal", "http://other.internal/", ["10.0.0.1"]),
        ("hooks.internal", "http://x.hooks.internal/", ["10.0.0.1"]),
        ("hooks.internal", "http://10.0.0.1/", []),
        ("10.1.0.0/16", "http://hooks.internal/", ["10.1.0.1", "10.2.0.1"]),
        ("10.1.0.0/16", "http://2130706433/", []),
    ],
)
def test_allow_list_allows_nothing_besides(allowed: str, url: str, found: list[str]) -> None:
    with pytest.raises(AddressRefused):
        check(url, *found, allowed=allowed)


@pytest.mark.parametrize(
    "given_list", ["10.1.0.0/33", "10.1.2.3/16", "http://hooks.internal", "a b", "1.2.3", "hooks:80"]
)
def test_allow_list_with_something_else_names_it(given_list: str) -> None:
    with pytest.raises(ValueError, match="is neither"):
        parse_allow_list(f"hooks.internal,{given_list}")


def test_empty_allow_list_is_empty() -> None:
    assert parse_allow_list(" , ") == AllowList()


@given(st.ip_addresses(v=4))
def test_ipv4_address_is_as_good_as_what_stands_for_it(address: IPv4Address) -> None:
    assert not is_public(address) or address.is_global
    assert is_public(IPv6Address(f"::ffff:{address}")) is is_public(address)
    assert is_public(IPv6Address(f"64:ff9b::{address}")) is is_public(address)
    for prefix in ("::", "2002::", "64:ff9b:1::", "::ffff:0:"):
        assert not is_public(IPv6Address(f"{prefix}{address}"))


@given(st.ip_addresses(v=6))
def test_ipv6_address_that_is_public_is_global_unicast(address: IPv6Address) -> None:
    if is_public(address) and address.ipv4_mapped is None and address not in NAT64:
        assert address.is_global
        assert int(address) >> 125 == 1
        assert not address.is_multicast
        assert address.sixtofour is None
        assert address.teredo is None


class _Network:
    def __contains__(self, address: IPv6Address) -> bool:
        return int(address) >> 32 == int(IPv6Address("64:ff9b::")) >> 32


NAT64 = _Network()


@given(st.text(max_size=60), st.sampled_from(["", "http://", "https://", "https://127.0.0.1", "https://[::1]"]))
def test_any_text_is_a_url_or_refused(text: str, start: str) -> None:
    try:
        target = guard(PUBLIC).target(start + text)
    except AddressRefused:
        return
    assert target.scheme in ("http", "https")
    assert target.path.startswith(("/", "?"))
    assert not {"127.0.0.1", "::1"} & {target.host}
