"""How much of the time work may take that nobody waits for."""

import threading
import time


class Pace:
    """Lets work that nobody waits for have a small share of the time, until it is told to stop.

    A sweep looks at every job that there is, 0.2 ms each: a million of them would take a core for minutes.
    """

    def __init__(self, share_of_time: float) -> None:
        """`share_of_time` from above 0 to 1: at 1 there is no rest."""
        self._rest_of_work = 1 / share_of_time - 1
        self._since_s = 0.0
        self.stopping = threading.Event()

    def begin(self) -> None:
        """What comes now is work."""
        self._since_s = time.monotonic()

    def rest(self) -> bool:
        """Wait in proportion to the work since the last rest. False where the work is to stop."""
        worked_s = time.monotonic() - self._since_s
        is_stopping = self.stopping.wait(worked_s * self._rest_of_work)
        self.begin()
        return not is_stopping
