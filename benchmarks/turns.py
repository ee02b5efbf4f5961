"""Work measured by turns: each has the machine to itself for a moment, with all the others stopped, until all are done.

A machine may change its speed from one second to the next. By turns all see the same of it, which rounds of a minute each do not. Linux alone tells
what a process has started: elsewhere one work comes after another.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Final, Generic, TypeVar

from benchmarks.process_memory import family

T = TypeVar("T")
_GO: Final = "go"


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What the work gave, and when it had its turns: moments of the monotonic clock, which all processes share."""

    outcome: T
    turns: tuple[tuple[float, float], ...]

    def within_s(self, began_s: float, ended_s: float) -> float:
        """How long it ran between two moments."""
        return sum(max(0.0, min(ended_s, end_s) - max(began_s, start_s)) for start_s, end_s in self.turns)


def by_turns(works: Mapping[str, Callable[[], T]], turn_s: float | None) -> dict[str, Done[T]]:
    """Run each in a process of its own, in turns of so many seconds; None: one after another. Raises what one of them raises, once the others were stopped."""
    turn_s = turn_s if sys.platform == "linux" else None
    runners = {name: _Runner(work) for name, work in works.items()}
    try:
        while waiting := [runner for runner in runners.values() if not runner.has_ended]:
            for runner in waiting:
                runner.take_turn(turn_s)
    finally:
        for runner in runners.values():
            runner.end()
    return {name: Done(runner.outcome, tuple(runner.turns)) for name, runner in runners.items()}


@dataclass(slots=True)
class _Failed:
    error: BaseException


@dataclass(slots=True)
class _Runner:
    """A process with the work, and all that it starts."""

    work: Callable[[], Any]
    turns: list[tuple[float, float]] = field(default_factory=list)
    has_ended: bool = False
    outcome: Any = None
    _stopped: set[int] = field(default_factory=set)
    _process: Any = field(init=False)
    _pipe: Connection = field(init=False)

    def __post_init__(self) -> None:
        self._pipe, theirs = get_context("fork").Pipe()
        self._process = get_context("fork").Process(target=_run, args=(self.work, theirs))
        self._process.start()
        theirs.close()

    def take_turn(self, turn_s: float | None) -> None:
        """Go on for so long, or until it ends."""
        start_s = time.monotonic()
        if self.turns:
            self._continue()
        else:
            self._pipe.send(_GO)
        if self._pipe.poll(turn_s):
            self.outcome, self.has_ended = self._pipe.recv(), True
            end_s = time.monotonic()
        else:
            end_s = self._stop()
        self.turns.append((start_s, end_s))
        if isinstance(self.outcome, _Failed):
            raise self.outcome.error

    def end(self) -> None:
        """Interrupt it where it goes on, so that it stops what it has started."""
        if not self.has_ended:
            self._continue()
            os.kill(self._process.pid, signal.SIGINT)
        self._process.join()

    def _stop(self) -> float:
        """Stop the process and all that it has started; gives the moment. Who has started more is not charged for the time to find it."""
        end_s: float | None = None
        while new := [pid for pid in family(self._process.pid) if pid not in self._stopped]:
            _tell(new, signal.SIGSTOP)
            end_s = end_s or time.monotonic()
            self._stopped.update(new)
        return end_s or time.monotonic()

    def _continue(self) -> None:
        """Nothing that is stopped starts or ends anything, so nobody has to be looked for."""
        _tell(self._stopped, signal.SIGCONT)
        self._stopped.clear()


def _tell(pids: Iterable[int], what: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # it has ended
            os.kill(pid, what)


def _run(work: Callable[[], Any], pipe: Connection) -> None:
    try:
        pipe.recv()
        pipe.send(work())
    except KeyboardInterrupt:
        sys.exit(1)
    except BaseException as error:  # noqa: BLE001 - raised by who waits for it
        pipe.send(_Failed(error))
