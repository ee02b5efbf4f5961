"""Network namespaces as hosts: each has a cable of its own to the machine that runs the tests, and that cable can be pulled.

ip-netns(8), veth(4), bridge(8). Needs root and Linux's `ip` (Debian: iproute2); whoever asks for a network without them fails, and is told so.
What a run that was killed has left behind is removed by the next one.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path
from typing import Final

_FOR_TESTS: Final = IPv4Network("198.18.0.0/15")
"""RFC 2544: addresses that no network outside of tests has."""
_PREFIX_BITS: Final = 29
_NAMESPACE: Final = re.compile(r"^recto-(\d+)-\d+\b", re.MULTILINE)
_SWITCH: Final = re.compile(r": (rt(\d+)s):")


class Host:
    """A namespace with an address in the network."""

    def __init__(self, name: str, cable: str) -> None:
        self._name, self._cable = name, cable

    @property
    def prefix(self) -> tuple[str, ...]:
        """What stands before a command that is to run there. The process is the command's own."""
        return ("ip", "netns", "exec", self._name)

    def cut_off(self) -> None:
        """Pull the cable: nothing arrives, nothing leaves, and nobody is told. Connections stay open at both ends."""
        ip("link", "set", self._cable, "down")

    def reconnect(self) -> None:
        """Put it back."""
        ip("link", "set", self._cable, "up")


class Network:
    """This machine, and some hosts."""

    def __init__(self, here: IPv4Interface, hosts: list[Host]) -> None:
        self.here = here
        """The address of this machine in it, with its length."""
        self.hosts = hosts


@contextmanager
def network(host_count: int) -> Iterator[Network]:
    """So many hosts around a switch, until the end of the block. Their processes have to have ended by then."""
    told = "Hosts are network namespaces here, which need root and `ip` (Debian: iproute2): run these tests as root."
    assert os.geteuid() == 0, told
    assert shutil.which("ip"), told
    _remove_left_behind()
    addresses = _free_addresses(os.getpid())
    switch = f"rt{os.getpid()}s"
    names = [f"recto-{os.getpid()}-{number}" for number in range(host_count)]
    here = next(addresses)
    try:
        ip("link", "add", switch, "type", "bridge")
        ip("address", "add", str(here), "dev", switch)
        ip("link", "set", switch, "up")
        cables = [_plug_in(name, switch, number, next(addresses)) for number, name in enumerate(names)]
        yield Network(here, [Host(name, cable) for name, cable in zip(names, cables, strict=True)])
    finally:
        _remove(names, [switch])


def _plug_in(name: str, switch: str, number: int, address: IPv4Interface) -> str:
    """A namespace of that name at the switch; the end of its cable that lies here."""
    cable, socket = f"rt{os.getpid()}c{number}", f"rt{os.getpid()}n{number}"
    ip("netns", "add", name)
    ip("link", "add", cable, "type", "veth", "peer", "name", socket)
    ip("link", "set", socket, "netns", name)
    ip("link", "set", cable, "master", switch, "up")
    for command in (
        ["address", "add", str(address), "dev", socket],
        ["link", "set", socket, "up"],
        ["link", "set", "lo", "up"],
    ):
        ip("-n", name, *command)
    return cable


def _free_addresses(pid: int) -> Iterator[IPv4Interface]:
    """Those of a small network that two runs at the same time have hardly both."""
    size = 2 ** (32 - _PREFIX_BITS)
    first = int(_FOR_TESTS.network_address) + size * (pid % (_FOR_TESTS.num_addresses // size))
    return (IPv4Interface(f"{IPv4Address(first + number)}/{_PREFIX_BITS}") for number in range(1, size - 1))


def _remove_left_behind() -> None:
    """Of runs whose process is gone."""
    names = [found[0] for found in _NAMESPACE.finditer(ip("netns", "list")) if _is_gone(found[1])]
    _remove(names, [found[1] for found in _SWITCH.finditer(ip("-oneline", "link")) if _is_gone(found[2])])


def _remove(names: list[str], switches: list[str]) -> None:
    """What there is of them. A cable goes with the namespace that one of its ends lies in."""
    there, links = ip("netns", "list").split(), ip("-oneline", "link")
    for name in set(names) & set(there):
        ip("netns", "delete", name)
    for switch in switches:
        if f" {switch}: " in links:
            ip("link", "delete", switch)


def _is_gone(pid: str) -> bool:
    return not Path("/proc", pid).exists()


def ip(*arguments: str) -> str:
    """What `ip` answers."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"
    return done.stdout
