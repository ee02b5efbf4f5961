"""What a long run may not let grow: memory, file descriptors and processes, from Linux's /proc, by what each process does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.process_memory import family

MOST_GROWTH_BYTES: Final = 32 << 20
MOST_GROWTH_SHARE: Final = 0.15
"""Of the memory after warm-up: a process may have grown by the larger of both."""
MOST_GROWTH_FDS: Final = 4
"""How many more descriptors a process may have open at the end: one more client, one more database connection with its WAL."""

_MIB: Final = 1 << 20
_PASSING: Final = ("derive", "other")
"""Processes that come and go, and have nothing to compare."""
_ROLES: Final = (
    ("recto.supervise", "supervisor"),
    ("app.py", "backend"),
    ("ocr_worker.py derive", "derive"),
    ("spawn_main", "page process"),
    ("resource_tracker", "tracker"),
    ("ocr_worker.py", "worker"),
)


@dataclass(frozen=True, slots=True)
class Usage:
    """Of all processes of one role: how many, the memory in RAM and the open descriptors of the one that has most."""

    processes: int
    rss_bytes: int
    descriptors: int


Sample = dict[str, Usage]
"""By role."""


def sample(pid: int) -> Sample:
    """The process and all below it, as they are now."""
    found: dict[str, list[tuple[int, int]]] = {}
    for one in family(pid):
        try:
            command = Path(f"/proc/{one}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            numbers = _rss_bytes(one), len(list(Path(f"/proc/{one}/fd").iterdir()))
        except OSError:  # it has ended meanwhile
            continue
        found.setdefault(_role(command), []).append(numbers)
    return {
        role: Usage(len(ones), max(rss for rss, _ in ones), max(fds for _, fds in ones)) for role, ones in found.items()
    }


def typical(samples: Sequence[Sample]) -> Sample:
    """The median of each number over some samples; roles that come and go are left out."""
    roles = {role for one in samples for role in one if role not in _PASSING}
    return {role: _median([one[role] for one in samples if role in one]) for role in sorted(roles)}


def growth(start: Sample, end: Sample) -> Iterator[str]:
    """What has grown by more than it may."""
    for role, after in end.items():
        before = start.get(role, Usage(0, 0, 0))
        allowed_bytes = max(MOST_GROWTH_BYTES, round(MOST_GROWTH_SHARE * before.rss_bytes))
        if before.processes and after.rss_bytes - before.rss_bytes > allowed_bytes:
            yield f"The memory of the {role} has grown from {before.rss_bytes} to {after.rss_bytes} bytes."
        if before.processes and after.descriptors - before.descriptors > MOST_GROWTH_FDS:
            yield f"The open descriptors of the {role} have grown from {before.descriptors} to {after.descriptors}."
        if after.processes > before.processes:
            yield f"There were {before.processes} processes of the role {role}, now there are {after.processes}."


def shown(one: Sample) -> str:
    """One line."""
    return "; ".join(
        f"{role}{f' x{usage.processes}' if usage.processes > 1 else ''} {usage.rss_bytes / _MIB:.0f} MiB {usage.descriptors} fds"
        for role, usage in sorted(one.items())
    )


def comparison(start: Sample, end: Sample) -> Iterator[str]:
    """A Markdown table."""
    yield "| process | memory at start (MiB) | at end | descriptors at start | at end |"
    yield "|---|---|---|---|---|"
    for role in sorted(start.keys() | end.keys()):
        before, after = start.get(role, Usage(0, 0, 0)), end.get(role, Usage(0, 0, 0))
        memory = f"{before.rss_bytes / _MIB:.0f} | {after.rss_bytes / _MIB:.0f}"
        yield f"| {role} | {memory} | {before.descriptors} | {after.descriptors} |"


def _median(usages: Sequence[Usage]) -> Usage:
    return Usage(
        round(median(one.processes for one in usages)),
        round(median(one.rss_bytes for one in usages)),
        round(median(one.descriptors for one in usages)),
    )


def _role(command: str) -> str:
    return next((role for sign, role in _ROLES if sign in command), "other")


def _rss_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0  # a zombie has none
