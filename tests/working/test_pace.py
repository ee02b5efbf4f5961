"""How much of the time work takes that nobody waits for."""

import threading
import time

from recto.working.pace import Pace


def test_pace_rests_in_proportion_to_the_work() -> None:
    pace = Pace(0.2)
    pace.begin()
    time.sleep(0.05)
    began_s = time.monotonic()
    assert pace.rest()
    assert time.monotonic() - began_s >= 4 * 0.05


def test_pace_that_is_stopped_ends_its_rest() -> None:
    pace = Pace(1e-9)
    pace.begin()
    threading.Timer(0.02, pace.stopping.set).start()
    assert not pace.rest()
