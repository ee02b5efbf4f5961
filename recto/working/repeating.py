"""A thread of the Worker that does the same again and again, with a pause between, until it is stopped."""

import threading
from abc import ABC, abstractmethod


class RepeatingThread(ABC):
    """Calls `step` until `stopping` is set."""

    def __init__(self, name: str, stopping: threading.Event | None = None, first_after_s: float = 0.0) -> None:
        self.stopping = stopping or threading.Event()
        self._first_after_s = first_after_s
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, in the middle of a step as well where that looks at `stopping`."""
        self.stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    @abstractmethod
    def step(self) -> float:
        """Do what there is to do. Gives the seconds until the next time."""

    def _run(self) -> None:
        pause_s = self._first_after_s
        while not self.stopping.wait(pause_s):
            pause_s = self.step()
