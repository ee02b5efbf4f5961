"""The killer of a chaos run: which signal hits which process, and what that process was at."""

import os
import signal
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Final

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models import Job, JobStatus
from recto.database.connections import Begin, connect, transaction
from recto.errors import DatabaseBusy
from tests.chaos.clients import Clients
from tests.chaos.machine import Machine
from tests.chaos.processes import Fleet, Program
from tests.process_tree import children, lives, page_processes

_PATIENCE_S: Final = 4.0
"""For so long a victim is waited for that has work in hand."""
_GONE_WITHIN_S: Final = 2.0
_LONGEST_LOCK_S: Final = 2.0  # twice the busy timeout of the run's settings
_LOCK_TRY_S: Final = 0.5  # short, because who has the lock may have been stopped, and is woken up between two tries
_LONGEST_STOP_S: Final = 5.0  # longer than a lease: who wakes up then finds that its job is somebody else's


@dataclass(frozen=True, slots=True)
class Kind:
    """A signal to a kind of process, and how often it is chosen."""

    target: str
    signal: signal.Signals
    weight: int

    @property
    def name(self) -> str:
        """As the table has it."""
        shown = "SIGSTOP+SIGCONT" if self.signal == signal.SIGSTOP else self.signal.name
        return f"{shown} {self.target}"


KINDS: Final = (
    Kind("Worker", signal.SIGKILL, 5),
    Kind("Worker", signal.SIGTERM, 3),
    Kind("Worker", signal.SIGSTOP, 3),
    Kind("page process", signal.SIGKILL, 5),
    Kind("page process", signal.SIGSTOP, 2),
    Kind("Backend", signal.SIGKILL, 4),
    Kind("Backend", signal.SIGTERM, 2),
    Kind("Backend", signal.SIGSTOP, 2),
)


class Killer:
    """Strikes once for each call of `strike`. `by_kind` and `at_work` count; `outlived` are processes that did not end with their parent."""

    def __init__(self, fleet: Fleet, clients: Clients, machine: Machine, engine: Engine, random: Random) -> None:
        self.by_kind: Counter[str] = Counter()
        self.at_work: Counter[str] = Counter()
        self.outlived: list[int] = []
        self.locks = 0
        self._fleet = fleet
        self._clients = clients
        self.machine = machine
        self._engine = engine
        self._impatient = connect(str(engine.url), _LOCK_TRY_S)
        self._random = random
        self._wake_up: list[tuple[float, int, Program | None]] = []
        self._doomed: list[tuple[float, int]] = []

    def strike(self) -> bool:
        """One signal to somebody, at work if that can be had; False where nobody was there to be hit."""
        (kind,) = self._random.choices(KINDS, [kind.weight for kind in KINDS])
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            hit = self._at_backend(kind) if kind.target == "Backend" else self._at_worker(kind)
            if hit:
                self.by_kind[kind.name] += 1
                self.at_work[hit] += 1
                return True
            time.sleep(self._random.random() * 0.05)
            self.attend()
        return False

    def attend(self) -> None:
        """What is due by now: wake up who was stopped, see whether those are gone who should be, start again what has ended."""
        self.machine.attend()
        now_s = time.monotonic()
        for waking in [waking for waking in self._wake_up if waking[0] <= now_s]:
            self._wake_up.remove(waking)
            _, pid, program = waking
            if program is None:
                _signal(pid, signal.SIGCONT)
            elif program.is_stopped:
                program.send(signal.SIGCONT)
        self.outlived += [pid for due_s, pid in self._doomed if due_s <= now_s and lives(pid)]
        self._doomed = [(due_s, pid) for due_s, pid in self._doomed if due_s > now_s and lives(pid)]
        for program in self._fleet.programs:
            if program.has_ended:
                program.start()

    def hold_the_lock(self) -> None:
        """Be the one writer of the database, for longer than others wait for it as often as not."""
        self.locks += 1
        lock_s = self._random.random() * _LONGEST_LOCK_S
        until = time.monotonic() + _LONGEST_STOP_S + _PATIENCE_S
        while not self._holds_the_lock(lock_s):
            assert time.monotonic() < until, "the database stays locked though nobody is stopped"
            self.attend()

    def _holds_the_lock(self, lock_s: float) -> bool:
        """False where another writer has it: it may be one that was stopped in the middle of its transaction, and has to be woken up."""
        try:
            with transaction(Session(self._impatient), Begin.WRITE):
                time.sleep(lock_s)
        except DatabaseBusy:
            return False
        return True

    def wake_all(self) -> None:
        """Nobody stays stopped, and the machine is well."""
        self.machine.heal()
        self._wake_up = [(0.0, pid, program) for _, pid, program in self._wake_up]
        self.attend()

    def close(self) -> None:
        """As `wake_all`, and let the database go."""
        self.wake_all()
        self._impatient.dispose()

    def _at_backend(self, kind: Kind) -> str:
        backend = self._fleet.backend
        if backend.has_ended or backend.is_stopped or not self._clients.in_flight:
            return ""
        self._send(backend, kind.signal)
        return "while documents were sent"

    def _at_worker(self, kind: Kind) -> str:
        """Stands still while it is looked at, so that what it is at is known, and not ended by the time that it is hit."""
        program = self._random.choice(self._fleet.workers)
        if program.has_ended or program.is_stopped:
            return ""
        program.send(signal.SIGSTOP)
        phase = self._phase(program.process.pid)
        victims = page_processes(program.process.pid) if kind.target == "page process" else []
        if not phase or (kind.target == "page process" and not victims):
            program.send(signal.SIGCONT)
            return ""
        if victims:
            program.send(signal.SIGCONT)
            _signal(victims[0], kind.signal)
            if kind.signal == signal.SIGSTOP:
                self._wake_up.append((self._stop_ends_s(), victims[0], None))
        else:
            self._send(program, kind.signal)
        return phase

    def _send(self, program: Program, number: signal.Signals) -> None:
        """What a killed program has started has to be gone soon."""
        started = children(program.process.pid)
        program.send(number)
        if number == signal.SIGSTOP:
            self._wake_up.append((self._stop_ends_s(), program.process.pid, program))
        elif number == signal.SIGKILL:
            program.process.wait()
            self._doomed += [(time.monotonic() + _GONE_WITHIN_S, pid) for pid in started]
        else:
            program.send(signal.SIGCONT)

    def _stop_ends_s(self) -> float:
        return time.monotonic() + self._random.random() * _LONGEST_STOP_S

    def _phase(self, worker: int) -> str:
        """What the job is at that this Worker has in hand; empty where it has none."""
        held = select(Job.page_count, Job.pages_done).where(
            Job.status == JobStatus.IN_PROGRESS, Job.lease_worker.like(f"%-{worker}")
        )
        with Session(self._engine) as session:
            row = session.execute(held.limit(1)).one_or_none()
        if row is None:
            return ""
        page_count, pages_done = row
        if page_count is None:
            return "after the claim"
        return "while pages were written" if pages_done < page_count else "while results were written"


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it was quicker
        os.kill(pid, number)
