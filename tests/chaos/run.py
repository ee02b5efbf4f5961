"""Chaos: real processes are killed and stopped at random while documents come in: `python -m tests.chaos.run --jobs 500 --kills 200 --seed 1`.

A Backend and some Workers serve on a temporary folder. Clients send letters of 1 to 20 pages; a killer sends signals to
Workers, page processes and the Backend, mostly while they have work in hand; what has died is started again. At the end every job is
held against what was sent. The exit status is 0 where nothing was lost, torn, ended twice or left behind. Linux only.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from models import Job
from recto import accounts
from recto.database.connections import Begin, connect, transaction
from recto.file_storage.volume import VolumeStorage
from tests.chaos.clients import Clients
from tests.chaos.documents import Letter, letters
from tests.chaos.kills import Killer
from tests.chaos.machine import Machine
from tests.chaos.processes import Fleet
from tests.chaos.verdict import Verdict, judge, leftovers, without_json
from tests.patience import wait_until

_LOCKS_PER_STRIKE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of it."""

    jobs: int
    kills: int
    seed: int
    workers: int = 3
    patience_s: float = 1800.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run has shown. `orphans` are processes and files that nothing needs, after the sweep."""

    plan: Plan
    verdict: Verdict
    by_kind: dict[str, int]
    at_work: dict[str, int]
    locks: int
    clock_steps: int
    full_disks: int
    answers: dict[str, int]
    starts: int
    for_sweeper: int
    orphans: list[str]
    tracebacks: int
    took_s: float

    @property
    def is_sound(self) -> bool:
        """Whether every promise was kept."""
        verdict = self.verdict
        wrong = verdict.ended_twice or verdict.torn or verdict.lost or self.orphans or self.answers.get("500")
        return not wrong and verdict.accepted == verdict.ended >= self.plan.jobs


def run(plan: Plan, folder: Path) -> Outcome:
    """All of it, in `folder`."""
    started_s = time.monotonic()
    random = Random(plan.seed)
    sent = letters(plan.jobs, random)
    fleet = Fleet(folder, plan.workers)
    engine = connect(f"sqlite:///{fleet.storage / 'recto.db'}", 30.0)
    try:
        with ExitStack() as stack:
            stack.callback(fleet.stop)
            fleet.start()
            clients = Clients(fleet.port, _token(engine), sent, plan.seed)
            stack.callback(clients.stop)
            killer = Killer(fleet, clients, Machine(fleet, random), engine, random)
            stack.callback(killer.close)
            _strike_while_they_work(plan, clients, killer, random, engine)
        return _outcome(plan, fleet, clients, killer, engine, sent, time.monotonic() - started_s)
    finally:
        engine.dispose()


def _strike_while_they_work(plan: Plan, clients: Clients, killer: Killer, random: Random, engine: Engine) -> None:
    """Documents come in as the kills go on, so that there is work to the last of them; then all is read in peace."""
    until = time.monotonic() + plan.patience_s
    kills = 0
    while kills < plan.kills and not clients.are_done:
        clients.allowed = max(clients.allowed, 3 + round(plan.jobs * (kills + 1) / plan.kills))
        if killer.strike():
            kills += 1
        else:
            clients.allowed += 2  # there was nobody at work
        if random.random() < _LOCKS_PER_STRIKE:
            killer.hold_the_lock()
        killer.machine.trouble()
        pause_until = time.monotonic() + random.random() * 1.5
        while time.monotonic() < pause_until:
            killer.attend()
            time.sleep(0.05)
        assert time.monotonic() < until, f"only {kills} kills in {plan.patience_s:g} s"
    killer.wake_all()
    clients.allowed = plan.jobs + 1000
    wait_until(
        lambda: _is_all_done(clients, killer, engine), max(60.0, until - time.monotonic()), "the end of every job"
    )


def _is_all_done(clients: Clients, killer: Killer, engine: Engine) -> bool:
    killer.attend()
    time.sleep(0.1)
    if not clients.are_done:
        return False
    with Session(engine) as session:
        return not session.scalar(select(func.count()).select_from(Job).where(Job.ended_us.is_(None)))


def _token(engine: Engine) -> str:
    with transaction(Session(engine), Begin.WRITE) as session:
        return accounts.create_token(session, accounts.find_user(session, "admin").id, "chaos")


def _outcome(
    plan: Plan,
    fleet: Fleet,
    clients: Clients,
    killer: Killer,
    engine: Engine,
    sent: list[Letter],
    took_s: float,
) -> Outcome:
    storage = VolumeStorage(fleet.storage)
    for uuid in without_json(engine, storage):
        fleet.run("derive", uuid, "json")
    verdict = judge(engine, storage, sent, clients.accepted)
    processes = [f"process {pid}: {command}" for pid, command in fleet.processes().items()]
    outlived = [f"process {pid} outlived its parent" for pid in killer.outlived]
    left = leftovers(engine, fleet.storage)
    fleet.run("jobs", "sweep", "--older-than", "0s")
    return Outcome(
        plan,
        verdict,
        dict(sorted(killer.by_kind.items())),
        dict(sorted(killer.at_work.items())),
        killer.locks,
        killer.machine.clock_steps,
        killer.machine.full_disks,
        dict(sorted(clients.answers.items())),
        sum(program.starts for program in fleet.programs),
        len(left),
        [*processes, *outlived, *leftovers(engine, fleet.storage)],
        fleet.log.read_text(encoding="utf-8", errors="replace").count("Traceback"),
        took_s,
    )


def report(outcome: Outcome) -> str:
    """For people."""
    verdict, plan = outcome.verdict, outcome.plan
    numbers = (verdict.accepted, verdict.ended, verdict.ended_twice, len(verdict.torn), len(outcome.orphans))
    lines = [
        f"seed {plan.seed}: {plan.jobs} letters, {sum(outcome.by_kind.values())} kills and stops, {plan.workers} Workers, {outcome.took_s:.0f} s",
        *(f"  {count:4} {kind}" for kind, count in outcome.by_kind.items()),
        f"on work in progress: {sum(outcome.at_work.values())}",
        *(f"  {count:4} {phase}" for phase, count in outcome.at_work.items()),
        f"database locked by a writer: {outcome.locks} times; clock set: {outcome.clock_steps} times; disk full: {outcome.full_disks} times",
        f"answers: {outcome.answers}; accepted without an answer: {verdict.unanswered}; programs started: {outcome.starts}",
        f"endings: {dict(verdict.endings)}; attempts: {dict(sorted(verdict.attempts.items()))}; pages given up and named: {verdict.pages_given_up}",
        f"tracebacks in the log: {outcome.tracebacks}; files that dead processes left, for the sweeper: {outcome.for_sweeper}",
        *(f"  lost: {what}" for what in verdict.lost),
        *(f"  torn: {what}" for what in verdict.torn),
        *(f"  orphan: {what}" for what in outcome.orphans),
        f"jobs accepted / ended / ended twice / results torn / orphans left = {' / '.join(map(str, numbers))}",
    ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Run, print, and give the exit status. The folder stays where something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.run", description="Kill Recto's processes at random.")
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=3)
    given = parser.parse_args(arguments)
    sys.stdout.write(f"seed {given.seed}\n")
    sys.stdout.flush()
    folder = tempfile.TemporaryDirectory(prefix="recto-chaos-", ignore_cleanup_errors=True)
    outcome = run(Plan(given.jobs, given.kills, given.seed, given.workers), Path(folder.name))
    sys.stdout.write(report(outcome))
    folder.cleanup()
    return 0 if outcome.is_sound else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
