"""`python -m tests.soak.run`, which `make soak` calls: Recto under steady work, and what it holds on to.

Exit status 1 where memory or descriptors have grown by more than measures.py allows since the warm-up, a temporary file or a process
stays, a request was answered as it should not be, or the log has a crash.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click

from benchmarks.process_memory import family
from benchmarks.service import Service
from tests.soak.load import Load
from tests.soak.measures import Sample, comparison, growth, sample, shown, typical

_WARM_UP_SHARE: Final = 0.2
_SAMPLES_COMPARED: Final = 5
_SETTLE_S: Final = 20.0
_GONE_S: Final = 2.0
_SIGNS_OF_CRASH: Final = ("request_crashed", "page_process_bug", "Traceback (most recent call last)")


@dataclass(frozen=True, slots=True)
class Soaked:
    """What a run has shown: the samples after the warm-up, and what is wrong."""

    start: Sample
    end: Sample
    faults: list[str]


def soak(folder: Path, minutes: float, pause_s: float, every_s: float, processes: int, seed: int) -> Soaked:
    """Serve and use Recto for that long."""
    service = Service(folder, processes)
    try:
        load = Load(service.address, service.new_token(), pause_s, seed)
        try:
            samples = list(_samples(service, load, minutes * 60, every_s))
        finally:
            load.stop()
        kept = samples[round(_WARM_UP_SHARE * len(samples)) :]
        start, end = typical(kept[:_SAMPLES_COMPARED]), typical(kept[-_SAMPLES_COMPARED:])
        faults = [*load.faults, *growth(start, end), *_left_after_work(service)]
        pids = family(service.process.pid)
    finally:
        status = service.stop()
    faults += [f"The stop ended with status {status}."] if status else []
    faults += _left_after_stop(pids)
    faults += [f"Left behind after the stop: {name}" for name in service.temporary_files()]
    log = service.log.read_text(encoding="utf-8", errors="replace")
    faults += [line for line in log.splitlines() if any(sign in line for sign in _SIGNS_OF_CRASH)]
    click.echo(f"Answers: {json.dumps(dict(sorted(load.counts.items())))}")
    return Soaked(start, end, faults)


def _samples(service: Service, load: Load, seconds: float, every_s: float) -> Iterator[Sample]:
    """One after each `every_s`, and a line of each."""
    began_s = time.monotonic()
    while (passed_s := time.monotonic() - began_s) < seconds:
        time.sleep(min(every_s, max(seconds - passed_s, 0)))
        taken, temporary = sample(service.process.pid), len(service.temporary_files())
        uploads = sum(count for answer, count in load.counts.items() if answer.startswith("upload"))
        click.echo(
            f"{time.monotonic() - began_s:5.0f} s, {uploads} uploads: {shown(taken)}; {temporary} temporary files"
        )
        yield taken


def _left_after_work(service: Service) -> Iterator[str]:
    """Temporary files that stay though nothing is sent any more. What a deleted job was reading gets a while to be killed."""
    until = time.monotonic() + _SETTLE_S
    while (names := service.temporary_files()) and time.monotonic() < until:
        time.sleep(0.2)
    yield from (f"Left behind: {name}" for name in names)


def _left_after_stop(pids: list[int]) -> Iterator[str]:
    """Processes that are not gone two seconds after the stop."""
    until = time.monotonic() + _GONE_S
    while (alive := [pid for pid in pids if Path(f"/proc/{pid}").exists()]) and time.monotonic() < until:
        time.sleep(0.05)
    yield from (f"Process {pid} has outlived the stop." for pid in alive)


@click.command(help="Serve Recto and send it documents, and watch what it holds on to.")
@click.option("--minutes", default=30.0, show_default=True, help="How long.")
@click.option(
    "--pause", "pause_s", default=1.0, show_default=True, help="Seconds between a job's end and the next upload."
)
@click.option("--every", "every_s", default=60.0, show_default=True, help="Seconds between two samples.")
@click.option("--processes", default=1, show_default=True, help="Page processes.")
@click.option("--seed", default=1, show_default=True, help="Of the damaged documents among those sent.")
def main(minutes: float, pause_s: float, every_s: float, processes: int, seed: int) -> None:
    """Exit status 1 where there were faults."""
    click.echo(f"Soak of {minutes:g} minutes, seed {seed}")
    with TemporaryDirectory(prefix="recto-soak-") as folder:
        soaked = soak(Path(folder), minutes, pause_s, every_s, processes, seed)
    click.echo("\n".join(comparison(soaked.start, soaked.end)))
    if soaked.faults:
        raise click.ClickException("\n".join([f"{len(soaked.faults)} faults:", *soaked.faults]))


if __name__ == "__main__":
    main()
