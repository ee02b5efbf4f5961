"""A Recto in memory, and a clock that does not make tests wait."""

import time

import pytest

from recto_client import sending
from tests.clients.fake_recto import FakeRecto


@pytest.fixture
def recto() -> FakeRecto:
    """The service that the client under test talks to."""
    return FakeRecto()


@pytest.fixture
def slept_s(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses between attempts, which pass at once."""
    pauses: list[float] = []
    now = [time.monotonic()]

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(sending.Sender.__init__, "__kwdefaults__", {"clock": lambda: now[0], "sleep": sleep})
    return pauses
