"""How many jobs a second several Workers claim at once, whether each job goes to one of them, and what jobs of the past do to that.

    python -m benchmarks.queue_claims [--claimers 8] [--jobs 4000] [--few 1000] [--many 1000000] [--server URL]

`--server` names a PostgreSQL database whose user may make others; without it, it is SQLite. Each claimer is a process of its own that
claims until nothing waits, and does nothing else: with Workers that read, the database has far less to do.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import sessionmaker

from benchmarks.queue_size import Table, databases, settle
from recto.database.connections import Begin, connect, transaction
from recto.errors import DatabaseBusy
from recto.jobs import Jobs, QueuePolicy
from recto.settings import load_settings

_GO: Final = "go\n"


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a claimer got: uuids, and the seconds of each claim."""

    uuids: list[str]
    took_s: list[float]


def claim_all(url: str, name: str) -> Claimed:
    """Claim until nothing waits."""
    engine = connect(url, 120.0)
    sessions, jobs = sessionmaker(engine), Jobs(QueuePolicy(**load_settings({}).queue.model_dump()))
    with transaction(sessions(), Begin.READ) as session:
        jobs.has_claimable(session)
    print("ready", flush=True)
    sys.stdin.readline()
    claimed = Claimed([], [])
    while True:
        began_s = time.perf_counter()
        try:
            with transaction(sessions(), Begin.CLAIM) as session:
                claim = jobs.claim_next(session, name)
        except DatabaseBusy:
            continue
        if claim is None:
            engine.dispose()
            return claimed
        claimed.uuids.append(claim.lease.job_uuid)
        claimed.took_s.append(time.perf_counter() - began_s)


def race(url: str, claimers: int) -> tuple[float, list[Claimed]]:
    """Seconds until all was claimed by so many processes, and what each of them got."""
    command = [sys.executable, "-m", "benchmarks.queue_claims", "--claim-from", url]
    processes = [
        subprocess.Popen(
            [*command, "--name", f"claimer-{number}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for number in range(claimers)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    began_s = time.perf_counter()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(_GO)
        process.stdin.flush()
    ended = [process.communicate()[0] for process in processes]
    return time.perf_counter() - began_s, [Claimed(**json.loads(output)) for output in ended]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--claimers", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=4000)
    parser.add_argument("--few", type=int, default=1000)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--server")
    parser.add_argument("--claim-from", help=argparse.SUPPRESS)
    parser.add_argument("--name", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.claim_from:
        claimed = claim_all(given.claim_from, given.name)
        print(json.dumps({"uuids": claimed.uuids, "took_s": claimed.took_s}))
        return
    print(
        "| past jobs | claimers | jobs | claims a second | median of a claim, ms | each job to one |\n|---:|---:|---:|---:|---:|---|"
    )
    rates = {}
    with databases(given.server, ("few", "many")) as urls:
        for name, past in (("few", given.few), ("many", given.many)):
            table = Table(urls[name], past, waiting=given.jobs)
            settle(table.engine)
            table.engine.dispose()
            took_s, outcomes = race(urls[name], given.claimers)
            uuids = [uuid for outcome in outcomes for uuid in outcome.uuids]
            took = sorted(taken_s for outcome in outcomes for taken_s in outcome.took_s)
            rates[name] = len(uuids) / took_s
            is_right = len(uuids) == len(set(uuids)) == given.jobs
            print(
                f"| {past:,} | {given.claimers} | {given.jobs:,} | {rates[name]:.0f} | {1000 * took[len(took) // 2]:.1f} | "
                f"{'yes' if is_right else 'NO'} |",
                flush=True,
            )
    print(f"\nRatio of the rates (aim: 1.3): {rates['few'] / rates['many']:.2f}")


if __name__ == "__main__":
    main()
