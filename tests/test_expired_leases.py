"""When a Worker that is silent has lost its jobs, by its own clock and by a clock that jumps."""

import pytest

from recto.expired_leases import ExpiryWatch
from recto.jobs import Claim, Lease
from tests.conftest import POLICY, JobTable

pytestmark = pytest.mark.each_database


class Expiry:
    """An ExpiryWatch with a monotonic clock that tests move."""

    def __init__(self, table: JobTable) -> None:
        self.table = table
        self.watch = ExpiryWatch(POLICY, table.clock)
        self.monotonic_s = 1000.0

    def after(self, seconds: float) -> list[Lease]:
        """Let both clocks run, and look."""
        self.monotonic_s += seconds
        self.table.clock.move(seconds)
        return self.look()

    def look(self) -> list[Lease]:
        return self.table.read(self.watch.expired, self.monotonic_s)


@pytest.fixture
def expiry(table: JobTable) -> Expiry:
    return Expiry(table)


@pytest.fixture
def claim(table: JobTable, ann: int) -> Claim:
    table.submit(ann)
    return table.claim()


def test_expiry_watch_gives_up_a_silent_worker_after_lease_and_renewal(expiry: Expiry, claim: Claim) -> None:
    assert expiry.after(POLICY.lease_s) == []
    assert expiry.after(0.25) == []
    assert expiry.after(POLICY.renew_s - 0.25) == []
    assert expiry.after(0.25) == [claim.lease]


def test_expiry_watch_leaves_a_renewed_lease_alone(table: JobTable, expiry: Expiry, claim: Claim) -> None:
    for _ in range(20):
        assert expiry.after(POLICY.renew_s) == []
        table.do(table.jobs.heartbeat, [claim.lease])


@pytest.mark.parametrize("jump_s", [3600, 86400 * 365, -3600, -86400 * 365])
def test_expiry_watch_expires_nothing_when_the_clock_jumps_and_the_worker_renews(
    table: JobTable, expiry: Expiry, claim: Claim, jump_s: float
) -> None:
    expiry.after(1)
    table.clock.move(jump_s)
    for _ in range(10):
        assert expiry.look() == []
        assert expiry.after(POLICY.renew_s - 0.01) == []
        table.do(table.jobs.heartbeat, [claim.lease])


@pytest.mark.parametrize("jump_s", [3600, -3600])
def test_expiry_watch_gives_up_a_worker_that_died_before_the_jump(
    table: JobTable, expiry: Expiry, claim: Claim, jump_s: float
) -> None:
    expiry.after(1)
    table.clock.move(jump_s)
    assert expiry.look() == []
    assert expiry.after(POLICY.renew_s) == [claim.lease]


def test_expiry_watch_that_starts_late_waits_one_period_too(table: JobTable, claim: Claim) -> None:
    table.clock.move(3600)
    late = Expiry(table)
    assert late.look() == []
    assert late.after(POLICY.renew_s) == [claim.lease]
