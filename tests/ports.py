"""Ports of this machine for the servers that tests start."""

import socket
import subprocess
from collections.abc import Callable
from contextlib import closing

from tests.patience import wait_until


def free_port() -> int:
    """One that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_listening(
    port: int, process: "subprocess.Popen[bytes]", patience_s: float, told: Callable[[], str]
) -> None:
    """Until the program takes connections. AssertionError with what `told` says where it ends, or does not come to it in time."""
    wait_until(
        lambda: process.poll() is not None or _is_listening(port),
        patience_s,
        f"a server on port {port}",
        told=told,
        pause_s=0.05,
    )
    assert process.poll() is None, told()


def _is_listening(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
