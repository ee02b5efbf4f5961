"""What processes have had of the cores, and how long they waited for one: by this, runs compare on a machine that does other things as well."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_NS: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Of one process: seconds on a core, and seconds in which it could have run and had none (its first thread alone)."""

    cpu_s: float
    waited_s: float


def scheduled(pid: int) -> Scheduled:
    """Documentation/scheduler/sched-stats.rst of Linux: nanoseconds on a core, nanoseconds in a queue for one. All threads count for the first figure.

    Nothing of a process that has ended.
    """
    threads = [_figures(task / "schedstat") for task in (_PROC / str(pid) / "task").glob("*")]
    waited_ns = _figures(_PROC / str(pid) / "schedstat")[1]
    return Scheduled(sum(figures[0] for figures in threads) * _NS, waited_ns * _NS)


def used_with_children_s(pid: int) -> float:
    """Processor time of a process and of all that it has started and that has ended, proc_pid_stat(5), to a hundredth of a second."""
    fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def machine_busy_s() -> float:
    """Seconds that all cores together were busy with anything, or were taken by another machine of the same host, proc_stat(5)."""
    fields = [int(field) for field in (_PROC / "stat").read_text().partition("\n")[0].split()[1:9]]
    user, nice, system, _idle, _waiting, interrupts, soft_interrupts, stolen = fields
    return (user + nice + system + interrupts + soft_interrupts + stolen) / os.sysconf("SC_CLK_TCK")


def command(pid: int) -> str:
    """What it was started as; empty where it has ended."""
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _figures(file: Path) -> list[int]:
    try:
        return [int(figure) for figure in file.read_text().split()]
    except OSError:
        return [0, 0, 0]  # a thread that has just ended
