"""What happens to the machine under a chaos run: its clock is set, and its disk is full for a while."""

import resource
import time
from contextlib import suppress
from random import Random
from typing import Final

from tests.chaos.processes import Fleet

_LONGEST_STEP_S: Final = (
    20.0  # seven leases of the run's settings; a step back makes a dead Worker's lease that much longer
)
_LONGEST_FULL_S: Final = 3.0
_HOW_OFTEN: Final = 0.2


class Machine:
    """`set_clock` and `fill_disk` at random; `heal` ends both. `clock_steps` and `full_disks` count."""

    def __init__(self, fleet: Fleet, random: Random) -> None:
        self.clock_steps = 0
        self.full_disks = 0
        self._fleet = fleet
        self._random = random
        self._full_until_s: float | None = None

    def trouble(self) -> None:
        """Nothing, mostly; call it once for each strike of the killer."""
        if self._random.random() < _HOW_OFTEN:
            self._set_clock((self._random.random() * 2 - 1) * _LONGEST_STEP_S)
            self.clock_steps += 1
        if self._random.random() < _HOW_OFTEN and self._full_until_s is None:
            self._full_until_s = time.monotonic() + self._random.random() * _LONGEST_FULL_S
            self.full_disks += 1
            self._limit_files(0)

    def attend(self) -> None:
        """Make room on the disk again when it is time."""
        if self._full_until_s is not None and time.monotonic() >= self._full_until_s:
            self._make_room()

    def heal(self) -> None:
        """The right time, and room on the disk."""
        self._set_clock(0.0)
        self._make_room()

    def _set_clock(self, ahead_s: float) -> None:
        """In one step: who reads it meanwhile sees the one time or the other."""
        new = self._fleet.clock.with_suffix(".new")
        new.write_text(f"{ahead_s:.3f}", encoding="ascii")
        new.replace(self._fleet.clock)

    def _make_room(self) -> None:
        while self._limit_files(resource.RLIM_INFINITY):
            pass  # a process that was started meanwhile has its parent's limit
        self._full_until_s = None

    def _limit_files(self, limit_bytes: int) -> bool:
        """Let no process of the run make a file longer than this; the answer is EFBIG. Whether any could until now."""
        is_new = False
        for pid in self._fleet.processes():
            with suppress(ProcessLookupError):  # it has ended meanwhile
                before, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit_bytes, hard))
                is_new |= before != limit_bytes
        return is_new
