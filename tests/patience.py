"""Waiting for what happens elsewhere, in a thread or another program: looked for again and again, and given up with a message."""

import time
from collections.abc import Callable
from typing import Final

PATIENCE_S: Final = 30.0
"""Far more than what is waited for takes on a machine that is busy."""


def wait_until(
    is_so: Callable[[], object],
    patience_s: float = PATIENCE_S,
    what: str = "",
    *,
    told: Callable[[], str] = str,
    pause_s: float = 0.01,
) -> float:
    """Seconds that it took. AssertionError where it takes longer: with `what` was waited for, and what `told` says then, a log for example."""
    began_s = time.monotonic()
    while not is_so():
        if time.monotonic() - began_s > patience_s:
            raise AssertionError(
                "\n".join(filter(None, (f"Waited {patience_s:g} s in vain for {what or 'this'}.", told())))
            )
        time.sleep(pause_s)
    return time.monotonic() - began_s
