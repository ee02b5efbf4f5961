"""A thread that does the same again and again."""

import threading
import time

from recto.working.repeating import RepeatingThread


class Counting(RepeatingThread):
    def __init__(self, pause_s: float, first_after_s: float = 0.0) -> None:
        super().__init__("counting", first_after_s=first_after_s)
        self.pause_s = pause_s
        self.steps = 0
        self.third = threading.Event()

    def step(self) -> float:
        self.steps += 1
        if self.steps == 3:
            self.third.set()
        return self.pause_s


def test_thread_repeats_its_step_until_it_is_stopped() -> None:
    thread = Counting(0.001)
    thread.start()
    assert thread.third.wait(10)
    thread.stop()
    steps = thread.steps
    time.sleep(0.02)
    assert thread.steps == steps


def test_stop_ends_the_pause_before_the_first_step() -> None:
    thread = Counting(0.0, first_after_s=3600.0)
    thread.start()
    thread.stop()
    assert thread.steps == 0


def test_thread_that_was_never_started_can_be_stopped() -> None:
    thread = Counting(0.0)
    thread.stop()
    assert thread.steps == 0
